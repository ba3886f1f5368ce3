#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "config/node.hpp"

namespace ossau {

/// Everything wrong with one configuration, so that a user sees all of it at once.
class Problems {
 public:
  /// key: dotted, `optimizer.momentum`; empty where the problem is not one key's.
  void add(const Place& place, std::string key, std::string text);

  void append(const Problems& others);
  bool empty() const { return problems_.empty(); }
  std::size_t size() const { return problems_.size(); }
  /// Whether `key`, something inside it or a section around it has a problem.
  bool touch(std::string_view key) const;
  /// One line a problem, `place: key: text`, in the order of the file, then the overrides.
  std::vector<std::string> lines() const;
  /// All lines as one message that starts with `subject` where there are several.
  std::string message(std::string_view subject) const;
  /// Throws ConfigError with message(subject) unless empty.
  void throw_if_any(std::string_view subject) const;

 private:
  struct Problem {
    Place place;
    std::string key;
    std::string text;
  };
  std::vector<Problem> problems_;
};

}  // namespace ossau
