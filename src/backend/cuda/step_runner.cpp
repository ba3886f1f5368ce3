#include "backend/cuda/step_runner.hpp"

#include <algorithm>
#include <cstddef>

#include "launchers.hpp"

namespace ossau::cuda {
namespace {

// Long enough that launching a graph costs little beside its steps.
constexpr std::int64_t kGraphSteps = 128;

// That wait behind each other where ranks add up.
constexpr std::int64_t kGraphsInFlight = 4;

// Slices whose lists are kept: 16 MiB, or those of one graph.
constexpr std::int64_t kListedSlices = 1 << 20;

}  // namespace

void StepRunner::run(const StepRun& run) {
  reserve(run.order);
  if (run.fixed_bits != fixed_bits_) graphs_.clear();
  fixed_bits_ = run.fixed_bits;
  connect(run);
  const std::vector<std::int64_t>& last_round = run.order.last_round();
  copy(last_round_.data(), last_round.data(), last_round.size() * sizeof(std::int64_t), stream_);
  for (std::int64_t begin = run.steps.begin; begin < run.steps.end; begin += steps_) {
    run_part(run, {begin, std::min(begin + steps_, run.steps.end)});
  }
  state_.set_scale(run.parameters.back().scale);
}

void StepRunner::reserve(const BatchOrder& order) {
  const std::int64_t batch_rows = order.rows_in_batch(0);
  if (batch_rows == batch_rows_) return;
  graphs_.clear();  // they keep addresses
  batch_rows_ = batch_rows;
  stride_ = most_slices(batch_rows);
  // Whole graphs, as many as their lists may fill.
  const std::int64_t graphs = std::max<std::int64_t>(1, kListedSlices / (stride_ * kGraphSteps));
  steps_ = std::min(order.steps_per_epoch(), graphs * kGraphSteps);
  const auto steps = static_cast<std::size_t>(steps_);
  const char* what = "a run of steps";
  state_of_run_ = {1, what};
  last_round_ = {static_cast<std::size_t>(order.epoch().shards), what};
  slices_ = {tiles_.resident() ? steps * static_cast<std::size_t>(stride_) : 0, what};
  counts_ = {steps, what};
  parameters_ = {steps, what};
  totals_ = {steps, what};
  totals_read_ = {steps, what};
  if (tiles_.dense()) exchange_ = {dense_steps_words(state_.features()), what};
  passes_.reserve(tiles_, stride_);
}

// The first sum connects the ranks, which no graph can hold.
void StepRunner::connect(const StepRun& run) {
  if (connected_ || !run.queue_reduction) return;
  state_.clear_sums();
  run.queue_reduction(sums());
  run.await(sums());
  connected_ = true;
}

void StepRunner::run_part(const StepRun& run, Range steps) {
  const auto first = static_cast<std::size_t>(steps.begin - run.steps.begin);
  const auto count = static_cast<std::size_t>(steps.size());
  copy(parameters_.data(), run.parameters.data() + first, count * sizeof(StepParameters), stream_);
  state_of_run_.zero(stream_);
  state_.clear_sums();
  if (tiles_.resident()) {
    select(run, steps);
    takes_steps_in_one(run) ? run_in_one(run, steps.size()) : run_graphs(run, steps.size());
  } else {
    run_streamed(run, steps);
  }
  copy(totals_read_.data(), totals_.data(), count * sizeof(StepTotals), stream_);
  // A lost rank must not leave this one waiting for its collective.
  run.await ? run.await(sums()) : synchronize(stream_, "training steps");
  std::copy_n(totals_read_.data(), count, run.totals.data() + first);
}

void StepRunner::select(const StepRun& run, Range steps) {
  select_batches({.order = run.order.epoch(),
                  .last_round = last_round_.data(),
                  .steps = steps,
                  .owned = tiles_.set().owned,
                  .stride = stride_},
                 slices_.data(), counts_.data(), device_, stream_);
}

// Small batches of narrow dense rows; sums that other ranks add to are for graphs.
bool StepRunner::takes_steps_in_one(const StepRun& run) const {
  return tiles_.dense() && !run.queue_reduction && dense_steps_pay(state_.view(), stride_, device_);
}

void StepRunner::run_in_one(const StepRun& run, std::int64_t steps) {
  dense_steps(tiles_.view().dense, state_.view(),
              {.loss = state_.loss(),
               .slices = slices_.data(),
               .counts = counts_.data(),
               .parameters = parameters_.data(),
               .totals = totals_.data(),
               .steps = steps,
               .stride = stride_,
               .fixed_bits = run.fixed_bits},
              exchange_.data(), device_, stream_);
}

void StepRunner::run_graphs(const StepRun& run, std::int64_t steps) {
  std::int64_t launched = 0;
  for (std::int64_t done = 0; done < steps; done += kGraphSteps) {
    launch(graph_of(run, std::min(kGraphSteps, steps - done)), stream_);
    // A full queue blocks the host, and behind a collective for ever.
    if (run.await && ++launched % kGraphsInFlight == 0) run.await(sums());
  }
}

// Most have one length; what is left of a run has one of its own.
GraphHandle StepRunner::graph_of(const StepRun& run, std::int64_t steps) {
  Graph& graph = graphs_[steps];
  if (graph == nullptr) graph = record(run, steps);
  return graph.get();
}

Graph StepRunner::record(const StepRun& run, std::int64_t steps) {
  begin_capture(stream_);
  try {
    for (std::int64_t offset = 0; offset < steps; ++offset) record_step(run, offset);
    advance(state_of_run_.data(), steps, stream_);
  } catch (...) {
    abandon_capture(stream_);
    throw;
  }
  return Graph(end_capture(stream_));
}

void StepRunner::record_step(const StepRun& run, std::int64_t offset) {
  GradientPass pass = state_.pass(run.fixed_bits);
  pass.list = {.slices = slices_.data(),
               .count = 0,
               .run = state_of_run_.data(),
               .counts = counts_.data(),
               .stride = stride_,
               .offset = offset};
  passes_.add_listed(tiles_, pass, touched(run), stride_);
  if (run.queue_reduction) run.queue_reduction(sums());
  state_.update(update_step(offset), touched(run));
}

void StepRunner::run_streamed(const StepRun& run, Range steps) {
  for (std::int64_t step = steps.begin; step < steps.end; ++step) {
    run.order.select(step, tiles_.set().owned, streamed_);
    passes_.add(tiles_, streamed_, state_.pass(run.fixed_bits), {});
    if (run.queue_reduction) {
      run.queue_reduction(sums());
      run.await(sums());  // the next piece waits for this one on the host, without a deadline
    }
    state_.update(update_step(step - steps.begin), {});
  }
}

UpdateStep StepRunner::update_step(std::int64_t offset) const {
  return {.parameters = {},
          .of_run = parameters_.data(),
          .totals = totals_.data(),
          .run = state_of_run_.data(),
          .offset = offset};
}

// Other ranks touch features that no list here knows.
TouchedList StepRunner::touched(const StepRun& run) const {
  return run.queue_reduction ? TouchedList{} : state_.touched();
}

SumBuffer StepRunner::sums() const {
  return {state_.sums(), state_.layout().size(), MemorySpace::kCuda, stream_};
}

}  // namespace ossau::cuda
