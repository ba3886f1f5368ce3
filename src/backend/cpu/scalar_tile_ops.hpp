#pragma once

#include <cstddef>
#include <cstdint>

#include "arith/bits.hpp"
#include "arith/fixed_point.hpp"
#include "arith/loss.hpp"

namespace ossau {

/// The operations of tile_kernels.hpp on one row at a time.
struct ScalarTileOps : ScalarOps {
  static constexpr std::size_t kLanes = 1;

  /// A sum of fixed-point numbers.
  class FixedSum {
   public:
    void add(float x, double scale) { sum_ += to_fixed(x, scale); }
    std::int64_t total() const { return sum_; }

   private:
    std::int64_t sum_ = 0;
  };

  static float load(const float* from) { return *from; }
  static void store(float x, float* to) { *to = x; }
  static float gather(const float* values, const std::uint32_t* index) { return values[*index]; }
  static bool longer_than(const std::uint32_t* length, std::size_t k) { return *length > k; }
  static bool row_mask(std::size_t row, std::int32_t begin, std::int32_t end) {
    return static_cast<std::int32_t>(row) >= begin && static_cast<std::int32_t>(row) < end;
  }
  static bool is_finite(float x) { return ossau::is_finite(x); }
  static std::size_t count(bool mask) { return mask ? 1 : 0; }
  // Exact for [0, 2^31], the range of losses.
  static float floor(float x) { return static_cast<float>(static_cast<std::int64_t>(x)); }
  static float reduce(float x) { return x; }
  template <std::size_t>
  static float fold(float a, float) {
    return a;
  }
  static void store_fixed(std::int64_t* to, float x, double scale) { *to = to_fixed(x, scale); }
  static void add_fixed(std::int64_t* sums, float x, double scale) { *sums += to_fixed(x, scale); }
};

}  // namespace ossau
