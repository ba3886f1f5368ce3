#include <algorithm>
#include <atomic>
#include <cstddef>
#include <variant>
#include <vector>

#include "backend/cpu/bare_pass.hpp"
#include "core/clock.hpp"

namespace ossau {
namespace {

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// pass(thread) again and again in every thread, started once: waking threads is no part of a pass.
template <class Pass>
double time_passes(ThreadPool& pool, int repetitions, Pass pass) {
  const auto threads = static_cast<std::size_t>(pool.size());
  const auto count = static_cast<std::size_t>(repetitions);
  std::vector<std::vector<double>> seconds(threads, std::vector<double>(count));
  std::atomic<std::uint32_t> read{0};
  pool.run([&](std::int64_t thread) {
    std::uint32_t sum = pass(thread);
    for (double& measured : seconds[static_cast<std::size_t>(thread)]) {
      const Stopwatch watch;
      sum += pass(thread);
      measured = watch.seconds();
    }
    read += sum;  // what nobody looks at would not be computed
  });
  std::vector<double> slowest(count);
  for (std::size_t i = 0; i < count; ++i) {
    for (const auto& of_thread : seconds) slowest[i] = std::max(slowest[i], of_thread[i]);
  }
  return median(std::move(slowest));
}

Range share(Range all, std::int64_t thread, std::int64_t threads) {
  return {all.size() * thread / threads, all.size() * (thread + 1) / threads};
}

}  // namespace

double bare_pass_s(const TileSet& tiles, ThreadPool& pool, int repetitions, const float* weights,
                   std::span<AlignedVector<std::int64_t>> sums) {
  if (tiles.owned.size() == 0) return 0;
  const BarePasses passes = available_bare_passes().front();
  if (const auto* dense = std::get_if<DenseTiles>(&tiles.storage)) {
    const auto tile_size = static_cast<std::size_t>(tiles.features * kTileRows);
    return time_passes(pool, repetitions, [&](std::int64_t thread) {
      const Range places = share(tiles.owned, thread, pool.size());
      return passes.read(std::span(dense->values)
                             .subspan(static_cast<std::size_t>(places.begin) * tile_size,
                                      static_cast<std::size_t>(places.size()) * tile_size));
    });
  }
  const auto time = [&](Prefetch prefetch) {
    return time_passes(pool, repetitions, [&](std::int64_t thread) {
      return passes.gather_and_scatter(
          std::get<SparseTiles>(tiles.storage), share(tiles.owned, thread, pool.size()),
          {.weights = weights, .sums = sums[static_cast<std::size_t>(thread)].data()}, prefetch);
    });
  };
  return std::min(time(Prefetch::kNo), time(Prefetch::kYes));
}

double bare_pass_s(const TileSet& tiles, ThreadPool& pool, int repetitions) {
  const auto features = static_cast<std::size_t>(tiles.features);
  const AlignedVector<float> weights(features);
  std::vector<AlignedVector<std::int64_t>> sums(static_cast<std::size_t>(pool.size()),
                                                AlignedVector<std::int64_t>(features));
  return bare_pass_s(tiles, pool, repetitions, weights.data(), sums);
}

}  // namespace ossau
