#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/kept_rows.hpp"
#include "data/row_plan.hpp"
#include "data/text/peers.hpp"
#include "data/text/source_files.hpp"
#include "ossau/config.hpp"

namespace ossau {

/// What a process saw of a file; every one must see the same.
struct FileSight {
  std::string name;
  std::int64_t rows = 0;
  std::int64_t bytes = 0;     // of text
  std::int64_t checksum = 0;  // CRC-32 of the text
};

/// The files of one set of rows, in order; blank ones are left out: jobs that write many parts
/// leave empty ones.  A process alone holds all texts; one among others holds one at a time, reads
/// a file again where it needs it again, and keeps only its own rows.
class SourceSet {
 public:
  /// key: the configuration key of `patterns`, for messages.  `peers` must outlive the set.
  /// Throws ConfigError for no patterns, DataError for files that cannot be read or are all blank.
  SourceSet(const std::vector<std::string>& patterns, std::string_view key, const RowPlan& plan,
            const Peers& peers);
  /// Texts of a process alone; none of them is blank.
  explicit SourceSet(std::vector<SourceText> texts);

  const Peers& peers() const { return *peers_; }

  /// The first file, until the next call of each() or survey().
  const SourceText& front();

  /// From now on a file whose name promises another format is an error: where the format was
  /// guessed, that is a mistake worth a clear message.
  void expect(Format format);

  /// Visits each file in order.
  void each(const std::function<void(const SourceText&)>& visit);

  /// Visits each file in order for the number of its rows; then every process knows which rows are
  /// its own.  Throws the same DataError on all where they see different files.  Collective.
  void survey(const std::function<std::int64_t(const SourceText&)>& count_rows);

  /// The rows to keep, counted through all files; absent: every one.  Known after survey().
  const std::optional<KeptRows>& kept() const { return kept_; }

  /// Names of the files; complete after a visit of all.
  std::vector<std::string> names() const;

 private:
  struct File {
    FileSight sight;
    bool read = false;  // once at least
    bool blank = false;
    std::optional<SourceText> text;  // while it is held
  };

  const SourceText* text_of(std::size_t i);
  void load(std::size_t i);
  void note_content(File& file) const;
  void check_format(const File& file) const;
  void compare() const;

  std::string key_;
  RowPlan plan_;
  const Peers* peers_;
  std::optional<Format> expected_;
  std::vector<File> files_;
  std::optional<KeptRows> kept_;
};

}  // namespace ossau
