#include "backend/cuda/model_state.hpp"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <utility>
#include <vector>

#include "arith/bits.hpp"
#include "launchers.hpp"

namespace ossau::cuda {
namespace {

const char* const kWhat = "weights and optimiser state";

}  // namespace

ModelState::ModelState(const ModelSetup& setup, DeviceInfo device, StreamHandle stream)
    : loss_(setup.loss),
      model_(model_rule(setup)),
      rule_(setup.rule),
      traits_(traits_of(rule_)),
      device_(std::move(device)),
      stream_(stream) {
  const auto d = static_cast<std::size_t>(model_.features);
  const bool unit = std::all_of(setup.exponent_power.begin(), setup.exponent_power.end(),
                                [](double power) { return power == 1.0; });
  if (!unit) {
    powers_ = {d, kWhat};
    copy(powers_.data(), setup.exponent_power.data(), powers_.bytes(), stream_);
  }
  weights_ = {d + 1, kWhat};
  states_ = {static_cast<std::size_t>(traits_.states) * (d + 1), kWhat};
  if (traits_.needs_slope) {
    proposal_ = {d + 1, kWhat};
    chunk_sums_ = {d / static_cast<std::size_t>(kFeatureChunk) + 1, kWhat};
    blocks_done_ = {1, kWhat};
    blocks_done_.zero(stream_);
  }
  scoring_ = {d, kWhat};
  scalars_ = {1, kWhat};
  sums_ = {layout().size(), "gradient sums"};
  const std::uint32_t capacity = touched_capacity(model_.features);
  if (keeps_untouched(rule_, model_, {}) && capacity > 0) {
    touched_features_ = {capacity, "the list of touched features"};
    touched_count_ = {1, "the list of touched features"};
    touched_ = {touched_features_.data(), touched_count_.data(), capacity};
  }
  largest_ = {1, kWhat};
  totals_ = {1, kWhat};
  largest_read_ = {1, kWhat};
  synchronize(stream_, "set up the model");  // `setup` may go now
}

OptimizerView ModelState::view() const {
  return {.model = model_,
          .rule = rule_,
          .powers = powers_.data(),
          .weights = weights_.data(),
          .states = states_.data(),
          .proposal = proposal_.data(),
          .chunk_sums = chunk_sums_.data(),
          .blocks_done = blocks_done_.data(),
          .scoring = scoring_.data(),
          .scalars = scalars_.data()};
}

const double* ModelState::evaluation_weights() const {
  const bool ahead = traits_.looks_ahead && point_ == EvaluationPoint::kRule;
  return ahead ? states_.data() : weights_.data();
}

void ModelState::set_weights(std::span<const double> weights) {
  const ScoringScalars start;
  copy(weights_.data(), weights.data(), weights_.bytes(), stream_);
  states_.zero(stream_);
  if (traits_.looks_ahead) copy(states_.data(), weights.data(), weights_.bytes(), stream_);
  copy(scalars_.data(), &start, sizeof(start), stream_);
  scale_ = 1;
  point_ = EvaluationPoint::kRule;
  refresh_scoring(view(), weights_.data(), device_, stream_);
  synchronize(stream_, "copy weights to the device");
}

void ModelState::get_weights(std::span<double> weights) const {
  copy(weights.data(), weights_.data(), weights_.bytes(), stream_);
  synchronize(stream_, "copy weights to the host");
  if (!traits_.scales_weights) return;
  for (std::size_t j = 0; j + 1 < weights.size(); ++j) weights[j] *= scale_;
}

ModelSnapshot ModelState::snapshot() const {
  ModelSnapshot snapshot{.weights = std::vector<double>(weights_.size()),
                         .optimizer_state = std::vector<double>(states_.size()),
                         .scale = scale_};
  ScoringScalars scalars;
  copy(snapshot.weights.data(), weights_.data(), weights_.bytes(), stream_);
  copy(snapshot.optimizer_state.data(), states_.data(), states_.bytes(), stream_);
  copy(&scalars, scalars_.data(), sizeof(scalars), stream_);
  synchronize(stream_, "copy weights and optimiser state to the host");
  snapshot.nesterov_t = scalars.nesterov_t;
  return snapshot;
}

void ModelState::restore(const ModelSnapshot& snapshot) {
  assert(snapshot.weights.size() == weights_.size() &&
         snapshot.optimizer_state.size() == states_.size());
  const ScoringScalars scalars{.scale = static_cast<float>(snapshot.scale),
                               .nesterov_t = snapshot.nesterov_t};
  copy(weights_.data(), snapshot.weights.data(), weights_.bytes(), stream_);
  copy(states_.data(), snapshot.optimizer_state.data(), states_.bytes(), stream_);
  copy(scalars_.data(), &scalars, sizeof(scalars), stream_);
  scale_ = snapshot.scale;
  point_ = EvaluationPoint::kRule;
  refresh_scoring(view(), evaluation_weights(), device_, stream_);
  synchronize(stream_, "copy weights and optimiser state to the device");
}

void ModelState::look_at(EvaluationPoint point) {
  point_ = point;
  if (traits_.looks_ahead) refresh_scoring(view(), evaluation_weights(), device_, stream_);
}

void ModelState::adopt_evaluation_point() {
  if (traits_.looks_ahead) copy(weights_.data(), states_.data(), weights_.bytes(), stream_);
}

void ModelState::clear_sums() {
  if (!sums_are_clear_) sums_.zero(stream_);
  sums_are_clear_ = true;
}

StepTotals ModelState::totals() const {
  copy(totals_.data(), sums_.data() + layout().totals(), sizeof(StepTotals), stream_);
  synchronize(stream_, "gradient pass");
  return totals_[0];
}

GradientPass ModelState::pass(int fixed_bits) const {
  return {.loss = loss_,
          .list = {},
          .weights = scoring_.data(),
          .scalars = scalars_.data(),
          .sums = sums_.data(),
          .fixed_scale = power_of_two(fixed_bits),
          .scores = nullptr};
}

double ModelState::gradient_max(double gradient_factor, double rate) {
  largest_.zero(stream_);
  cuda::gradient_max(view(), sums_.data(), evaluation_weights(), scale_, gradient_factor, rate,
                     largest_.data(), device_, stream_);
  copy(largest_read_.data(), largest_.data(), largest_.bytes(), stream_);
  synchronize(stream_, "largest gradient");
  return bit_copy<double>(largest_read_[0]);
}

void ModelState::update(const UpdateStep& step, const TouchedList& touched) {
  cuda::update(view(), step, touched, sums_.data(), device_, stream_);
  if (step.of_run == nullptr) scale_ = step.parameters.scale;
  sums_are_clear_ = true;
}

}  // namespace ossau::cuda
