#pragma once

#include <cstdint>
#include <vector>

#include "arith/wide_sum.hpp"
#include "data/table.hpp"
#include "ossau/config.hpp"

namespace ossau {

// Column statistics in two passes, each order-free, so that ranks can merge what they found.

/// First pass, one entry a column: entries that are not zero, and the range over all rows.
struct ColumnRanges {
  std::vector<std::int64_t> count;  // [d]
  std::vector<double> min;          // [d], over stored entries; +infinity without any
  std::vector<double> max;          // [d]

  explicit ColumnRanges(std::int64_t columns);
  void add(const Table& table, std::int64_t row);
  /// Rows without an entry hold zero: widens each range to it.  Call once, after merging.
  void include_zeros(std::int64_t rows);
};

/// Second pass: sums of u = (x - mid) / half_range and of u^2, with 62 fractional bits.
struct ColumnMoments {
  std::vector<double> mid;      // [d]
  std::vector<double> inverse;  // [d], a power of two with |u| <= 1
  std::vector<Int128> sum;      // [d]
  std::vector<Int128> square;   // [d]

  /// Throws DataError where a column's values are too large or too close together to be scaled.
  ColumnMoments(const ColumnRanges& ranges, const Schema& schema);
  void add(const Table& table, std::int64_t row);
  /// Adds the rows whose entry is zero.  Call once, after merging.
  void include_zeros(const ColumnRanges& ranges, std::int64_t rows);
};

/// How a column's values become stored features: float32(((x - shift) * scale) * 2^-exponent).
struct ColumnTransform {
  std::vector<double> shift;           // [d]
  std::vector<double> scale;           // [d]
  std::vector<std::int32_t> exponent;  // [d]: the least with |feature| <= 2^exponent
  std::vector<double> exponent_power;  // [d]: 2^exponent
  std::vector<double> inverse_power;   // [d]: 2^-exponent

  std::int64_t columns() const { return static_cast<std::int64_t>(shift.size()); }
  float stored(double x, std::int64_t column) const;
};

/// The layout that `config` or the share of entries that are not zero asks for.
Layout choose_layout(const DataConfig& config, const ColumnRanges& ranges, std::int64_t rows);

/// The transform of every column; `moments` may be null when nothing is standardised.
/// Throws DataError where a column's values are too large to be squared.
ColumnTransform make_transform(const ColumnRanges& ranges, const ColumnMoments* moments,
                               std::int64_t rows, bool centre, const Schema& schema);

/// The least e with x <= 2^e, x >= 0 and finite; 0 for x = 0.
std::int32_t ceil_exponent(double x);

}  // namespace ossau
