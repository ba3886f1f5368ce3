#include "data/statistics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "arith/bits.hpp"
#include "ossau/error.hpp"

namespace ossau {
namespace {

// From this share of non-zero entries on, reading every entry of a row in order is faster than
// gathering the few: a gathered entry costs about ten read in order.
constexpr double kDenseShare = 0.1;

// Squares of features up to 2^511 stay finite.
constexpr std::int32_t kLargestExponent = 511;
constexpr std::int32_t kSmallestExponent = -511;

// Ranges up to 2^1000, and their inverses, stay finite with room for the square root of the rows.
constexpr std::int32_t kLargestMomentExponent = 1000;

}  // namespace

ColumnRanges::ColumnRanges(std::int64_t columns)
    : count(static_cast<std::size_t>(columns), 0),
      min(static_cast<std::size_t>(columns), std::numeric_limits<double>::infinity()),
      max(static_cast<std::size_t>(columns), -std::numeric_limits<double>::infinity()) {}

void ColumnRanges::add(const Table& table, std::int64_t row) {
  const auto begin = static_cast<std::size_t>(table.row_start[static_cast<std::size_t>(row)]);
  const auto end = static_cast<std::size_t>(table.row_start[static_cast<std::size_t>(row) + 1]);
  for (std::size_t k = begin; k < end; ++k) {
    const std::size_t j = table.index[k];
    ++count[j];
    min[j] = std::min(min[j], table.value[k]);
    max[j] = std::max(max[j], table.value[k]);
  }
}

void ColumnRanges::include_zeros(std::int64_t rows) {
  for (std::size_t j = 0; j < count.size(); ++j) {
    if (count[j] == rows) continue;
    min[j] = std::min(min[j], 0.0);
    max[j] = std::max(max[j], 0.0);
  }
}

ColumnMoments::ColumnMoments(const ColumnRanges& ranges, const Schema& schema)
    : mid(ranges.count.size()),
      inverse(ranges.count.size()),
      sum(ranges.count.size(), 0),
      square(ranges.count.size(), 0) {
  for (std::size_t j = 0; j < mid.size(); ++j) {
    mid[j] = ranges.min[j] / 2 + ranges.max[j] / 2;
    const double half = std::max(ranges.max[j] - mid[j], mid[j] - ranges.min[j]);
    const std::int32_t exponent = ceil_exponent(half);
    if (half > 0 && std::abs(exponent) > kLargestMomentExponent) {
      throw DataError(fmt::format(
          "feature {}: values between {:g} and {:g} cannot be standardised in float64 (give the "
          "column in other units)",
          schema.feature_names[j], ranges.min[j], ranges.max[j]));
    }
    inverse[j] = power_of_two(-exponent);
  }
}

void ColumnMoments::add(const Table& table, std::int64_t row) {
  const auto begin = static_cast<std::size_t>(table.row_start[static_cast<std::size_t>(row)]);
  const auto end = static_cast<std::size_t>(table.row_start[static_cast<std::size_t>(row) + 1]);
  for (std::size_t k = begin; k < end; ++k) {
    const std::size_t j = table.index[k];
    const double u = (table.value[k] - mid[j]) * inverse[j];
    sum[j] += to_wide(u);
    square[j] += to_wide(u * u);
  }
}

void ColumnMoments::include_zeros(const ColumnRanges& ranges, std::int64_t rows) {
  for (std::size_t j = 0; j < mid.size(); ++j) {
    const double u = (0.0 - mid[j]) * inverse[j];
    const Int128 zeros = rows - ranges.count[j];
    if (zeros == 0) continue;
    sum[j] += zeros * to_wide(u);
    square[j] += zeros * to_wide(u * u);
  }
}

float ColumnTransform::stored(double x, std::int64_t column) const {
  const auto j = static_cast<std::size_t>(column);
  return static_cast<float>((x - shift[j]) * scale[j] * inverse_power[j]);
}

std::int32_t ceil_exponent(double x) {
  if (x == 0) return 0;
  int exponent = 0;
  const double fraction = std::frexp(x, &exponent);  // exact: x = fraction 2^exponent, in [1/2, 1)
  return fraction == 0.5 ? exponent - 1 : exponent;
}

Layout choose_layout(const DataConfig& config, const ColumnRanges& ranges, std::int64_t rows) {
  if (config.layout != Layout::kAuto) return config.layout;
  double entries = 0;
  for (const std::int64_t count : ranges.count) entries += static_cast<double>(count);
  const double cells = static_cast<double>(rows) * static_cast<double>(ranges.count.size());
  return entries >= kDenseShare * cells ? Layout::kDense : Layout::kSparse;
}

namespace {

struct Centre {
  double shift = 0;
  double scale = 1;
};

Centre standardised(const ColumnMoments& moments, std::size_t j, std::int64_t rows, bool centre) {
  const auto n = static_cast<double>(rows);
  const double mean = wide_value(moments.sum[j]) / n;
  const double variance = wide_value(moments.square[j]) / n - mean * mean;
  Centre result;
  if (centre) result.shift = moments.mid[j] + mean / moments.inverse[j];
  // A constant column has nothing to scale by; centred, it is all zeros.
  if (variance > 0) result.scale = moments.inverse[j] / std::sqrt(variance);
  return result;
}

[[noreturn]] void fail_too_large(const Schema& schema, std::size_t j, double largest) {
  throw DataError(fmt::format(
      "feature {}: values up to {:g} are too large to be squared (set data.standardize: true, or "
      "give the column in larger units)",
      schema.feature_names[j], largest));
}

}  // namespace

ColumnTransform make_transform(const ColumnRanges& ranges, const ColumnMoments* moments,
                               std::int64_t rows, bool centre, const Schema& schema) {
  const std::size_t d = ranges.count.size();
  ColumnTransform transform{std::vector<double>(d), std::vector<double>(d),
                            std::vector<std::int32_t>(d), std::vector<double>(d),
                            std::vector<double>(d)};
  for (std::size_t j = 0; j < d; ++j) {
    const Centre column = moments != nullptr ? standardised(*moments, j, rows, centre) : Centre{};
    const double largest = std::max(std::fabs((ranges.min[j] - column.shift) * column.scale),
                                    std::fabs((ranges.max[j] - column.shift) * column.scale));
    if (!(largest <= power_of_two(kLargestExponent))) fail_too_large(schema, j, largest);
    transform.shift[j] = column.shift;
    transform.scale[j] = column.scale;
    transform.exponent[j] = std::max(ceil_exponent(largest), kSmallestExponent);
    transform.exponent_power[j] = power_of_two(transform.exponent[j]);
    transform.inverse_power[j] = power_of_two(-transform.exponent[j]);
  }
  return transform;
}

}  // namespace ossau
