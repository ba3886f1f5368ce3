#include "data/text/labels.hpp"

#include <fmt/format.h>

#include <cstddef>

#include "data/text/messages.hpp"
#include "data/text/numbers.hpp"
#include "ossau/error.hpp"

namespace ossau {
namespace {

constexpr std::size_t kMostSpellings = 16;

std::optional<double> number_of(std::string_view label) {
  const ParsedNumber number = parse_number(label);
  if (number.status != NumberStatus::kNumber) return std::nullopt;
  return number.value;
}

bool comes_before(const std::string& a, const std::string& b) {
  const std::optional<double> left = number_of(a);
  const std::optional<double> right = number_of(b);
  if (left && right) return *left < *right;
  return a < b;
}

void check_cell(std::string_view cell, const SourceText& file, const char* at) {
  if (cell.empty()) {
    throw DataError(
        fmt::format("{}: the label is empty (fill it in, or remove the row)", file.where(at)));
  }
  const NumberStatus status = parse_number(cell).status;
  if (status == NumberStatus::kTooLarge || status == NumberStatus::kNotFinite) {
    throw DataError(fmt::format("{}: label {}", file.where(at), number_problem(cell, status)));
  }
}

std::optional<std::uint8_t> equal_class(const std::string& label,
                                        const std::array<std::string, 2>& classes) {
  if (label == classes[0]) return std::uint8_t{0};
  if (label == classes[1]) return std::uint8_t{1};
  return std::nullopt;
}

}  // namespace

std::string canonical_label(std::string_view text) {
  const std::optional<double> number = number_of(text);
  return number ? shortest_number(*number) : std::string(text);
}

std::uint8_t LabelSet::add(std::string_view cell, const SourceText& file, const char* at) {
  for (const auto& [spelling, id] : spellings_) {
    if (spelling == cell) return id;
  }
  return add_spelling(cell, file, at);
}

std::uint8_t LabelSet::add_spelling(std::string_view cell, const SourceText& file, const char* at) {
  check_cell(cell, file, at);
  const std::string text = canonical_label(cell);
  const std::optional<std::uint8_t> known = find(text);
  const std::uint8_t id = known ? *known : add({text, file.place(at)});
  if (spellings_.size() < kMostSpellings) spellings_.emplace_back(std::string(cell), id);
  return id;
}

std::optional<std::uint8_t> LabelSet::find(std::string_view text) const {
  for (std::size_t id = 0; id < labels_.size(); ++id) {
    if (labels_[id].text == text) return static_cast<std::uint8_t>(id);
  }
  return std::nullopt;
}

std::uint8_t LabelSet::add(Label label) {
  if (const std::optional<std::uint8_t> known = find(label.text)) return *known;
  if (labels_.size() == 2) {
    throw DataError(fmt::format("{}: label {} is a third one after {} and {} (give two classes)",
                                label.first.where, shown(label.text), shown(labels_[0].text),
                                shown(labels_[1].text)));
  }
  labels_.push_back(std::move(label));
  return static_cast<std::uint8_t>(labels_.size() - 1);
}

std::array<std::string, 2> choose_classes(const LabelSet& seen,
                                          const std::optional<std::string>& positive,
                                          const std::vector<std::string>& files) {
  const std::vector<LabelSet::Label>& labels = seen.labels();
  if (labels.size() < 2) {
    const std::string more =
        files.size() > 1 ? fmt::format(" and {} more", files.size() - 1) : std::string();
    throw DataError(fmt::format("{}{}: only one class, every row has the label {} (give two)",
                                files.front(), more, shown(labels.front().text)));
  }
  std::array<std::string, 2> classes = {labels[0].text, labels[1].text};
  if (comes_before(classes[1], classes[0])) std::swap(classes[0], classes[1]);
  if (!positive) return classes;
  const std::string named = canonical_label(*positive);
  if (named == classes[0]) {
    std::swap(classes[0], classes[1]);
  } else if (named != classes[1]) {
    throw DataError(fmt::format("{}: model.positive: no row has the label {} (name {} or {})",
                                files.front(), shown(named), shown(classes[0]), shown(classes[1])));
  }
  return classes;
}

std::array<std::uint8_t, 2> match_classes(const LabelSet& seen,
                                          const std::array<std::string, 2>& classes) {
  const std::vector<LabelSet::Label>& labels = seen.labels();
  std::array<std::uint8_t, 2> class_of = {0, 0};
  const LabelSet::Label* unknown = nullptr;
  for (std::size_t id = 0; id < labels.size(); ++id) {
    const std::optional<std::uint8_t> equal = equal_class(labels[id].text, classes);
    class_of[id] = equal.value_or(0);
    if (!equal && unknown == nullptr) unknown = &labels[id];
  }
  if (unknown == nullptr) return class_of;
  if (labels.size() == 2 && number_of(labels[0].text) && number_of(labels[1].text) &&
      number_of(classes[0]) && number_of(classes[1])) {
    const std::uint8_t low = comes_before(classes[0], classes[1]) ? 0 : 1;
    const std::uint8_t high = 1 - low;
    if (comes_before(labels[0].text, labels[1].text)) return {low, high};
    return {high, low};
  }
  throw DataError(fmt::format("{}: no training row has the label {} (theirs are {} and {})",
                              unknown->first.where, shown(unknown->text), shown(classes[0]),
                              shown(classes[1])));
}

void apply_classes(Table& table, const std::array<std::uint8_t, 2>& class_of) {
  for (std::uint8_t& label : table.label) label = class_of.at(label);
}

}  // namespace ossau
