#include "data/text/libsvm_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string_view>

#include "core/memory.hpp"
#include "data/text/messages.hpp"
#include "data/text/numbers.hpp"
#include "ossau/error.hpp"

namespace ossau {
namespace {

constexpr std::uint64_t kLargestIndex = (std::uint64_t{1} << 31) - 2;

// A feature's name, statistics, weights, optimiser state and one thread's sums, roughly.
constexpr std::uint64_t kBytesPerFeature = 256;

bool is_space(char c) { return c == ' ' || c == '\t'; }

std::string_view next_token(std::string_view& line) {
  std::size_t first = 0;
  while (first < line.size() && is_space(line[first])) ++first;
  std::size_t last = first;
  while (last < line.size() && !is_space(line[last])) ++last;
  const std::string_view token = line.substr(first, last - first);
  line.remove_prefix(last);
  return token;
}

std::string_view without_comment(std::string_view line) {
  line = line.substr(0, line.find('#'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// Whether a label is in it.
bool is_row(std::string_view line) {
  const bool usual = !line.empty() && line[0] > '#';  // neither space nor comment begins it
  if (usual) return true;
  line = without_comment(line);
  return !next_token(line).empty();
}

template <class Visit>
void each_line(const SourceText& file, const Visit& visit) {
  const char* const end = file.text.data() + file.text.size();
  for (const char* line = file.text.data(); line < end;) {
    const auto left = static_cast<std::size_t>(end - line);
    const auto* newline = static_cast<const char*>(std::memchr(line, '\n', left));
    const char* const line_end = newline == nullptr ? end : newline;
    visit(std::string_view(line, static_cast<std::size_t>(line_end - line)));
    line = line_end + 1;
  }
}

std::int64_t count_rows(const SourceText& file) {
  std::int64_t rows = 0;
  each_line(file, [&](std::string_view line) { rows += is_row(line) ? 1 : 0; });
  return rows;
}

struct Entry {
  std::uint32_t feature;
  double value;
  const char* at;
};

class LibsvmParser {
 public:
  LibsvmParser(const SourceText& file, const LibsvmOptions& options, LibsvmRows& rows)
      : file_(file), options_(options), rows_(rows) {}

  // kept: which rows to read, counted from `first_row` on; null: every one.
  // Returns the number of the row after the file's last, if rows are counted.
  std::int64_t parse(const KeptRows* kept, std::int64_t first_row) {
    std::int64_t row = first_row;
    each_line(file_, [&](std::string_view line) {
      if (kept == nullptr || (is_row(line) && kept->has(row++))) parse_line(line);
    });
    return row;
  }

 private:
  void parse_line(std::string_view line) {
    line = without_comment(line);
    const std::string_view label = next_token(line);
    if (label.empty()) return;
    rows_.table.label.push_back(parse_label(label));
    row_.clear();
    for (auto token = next_token(line); !token.empty(); token = next_token(line)) {
      if (token.starts_with("qid:")) {
        rows_.query_ids.add(file_, token.data());
      } else {
        parse_pair(token);
      }
    }
    finish_row();
  }

  std::uint8_t parse_label(std::string_view token) {
    if (token.find(':') != std::string_view::npos) {
      fail(token, fmt::format("{} stands where the label belongs (begin each line with one)",
                              shown(token)));
    }
    if (token.find(',') != std::string_view::npos) {
      fail(token, fmt::format("{} is not one label (if this is a CSV file, set data.format: csv)",
                              shown(token)));
    }
    return rows_.labels.add(token, file_, token.data());
  }

  void parse_pair(std::string_view token) {
    const std::size_t colon = token.find(':');
    if (colon == std::string_view::npos) {
      fail(token, fmt::format("{} is not a feature (write index:value)", shown(token)));
    }
    const std::int64_t feature = parse_feature(token.substr(0, colon));
    const std::string_view text = token.substr(colon + 1);
    const ParsedNumber number = parse_number(text);
    if (number.status != NumberStatus::kNumber) {
      fail(text, fmt::format("feature {}: {}", token.substr(0, colon),
                             number_problem(text, number.status)));
    }
    if (options_.n_features && feature >= *options_.n_features) {
      rows_.unknown.add(file_, token.data());
      return;
    }
    if (feature >= rows_.n_features) {
      check_memory(token, feature + 1);
      rows_.n_features = feature + 1;
    }
    row_.push_back({static_cast<std::uint32_t>(feature), number.value, token.data()});
  }

  // The feature's place, from 0, whatever the file's own numbering.
  std::int64_t parse_feature(std::string_view token) const {
    const std::optional<std::uint64_t> index = parse_index(token);
    if (!index) {
      fail(token, fmt::format("{} is not a feature index (write a whole number, digits only)",
                              shown(token)));
    }
    if (*index == 0 && !options_.zero_based) {
      fail(token, "feature index 0 (indices start at 1; set data.zero_based: true to allow it)");
    }
    if (*index > kLargestIndex) {
      fail(token, fmt::format("feature index {} (the largest allowed is {}; number them anew)",
                              token, kLargestIndex));
    }
    return static_cast<std::int64_t>(*index) - (options_.zero_based ? 0 : 1);
  }

  // One mistyped index must not end in a process that the system kills.
  void check_memory(std::string_view token, std::int64_t features) const {
    const std::uint64_t needed = static_cast<std::uint64_t>(features) * kBytesPerFeature;
    if (needed <= memory_) return;
    fail(token, fmt::format("{} asks for {} features, about {} GB of model; this machine has {} GB "
                            "(number the features without gaps)",
                            shown(token), features, needed >> 30, memory_ >> 30));
  }

  void finish_row() {
    const auto before = [](const Entry& a, const Entry& b) { return a.feature < b.feature; };
    if (!std::is_sorted(row_.begin(), row_.end(), before)) {
      std::stable_sort(row_.begin(), row_.end(), before);
    }
    const Entry* previous = nullptr;
    for (const Entry& entry : row_) {
      if (previous != nullptr && previous->feature == entry.feature) fail_duplicate(entry);
      previous = &entry;
      if (entry.value == 0) continue;
      rows_.table.index.push_back(entry.feature);
      rows_.table.value.push_back(entry.value);
    }
    rows_.table.row_start.push_back(static_cast<std::int64_t>(rows_.table.index.size()));
  }

  [[noreturn]] void fail_duplicate(const Entry& entry) const {
    const std::int64_t index = std::int64_t{entry.feature} + (options_.zero_based ? 0 : 1);
    throw DataError(fmt::format("{}: feature index {} stands twice in this row (keep one of them)",
                                file_.where(entry.at), index));
  }

  [[noreturn]] void fail(std::string_view token, std::string_view problem) const {
    throw DataError(fmt::format("{}: {}", file_.where(token.data()), problem));
  }

  const SourceText& file_;
  const LibsvmOptions& options_;
  LibsvmRows& rows_;
  std::uint64_t memory_ = physical_memory_bytes();
  std::vector<Entry> row_;
};

}  // namespace

LibsvmRows read_libsvm(SourceSet& files, const LibsvmOptions& options) {
  const Peers& peers = files.peers();
  if (!peers.alone()) files.survey(count_rows);
  const KeptRows* const kept = files.kept() ? &*files.kept() : nullptr;
  LibsvmRows rows;
  std::int64_t next_row = 0;
  files.each([&](const SourceText& file) {
    next_row = LibsvmParser(file, options, rows).parse(kept, next_row);
  });
  rows.table.kept = files.kept();
  unite(peers, rows.labels, rows.table);
  rows.n_features = unite_max(peers, rows.n_features, "number of features");
  unite(peers, rows.query_ids, "query ids");
  unite(peers, rows.unknown, "unknown features");
  return rows;
}

}  // namespace ossau
