#include "backend/cpu/machine_speed.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <utility>
#include <vector>

#include "arith/permutation.hpp"
#include "backend/cpu/bare_pass.hpp"
#include "backend/cpu/self_test.hpp"
#include "core/aligned.hpp"
#include "core/clock.hpp"
#include "core/median.hpp"

namespace ossau {
namespace {

constexpr int kPairs = 11;

// Bytes that each thread reads, where memory has room for them.
std::size_t buffer_bytes(const Machine& machine, std::int64_t threads) {
  constexpr std::int64_t kMost = std::int64_t{4} << 30;  // of all threads
  const std::int64_t room = std::min(machine.available_bytes.value_or(kMost) / 4, kMost);
  return static_cast<std::size_t>(std::min(bytes_past_caches(machine, threads), room) / threads);
}

void measure_reading(const Machine& machine, ThreadPool& pool, MachineSpeed& speed) {
  const auto threads = static_cast<std::size_t>(pool.size());
  const std::size_t count = buffer_bytes(machine, pool.size()) / sizeof(float);
  std::vector<AlignedVector<float>> buffers(threads);
  for (auto& buffer : buffers) buffer.reserve(count);
  // Each thread touches its own first, so that they lie in memory near to it.
  pool.run([&](std::int64_t thread) { buffers[static_cast<std::size_t>(thread)].resize(count); });
  const BarePasses passes = available_bare_passes().front();
  std::atomic<std::uint32_t> read{0};
  const auto bytes = static_cast<double>(count * sizeof(float));
  std::vector<double> one;
  std::vector<double> all;
  for (int pair = 0; pair < kPairs; ++pair) {
    const Stopwatch one_watch;
    read += passes.read(buffers[0]);
    one.push_back(bytes / one_watch.seconds());
    const Stopwatch all_watch;
    pool.run([&](std::int64_t thread) {
      read += passes.read(buffers[static_cast<std::size_t>(thread)]);
    });
    all.push_back(bytes * static_cast<double>(threads) / all_watch.seconds());
  }
  speed.read_one_bytes = median(std::move(one));
  speed.read_all_bytes = median(std::move(all));
}

constexpr int kOctaves = 20;

// Log-uniform features, as words and clicks are: of each octave [2^k, 2^(k+1)) two to a row.
void add_sample_row(std::uint64_t row, std::vector<std::uint32_t>& features) {
  features.clear();
  for (std::uint64_t octave = 0; octave < kOctaves; ++octave) {
    const std::uint64_t size = std::uint64_t{1} << octave;
    const std::uint64_t key = make_key(row, octave, 0);
    const auto a = static_cast<std::uint32_t>(size + (key & (size - 1)));
    const auto b = static_cast<std::uint32_t>(size + ((key >> 32) & (size - 1)));
    features.push_back(std::min(a, b));
    if (a != b) features.push_back(std::max(a, b));
  }
}

TileSet sparse_sample(std::int64_t tiles) {
  constexpr std::size_t kSlices = 2 * std::size_t{kOctaves};
  constexpr auto kRows = static_cast<std::size_t>(kTileRows);
  SparseTiles sparse;
  sparse.index.resize(static_cast<std::size_t>(tiles) * kSlices * kRows);
  sparse.value.resize(sparse.index.size(), 1.0f);
  sparse.spill_start.resize(static_cast<std::size_t>(tiles) + 1);
  std::vector<std::uint32_t> features;
  for (std::size_t tile = 0; tile < static_cast<std::size_t>(tiles); ++tile) {
    sparse.slice_start.push_back(static_cast<std::int64_t>(tile * kSlices));
    for (std::size_t i = 0; i < kRows; ++i) {
      add_sample_row(tile * kRows + i, features);
      sparse.length.push_back(static_cast<std::uint32_t>(features.size()));
      for (std::size_t k = 0; k < features.size(); ++k) {
        sparse.index[(tile * kSlices + k) * kRows + i] = features[k];
      }
    }
  }
  sparse.slice_start.push_back(tiles * static_cast<std::int64_t>(kSlices));
  TileSet sample;
  sample.owned = {0, tiles};
  sample.features = std::int64_t{1} << kOctaves;
  sample.storage = std::move(sparse);
  return sample;
}

void measure_sparse(ThreadPool& pool, MachineSpeed& speed) {
  constexpr std::int64_t kTiles = 2048;
  const TileSet sample = sparse_sample(kTiles);
  std::int64_t entries = 0;
  for (const std::uint32_t length : std::get<SparseTiles>(sample.storage).length) entries += length;
  speed.sparse_features = sample.features;
  speed.sparse_entries = static_cast<double>(entries) / bare_pass_s(sample, pool, kPairs);
}

double median_wake_s(ThreadPool& pool) {
  constexpr int kWakes = 1001;
  std::vector<double> seconds;
  for (int i = 0; i < kWakes; ++i) {
    const Stopwatch watch;
    pool.run([](std::int64_t) {});
    seconds.push_back(watch.seconds());
  }
  return median(std::move(seconds));
}

}  // namespace

MachineSpeed measure_machine(const Machine& machine, ThreadPool& pool) {
  MachineSpeed speed;
  speed.self_test = self_test_of(pool);
  measure_reading(machine, pool, speed);
  measure_sparse(pool, speed);
  speed.wake_s = median_wake_s(pool);
  return speed;
}

}  // namespace ossau
