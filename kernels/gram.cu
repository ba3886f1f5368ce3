#include <algorithm>

#include "gram.cuh"
#include "launch.cuh"
#include "launchers.hpp"

namespace ossau::cuda {
namespace {

using device::GramPanels;
using device::kGramThreads;
using device::LaunchShape;

// Enough to fill a device whatever a multiprocessor holds.
constexpr std::int64_t kGramBlocks = 8;

LaunchShape gram_shape(std::int64_t blocks, int shared_bytes) {
  return {static_cast<unsigned>(blocks), static_cast<unsigned>(kGramThreads),
          static_cast<std::size_t>(shared_bytes)};
}

}  // namespace

void load_gram_kernels() {
  device::load("Gram matrix of dense rows", device::dense_gram_kernel);
  device::load("Gram matrix of sparse rows", device::sparse_gram_kernel);
}

void dense_gram(const DenseRows& rows, const GramTerms& terms, const DeviceInfo& device,
                StreamHandle stream) {
  if (terms.count == 0) return;
  const std::int64_t panels = rows.features / GramPanels::kColumns + 1;
  const std::int64_t pairs = panels * (panels + 1) / 2;
  const std::int64_t parts =
      std::clamp<std::int64_t>(kGramBlocks * device.multiprocessors / pairs, 1, terms.count);
  device::launch("Gram matrix of dense rows", device::dense_gram_kernel,
                 gram_shape(pairs * parts, GramPanels::shared_bytes()), stream, rows, terms);
}

void sparse_gram(const SparseRows& rows, const GramTerms& terms, const DeviceInfo& device,
                 StreamHandle stream) {
  if (terms.count == 0) return;
  const std::int64_t warps = kGramThreads / static_cast<std::int64_t>(device::kWarp);
  const std::int64_t blocks =
      std::min<std::int64_t>(terms.count * kTileRows / warps, kGramBlocks * device.multiprocessors);
  device::launch("Gram matrix of sparse rows", device::sparse_gram_kernel, gram_shape(blocks, 0),
                 stream, rows, terms);
}

}  // namespace ossau::cuda
