#include "config/problems.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "ossau/error.hpp"

namespace ossau {
namespace {

bool is_inside(std::string_view key, std::string_view section) {
  if (section.empty() || !key.starts_with(section)) return false;
  return key.size() == section.size() || key[section.size()] == '.';
}

}  // namespace

void Problems::add(const Place& place, std::string key, std::string text) {
  problems_.push_back({place, std::move(key), std::move(text)});
}

void Problems::append(const Problems& others) {
  problems_.insert(problems_.end(), others.problems_.begin(), others.problems_.end());
}

bool Problems::touch(std::string_view key) const {
  return std::any_of(problems_.begin(), problems_.end(), [&](const Problem& problem) {
    return is_inside(problem.key, key) || is_inside(key, problem.key);
  });
}

std::vector<std::string> Problems::lines() const {
  std::vector<Problem> sorted = problems_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Problem& a, const Problem& b) {
    return a.place.order < b.place.order;
  });
  std::vector<std::string> lines;
  lines.reserve(sorted.size());
  for (const Problem& problem : sorted) {
    const std::string key = problem.key.empty() ? "" : problem.key + ": ";
    lines.push_back(fmt::format("{}: {}{}", problem.place.text, key, problem.text));
  }
  return lines;
}

std::string Problems::message(std::string_view subject) const {
  const std::vector<std::string> all = lines();
  if (all.size() == 1) return all.front();
  std::string text = fmt::format("{} has {} problems:", subject, all.size());
  for (const std::string& line : all) text += "\n  " + line;
  return text;
}

void Problems::throw_if_any(std::string_view subject) const {
  if (!empty()) throw ConfigError(message(subject));
}

}  // namespace ossau
