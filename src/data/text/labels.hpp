#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/table.hpp"
#include "data/text/source_files.hpp"

namespace ossau {

/// The one spelling of a label: a number at its shortest ("+1", "1" and "1.0" are "1"), anything
/// else as it is.  Compare what a configuration names with Schema::classes through this.
std::string canonical_label(std::string_view text);

/// The distinct labels of some rows, numbered 0 and 1 as they appear.
class LabelSet {
 public:
  struct Label {
    std::string text;  // canonical
    TextPlace first;   // where it first appeared
  };

  /// The number of the label in a cell.  at: the cell's place in `file`.
  /// Throws DataError for an empty or non-finite label and for a third one.
  std::uint8_t add(std::string_view cell, const SourceText& file, const char* at);

  /// The number of a label that another set may know.  Throws DataError for a third one.
  std::uint8_t add(Label label);

  const std::vector<Label>& labels() const { return labels_; }

 private:
  std::optional<std::uint8_t> find(std::string_view text) const;
  std::uint8_t add_spelling(std::string_view cell, const SourceText& file, const char* at);

  std::vector<Label> labels_;
  std::vector<std::pair<std::string, std::uint8_t>> spellings_;  // cells met before
};

/// The labels of class 0 and class 1.  positive: the label of class 1; absent: the larger number,
/// else the later string.  files: the names of those whose rows these are, for messages.
/// Throws DataError where there is one class only or `positive` is none of the two.
std::array<std::string, 2> choose_classes(const LabelSet& seen,
                                          const std::optional<std::string>& positive,
                                          const std::vector<std::string>& files);

/// The class of each label in `seen`: by equality, else the smaller of two numbers is the smaller
/// one of two numbers.  Throws DataError where neither holds.
std::array<std::uint8_t, 2> match_classes(const LabelSet& seen,
                                          const std::array<std::string, 2>& classes);

/// Replaces label numbers by classes.
void apply_classes(Table& table, const std::array<std::uint8_t, 2>& class_of);

}  // namespace ossau
