#include "train/rank_reduce.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

#include "arith/bits.hpp"

namespace ossau {
namespace {

void merge_doubles(Communicator& communicator, std::vector<double>& values, Reduction reduction,
                   std::string_view operation) {
  std::vector<std::int64_t> ordered(values.size());
  std::transform(values.begin(), values.end(), ordered.begin(), ordered_bits);
  all_reduce(communicator, ordered, reduction, operation);
  std::transform(ordered.begin(), ordered.end(), values.begin(), from_ordered_bits);
}

// Three limbs of 43 bits (the last with the sign): their sums over up to 2^20 ranks cannot
// overflow.
constexpr int kLimbBits = 43;
constexpr std::size_t kLimbs = 3;
constexpr Int128 kLimbMask = (Int128{1} << kLimbBits) - 1;

}  // namespace

void merge_sums(Communicator& communicator, std::span<Int128> sums, std::string_view operation) {
  std::vector<std::int64_t> limbs(sums.size() * kLimbs);
  for (std::size_t i = 0; i < sums.size(); ++i) {
    limbs[i * kLimbs] = static_cast<std::int64_t>(sums[i] & kLimbMask);
    limbs[i * kLimbs + 1] = static_cast<std::int64_t>(sums[i] >> kLimbBits & kLimbMask);
    limbs[i * kLimbs + 2] = static_cast<std::int64_t>(sums[i] >> (2 * kLimbBits));
  }
  all_reduce(communicator, limbs, Reduction::kSum, operation);
  for (std::size_t i = 0; i < sums.size(); ++i) {
    constexpr Int128 kUnit = Int128{1} << kLimbBits;
    sums[i] =
        (Int128{limbs[i * kLimbs + 2]} * kUnit + limbs[i * kLimbs + 1]) * kUnit + limbs[i * kLimbs];
  }
}

void merge_ranges(Communicator& communicator, ColumnRanges& ranges) {
  all_reduce(communicator, ranges.count, Reduction::kSum, "column counts");
  merge_doubles(communicator, ranges.min, Reduction::kMin, "column minima");
  merge_doubles(communicator, ranges.max, Reduction::kMax, "column maxima");
}

void merge_moments(Communicator& communicator, ColumnMoments& moments) {
  merge_sums(communicator, moments.sum, "column sums");
  merge_sums(communicator, moments.square, "column sums of squares");
}

void reduce_sums(Backend& backend, Communicator& communicator, std::string_view operation) {
  // Alone there is nothing to add, and whoever asks for the sums pays for putting them together.
  if (communicator.rank().size == 1) return;
  const MemorySpace space = backend.attributes().memory;
  const SumBuffer sums = backend.sums(communicator.queues(space) ? space : MemorySpace::kHost);
  communicator.all_reduce(sums, Reduction::kSum, operation);
  backend.set_sums(sums);
}

std::int64_t reduce_sums_and_note(Backend& backend, Communicator& communicator, std::int64_t note,
                                  std::string_view operation) {
  if (communicator.rank().size == 1) return note;
  if (communicator.queues(backend.attributes().memory)) {
    reduce_sums(backend, communicator, operation);
    return merge_sum(communicator, note, "interruption");
  }
  const SumBuffer sums = backend.sums(MemorySpace::kHost);
  std::int64_t& slot = sums.data[sums.size];
  slot = note;
  communicator.all_reduce({sums.data, sums.size + 1}, Reduction::kSum, operation);
  note = std::exchange(slot, 0);
  backend.set_sums(sums);
  return note;
}

std::int64_t merge_sum(Communicator& communicator, std::int64_t value, std::string_view operation) {
  if (communicator.rank().size == 1) return value;
  std::array<std::int64_t, 1> sum = {value};
  all_reduce(communicator, sum, Reduction::kSum, operation);
  return sum[0];
}

std::function<void(SumBuffer)> queued_reduction(Communicator& communicator,
                                                std::string_view operation) {
  if (communicator.rank().size == 1) return {};
  return [&communicator, operation](SumBuffer sums) {
    communicator.queue_all_reduce(sums, Reduction::kSum, operation);
  };
}

std::function<void(SumBuffer)> awaited_reduction(Communicator& communicator,
                                                 std::string_view operation) {
  if (communicator.rank().size == 1) return {};
  return [&communicator, operation](SumBuffer sums) { communicator.await(sums, operation); };
}

// Everyone learns all sizes first, and so who has something to say.
std::vector<std::string> gather_texts(Communicator& communicator, std::string mine,
                                      std::string_view operation) {
  const RankInfo self = communicator.rank();
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(self.size));
  sizes[static_cast<std::size_t>(self.rank)] = static_cast<std::int64_t>(mine.size());
  all_reduce(communicator, sizes, Reduction::kSum, operation);
  std::vector<std::string> texts(sizes.size());
  texts[static_cast<std::size_t>(self.rank)] = std::move(mine);
  for (std::size_t rank = 0; rank < texts.size(); ++rank) {
    if (sizes[rank] == 0) continue;
    texts[rank].resize(static_cast<std::size_t>(sizes[rank]));
    communicator.broadcast(std::as_writable_bytes(std::span(texts[rank])),
                           static_cast<std::int64_t>(rank), operation);
  }
  return texts;
}

double merge_max(Communicator& communicator, double value, std::string_view operation) {
  std::array<std::int64_t, 1> ordered = {ordered_bits(value)};
  all_reduce(communicator, ordered, Reduction::kMax, operation);
  return from_ordered_bits(ordered[0]);
}

}  // namespace ossau
