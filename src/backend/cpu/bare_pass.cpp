#include "backend/cpu/bare_pass.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>

#include "arith/bits.hpp"
#include "backend/cpu/simd_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backend/cpu/bare_pass.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#ifndef OSSAU_BARE_PASS_ONCE
#define OSSAU_BARE_PASS_ONCE
namespace ossau {
namespace {

constexpr auto kRows = static_cast<std::size_t>(kTileRows);

// Measured on Zen 5 with a million features: weights four slices ahead, and the rows themselves,
// which the hardware's prefetcher loses while a tile is scattered, about a tile ahead.
constexpr std::size_t kSlicesAhead = 4;
constexpr std::size_t kStreamAhead = 64 * kRows;

// Row by row: the same feature, hot as it may be, comes again only in the next row, so that no
// addition waits for the one before it.
void scatter(const SparseTiles& tiles, std::size_t tile, std::int64_t* sums) {
  const auto first = static_cast<std::size_t>(tiles.slice_start[tile]);
  const auto slices = static_cast<std::size_t>(tiles.slice_start[tile + 1]) - first;
  for (std::size_t row = 0; row < kRows; ++row) {
    const std::size_t length = std::min<std::size_t>(tiles.length[tile * kRows + row], slices);
    const std::uint32_t* index = tiles.index.data() + first * kRows + row;
    std::size_t k = 0;
    for (; k + 4 <= length; k += 4) {
      ++sums[index[k * kRows]];
      ++sums[index[(k + 1) * kRows]];
      ++sums[index[(k + 2) * kRows]];
      ++sums[index[(k + 3) * kRows]];
    }
    for (; k < length; ++k) ++sums[index[k * kRows]];
  }
}

// What tile's rows have past its slices: gathered and scattered in one go.
std::uint32_t spill(const SparseTiles& tiles, std::size_t tile, BareTarget target) {
  std::uint32_t sum = 0;
  const auto end = static_cast<std::size_t>(tiles.spill_start[tile + 1]);
  for (auto entry = static_cast<std::size_t>(tiles.spill_start[tile]); entry < end; ++entry) {
    const std::uint32_t j = tiles.spill_index[entry];
    sum += bit_copy<std::uint32_t>(target.weights[j]);
    if (!tiles.implicit_ones()) sum += bit_copy<std::uint32_t>(tiles.spill_value[entry]);
    ++target.sums[j];
  }
  return sum;
}

// Asks for what the gather will need after the slice at `slot`, and for the sums of this one.
// Inlined by order: gcc takes a function that only prefetches for one that does nothing, and leaves
// its calls out.
HWY_INLINE void prefetch_slice(const SparseTiles& tiles, std::size_t slot, BareTarget target) {
  const std::size_t last = tiles.index.size() - kRows;
  const std::uint32_t* here = tiles.index.data() + slot;
  const std::uint32_t* ahead = tiles.index.data() + std::min(slot + kSlicesAhead * kRows, last);
  for (std::size_t i = 0; i < kRows; ++i) {
    __builtin_prefetch(target.weights + ahead[i], 0);
    __builtin_prefetch(target.sums + here[i], 1);
  }
  const std::size_t stream = std::min(slot + kStreamAhead, last);
  for (std::size_t i = 0; i < kRows; i += kAlignment / sizeof(float)) {
    __builtin_prefetch(tiles.index.data() + stream + i, 0);
    if (!tiles.implicit_ones()) __builtin_prefetch(tiles.value.data() + stream + i, 0);
  }
}

}  // namespace
}  // namespace ossau
#endif

HWY_BEFORE_NAMESPACE();
namespace ossau::HWY_NAMESPACE {

// `gather(index, values, weights)` adds up the bits of a slice's weights, and of its values unless
// null.  Compiled for each target, so that a target's Gather is inlined: no call a slice.
template <class Gather>
std::uint32_t bare_gather_and_scatter_with(const SparseTiles& tiles, Range places,
                                           BareTarget target, Prefetch prefetch) {
  Gather gather;
  std::uint32_t spilled = 0;
  for (auto tile = static_cast<std::size_t>(places.begin);
       tile < static_cast<std::size_t>(places.end); ++tile) {
    const auto first = static_cast<std::size_t>(tiles.slice_start[tile]) * kRows;
    const auto end = static_cast<std::size_t>(tiles.slice_start[tile + 1]) * kRows;
    for (std::size_t slot = first; slot < end; slot += kRows) {
      if (prefetch == Prefetch::kYes) prefetch_slice(tiles, slot, target);
      gather(tiles.index.data() + slot, tiles.implicit_ones() ? nullptr : tiles.value.data() + slot,
             target.weights);
    }
    scatter(tiles, tile, target.sums);
    spilled += spill(tiles, tile, target);
  }
  return spilled + gather.total();
}

#if (HWY_TARGET & OSSAU_FUSED_TARGETS) != 0

namespace hn = hwy::HWY_NAMESPACE;

using FloatTag = hn::ScalableTag<float>;
using BitsTag = hn::RebindToUnsigned<FloatTag>;
using IndexTag = hn::RebindToSigned<FloatTag>;
constexpr std::size_t kLanes = hn::MaxLanes(FloatTag());
constexpr std::size_t kLoads = 8;  // that do not wait for each other

// By hand: gcc's own reduction adds signed integers, whose overflow is undefined.
std::uint32_t bare_lane_sum(hn::Vec<BitsTag> sums) {
  alignas(kAlignment) std::uint32_t lanes[kLanes];
  hn::Store(sums, BitsTag(), lanes);
  return std::accumulate(lanes, lanes + kLanes, std::uint32_t{0});
}

// One name a target: helpers of the same name, compiled for another target, are never mixed up.
std::uint32_t bare_read(std::span<const float> values) {
  const BitsTag bits;
  hn::Vec<BitsTag> sums[kLoads];
  for (auto& sum : sums) sum = hn::Zero(bits);
  std::size_t i = 0;
  for (; i + kLoads * kLanes <= values.size(); i += kLoads * kLanes) {
    for (std::size_t k = 0; k < kLoads; ++k) {
      const auto loaded = hn::LoadU(FloatTag(), values.data() + i + k * kLanes);
      sums[k] = hn::Add(sums[k], hn::BitCast(bits, loaded));
    }
  }
  for (std::size_t k = 1; k < kLoads; ++k) sums[0] = hn::Add(sums[0], sums[k]);
  std::uint32_t sum = bare_lane_sum(sums[0]);
  for (; i < values.size(); ++i) sum += bit_copy<std::uint32_t>(values[i]);
  return sum;
}

class BareGather {
 public:
  HWY_INLINE void operator()(const std::uint32_t* index, const float* values,
                             const float* weights) {
    const FloatTag floats;
    const BitsTag bits;
    auto sum = hn::Load(bits, sums_);
    for (std::size_t i = 0; i < kRows; i += kLanes) {
      const auto at = hn::BitCast(IndexTag(), hn::Load(bits, index + i));
      sum = hn::Add(sum, hn::BitCast(bits, hn::GatherIndex(floats, weights, at)));
      if (values != nullptr) {
        sum = hn::Add(sum, hn::BitCast(bits, hn::Load(floats, values + i)));
      }
    }
    hn::Store(sum, bits, sums_);
  }
  std::uint32_t total() const { return bare_lane_sum(hn::Load(BitsTag(), sums_)); }

 private:
  alignas(kAlignment) std::uint32_t sums_[kLanes] = {};
};

std::uint32_t bare_gather_and_scatter(const SparseTiles& tiles, Range places, BareTarget target,
                                      Prefetch prefetch) {
  return bare_gather_and_scatter_with<BareGather>(tiles, places, target, prefetch);
}

BarePasses bare_passes(Simd simd, const char* name) {
  return {
      .simd = simd, .name = name, .read = bare_read, .gather_and_scatter = bare_gather_and_scatter};
}

#endif

}  // namespace ossau::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ossau {
namespace {

std::uint32_t scalar_read(std::span<const float> values) {
  std::uint32_t sum = 0;
  for (const float value : values) sum += bit_copy<std::uint32_t>(value);
  return sum;
}

class ScalarGather {
 public:
  void operator()(const std::uint32_t* index, const float* values, const float* weights) {
    for (std::size_t i = 0; i < kRows; ++i) {
      sum_ += bit_copy<std::uint32_t>(weights[index[i]]);
      if (values != nullptr) sum_ += bit_copy<std::uint32_t>(values[i]);
    }
  }
  std::uint32_t total() const { return sum_; }

 private:
  std::uint32_t sum_ = 0;
};

// The target compiled last is the one that every processor has.
std::uint32_t scalar_gather_and_scatter(const SparseTiles& tiles, Range places, BareTarget target,
                                        Prefetch prefetch) {
  return HWY_NAMESPACE::bare_gather_and_scatter_with<ScalarGather>(tiles, places, target, prefetch);
}

}  // namespace

std::vector<BarePasses> available_bare_passes() {
  std::vector<BarePasses> found;
  [[maybe_unused]] const std::int64_t here = hwy::SupportedTargets();
#if (HWY_TARGETS & HWY_AVX3) != 0
  if ((here & HWY_AVX3) != 0) found.push_back(N_AVX3::bare_passes(Simd::kAvx512, "avx512"));
#endif
#if (HWY_TARGETS & HWY_AVX2) != 0
  if ((here & HWY_AVX2) != 0) found.push_back(N_AVX2::bare_passes(Simd::kAvx2, "avx2"));
#endif
#if (HWY_TARGETS & HWY_NEON) != 0
  if ((here & HWY_NEON) != 0) found.push_back(N_NEON::bare_passes(Simd::kNeon, "neon"));
#endif
  found.push_back({.simd = Simd::kScalar,
                   .name = "scalar",
                   .read = scalar_read,
                   .gather_and_scatter = scalar_gather_and_scatter});
  return found;
}

}  // namespace ossau
#endif
