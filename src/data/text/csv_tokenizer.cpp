#include "data/text/csv_tokenizer.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <cstring>

#include "data/text/messages.hpp"
#include "ossau/error.hpp"

namespace ossau {
namespace {

std::string_view between(const char* first, const char* last) {
  return {first, static_cast<std::size_t>(last - first)};
}

bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

CsvTokenizer::CsvTokenizer(const SourceText& file, char delimiter)
    : file_(file),
      delimiter_(delimiter),
      at_(file.text.data()),
      end_(file.text.data() + file.text.size()) {}

void CsvTokenizer::skip_spaces() {
  while (at_ < end_ && is_space(*at_)) ++at_;
}

void CsvTokenizer::skip_blank_lines() {
  for (;;) {
    const char* const line = at_;
    skip_spaces();
    if (at_ == end_) return;
    if (!at_line_end()) {
      at_ = line;
      return;
    }
    at_ += *at_ == '\r' && at_ + 1 < end_ ? 2 : 1;
  }
}

bool CsvTokenizer::next(std::vector<CsvCell>& cells) {
  cells.clear();
  rewritten_.clear();
  skip_blank_lines();
  if (at_ == end_) return false;
  for (;;) {
    cells.push_back(read_cell());
    if (at_line_end()) return true;
    ++at_;  // the delimiter
    if (delimiter_ == kWhitespaceDelimiter) {
      skip_spaces();
      if (at_line_end()) return true;
    }
  }
}

const char* CsvTokenizer::at_next() {
  skip_blank_lines();
  return at_;
}

// Only a quote can hide the end of a line.
bool CsvTokenizer::skip() {
  if (at_next() == end_) return false;
  const char* const line_end = find('\n', at_);
  if (quote_ == nullptr || quote_ < at_) quote_ = find('"', at_);
  if (quote_ < line_end) return next(skipped_);
  at_ = line_end;
  return true;
}

// The end of the file where it is not found.
const char* CsvTokenizer::find(char wanted, const char* from) const {
  const void* const found = std::memchr(from, wanted, static_cast<std::size_t>(end_ - from));
  return found == nullptr ? end_ : static_cast<const char*>(found);
}

// Leaves at_ on the delimiter or the end of the line.
CsvCell CsvTokenizer::read_cell() {
  const char* const outer = at_;
  skip_spaces();
  if (at_ < end_ && *at_ == '"') return read_quoted();
  const char* const first = at_;
  const char other = delimiter_ == kWhitespaceDelimiter ? '\t' : delimiter_;
  while (at_ < end_ && *at_ != delimiter_ && *at_ != other && !at_line_end()) ++at_;
  // An empty cell is where its spaces are.
  return {trimmed(between(first, at_)), at_ == first ? outer : first};
}

CsvCell CsvTokenizer::read_quoted() {
  const char* const quote = at_;
  bool doubled = false;
  const char* const closing = find_closing_quote(quote + 1, doubled);
  at_ = closing + 1;
  const std::string_view text =
      doubled ? without_doubling(quote + 1, closing) : between(quote + 1, closing);
  const char* const after = at_;
  skip_spaces();
  const bool separated = delimiter_ == kWhitespaceDelimiter && at_ > after;
  if (separated) at_ = after;
  if (!separated && !at_line_end() && *at_ != delimiter_) {
    throw DataError(fmt::format("{}: text after the closing quote of {} (double quotes inside)",
                                file_.where(at_), shown(text)));
  }
  return {trimmed(text), quote};
}

const char* CsvTokenizer::find_closing_quote(const char* from, bool& doubled) const {
  for (const char* at = from;; at += 2) {
    at = static_cast<const char*>(std::memchr(at, '"', static_cast<std::size_t>(end_ - at)));
    if (at == nullptr) {
      throw DataError(fmt::format("{}: this quote is never closed (close it, or double it)",
                                  file_.where(from - 1)));
    }
    if (at + 1 == end_ || at[1] != '"') return at;
    doubled = true;
  }
}

std::string_view CsvTokenizer::without_doubling(const char* first, const char* last) {
  std::string& text = rewritten_.emplace_back();
  for (const char* at = first; at < last; ++at) {
    text += *at;
    if (*at == '"') ++at;
  }
  return text;
}

}  // namespace ossau
