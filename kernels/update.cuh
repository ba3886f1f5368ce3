#pragma once

#include "element_update.cuh"

// The update rules (arith/rules/) on the device, element by element.  What takes the sums also
// clears them for the next step.

namespace ossau::device {

inline constexpr int kUpdateThreads = static_cast<int>(kFeatureChunk);

__device__ __forceinline__ StepParameters parameters_of(const UpdateStep& step) {
  return step.of_run == nullptr ? step.parameters : step.of_run[step.step()];
}

__device__ __forceinline__ double power_at(const OptimizerView& view, std::int64_t j) {
  return view.powers == nullptr || j >= view.model.features ? 1.0 : view.powers[j];
}

/// The float32 weight that scores rows.
__device__ __forceinline__ void refresh_scoring(const OptimizerView& view, std::int64_t j,
                                                double from) {
  if (j < view.model.features) {
    view.scoring[j] = scoring_weight(from, power_at(view, j));
  } else {
    view.scalars->intercept = static_cast<float>(from);
  }
}

/// Reads a sum and clears it.
__device__ __forceinline__ std::int64_t take(std::int64_t* sums, std::int64_t j) {
  const std::int64_t sum = sums[j];
  sums[j] = 0;
  return sum;
}

/// A feature may be listed twice: the one who finds its sum moves it.
__device__ __forceinline__ std::int64_t take_once(std::int64_t* sums, std::int64_t j) {
  return static_cast<std::int64_t>(
      atomicExch(reinterpret_cast<unsigned long long*>(sums + j), 0ull));
}

/// By one thread of a step: keeps the totals of a step of a run, and clears them in any case.
__device__ __forceinline__ void take_totals(const OptimizerView& view, const UpdateStep& step,
                                            std::int64_t* sums) {
  if (global_thread() != 0) return;
  std::int64_t* totals = sums + view.model.features + 1;
  const StepTotals of_step = {totals[0], totals[1], totals[2], totals[3]};
  if (step.run != nullptr) step.totals[step.step()] = of_step;
  for (int i = 0; i < 4; ++i) totals[i] = 0;
}

// With more than this share of the features touched, going through all of them in order is faster.
inline constexpr std::uint32_t kLeastShare = 4;

/// Features that a list may hold to be of use.
OSSAU_HOST_DEVICE inline std::uint32_t list_capacity(std::int64_t features) {
  return static_cast<std::uint32_t>(features / kLeastShare);
}

/// A rule that needs no slope: only the features of a complete list where that is the same as all.
template <class R>
__global__ void __launch_bounds__(kUpdateThreads)
    move_kernel(const __grid_constant__ OptimizerView view, const __grid_constant__ UpdateStep step,
                const __grid_constant__ TouchedList touched, std::int64_t* sums) {
  const StepParameters parameters = parameters_of(step);
  const ModelRule& model = view.model;
  const R rule(model, parameters);
  const bool listed = touched.features != nullptr && *touched.count <= touched.capacity &&
                      R::keeps_untouched(model, parameters);
  const std::int64_t features = listed ? *touched.count : model.features;
  for (std::int64_t i = global_thread(); i <= features; i += global_threads()) {
    const bool from_list = listed && i < features;  // the intercept comes last
    const std::int64_t j = from_list ? touched.features[i] : i < features ? i : model.features;
    const std::int64_t sum = from_list ? take_once(sums, j) : take(sums, j);
    if (from_list && sum == 0) continue;
    const double power = power_at(view, j);
    const double scoring =
        move_element(rule, j, sum, power, view.weights, view.states, model.features + 1);
    refresh_scoring(view, j, scoring);
  }
  if (R::kScalesWeights && global_thread() == 0) {
    view.scalars->scale = static_cast<float>(parameters.scale);
  }
  take_totals(view, step, sums);
}

// The sum of a block's 256 terms by the tree of arith/feature_sum.hpp; in thread 0.
__device__ __forceinline__ double tree_sum(double term) {
  auto* a = reinterpret_cast<double*>(shared_memory());
  a[threadIdx.x] = term;
  __syncthreads();
  for (unsigned o = static_cast<unsigned>(kFeatureChunk) / 2; o > 0; o /= 2) {
    if (threadIdx.x < o) a[threadIdx.x] += a[threadIdx.x + o];
    __syncthreads();
  }
  const double sum = a[0];
  __syncthreads();
  return sum;
}

// The chunks' sums, added in order; in thread 0.  The block loads 256 at a time.
__device__ __forceinline__ double sum_in_order(const double* chunk_sums, std::int64_t chunks) {
  auto* loaded = reinterpret_cast<double*>(shared_memory());
  double sum = 0;
  for (std::int64_t first = 0; first < chunks; first += kFeatureChunk) {
    const std::int64_t c = first + threadIdx.x;
    if (c < chunks) loaded[threadIdx.x] = load_fresh(chunk_sums + c);
    __syncthreads();
    const std::int64_t count = chunks - first < kFeatureChunk ? chunks - first : kFeatureChunk;
    for (std::int64_t i = 0; threadIdx.x == 0 && i < count; ++i) sum += loaded[i];
    __syncthreads();
  }
  return sum;
}

// Whether all other blocks of the launch have come here; the same answer in all threads.
__device__ __forceinline__ bool ends_last(std::uint32_t* blocks_done) {
  auto* last = reinterpret_cast<unsigned*>(shared_memory());
  __syncthreads();
  if (threadIdx.x == 0) {
    __threadfence();
    *last = atomicAdd(blocks_done, 1u) + 1 == gridDim.x ? 1u : 0u;
    __threadfence();
  }
  __syncthreads();
  const bool answer = *last != 0;
  __syncthreads();
  return answer;
}

/// The first half of a rule that needs a slope: proposals, and in the block that ends last the
/// momentum.  Shared memory: 256 doubles.
template <class R>
__global__ void __launch_bounds__(kUpdateThreads)
    propose_kernel(const __grid_constant__ OptimizerView view,
                   const __grid_constant__ UpdateStep step, std::int64_t* sums) {
  const StepParameters parameters = parameters_of(step);
  const std::int64_t n = view.model.features + 1;
  const std::int64_t chunks = (n + kFeatureChunk - 1) / kFeatureChunk;
  const R rule(view.model, parameters);
  const auto propose = [&](std::int64_t j) {
    return rule.propose(rules::Element{j, take(sums, j), power_at(view, j)}, view.weights[j],
                        view.states + j, view.proposal[j]);
  };
  for (std::int64_t c = blockIdx.x; c < chunks; c += gridDim.x) {
    const std::int64_t j = c * kFeatureChunk + threadIdx.x;
    const double sum = tree_sum(j < n ? propose(j) : 0.0);
    if (threadIdx.x == 0) view.chunk_sums[c] = sum;
  }
  take_totals(view, step, sums);
  if (!ends_last(view.blocks_done)) return;
  const double slope = sum_in_order(view.chunk_sums, chunks);
  if (threadIdx.x != 0) return;
  *view.blocks_done = 0;
  view.scalars->momentum = R::choose_momentum(slope, view.scalars->nesterov_t);
}

/// The second half: moves the weights and looks ahead.
template <class R>
__global__ void __launch_bounds__(kUpdateThreads)
    accept_kernel(const __grid_constant__ OptimizerView view) {
  const double momentum = view.scalars->momentum;
  for (std::int64_t j = global_thread(); j <= view.model.features; j += global_threads()) {
    R::accept(view.proposal[j], momentum, view.weights[j], view.states + j);
    refresh_scoring(view, j, view.states[j]);
  }
}

/// Scoring weights from `from`, [d + 1].
static __global__ void __launch_bounds__(kUpdateThreads)
    refresh_kernel(const __grid_constant__ OptimizerView view, const double* from) {
  for (std::int64_t j = global_thread(); j <= view.model.features; j += global_threads()) {
    refresh_scoring(view, j, from[j]);
  }
}

/// The largest gradient entry at `point`, [d + 1] (its features times `scale`), as the bits of a
/// non-negative double, which are ordered like integers; NaN is above all.
static __global__ void __launch_bounds__(kUpdateThreads)
    gradient_max_kernel(const __grid_constant__ OptimizerView view, const std::int64_t* sums,
                        const double* point, double scale, double factor, double rate,
                        unsigned long long* largest) {
  const ModelRule& model = view.model;
  unsigned long long mine = 0;
  for (std::int64_t j = global_thread(); j <= model.features; j += global_threads()) {
    const double w = j < model.features ? scale * point[j] : point[j];
    const double g = model.gradient(sums[j], factor, power_at(view, j), j, w);
    const auto bits =
        bit_copy<unsigned long long>(stationarity(w, g, rate, model.l1(j))) & 0x7fffffffffffffffull;
    mine = bits > mine ? bits : mine;
  }
  if (mine != 0) atomicMax(largest, mine);
}

/// Ends a graph of `steps` steps.
static __global__ void advance_kernel(RunState* run, std::int64_t steps) { run->step += steps; }

}  // namespace ossau::device
