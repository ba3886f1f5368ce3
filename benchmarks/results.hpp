#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace ossau::bench {

/// Median and quartiles.
struct Quartiles {
  double median = 0;
  double low = 0;
  double high = 0;
};

/// One row of the results; pairs.hpp says what the fields are.
struct Row {
  std::string name;  // for example gradient/dense/d=28/threads=1
  std::string reference;
  std::int64_t threads = 1;
  std::int64_t pairs = 0;
  Quartiles work_s;
  Quartiles reference_s;
  Quartiles share;  // of reference_s / work_s, pair by pair
  double bytes = 0;
  double reference_bytes = 0;
  double flops = 0;
  double entries = 0;
  std::optional<double> bound_s;

  /// "gradient"
  std::string program() const;
  /// "dense/d=28"
  std::string subject() const;
};

struct Machine {
  std::string processor;
  std::int64_t cores = 0;
  std::string caches;  // for example "L1d 48 KiB, L2 1 MiB, L3 32 MiB"
  std::int64_t memory_bytes = 0;
  std::string kernel;
};

/// What a results file holds.
struct Results {
  std::string date;  // UTC, for example 2026-11-22
  Machine machine;
  std::string compiler;
  std::string commit;
  bool modified = false;  // the tree differed from the commit
  std::string simd;
  bool quick = false;
  std::vector<Row> rows;
};

/// This machine, as the system describes it; no name or address of it.
Machine describe_machine();

/// Adds the rows that a benchmark program wrote with --benchmark_out.  Throws std::runtime_error
/// with the file's name.
void add_program_output(const std::filesystem::path& file, Results& results);

/// Throws std::runtime_error with the file's name.
Results read_results(const std::filesystem::path& file);
void write_results(const std::filesystem::path& file, const Results& results);

/// DATE-PROCESSOR-CORES.json
std::string results_file_name(const Results& results);

}  // namespace ossau::bench
