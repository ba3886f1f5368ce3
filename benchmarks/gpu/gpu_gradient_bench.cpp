// How fast the CUDA backend is, beside a device-to-device copy in the same process.
//   build/release/bin/gpu_gradient_bench                 a table
//   build/release/bin/gpu_gradient_bench --json          every figure as JSON instead
//   build/release/bin/gpu_gradient_bench --out FILE      the table, and the JSON into a file
//   build/release/bin/gpu_gradient_bench --quick         tiny data: a smoke run that proves nothing
// benchmarks/README.md says what each row means and what was predicted.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "arith/bits.hpp"
#include "arith/fixed_point.hpp"
#include "backend/cuda/cuda_backend.hpp"
#include "backend/cuda/runtime.hpp"
#include "core/atomic_file.hpp"
#include "gpu/device_clock.hpp"
#include "ossau/error.hpp"
#include "samples.hpp"

namespace ossau::bench {
namespace {

using nlohmann::ordered_json;

struct Options {
  int device = 0;
  bool quick = false;
  double gigabytes = 4;  // of dense rows: many times the second cache
  bool json = false;
  std::string out;
  std::string only;

  std::int64_t samples() const { return quick ? 1 : 11; }
  double sample_s() const { return quick ? 0 : 0.02; }
  std::int64_t bytes() const { return static_cast<std::int64_t>((quick ? 1e-4 : gigabytes) * 1e9); }
  std::int64_t size(std::int64_t real, std::int64_t tiny) const { return quick ? tiny : real; }
};

// A backend with training rows, and where it stands.
struct Loaded {
  std::unique_ptr<Backend> backend;
  BatchOrder order;
  std::int64_t features = 0;

  Loaded(const Options& options, TileSet rows, UpdateRule rule, std::int64_t batch_rows = 0,
         std::optional<std::int64_t> memory_bytes = std::nullopt)
      : order(rows.shards, batch_rows, 1), features(rows.features) {
    ModelSetup setup;
    setup.exponent_power.assign(static_cast<std::size_t>(features), 1.0);
    setup.rule = rule;
    if (rule == UpdateRule::kMomentum) setup.settings = {{0.9}};
    backend = cuda::make_cuda_backend({.device = options.device, .memory_bytes = memory_bytes},
                                      {std::move(rows), {}}, setup);
    std::vector<double> weights(static_cast<std::size_t>(features) + 1, 0.01);
    backend->set_weights(weights);
  }

  int bits() const { return fixed_point_bits(order.rows_in_batch(0)); }
  void pass() const {
    backend->gradient(RowSet::kTrain, backend->every_tile(RowSet::kTrain), bits());
  }
  void finish() const { (void)backend->totals(); }

  // Epochs of minibatch steps; waits for them.
  void run(std::int64_t epochs) {
    const std::int64_t steps = order.steps_per_epoch();
    const std::vector<StepParameters> parameters(
        static_cast<std::size_t>(steps),
        {.rate = 1e-3,
         .gradient_factor = power_of_two(-bits()) / static_cast<double>(order.rows_in_batch(0))});
    std::vector<StepTotals> totals(static_cast<std::size_t>(steps));
    for (std::int64_t epoch = 0; epoch < epochs; ++epoch) {
      order.start_epoch(epoch);
      backend->step_graphs()->run({.order = order,
                                   .steps = {0, steps},
                                   .fixed_bits = bits(),
                                   .parameters = parameters,
                                   .totals = totals,
                                   .queue_reduction = {},
                                   .await = {}});
    }
  }
};

class Bench {
 public:
  explicit Bench(Options options) : options_(std::move(options)) {}

  ordered_json run() {
    info_ = cuda::use_device(options_.device);
    measure_copy();
    for (const std::int64_t d : {28, 100, 784, 4096}) dense_pass(d);
    sparse_pass(false);
    sparse_pass(true);
    for (const std::int64_t rows : {1024, 16384}) {
      for (const std::int64_t d : {28, 100, 784}) dense_steps(rows, d);
      sparse_steps(rows);
    }
    workshop();
    evaluation();
    streamed_pass();
    return results();
  }

 private:
  ordered_json results() const {
    return {{"device", info_.name},
            {"compute_capability", fmt::format("{}.{}", info_.major, info_.minor)},
            {"multiprocessors", info_.multiprocessors},
            {"quick", options_.quick},
            {"copy_bytes_per_second", copy_rate_},
            {"rows", rows_}};
  }

  bool wanted(const std::string& name) const {
    return name.find(options_.only) != std::string::npos;
  }

  Spread timed(const std::function<void(std::int64_t)>& work,
               const std::function<void()>& finish) const {
    return measure(work, finish, options_.samples(), options_.sample_s());
  }

  // rows: that the work visits.  bytes: that it must move, 0 where that is not what limits it.
  // entries: likewise.
  void add(const std::string& name, const Spread& spread, std::int64_t rows, double bytes,
           double entries) {
    ordered_json row = {{"name", name},
                        {"rows", rows},
                        {"seconds", spread.median_s},
                        {"low_seconds", spread.low_s},
                        {"high_seconds", spread.high_s},
                        {"samples", spread.samples}};
    std::string rates;
    if (bytes > 0) {
      const double rate = bytes / spread.median_s;
      row["bytes"] = bytes;
      row["bytes_per_second"] = rate;
      row["share_of_copy"] = rate / copy_rate_;
      rates +=
          fmt::format("  {:8.1f} GB/s  {:5.1f} % of a copy", rate * 1e-9, 100 * rate / copy_rate_);
    }
    if (entries > 0) {
      row["entries"] = entries;
      row["entries_per_second"] = entries / spread.median_s;
      rates += fmt::format("  {:8.2f} G entries/s", entries / spread.median_s * 1e-9);
    }
    const std::string line =
        fmt::format("{:40} {:12.2f} us{}\n", name, spread.median_s * 1e6, rates);
    if (!options_.json) std::cout << line << std::flush;
    rows_.push_back(std::move(row));
    // After every row: whoever ends this early has what was measured.
    if (!options_.out.empty()) write_file_atomically(options_.out, results().dump(2) + "\n");
  }

  // A copy reads and writes: both count.
  void measure_copy() {
    const auto bytes = static_cast<std::size_t>(options_.bytes() / 2);
    const cuda::Stream stream(cuda::make_stream());
    cuda::DeviceArray<char> from(bytes, "the copy");
    cuda::DeviceArray<char> to(bytes, "the copy");
    from.zero(stream.get());
    const Spread spread = timed(
        [&](std::int64_t calls) {
          for (std::int64_t i = 0; i < calls; ++i) {
            cuda::copy(to.data(), from.data(), bytes, stream.get());
          }
        },
        [&] { cuda::synchronize(stream.get(), "copy"); });
    copy_rate_ = 2 * static_cast<double>(bytes) / spread.median_s;
    add("copy", spread, 0, 2 * static_cast<double>(bytes), 0);
  }

  static void repeat_pass(const Loaded& loaded, std::int64_t calls) {
    for (std::int64_t i = 0; i < calls; ++i) loaded.pass();
  }

  void add_pass(const std::string& name, const Loaded& loaded, double bytes, double entries) {
    const std::int64_t rows = loaded.order.epoch().rows;
    add(name,
        timed([&](std::int64_t calls) { repeat_pass(loaded, calls); }, [&] { loaded.finish(); }),
        rows, bytes, entries);
    const double bare_s = loaded.backend->bare_pass_s();
    add(name + "/bare", {.median_s = bare_s, .low_s = bare_s, .high_s = bare_s, .samples = 5}, rows,
        bytes, entries);
  }

  void dense_pass(std::int64_t d) {
    const std::string name = fmt::format("gradient/dense/d={}", d);
    if (!wanted(name)) return;
    const std::int64_t rows = std::max<std::int64_t>(kTileRows, options_.bytes() / (4 * d));
    const Loaded loaded(options_, make_dense_rows(rows, d), UpdateRule::kDescent);
    add_pass(name, loaded, static_cast<double>(rows * d * 4), 0);
  }

  TileSet sparse_rows(std::int64_t rows, bool values) const {
    return make_sparse_rows({.rows = rows,
                             .entries = kEntries,
                             .features = options_.size(1'000'000, 1'000),
                             .values = values});
  }

  void sparse_pass(bool values) {
    const std::string name =
        values ? "gradient/sparse_values/d=1000000" : "gradient/sparse/d=1000000";
    if (!wanted(name)) return;
    const std::int64_t rows = options_.size(4'000'000, 500);
    const Loaded loaded(options_, sparse_rows(rows, values), UpdateRule::kScaled);
    add_pass(name, loaded, 0, static_cast<double>(rows * kEntries));
  }

  void add_steps(const std::string& name, Loaded& loaded, double bytes, double entries) {
    const auto steps = static_cast<double>(loaded.order.steps_per_epoch());
    Spread spread = timed([&](std::int64_t epochs) { loaded.run(epochs); }, [] {});
    for (double* s : {&spread.median_s, &spread.low_s, &spread.high_s}) *s /= steps;
    add(name, spread, loaded.order.rows_in_batch(0), bytes, entries);
  }

  void dense_steps(std::int64_t batch, std::int64_t d) {
    const std::string name = fmt::format("step/dense/rows={}/d={}", batch, d);
    if (!wanted(name)) return;
    const std::int64_t rows = options_.size(d > 500 ? 500'000 : 2'000'000, 3 * batch / 2);
    Loaded loaded(options_, make_dense_rows(rows, d), UpdateRule::kMomentum, batch);
    add_steps(name, loaded, static_cast<double>(batch * d * 4), 0);
  }

  void sparse_steps(std::int64_t batch) {
    const std::string name = fmt::format("step/sparse/rows={}/d=1000000", batch);
    if (!wanted(name)) return;
    const std::int64_t rows = options_.size(1'000'000, 3 * batch / 2);
    Loaded loaded(options_, sparse_rows(rows, false), UpdateRule::kScaled, batch);
    add_steps(name, loaded, 0, static_cast<double>(batch * kEntries));
  }

  // The job that took Spark 101 s: 1,000 steps of 1,000 rows out of 7,513 with 12 columns.
  void workshop() {
    const std::string name = "workshop/steps=1000/rows=1000/d=12";
    if (!wanted(name)) return;
    Loaded loaded(options_, make_dense_rows(7'513, 12), UpdateRule::kDescent, 1'000);
    const std::int64_t epochs = options_.size(125, 1);  // of 8 steps
    add(name, timed([&](std::int64_t calls) { loaded.run(calls * epochs); }, [] {}), 7'513, 0, 0);
  }

  void evaluation() {
    const std::string name = "evaluation/d=28";
    if (!wanted(name)) return;
    const std::int64_t rows = options_.size(10'000'000, 1'000);
    const Loaded loaded(options_, make_dense_rows(rows, 28), UpdateRule::kDescent);
    const auto all = [&](std::int64_t calls) {
      for (std::int64_t i = 0; i < calls; ++i) {
        loaded.backend->gradient_and_scores(RowSet::kTrain, loaded.bits());
        (void)loaded.backend->count_predictions(0);
        (void)loaded.backend->count_pairs();
      }
    };
    add(name, timed(all, [] {}), rows, static_cast<double>(rows * 28 * 4), 0);
  }

  // Rows that stay in the host's memory: as fast as the link.
  void streamed_pass() {
    const std::string name = "gradient/streamed/d=28";
    if (!wanted(name)) return;
    constexpr std::int64_t kColumns = 28;
    const std::int64_t rows = std::max(kTileRows, options_.bytes() / (4 * kColumns));
    const Loaded loaded(options_, make_dense_rows(rows, kColumns), UpdateRule::kDescent, 0,
                        options_.size(std::int64_t{512} << 20, 10'000));
    add(name,
        timed([&](std::int64_t calls) { repeat_pass(loaded, calls); }, [&] { loaded.finish(); }),
        rows, static_cast<double>(rows * kColumns * 4), 0);
  }

  static constexpr std::int64_t kEntries = 40;

  Options options_;
  cuda::DeviceInfo info_;
  double copy_rate_ = 0;
  ordered_json rows_ = ordered_json::array();
};

int run(int argc, char** argv) {
  Options options;
  CLI::App app("Measures the CUDA backend beside a device-to-device copy.");
  app.add_option("--device", options.device, "Which GPU");
  app.add_flag("--quick", options.quick, "Tiny data: a smoke run");
  app.add_option("--gigabytes", options.gigabytes, "Of dense rows");
  app.add_option("--only", options.only, "Rows whose name holds this");
  app.add_flag("--json", options.json, "Print every figure as JSON instead of a table");
  app.add_option("--out", options.out, "Also write the JSON to this file");
  CLI11_PARSE(app, argc, argv);
  const std::string reason = cuda::why_no_device();
  if (!reason.empty()) throw DeviceError("gpu_gradient_bench: no GPU: " + reason);
  const ordered_json results = Bench(options).run();
  if (options.json) std::cout << results.dump(2) << '\n';
  return 0;
}

}  // namespace
}  // namespace ossau::bench

int main(int argc, char** argv) {
  try {
    return ossau::bench::run(argc, argv);
  } catch (const ossau::Error& error) {
    std::cerr << "error: " << error.what() << '\n';
    return static_cast<int>(error.code());
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
    return 1;
  }
}
