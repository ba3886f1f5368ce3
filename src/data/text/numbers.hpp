#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ossau {

enum class NumberStatus {
  kNumber,     // finite
  kNotNumber,  // anything else, the empty text included
  kTooLarge,   // beyond the largest float64
  kNotFinite,  // nan or inf, spelled out
};

struct ParsedNumber {
  double value = 0;  // 0 unless status is kNumber
  NumberStatus status = NumberStatus::kNotNumber;
};

/// The decimal number that `text` is as a whole, correctly rounded to float64, in any locale.
/// A leading + is allowed; what is too small for float64 is a zero of its sign.
ParsedNumber parse_number(std::string_view text);

/// True for everything that was meant as a number: nan, inf and what is too large included.
inline bool looks_numeric(std::string_view text) {
  return parse_number(text).status != NumberStatus::kNotNumber;
}

/// The whole number that `text` is, digits only; absent otherwise.  The largest 64-bit number
/// stands for what does not fit.
std::optional<std::uint64_t> parse_index(std::string_view text);

/// What is wrong with `text`, with the remedy, for a status other than kNumber.
std::string number_problem(std::string_view text, NumberStatus status);

/// The shortest text that reads back as `value`; whole numbers without exponent.
std::string shortest_number(double value);

}  // namespace ossau
