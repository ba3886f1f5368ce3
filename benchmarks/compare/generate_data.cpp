// Writes the data of the comparison: the same bytes on every machine.
//   generate_data FOLDER [narrow|dense|sparse]...      all three without names
// Random numbers are computed from (seed, stream, row, place); only +, *, sqrt and the program's
// own logarithm reach the files.  Files: data_files.hpp.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "arith/elementary.hpp"
#include "arith/permutation.hpp"
#include "data_files.hpp"
#include "ossau/error.hpp"

namespace ossau::compare {
namespace {

struct Recipe {
  const char* name;
  DataHeader header;
  std::uint64_t informative_one_in;  // the share of features with a weight in the truth
  double weight_scale;
  double intercept;
};

constexpr std::uint64_t kSeed = 20240601;
constexpr std::int64_t kEntriesInRow = 40;  // sparse
constexpr double kCorrelation = 0.5;        // dense: of neighbouring columns

const std::array<Recipe, 3> kRecipes = {{
    {"narrow", {false, 28, 100'000, 20'000, kSeed}, 2, 0.5, 0.2},
    {"dense", {false, 100, 1'000'000, 100'000, kSeed}, 4, 0.3, -0.3},
    {"sparse", {true, 1'000'000, 1'000'000, 100'000, kSeed}, 8, 1.0, -0.5},
}};

enum Stream : std::uint64_t { kFeatures = 1, kNoise, kTruth };

// Numbers of one key, one after the other.
class Counter {
 public:
  Counter(std::uint64_t seed, Stream stream, std::int64_t item)
      : key_(make_key(seed, stream, static_cast<std::uint64_t>(item))) {}

  std::uint64_t word() { return mix64(key_ += kGolden); }

  // (0, 1), never an end of it.
  double uniform() { return (static_cast<double>(word() >> 12) + 0.5) * 0x1p-52; }

  // Mean 0, variance 1 and nearly normal: the sum of four 16-bit numbers.
  double normal() {
    const std::uint64_t bits = word();
    double sum = -2.0;
    for (int shift = 0; shift < 64; shift += 16) {
      sum += (static_cast<double>(bits >> shift & 0xffffu) + 0.5) * 0x1p-16;
    }
    return sum * std::sqrt(3.0);
  }

 private:
  std::uint64_t key_;
};

std::vector<double> true_weights(const Recipe& recipe) {
  std::vector<double> weights;
  for (std::int64_t j = 0; j < recipe.header.features; ++j) {
    Counter counter(recipe.header.seed, kTruth, j);
    const bool informative = counter.word() % recipe.informative_one_in == 0;
    weights.push_back(informative ? recipe.weight_scale * counter.normal() : 0.0);
  }
  return weights;
}

// The label is positive with the logistic probability of the score.
std::uint8_t noisy_label(double score, const Recipe& recipe, std::int64_t row) {
  const double u = Counter(recipe.header.seed, kNoise, row).uniform();
  const double noise = log_natural(u) - log_natural(1 - u);
  return recipe.intercept + score + noise > 0 ? 1 : 0;
}

// Neighbouring columns are correlated, as real ones are: independent columns would flatter first
// order methods.
DataPart dense_part(const Recipe& recipe, std::int64_t first, std::int64_t rows) {
  const std::vector<double> truth = true_weights(recipe);
  const double innovation = std::sqrt(1 - kCorrelation * kCorrelation);
  DataPart part;
  part.values.reserve(static_cast<std::size_t>(rows) * truth.size());
  for (std::int64_t row = first; row < first + rows; ++row) {
    Counter counter(recipe.header.seed, kFeatures, row);
    double score = 0;
    double x = counter.normal();
    for (const double weight : truth) {
      const auto stored = static_cast<float>(x);
      part.values.push_back(stored);
      score += weight * static_cast<double>(stored);
      x = kCorrelation * x + innovation * counter.normal();
    }
    part.label.push_back(noisy_label(score, recipe, row));
  }
  return part;
}

// floor(n^u) with u of 24 bits, from two tables of powers.
class PowerLaw {
 public:
  explicit PowerLaw(double n) {
    double root = n;
    for (int halving = 0; halving < 12; ++halving) root = std::sqrt(root);
    fill(high_, root);  // n^(k / 2^12)
    for (int halving = 0; halving < 12; ++halving) root = std::sqrt(root);
    fill(low_, root);  // n^(k / 2^24)
  }

  std::uint32_t operator()(std::uint64_t bits) const {
    return static_cast<std::uint32_t>(high_[bits >> 12 & 0xfffu] * low_[bits & 0xfffu]);
  }

 private:
  static void fill(std::array<double, 4096>& powers, double base) {
    double power = 1;
    for (double& entry : powers) {
      entry = power;
      power *= base;
    }
  }

  std::array<double, 4096> high_{};
  std::array<double, 4096> low_{};
};

// Forty different features, ascending; common ones are drawn again until all differ.
void draw_row(const PowerLaw& power_law, Counter& counter, std::uint32_t features,
              std::vector<std::uint32_t>& entries) {
  entries.clear();
  while (entries.size() < static_cast<std::size_t>(kEntriesInRow)) {
    const std::uint32_t j = std::min(power_law(counter.word() >> 40), features - 1);
    const auto place = std::lower_bound(entries.begin(), entries.end(), j);
    if (place == entries.end() || *place != j) entries.insert(place, j);
  }
}

DataPart sparse_part(const Recipe& recipe, std::int64_t first, std::int64_t rows) {
  const std::vector<double> truth = true_weights(recipe);
  const PowerLaw power_law(static_cast<double>(recipe.header.features));
  DataPart part;
  part.row_start.push_back(0);
  part.index.reserve(static_cast<std::size_t>(rows * kEntriesInRow));
  std::vector<std::uint32_t> entries;
  for (std::int64_t row = first; row < first + rows; ++row) {
    Counter counter(recipe.header.seed, kFeatures, row);
    draw_row(power_law, counter, static_cast<std::uint32_t>(recipe.header.features), entries);
    double score = 0;
    for (const std::uint32_t j : entries) score += truth[j];
    part.index.insert(part.index.end(), entries.begin(), entries.end());
    part.row_start.push_back(static_cast<std::int64_t>(part.index.size()));
    part.label.push_back(noisy_label(score, recipe, row));
  }
  return part;
}

void generate(const Recipe& recipe, const std::string& scratch) {
  const std::string folder = fmt::format("{}/{}", scratch, recipe.name);
  std::filesystem::create_directories(folder);
  const auto part = [&](std::int64_t first, std::int64_t rows) {
    return recipe.header.sparse ? sparse_part(recipe, first, rows)
                                : dense_part(recipe, first, rows);
  };
  write_part(folder, "train", part(0, recipe.header.train_rows));
  write_part(folder, "held_out", part(recipe.header.train_rows, recipe.header.held_out_rows));
  write_header(folder, recipe.header);  // last: a folder with a header is complete
}

void run(const std::vector<std::string>& arguments) {
  if (arguments.size() < 2) {
    throw ConfigError("usage: generate_data FOLDER [narrow|dense|sparse]...");
  }
  const auto wanted = [&](std::string_view name) {
    return arguments.size() == 2 ||
           std::find(arguments.begin() + 2, arguments.end(), name) != arguments.end();
  };
  for (const Recipe& recipe : kRecipes) {
    if (wanted(recipe.name)) generate(recipe, arguments[1]);
  }
}

}  // namespace
}  // namespace ossau::compare

int main(int argc, char** argv) {
  try {
    ossau::compare::run({argv, argv + argc});
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "generate_data: {}\n", error.what());
    return 1;
  }
}
