#include "backend/cuda/cuda_backend.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "arith/device_answers.hpp"
#include "backend/cuda/device_tiles.hpp"
#include "backend/cuda/model_state.hpp"
#include "backend/cuda/passes.hpp"
#include "backend/cuda/solver_passes.hpp"
#include "backend/cuda/step_runner.hpp"
#include "launchers.hpp"
#include "ossau/error.hpp"

namespace ossau::cuda {
namespace {

// The rest is left to the driver, to lists of batches, to scratch memory and to others.
constexpr double kShareOfFree = 0.92;

// A batch may have so many slices more than there are tiles.
constexpr std::int64_t kCutTiles = 3;

// What a row takes beside its features: its weight, and its part of the list of tiles.
constexpr std::int64_t kBytesBesideRow = sizeof(float) + sizeof(TileSlice) / kTileRows + 1;

// What an evaluation takes for each row: its score, its key, and as much again to sort keys.
constexpr std::int64_t kBytesToEvaluateRow = sizeof(float) + 3 * sizeof(std::uint64_t);

// And a solver for each training row: what it keeps scores in.
constexpr std::int64_t kBytesToSolveRow = 4 * sizeof(float);

// Bytes that the features of all rows may take on the device.
std::int64_t row_budget(const CudaBackendOptions& options, const BackendRows& rows,
                        const DeviceInfo& device) {
  if (options.memory_bytes) return *options.memory_bytes / options.ranks_here;
  const std::int64_t train = rows.train.owned.size() * kTileRows;
  const std::int64_t validation = rows.validation.owned.size() * kTileRows;
  const auto free_bytes =
      static_cast<std::int64_t>(kShareOfFree * static_cast<double>(device.free_bytes));
  return std::max<std::int64_t>(
      0, free_bytes / options.ranks_here - kBytesBesideRow * (train + validation) -
             kBytesToSolveRow * train - kBytesToEvaluateRow * std::max(train, validation));
}

class CudaBackend : public Backend {
 public:
  CudaBackend(const CudaBackendOptions& options, BackendRows rows, const ModelSetup& setup)
      : device_(use_device(options.device)),
        attributes_{.device = "cuda", .unit = device_.name, .memory = MemorySpace::kCuda},
        stream_(make_stream()),
        state_(setup, device_, stream_.get()),
        budget_(row_budget(options, rows, use_device(options.device))),
        train_(std::move(rows.train), "training rows", budget_, device_, stream_.get()),
        validation_(std::move(rows.validation), "validation rows", budget_, device_, stream_.get()),
        passes_(device_, stream_.get()),
        runner_(train_, state_, passes_, device_, stream_.get()),
        solver_passes_(setup.loss, train_, passes_, device_, stream_.get()) {
    reserve();
    load_gradient_kernels();
    load_row_kernels();
    load_step_kernels();
    load_update_kernels();
    check_arithmetic();
  }

  const BackendAttributes& attributes() const override { return attributes_; }

  void set_weights(std::span<const double> weights) override { state_.set_weights(weights); }
  void get_weights(std::span<double> weights) const override { state_.get_weights(weights); }
  ModelSnapshot snapshot() const override { return state_.snapshot(); }
  void restore(const ModelSnapshot& snapshot) override { state_.restore(snapshot); }
  void look_at(EvaluationPoint point) override { state_.look_at(point); }
  void adopt_evaluation_point() override { state_.adopt_evaluation_point(); }

  std::span<const TileSlice> every_tile(RowSet set) const override {
    return tiles(set).every_tile();
  }

  void gradient(RowSet set, std::span<const TileSlice> slices, int fixed_bits) override {
    const bool lists = set == RowSet::kTrain && train_.resident();
    touched_ = lists ? state_.touched() : TouchedList{};
    pass(set, slices, state_.pass(fixed_bits), touched_);
  }

  void gradient_and_scores(RowSet set, int fixed_bits) override {
    scored_ = set;
    GradientPass with_scores = state_.pass(fixed_bits);
    with_scores.scores = scores_.data();
    touched_ = {};
    pass(set, every_tile(set), with_scores, touched_);
  }

  PredictionCounts count_predictions(double cut) override {
    DeviceArray<std::int64_t> counts(4, "confusion counts");
    counts.zero(stream_.get());
    cuda::count_predictions(scores_.data(), tiles(scored_).signed_weight(), rows_scored(), cut,
                            counts.data(), device_, stream_.get());
    PredictionCounts counted;
    copy(counted.counts.data(), counts.data(), counts.bytes(), stream_.get());
    synchronize(stream_.get(), "confusion counts");
    return counted;
  }
  PairCounts count_pairs() override;
  void ranking_keys(std::span<std::int64_t> keys) const override {
    DeviceArray<std::uint64_t> on_device(keys.size(), "ranking keys");
    if (!keys.empty()) make_keys(false, on_device.data());
    copy(keys.data(), on_device.data(), on_device.bytes(), stream_.get());
    synchronize(stream_.get(), "ranking keys");
  }

  SumBuffer sums(MemorySpace where) override {
    touched_ = {};
    const std::size_t size = state_.layout().size();
    if (where == MemorySpace::kCuda) return {state_.sums(), size, where, stream_.get()};
    if (host_sums_.size() == 0) host_sums_ = PinnedArray<std::int64_t>(size + 1, "gradient sums");
    copy(host_sums_.data(), state_.sums(), size * sizeof(std::int64_t), stream_.get());
    synchronize(stream_.get(), "copy gradient sums to the host");
    return {host_sums_.data(), size, MemorySpace::kHost};
  }
  void set_sums(SumBuffer buffer) override {
    if (buffer.space != MemorySpace::kHost) return;
    copy(state_.sums(), buffer.data, buffer.size * sizeof(std::int64_t), stream_.get());
  }
  StepTotals totals() const override { return state_.totals(); }
  double gradient_max(double gradient_factor, double rate) override {
    return state_.gradient_max(gradient_factor, rate);
  }
  void update(const StepParameters& step) override {
    state_.update({.parameters = step}, touched_);
    touched_ = {};
  }

  StepGraphs* step_graphs() override { return &runner_; }
  SolverPasses* solver_passes() override { return &solver_passes_; }

  double bare_pass_s() override;

 private:
  const DeviceTiles& tiles(RowSet set) const {
    return set == RowSet::kTrain ? train_ : validation_;
  }
  DeviceTiles& tiles(RowSet set) { return set == RowSet::kTrain ? train_ : validation_; }
  std::int64_t rows_scored() const { return tiles(scored_).rows_here(); }

  void pass(RowSet set, std::span<const TileSlice> slices, const GradientPass& pass,
            const TouchedList& touched) {
    state_.clear_sums();
    state_.touch_sums();
    passes_.add(tiles(set), slices, pass, touched);
  }

  // All that passes will need, before the first of them: graphs keep addresses, and freeing memory
  // would wait for whatever runs on any device.
  void reserve() {
    std::int64_t most = 0;
    for (const DeviceTiles* rows : {&train_, &validation_}) {
      const std::int64_t tiles = rows->set().owned.size();
      most = std::max(most, tiles);
      if (tiles > 0) passes_.reserve(*rows, tiles + kCutTiles);
    }
    scores_ = DeviceArray<float>(static_cast<std::size_t>(most * kTileRows), "scores");
  }

  void make_keys(bool unsigned_order, std::uint64_t* keys) const {
    cuda::ranking_keys(scores_.data(), tiles(scored_).signed_weight(), rows_scored(),
                       unsigned_order, keys, device_, stream_.get());
  }

  void check_arithmetic();

  DeviceInfo device_;
  BackendAttributes attributes_;
  Stream stream_;
  ModelState state_;
  std::int64_t budget_;  // bytes that rows may still take
  DeviceTiles train_;
  DeviceTiles validation_;
  Passes passes_;
  StepRunner runner_;
  DeviceSolverPasses solver_passes_;
  TouchedList touched_;        // of the last pass, where the update may use it
  DeviceArray<float> scores_;  // [tiles, 64], of the larger set
  RowSet scored_ = RowSet::kTrain;
  PinnedArray<std::int64_t> host_sums_;  // SumLayout, and the caller's note
};

PairCounts CudaBackend::count_pairs() {
  PairCounts counts;
  const std::int64_t rows = rows_scored();
  if (rows == 0) return counts;
  StreamHandle stream = stream_.get();
  DeviceArray<std::uint64_t> keys(static_cast<std::size_t>(rows), "ranking keys");
  make_keys(true, keys.data());
  sort_keys(keys.data(), keys.size(), stream);
  const auto blocks = static_cast<std::size_t>(pair_blocks(rows));
  DeviceArray<std::int64_t> negatives(blocks, "negatives of each block");
  count_negatives(keys.data(), rows, negatives.data(), device_, stream);
  std::vector<std::int64_t> before(blocks + 1, 0);
  copy(before.data() + 1, negatives.data(), negatives.bytes(), stream);
  synchronize(stream, "negatives");
  std::partial_sum(before.begin(), before.end(), before.begin());
  copy(negatives.data(), before.data(), negatives.bytes(), stream);
  DeviceArray<unsigned long long> sums(2, "ordered pairs");
  sums.zero(stream);
  cuda::count_pairs(keys.data(), rows, negatives.data(), sums.data(), device_, stream);
  std::array<unsigned long long, 2> halves{};
  copy(halves.data(), sums.data(), sums.bytes(), stream);
  synchronize(stream, "ordered pairs");
  counts.twice_ordered = Int128{halves[1]} * (Int128{1} << 32) + Int128{halves[0]};
  counts.negatives = before.back();
  counts.positives = rows - counts.negatives;
  return counts;
}

void CudaBackend::check_arithmetic() {
  DeviceArray<std::uint64_t> results(kDeviceAnswers, "the self-test");
  self_test(results.data(), stream_.get());
  std::array<std::uint64_t, kDeviceAnswers> found{};
  copy(found.data(), results.data(), results.bytes(), stream_.get());
  synchronize(stream_.get(), "self-test");
  std::array<std::uint64_t, kDeviceAnswers> expected{};
  answer(DeviceQuestions{}, expected.data());
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i] == expected[i]) continue;
    throw DeviceError(
        fmt::format("cuda: device {} ({}) computes {} otherwise than the arithmetic contract needs "
                    "(please report it; run.device: cpu avoids it)",
                    device_.ordinal, device_.name, kDeviceAnswerNames[i]));
  }
}

double CudaBackend::bare_pass_s() try {
  state_.touch_sums();
  return passes_.bare_pass_s(train_, state_.pass(0));
} catch (const DeviceError&) {
  return 0;  // a finished training is worth more than its measurement
}

}  // namespace

std::unique_ptr<Backend> make_cuda_backend(const CudaBackendOptions& options, BackendRows rows,
                                           const ModelSetup& setup) {
  return std::make_unique<CudaBackend>(options, std::move(rows), setup);
}

}  // namespace ossau::cuda
