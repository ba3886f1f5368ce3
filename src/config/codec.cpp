#include "config/codec.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <system_error>

#include "config/suggest.hpp"

namespace ossau {
namespace {

// YAML's own spellings of a truth value; yes, no, on and off are text.
std::string_view truth(const Node& node) {
  if (node.kind != NodeKind::kScalar || node.quoted) return "";
  for (const std::string_view word : {"true", "True", "TRUE"}) {
    if (node.text == word) return "true";
  }
  for (const std::string_view word : {"false", "False", "FALSE"}) {
    if (node.text == word) return "false";
  }
  return "";
}

template <typename T>
struct Parsed {
  bool is_number = false;
  bool fits = false;  // into T
  T value{};
};

template <typename T>
Parsed<T> parse_number(const Node& node) {
  if (node.kind != NodeKind::kScalar || node.quoted) return {};
  std::string_view text = node.text;
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  Parsed<T> parsed;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), parsed.value);
  parsed.is_number = end == text.data() + text.size() && code != std::errc::invalid_argument;
  parsed.fits = parsed.is_number && code == std::errc{};
  return parsed;
}

// YAML writes .nan and .inf; from_chars reads nan and inf by itself.
bool is_yaml_special(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  for (const std::string_view word : {".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF"}) {
    if (text == word) return true;
  }
  return false;
}

bool within(double value, const Range& range) {
  const bool above = range.low_excluded ? value > range.low : value >= range.low;
  const bool below = range.high_excluded ? value < range.high : value <= range.high;
  return above && below;
}

// Whatever can stand inside a number, a name or a quoted cell separates nothing.
bool separates_columns(char c) {
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  const bool digit = c >= '0' && c <= '9';
  const bool printable = c >= ' ' && c <= '~';
  if (c == '\t') return true;
  return printable && !letter && !digit &&
         std::string_view("\"'+-.").find(c) == std::string_view::npos;
}

}  // namespace

void Spot::report(const std::string& what, const std::string& hint) const {
  problems.add(node.place, key, fmt::format("{} ({}allowed: {})", what, hint, allowed));
}

std::string describe(const Node& node) {
  constexpr std::size_t kLongest = 60;
  switch (node.kind) {
    case NodeKind::kNull:
      return "null";
    case NodeKind::kList:
      return "a list";
    case NodeKind::kMap:
      return "a map";
    case NodeKind::kScalar:
      break;
  }
  std::string text = node.text.substr(0, kLongest);
  if (text.size() < node.text.size()) text += "...";
  return node.quoted ? fmt::format("\"{}\"", text) : fmt::format("'{}'", text);
}

bool is_word(const Node& node, std::string_view word) {
  if (node.kind == NodeKind::kNull) return word == "null";
  return node.kind == NodeKind::kScalar && word != "null" && node.text == word;
}

std::string join(std::span<const std::string_view> names, std::string_view separator) {
  return fmt::format("{}", fmt::join(names, separator));
}

void Flag::read(const Spot& spot, bool& value) const {
  const std::string_view word = truth(spot.node);
  if (word.empty()) {
    spot.report(describe(spot.node) + " is neither true nor false");
  } else {
    value = word == "true";
  }
}

std::string Real::allowed() const {
  const bool from = std::isfinite(range.low);
  const bool to = std::isfinite(range.high);
  std::string text = "a number";
  if (from) text += fmt::format(" {} {}", range.low_excluded ? ">" : ">=", range.low);
  if (from && to) text += " and";
  if (to) text += fmt::format(" {} {}", range.high_excluded ? "<" : "<=", range.high);
  return text;
}

void Real::read(const Spot& spot, double& value) const {
  const auto parsed = parse_number<double>(spot.node);
  const bool special = !spot.node.quoted && is_yaml_special(spot.node.text);
  if (special || (parsed.fits && !std::isfinite(parsed.value))) {
    spot.report(describe(spot.node) + " is not a finite number");
  } else if (!parsed.is_number) {
    spot.report(describe(spot.node) + " is not a number");
  } else if (!parsed.fits) {
    spot.report(spot.node.text + " is beyond double precision");
  } else if (!within(parsed.value, range)) {
    spot.report(spot.node.text + " is out of range");
  } else {
    value = parsed.value;
  }
}

Node Real::write(double value) const {
  if (std::isnan(value)) return plain_node(".nan");
  if (std::isinf(value)) return plain_node(value > 0 ? ".inf" : "-.inf");
  return plain_node(fmt::format("{}", value));  // the shortest text that reads back the same
}

template <typename T>
std::string Integer<T>::allowed() const {
  std::string text = fmt::format("a whole number >= {}", low);
  if (high != std::numeric_limits<T>::max()) text += fmt::format(" and <= {}", high);
  return text;
}

template <typename T>
void Integer<T>::read(const Spot& spot, T& value) const {
  const auto parsed = parse_number<T>(spot.node);
  const auto real = parse_number<double>(spot.node);
  // A minus sign is no integer to an unsigned T, but to a reader it is one out of range.
  const bool digits_only =
      real.is_number && spot.node.text.find_first_not_of("+-0123456789") == std::string::npos;
  if (parsed.fits && parsed.value >= low && parsed.value <= high) {
    value = parsed.value;
  } else if (digits_only) {
    spot.report(spot.node.text + " is out of range");
  } else {
    spot.report(describe(spot.node) + " is not a whole number",
                real.is_number ? "write all digits; " : "");
  }
}

template struct Integer<std::int64_t>;
template struct Integer<std::uint64_t>;

std::optional<std::size_t> read_choice(const Spot& spot, std::span<const std::string_view> names) {
  const std::string_view as_truth = truth(spot.node);
  const std::string text = as_truth.empty() ? spot.node.text : std::string(as_truth);
  const bool scalar = spot.node.kind == NodeKind::kScalar;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (scalar && text == names[i]) return i;
  }
  const std::string meant = scalar ? nearest(text, {names.begin(), names.end()}) : "";
  spot.report("unknown value " + describe(spot.node),
              meant.empty() ? "" : fmt::format("did you mean {}? ", meant));
  return std::nullopt;
}

void Text::read(const Spot& spot, std::string& value) const {
  if (spot.node.kind == NodeKind::kScalar && !spot.node.text.empty()) {
    value = spot.node.text;
  } else {
    spot.report((spot.node.text.empty() && spot.node.quoted ? "empty text" : describe(spot.node)) +
                " does not fit");
  }
}

void Delimiter::read(const Spot& spot, char& value) const {
  const std::string text = is_word(spot.node, "tab") ? "\t" : spot.node.text;
  if (spot.node.kind == NodeKind::kScalar && text.size() == 1 && separates_columns(text[0])) {
    value = text[0];
  } else {
    spot.report(describe(spot.node) + " does not separate columns");
  }
}

Node Delimiter::write(char value) const {
  return value == '\t' ? plain_node("tab") : text_node(std::string(1, value));
}

void Paths::read(const Spot& spot, std::vector<std::string>& value) const {
  const Text path{"a path or a glob"};
  if (spot.node.kind == NodeKind::kNull) {
    value.clear();
  } else if (spot.node.kind == NodeKind::kScalar) {
    value.assign(1, "");
    path.read(spot, value.front());
  } else if (spot.node.kind == NodeKind::kList) {
    value.assign(spot.node.items.size(), "");
    for (std::size_t i = 0; i < value.size(); ++i) {
      path.read({spot.node.items[i], spot.key, path.allowed(), spot.problems}, value[i]);
    }
  } else {
    spot.report(describe(spot.node) + " does not fit");
  }
}

Node Paths::write(const std::vector<std::string>& value) const {
  if (value.empty()) return {};
  if (value.size() == 1) return text_node(value.front());
  Node list;
  list.kind = NodeKind::kList;
  for (const std::string& path : value) list.items.push_back(text_node(path));
  return list;
}

void LabelWeights::read(const Spot& spot, ClassWeight& value) const {
  ClassWeight given;
  if (is_word(spot.node, "balanced")) {
    given.mode = ClassWeightMode::kBalanced;
  } else if (spot.node.kind == NodeKind::kMap && !spot.node.entries.empty()) {
    given.mode = ClassWeightMode::kByLabel;
    const Real weight{{.low = 0, .low_excluded = true}};
    for (const Entry& entry : spot.node.entries) {
      weight.read({entry.value, spot.key + "." + entry.key, weight.allowed(), spot.problems},
                  given.by_label[entry.key]);
    }
  } else if (!is_word(spot.node, "none")) {
    spot.report(describe(spot.node) + " does not fit");
    return;
  }
  value = std::move(given);
}

Node LabelWeights::write(const ClassWeight& value) const {
  if (value.mode == ClassWeightMode::kNone) return plain_node("none");
  if (value.mode == ClassWeightMode::kBalanced) return plain_node("balanced");
  Node map = map_node();
  for (const auto& [label, weight] : value.by_label) {
    map.entries.push_back({label, {}, Real{}.write(weight)});
  }
  return map;
}

static_assert(TrainingConfig::kAllRows == 0 && RunConfig::kAllGpus == 0);

void CountOrAll::read(const Spot& spot, std::int64_t& value) const {
  if (is_word(spot.node, "all")) {
    value = 0;
  } else {
    Whole{.low = 1, .high = high}.read(spot, value);
  }
}

Node CountOrAll::write(std::int64_t value) const {
  return value == 0 ? plain_node("all") : Whole{}.write(value);
}

}  // namespace ossau
