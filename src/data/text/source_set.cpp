#include "data/text/source_set.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <exception>
#include <utility>

#include "data/text/format.hpp"
#include "data/text/packing.hpp"
#include "ossau/error.hpp"

namespace ossau {
namespace {

const Peers kNoPeers;

constexpr std::int64_t kUnknownRows = -1;

std::int64_t checksum_of(std::string_view text) {
  // crc32_z counts in size_t; its argument is not text but bytes.
  return static_cast<std::int64_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(text.data()), text.size()));
}

std::vector<FileSight> unpack_sights(std::string_view packed) {
  std::vector<FileSight> sights;
  for (Unpacker unpacker(packed); !unpacker.done();) {
    FileSight& sight = sights.emplace_back();
    sight.name = unpacker.text();
    sight.rows = unpacker.number();
    sight.bytes = unpacker.number();
    sight.checksum = unpacker.number();
  }
  return sights;
}

[[noreturn]] void fail_different(std::string_view subject, std::string_view difference) {
  throw DataError(fmt::format("{}: {} (every rank must see the same files)", subject, difference));
}

// first: as rank 0 sees it.  Where a file is may differ from machine to machine.
void compare_file(const FileSight& first, const FileSight& other, std::size_t rank) {
  const std::string there = first.name == other.name ? "" : fmt::format(" ({})", other.name);
  const bool counted = first.rows != kUnknownRows && other.rows != kUnknownRows;
  if (counted && first.rows != other.rows) {
    fail_different(first.name, fmt::format("rank 0 read {} rows, rank {}{} {}", first.rows, rank,
                                           there, other.rows));
  }
  if (first.bytes != other.bytes) {
    fail_different(first.name, fmt::format("rank 0 read {} bytes of text, rank {}{} {}",
                                           first.bytes, rank, there, other.bytes));
  }
  if (first.checksum != other.checksum) {
    fail_different(first.name,
                   fmt::format("rank 0 read a text with CRC-32 {:08x}, rank {}{} one with {:08x}",
                               first.checksum, rank, there, other.checksum));
  }
}

}  // namespace

SourceSet::SourceSet(const std::vector<std::string>& patterns, std::string_view key,
                     const RowPlan& plan, const Peers& peers)
    : key_(key), plan_(plan), peers_(&peers) {
  if (patterns.empty()) throw ConfigError(fmt::format("{}: no file is named (give a path)", key));
  for (std::string& path : expand_paths(patterns, key)) {
    files_.emplace_back().sight.name = std::move(path);
  }
  if (peers.alone()) each([](const SourceText&) {});
  front();
}

SourceSet::SourceSet(std::vector<SourceText> texts) : peers_(&kNoPeers) {
  for (SourceText& text : texts) {
    File& file = files_.emplace_back();
    file.sight.name = text.name;
    file.read = true;
    text.number = static_cast<std::int64_t>(files_.size()) - 1;
    file.text = std::move(text);
  }
}

const SourceText& SourceSet::front() {
  for (std::size_t i = 0; i < files_.size(); ++i) {
    if (const SourceText* text = text_of(i)) return *text;
  }
  throw DataError(fmt::format("{}: the file has no rows", files_.front().sight.name));
}

void SourceSet::expect(Format format) {
  expected_ = format;
  for (const File& file : files_) {
    if (file.read && !file.blank) check_format(file);
  }
}

void SourceSet::check_format(const File& file) const {
  if (!expected_ || format_of_name(file.sight.name).value_or(*expected_) == *expected_) return;
  throw DataError(fmt::format("{}: the first training file is {} (give files of one format)",
                              file.sight.name, *expected_ == Format::kLibsvm ? "LIBSVM" : "CSV"));
}

void SourceSet::each(const std::function<void(const SourceText&)>& visit) {
  for (std::size_t i = 0; i < files_.size(); ++i) {
    if (const SourceText* text = text_of(i)) visit(*text);
  }
}

// A mistake may come of a file that is whole elsewhere: then the difference is what to tell.
void SourceSet::survey(const std::function<std::int64_t(const SourceText&)>& count_rows) {
  std::exception_ptr mistake;
  std::int64_t rows = 0;
  for (std::size_t i = 0; i < files_.size(); ++i) {
    const SourceText* const text = text_of(i);
    if (text == nullptr) continue;
    try {
      files_[i].sight.rows = count_rows(*text);
      rows += files_[i].sight.rows;
    } catch (const DataError&) {
      if (peers_->alone()) throw;
      files_[i].sight.rows = kUnknownRows;
      if (!mistake) mistake = std::current_exception();
    }
  }
  if (peers_->alone()) return;
  compare();
  if (mistake) std::rethrow_exception(mistake);
  kept_.emplace(rows, plan_, peers_->share());
}

std::vector<std::string> SourceSet::names() const {
  std::vector<std::string> names;
  for (const File& file : files_) {
    if (file.read && !file.blank) names.push_back(file.sight.name);
  }
  return names;
}

// Null for a blank file.
const SourceText* SourceSet::text_of(std::size_t i) {
  if (files_[i].blank) return nullptr;
  if (!files_[i].text) load(i);
  return files_[i].text ? &*files_[i].text : nullptr;
}

void SourceSet::load(std::size_t i) {
  if (!peers_->alone()) {
    for (File& file : files_) file.text.reset();
  }
  File& file = files_[i];
  file.text = read_source(file.sight.name);
  file.text->number = static_cast<std::int64_t>(i);
  note_content(file);
  if (file.blank) {
    file.text.reset();
  } else {
    check_format(file);
  }
}

// Processes compare what they saw, and a file that is read twice must be the same twice.
void SourceSet::note_content(File& file) const {
  file.blank = file.text->blank();
  const bool again = std::exchange(file.read, true);
  if (peers_->alone()) return;
  const auto bytes = static_cast<std::int64_t>(file.text->text.size());
  const std::int64_t checksum = checksum_of(file.text->text);
  if (again && (bytes != file.sight.bytes || checksum != file.sight.checksum)) {
    throw DataError(
        fmt::format("{}: the file changed while it was read (start again once it is complete)",
                    file.sight.name));
  }
  file.sight.bytes = bytes;
  file.sight.checksum = checksum;
}

void SourceSet::compare() const {
  Packer packer;
  for (const File& file : files_) {
    packer.add(file.sight.name);
    packer.add(file.sight.rows);
    packer.add(file.sight.bytes);
    packer.add(file.sight.checksum);
  }
  const std::vector<std::string> packed = peers_->gather(packer.take(), "comparison of files");
  const std::vector<FileSight> first = unpack_sights(packed.front());
  for (std::size_t rank = 1; rank < packed.size(); ++rank) {
    const std::vector<FileSight> other = unpack_sights(packed[rank]);
    if (other.size() != first.size()) {
      fail_different(key_, fmt::format("the number of files is {} on rank 0, {} on rank {}",
                                       first.size(), other.size(), rank));
    }
    for (std::size_t i = 0; i < first.size(); ++i) {
      compare_file(first[i], other[i], rank);
    }
  }
}

}  // namespace ossau
