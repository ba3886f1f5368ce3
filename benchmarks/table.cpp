#include "table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

namespace ossau::bench {
namespace {

constexpr std::size_t kColumns = 8;
using Line = std::array<std::string, kColumns>;

// Three significant digits, with the unit that suits.
std::string duration(double seconds) {
  if (seconds >= 1) return fmt::format("{:.3g} s", seconds);
  if (seconds >= 1e-3) return fmt::format("{:.3g} ms", seconds * 1e3);
  if (seconds >= 1e-6) return fmt::format("{:.3g} us", seconds * 1e6);
  return fmt::format("{:.3g} ns", seconds * 1e9);
}

// Rates of nothing are left empty.
std::string rate(double amount, double seconds) {
  return amount > 0 ? fmt::format("{:.3g}", amount / seconds / 1e9) : "";
}

std::string share(const Quartiles& share) {
  return fmt::format("{:.1f} % ({:.1f} to {:.1f})", 100 * share.median, 100 * share.low,
                     100 * share.high);
}

std::string bound(const Row& row) {
  if (!row.bound_s) return "";
  return fmt::format("{} {}", row.work_s.median <= *row.bound_s ? "within" : "**above**",
                     duration(*row.bound_s));
}

Line table_line(const Row& row) {
  return {row.subject(),
          fmt::format("{}", row.threads),
          duration(row.work_s.median),
          rate(row.bytes, row.work_s.median),
          rate(row.entries, row.work_s.median),
          fmt::format("{} {}", row.reference, duration(row.reference_s.median)),
          share(row.share),
          bound(row)};
}

const Line kHeads = {"work",           "threads",   "time",  "GB/s",
                     "10^9 entries/s", "reference", "share", "bound"};

// Without the columns that are empty in every line.
std::string print(const std::vector<Line>& lines) {
  std::array<std::size_t, kColumns> width{};
  for (std::size_t c = 0; c < kColumns; ++c) {
    std::size_t widest = 0;
    for (const Line& line : lines) widest = std::max(widest, line[c].size());
    if (widest > 0) width[c] = std::max(widest, kHeads[c].size());
  }
  const auto print_line = [&](const Line& line) {
    std::string text;
    for (std::size_t c = 0; c < kColumns; ++c) {
      if (width[c] > 0) text += fmt::format("| {:<{}} ", line[c], width[c]);
    }
    return text + "|\n";
  };
  std::string text = print_line(kHeads);
  for (const std::size_t w : width) {
    if (w > 0) text += fmt::format("|{:-<{}}", "", w + 2);
  }
  text += "|\n";
  for (const Line& line : lines) text += print_line(line);
  return text;
}

}  // namespace

std::string machine_line(const Machine& machine) {
  return fmt::format("{}, {} cores, {}, {:.0f} GiB", machine.processor, machine.cores,
                     machine.caches, static_cast<double>(machine.memory_bytes) / 0x1p30);
}

std::string commit_text(const Results& results) {
  return results.commit + (results.modified ? " with changes" : "");
}

std::string markdown(const Results& results) {
  std::string text =
      fmt::format("{}; {}; {}; {}; commit {}; {}\n", results.date, machine_line(results.machine),
                  results.machine.kernel, results.compiler, commit_text(results), results.simd);
  if (results.quick) text += "\n**A smoke run with tiny data: the figures mean nothing.**\n";
  std::vector<Line> lines;
  std::string program;
  const auto finish_table = [&] {
    if (!lines.empty()) text += fmt::format("\n### {}\n\n{}", program, print(lines));
  };
  for (const Row& row : results.rows) {
    if (row.program() != program) {
      finish_table();
      program = row.program();
      lines.clear();
    }
    lines.push_back(table_line(row));
  }
  finish_table();
  return text;
}

}  // namespace ossau::bench
