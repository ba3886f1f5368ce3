#include "backend/cuda/solver_passes.hpp"

#include <algorithm>
#include <cstddef>

#include "arith/bits.hpp"
#include "launchers.hpp"

namespace ossau::cuda {
namespace {

const char* const kWhat = "a solver's scores and sums";

float negative_power(int exponent) { return static_cast<float>(power_of_two(-exponent)); }

}  // namespace

// The sums are made for any number of runs.
void DeviceSolverPasses::reserve(std::size_t slots, std::size_t /*runs*/) {
  slots_.clear();
  for (std::size_t i = 0; i < slots; ++i) {
    slots_.emplace_back(static_cast<std::size_t>(slot_size()), kWhat);
  }
  if (fused_.on_device.size() == 0) reserve_sums();
}

// Trainings without a solver pay nothing for it at their start.
void DeviceSolverPasses::reserve_sums() {
  load_solver_kernels();
  load_gram_kernels();
  const auto d = static_cast<std::size_t>(tiles_.set().features);
  weights_ = {d, kWhat};
  scalars_ = {1, kWhat};
  largest_ = {1, kWhat};
  fused_ = make_sums(SolverSumLayout{.features = d, .runs = kMostRuns}.size());
  hessian_ = make_sums(SolverSumLayout{.features = d}.size());
  line_ = make_sums(kMostLineSteps * LineSumLayout::kNumbers);
}

DeviceSolverPasses::Sums DeviceSolverPasses::make_sums(std::size_t size) {
  return {.on_device = {size, kWhat}, .on_host = {size, kWhat}};
}

GradientPass DeviceSolverPasses::pass_to(ScoreSlot scores, int fixed_bits) const {
  GradientPass pass;
  pass.loss = loss_;
  pass.scores = slot(scores);
  pass.fixed_scale = power_of_two(fixed_bits);
  return pass;
}

std::span<std::int64_t> DeviceSolverPasses::fused(const FusedPass& pass) {
  GradientPass on_device = pass_to(pass.to, pass.fixed_bits);
  const std::size_t runs = pass.runs();
  on_device.solver.stage = runs == 1   ? RowStage::kGradient
                           : runs == 2 ? RowStage::kFusedTwo
                                       : RowStage::kFusedThree;
  on_device.solver.squares = pass.diagonal;
  return add(fused_, pass.point, runs, on_device, "loss and gradient");
}

std::span<std::int64_t> DeviceSolverPasses::hessian_times(const HessianPass& pass) {
  GradientPass on_device = pass_to(pass.to, pass.fixed_bits);
  on_device.solver = {
      .stage = RowStage::kHessian, .at = slot(pass.at), .factor = negative_power(pass.exponent)};
  return add(hessian_, pass.direction, 1, on_device, "Hessian times a direction");
}

// The weights' memory may be the caller's again on return: the sums are waited for.
std::span<std::int64_t> DeviceSolverPasses::add(Sums& sums, const ScoringPoint& point,
                                                std::size_t runs, GradientPass pass,
                                                const char* what) {
  const SolverSumLayout layout{.features = static_cast<std::size_t>(tiles_.set().features),
                               .runs = runs};
  prepare(sums, layout.size());
  const ScoringScalars scalars{.scale = 1, .intercept = point.intercept};
  cuda::copy(weights_.data(), point.weights.data(), weights_.bytes(), stream_);
  cuda::copy(scalars_.data(), &scalars, sizeof(scalars), stream_);
  pass.weights = weights_.data();
  pass.scalars = scalars_.data();
  pass.sums = sums.on_device.data();
  passes_.add(tiles_, tiles_.every_tile(), pass, {});
  return read(sums, layout.size(), what);
}

std::span<std::int64_t> DeviceSolverPasses::line(const LinePass& pass) {
  const std::size_t size = pass.steps.size() * LineSumLayout::kNumbers;
  if (size == 0) return {};
  prepare(line_, size);
  LineTerms line{.loss = loss_,
                 .from = slot(pass.from),
                 .along = slot(pass.along),
                 .signed_weight = tiles_.signed_weight(),
                 .slices = tiles_.every_tile_on_device(),
                 .tiles = tiles_.set().owned.size(),
                 .steps = static_cast<int>(pass.steps.size()),
                 .factor = negative_power(pass.exponent),
                 .fixed_scale = power_of_two(pass.fixed_bits)};
  std::copy(pass.steps.begin(), pass.steps.end(), line.t);
  line_sums(line, line_.on_device.data(), device_, stream_);
  return read(line_, size, "losses along a line");
}

// Takes memory only where it is asked for: there are d^2 / 2 numbers.
std::span<std::int64_t> DeviceSolverPasses::gram(ScoreSlot at) {
  const GramLayout layout{static_cast<std::size_t>(tiles_.set().features)};
  if (gram_.on_device.size() == 0) gram_ = make_sums(layout.size());
  prepare(gram_, layout.size());
  tiles_.each_piece(
      tiles_.every_tile(), stream_,
      [&](const RowsView& view, const TileSlice* list, std::int64_t count, std::int64_t first) {
        const GramTerms terms{.loss = loss_,
                              .slices = list,
                              .count = count,
                              .at = slot(at) + first * kTileRows,
                              .sums = gram_.on_device.data()};
        tiles_.dense() ? dense_gram(view.dense, terms, device_, stream_)
                       : sparse_gram(view.sparse, terms, device_, stream_);
      });
  return read(gram_, layout.size(), "Gram matrix");
}

void DeviceSolverPasses::prepare(Sums& sums, std::size_t size) {
  fill_zero(sums.on_device.data(), size * sizeof(std::int64_t), stream_);
}

std::span<std::int64_t> DeviceSolverPasses::read(const Sums& sums, std::size_t size,
                                                 const char* what) {
  cuda::copy(sums.on_host.data(), sums.on_device.data(), size * sizeof(std::int64_t), stream_);
  synchronize(stream_, what);
  return {sums.on_host.data(), size};
}

void DeviceSolverPasses::add_scaled(float a, ScoreSlot x, ScoreSlot y) {
  cuda::add_scaled(a, slot(x), slot(y), slot_size(), device_, stream_);
}

void DeviceSolverPasses::subtract(ScoreSlot x, ScoreSlot y, ScoreSlot to) {
  cuda::subtract(slot(x), slot(y), slot(to), slot_size(), device_, stream_);
}

void DeviceSolverPasses::copy(ScoreSlot from, ScoreSlot to) {
  cuda::copy(slot(to), slot(from), static_cast<std::size_t>(slot_size()) * sizeof(float), stream_);
}

float DeviceSolverPasses::largest(ScoreSlot x) {
  largest_.zero(stream_);
  largest_score(slot(x), tiles_.rows_here(), largest_.data(), device_, stream_);
  std::uint32_t bits = 0;
  cuda::copy(&bits, largest_.data(), sizeof(bits), stream_);
  synchronize(stream_, "largest score");
  return bit_copy<float>(bits);
}

void DeviceSolverPasses::get_scores(ScoreSlot from, std::span<float> scores) const {
  cuda::copy(scores.data(), slot(from), scores.size_bytes(), stream_);
  synchronize(stream_, "copy scores to the host");
}

}  // namespace ossau::cuda
