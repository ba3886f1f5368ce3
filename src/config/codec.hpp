#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/names.hpp"
#include "config/node.hpp"
#include "config/problems.hpp"
#include "ossau/config.hpp"

namespace ossau {

// A codec knows one kind of value: what is allowed (as words for a comment or a message), how it is
// read and how it is written.  `read` leaves `value` alone and reports where the node does not fit;
// `write` gives a node that `read` turns into the same value.

/// A value about to be read, and whom to tell where it does not fit.
struct Spot {
  const Node& node;
  std::string key;      // dotted
  std::string allowed;  // in words, for messages
  Problems& problems;
  /// Reports `what` with what is allowed.  hint: words in front of that, or empty.
  void report(const std::string& what, const std::string& hint = "") const;
};

/// What a node looks like in a message: 'text', null, a list, a map.
std::string describe(const Node& node);

struct Flag {
  std::string allowed() const { return "true or false"; }
  void read(const Spot& spot, bool& value) const;
  Node write(bool value) const { return plain_node(value ? "true" : "false"); }
};

struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool low_excluded = false;
  bool high_excluded = false;
};

/// A finite number.
struct Real {
  Range range;
  std::string allowed() const;
  void read(const Spot& spot, double& value) const;
  Node write(double value) const;
};

/// T: std::int64_t or std::uint64_t.
template <typename T>
struct Integer {
  T low = 0;
  T high = std::numeric_limits<T>::max();
  std::string allowed() const;
  void read(const Spot& spot, T& value) const;
  Node write(T value) const { return plain_node(std::to_string(value)); }
};
using Whole = Integer<std::int64_t>;
using Seed = Integer<std::uint64_t>;

std::optional<std::size_t> read_choice(const Spot& spot, std::span<const std::string_view> names);
std::string join(std::span<const std::string_view> names, std::string_view separator);

template <typename E>
struct Choice {
  std::string allowed() const { return join(Names<E>::kAll, " | "); }
  void read(const Spot& spot, E& value) const {
    const auto index = read_choice(spot, Names<E>::kAll);
    if (index) value = static_cast<E>(*index);
  }
  Node write(E value) const { return plain_node(std::string(name_of(value))); }
};

/// Text that is not empty; numbers and truth values count as the text they are written as.
struct Text {
  std::string meaning;
  std::string allowed() const { return meaning; }
  void read(const Spot& spot, std::string& value) const;
  Node write(const std::string& value) const { return text_node(value); }
};

struct Delimiter {
  std::string allowed() const { return "tab, or one character that separates columns"; }
  void read(const Spot& spot, char& value) const;
  Node write(char value) const;
};

/// One path or glob, or a list of them.
struct Paths {
  std::string none;  // words in front of what is allowed: "null, or "
  std::string allowed() const { return none + "a path, a glob, or a list of them"; }
  void read(const Spot& spot, std::vector<std::string>& value) const;
  Node write(const std::vector<std::string>& value) const;
};

struct LabelWeights {
  std::string allowed() const { return "none | balanced | {label: number > 0, ...}"; }
  void read(const Spot& spot, ClassWeight& value) const;
  Node write(const ClassWeight& value) const;
};

bool is_word(const Node& node, std::string_view word);

/// An absent value called `word` (auto, null), else what `inner` reads.
template <typename Inner>
struct Or {
  std::string word;
  Inner inner;

  std::string allowed() const { return word + ", or " + inner.allowed(); }
  template <typename T>
  void read(const Spot& spot, std::optional<T>& value) const {
    if (is_word(spot.node, word)) {
      value.reset();
      return;
    }
    T given{};
    const std::size_t before = spot.problems.size();
    inner.read(spot, given);
    if (spot.problems.size() == before) value = std::move(given);
  }
  template <typename T>
  Node write(const std::optional<T>& value) const {
    if (value) return inner.write(*value);
    return word == "null" ? Node{} : plain_node(word);
  }
};
template <typename Inner>
Or(const char*, Inner) -> Or<Inner>;

/// A number of at least 1, or `all`, which is kept as 0.
struct CountOrAll {
  std::int64_t high = std::numeric_limits<std::int64_t>::max();
  std::string allowed() const { return "all, or " + Whole{.low = 1, .high = high}.allowed(); }
  void read(const Spot& spot, std::int64_t& value) const;
  Node write(std::int64_t value) const;
};

/// A number of bytes, at least 1, with or without a unit.
struct Bytes {
  std::string allowed() const { return "a number of bytes, as in 512MB, 8GB or 1.5GiB"; }
  void read(const Spot& spot, std::int64_t& value) const;
  Node write(std::int64_t value) const;
};

}  // namespace ossau
