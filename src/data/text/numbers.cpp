#include "data/text/numbers.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <system_error>

#include "data/text/messages.hpp"

namespace ossau {
namespace {

// Saturates: an exponent that does not fit is as good as any huge one.
std::int64_t parse_exponent(std::string_view text) {
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  constexpr std::int64_t kHuge = std::int64_t{1} << 62;
  std::int64_t exponent = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), exponent);
  if (error == std::errc::result_out_of_range) return text.front() == '-' ? -kHuge : kHuge;
  return exponent;
}

// std::from_chars reports the same error above the largest number and below the smallest.  Which
// one it was is settled by the decimal place of the first digit that is not zero.
bool below_one(std::string_view number) {
  const std::size_t e = number.find_first_of("eE");
  const std::string_view mantissa = number.substr(0, e);
  const std::size_t first = mantissa.find_first_of("123456789");
  if (first == std::string_view::npos) return true;
  const std::size_t dot = mantissa.find('.');
  const auto point =
      static_cast<std::int64_t>(dot == std::string_view::npos ? mantissa.size() : dot);
  const std::int64_t place = point - static_cast<std::int64_t>(first);  // 1: the digit of ones
  const std::int64_t exponent =
      e == std::string_view::npos ? 0 : parse_exponent(number.substr(e + 1));
  return place + exponent <= 0;
}

bool spells_digits(std::string_view number) {
  return number.find_first_of("0123456789") == (number.front() == '-' ? 1U : 0U) ||
         number.find('.') != std::string_view::npos;
}

// Short whole numbers are most cells of most files, and exact without any care.
std::optional<double> short_whole_number(std::string_view text) {
  constexpr std::size_t kMostDigits = 9;
  if (text.empty() || text.size() > kMostDigits) return std::nullopt;
  std::int32_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = 10 * value + (c - '0');
  }
  return value;
}

}  // namespace

ParsedNumber parse_number(std::string_view text) {
  if (const auto whole = short_whole_number(text)) return {*whole, NumberStatus::kNumber};
  std::string_view number = text;
  if (!number.empty() && number.front() == '+') {
    number.remove_prefix(1);
    if (!number.empty() && number.front() == '-') return {};
  }
  double value = 0;
  const char* const last = number.data() + number.size();
  const auto [end, error] = std::from_chars(number.data(), last, value);
  if (error == std::errc::invalid_argument || end != last) return {};
  if (error == std::errc::result_out_of_range) {
    if (!below_one(number)) return {0, NumberStatus::kTooLarge};
    return {number.front() == '-' ? -0.0 : 0.0, NumberStatus::kNumber};
  }
  if (std::isfinite(value)) return {value, NumberStatus::kNumber};
  return {0, spells_digits(number) ? NumberStatus::kTooLarge : NumberStatus::kNotFinite};
}

std::optional<std::uint64_t> parse_index(std::string_view text) {
  std::uint64_t index = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, index);
  if (error == std::errc::invalid_argument || end != last) return std::nullopt;
  if (error == std::errc::result_out_of_range) return std::numeric_limits<std::uint64_t>::max();
  return index;
}

std::string number_problem(std::string_view text, NumberStatus status) {
  switch (status) {
    case NumberStatus::kTooLarge:
      return fmt::format("{} is too large (a number is at most 1.8e308)", shown(text));
    case NumberStatus::kNotFinite:
      return fmt::format("{} is not finite (fill in a number, or remove the row)", shown(text));
    case NumberStatus::kNumber:
    case NumberStatus::kNotNumber:
      break;
  }
  return fmt::format("{} is not a number (write it like 12 or -3.5e-7)", shown(text));
}

std::string shortest_number(double value) {
  constexpr double kWholeUpTo = 9007199254740992.0;  // 2^53
  std::array<char, 40> buffer{};
  char* const first = buffer.data();
  char* const last = first + buffer.size();
  const bool whole = std::abs(value) <= kWholeUpTo && value == std::trunc(value);
  const auto [end, error] = whole ? std::to_chars(first, last, static_cast<std::int64_t>(value))
                                  : std::to_chars(first, last, value);
  return error == std::errc() ? std::string(first, end) : std::string();
}

}  // namespace ossau
