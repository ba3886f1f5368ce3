#pragma once

#include "column_groups.cuh"
#include "element_update.cuh"

// Many minibatch steps on narrow dense rows in one kernel: for batches so small that starting two
// kernels would take longer than the work.
//
// Every block holds the whole model in its shared memory and moves it itself, with the sums of all
// blocks: the same operations on the same integers, so that all blocks keep the same bits.  A small
// batch is the work of one block, which waits for nobody; a larger one is shared, and its sums meet
// in global memory once a step.  A warp takes whole tiles; those of the next steps are under way
// while the blocks meet, since which rows a step visits does not depend on the weights.

namespace ossau::device {

/// How blocks are laid out; the host computes it.
struct StepsShape {
  int features = 0;  // d, at most 256
  int states = 0;    // of the rule
  int groups = 0;    // of 32 columns in a tile
  int warps = 0;     // of a block
  int slots = 0;     // of a warp's ring, at least `groups`
  int slot_bytes = 0;
};

/// The steps of a run, and where blocks add up.
struct DenseSteps {
  RunOfSteps run;
  double fixed_scale = 1;
  // Of several blocks: sums of three steps by turns, [3, SumLayout], and how often blocks have met;
  // all 0 at the start.
  std::int64_t* exchange = nullptr;
  std::uint32_t* met = nullptr;
};

inline constexpr int kTotalsOfWarp = 5;  // the intercept's sum, then StepTotals

/// Shared memory of a block, in this order.
struct StepsShared {
  unsigned char* rings;       // [warps, slots, slot_bytes]
  std::int64_t* warp_sums;    // [warps, groups, 32]
  std::int64_t* warp_totals;  // [warps, 5]
  std::int64_t* sums;         // SumLayout: of all blocks
  double* weights;            // [d + 1]
  double* states;             // [states of the rule, d + 1]
  double* powers;             // [d + 1]
  CopyBarrier* arrival;       // [warps, slots]
  float* scoring;             // [groups, 32]
  float* intercept;           // [1]

  __device__ __forceinline__ StepsShared(unsigned char* memory, const StepsShape& shape)
      : rings(memory),
        warp_sums(
            reinterpret_cast<std::int64_t*>(rings + shape.warps * shape.slots * shape.slot_bytes)),
        warp_totals(warp_sums + shape.warps * shape.groups * kGroupColumns),
        sums(warp_totals + shape.warps * kTotalsOfWarp),
        weights(reinterpret_cast<double*>(sums + shape.features + kTotalsOfWarp)),
        states(weights + shape.features + 1),
        powers(states + shape.states * (shape.features + 1)),
        arrival(reinterpret_cast<CopyBarrier*>(powers + shape.features + 1)),
        scoring(reinterpret_cast<float*>(arrival + shape.warps * shape.slots)),
        intercept(scoring + shape.groups * kGroupColumns) {}

  static OSSAU_HOST_DEVICE int bytes(const StepsShape& shape) {
    const int words = shape.warps * (shape.groups * kGroupColumns + kTotalsOfWarp + shape.slots) +
                      (3 + shape.states) * (shape.features + 1) + kTotalsOfWarp - 1;
    const int floats = shape.groups * kGroupColumns + 1;
    return shape.warps * shape.slots * shape.slot_bytes +
           words * static_cast<int>(sizeof(std::int64_t)) +
           floats * static_cast<int>(sizeof(float));
  }
};

/// One warp's part of all steps.
template <int kMostGroups>
class StepsWarp {
 public:
  __device__ __forceinline__ StepsWarp(const DenseRows& rows, const DenseSteps& steps,
                                       const OptimizerView& view, const StepsShape& shape)
      : rows_(rows),
        steps_(steps),
        view_(view),
        shape_(shape),
        shared_(shared_memory(), shape),
        warp_(static_cast<int>(threadIdx.x / kWarp)),
        first_(blockIdx.x * static_cast<unsigned>(shape.warps) + threadIdx.x / kWarp),
        apart_(gridDim.x * static_cast<unsigned>(shape.warps)) {}

  __device__ __forceinline__ void run() {
    start_block();
    for (std::int64_t step = 0; step < steps_.run.steps; ++step) {
      const StepParameters parameters = steps_.run.parameters[step];
      add_batch(step);
      put_down_sums();
      __syncthreads();
      add_up(step);
      __syncthreads();
      move_weights(parameters);
      keep_totals(step);
      turn_ = (turn_ + 1) % 3;
      __syncthreads();
    }
    if (blockIdx.x == 0) give_back();
  }

 private:
  __device__ __forceinline__ int columns_of(int group) const {
    const int left = shape_.features - group * kGroupColumns;
    return left < kGroupColumns ? left : kGroupColumns;
  }
  __device__ __forceinline__ int elements() const { return shape_.features + 1; }
  __device__ __forceinline__ int sum_count() const { return shape_.features + kTotalsOfWarp; }

  __device__ __forceinline__ CopyBarrier* arrival(std::uint32_t item) const {
    return shared_.arrival + warp_ * shape_.slots + item % static_cast<std::uint32_t>(shape_.slots);
  }
  __device__ __forceinline__ float* slot(std::uint32_t item) const {
    const std::uint32_t number = static_cast<std::uint32_t>(warp_ * shape_.slots) +
                                 item % static_cast<std::uint32_t>(shape_.slots);
    return reinterpret_cast<float*>(shared_.rings +
                                    number * static_cast<std::uint32_t>(shape_.slot_bytes));
  }

  __device__ __forceinline__ void start_block() {
    for (int j = static_cast<int>(threadIdx.x); j < elements(); j += static_cast<int>(blockDim.x)) {
      shared_.weights[j] = view_.weights[j];
      shared_.powers[j] = view_.powers == nullptr || j == shape_.features ? 1.0 : view_.powers[j];
    }
    copy_states(view_.states, shared_.states);
    const int padded = shape_.groups * kGroupColumns;
    for (int j = static_cast<int>(threadIdx.x); j < padded; j += static_cast<int>(blockDim.x)) {
      shared_.scoring[j] = j < shape_.features ? view_.scoring[j] : 0.0f;
    }
    if (threadIdx.x == 0) *shared_.intercept = view_.scalars->intercept;
    if (lane_of_thread() == 0) {
      for (int s = 0; s < shape_.slots; ++s) start(arrival(static_cast<std::uint32_t>(s)));
    }
    __syncthreads();
    look_ahead();
    for (int s = 0; s < shape_.slots; ++s) fetch_next();
  }

  __device__ __forceinline__ void copy_states(const double* from, double* to) const {
    const int all = shape_.states * elements();
    for (int i = static_cast<int>(threadIdx.x); i < all; i += static_cast<int>(blockDim.x)) {
      to[i] = from[i];
    }
  }

  // Begins the copy of the next group, of this warp's next tile in this step or a later one.
  __device__ __forceinline__ void fetch_next() {
    if (ahead_tile_ < 0) return;
    const float* from =
        rows_.values + (ahead_tile_ * shape_.features + ahead_group_ * kGroupColumns) * kTileRows;
    begin_copy(slot(begun_), from,
               static_cast<std::uint32_t>(columns_of(ahead_group_) * kTileRows * sizeof(float)),
               arrival(begun_));
    ++begun_;
    if (++ahead_group_ < shape_.groups) return;
    ahead_group_ = 0;
    ahead_slice_ += apart_;
    look_ahead();
  }

  // Finds the tile to be fetched next, long before it is: its number comes from far away.
  __device__ __forceinline__ void look_ahead() {
    while (ahead_step_ < steps_.run.steps && ahead_slice_ >= count_of(ahead_step_)) {
      ++ahead_step_;
      ahead_slice_ = first_;
    }
    const bool any = ahead_step_ < steps_.run.steps;
    ahead_tile_ = any ? slice_of(ahead_step_, ahead_slice_).tile - rows_.first_tile : -1;
  }
  __device__ __forceinline__ unsigned count_of(std::int64_t step) const {
    return static_cast<unsigned>(steps_.run.counts[step]);
  }
  __device__ __forceinline__ const TileSlice& slice_of(std::int64_t step, unsigned i) const {
    return steps_.run.slices[step * steps_.run.stride + i];
  }

  // Adds up this warp's tiles of a batch.
  __device__ __forceinline__ void add_batch(std::int64_t step) {
#pragma unroll
    for (int g = 0; g < kMostGroups; ++g) sums_[g] = 0;
    totals_ = {};
    const unsigned count = count_of(step);
    for (unsigned i = first_; i < count; i += apart_) add_tile(slice_of(step, i));
  }

  __device__ __forceinline__ void add_tile(TileSlice slice) {
    const RowPair weight =
        row_pair(rows_.signed_weight + (slice.tile - rows_.first_tile) * kTileRows);
    RowPair chain = {0.0f, 0.0f};
    for (int group = 0; group < shape_.groups; ++group) {
      const std::uint32_t item = used_ + static_cast<std::uint32_t>(group);
      await_copy(arrival(item), item / static_cast<std::uint32_t>(shape_.slots) & 1u);
      score_group(slot(item), shared_.scoring + group * kGroupColumns, columns_of(group), chain);
    }
    // One chunk; rows of dense data have no scale.
    const RowPair score = {ScalarOps::fma(1.0f, 0.0f + chain.low, *shared_.intercept),
                           ScalarOps::fma(1.0f, 0.0f + chain.high, *shared_.intercept)};
    const RowPair residual =
        finish_rows(steps_.run.loss, score, weight, slice, steps_.fixed_scale, totals_);
#pragma unroll
    for (int group = 0; group < kMostGroups; ++group) {
      if (group >= shape_.groups) break;
      sums_[group] += sum_group(slot(used_), residual, columns_of(group), steps_.fixed_scale);
      fence_proxy_async();
      __syncwarp();  // every lane has read the slot
      ++used_;
      fetch_next();
    }
  }

  __device__ __forceinline__ void put_down_sums() const {
    std::int64_t* mine =
        shared_.warp_sums + warp_ * shape_.groups * kGroupColumns + lane_of_thread();
#pragma unroll
    for (int g = 0; g < kMostGroups; ++g) {
      if (g < shape_.groups) mine[g * kGroupColumns] = sums_[g];
    }
    const std::int64_t totals[kTotalsOfWarp] = {
        sum_over_lanes(totals_.intercept[0]), sum_over_lanes(totals_.totals.loss_floors),
        sum_over_lanes(totals_.totals.loss_fractions), sum_over_lanes(totals_.totals.not_finite),
        sum_over_lanes(totals_.totals.clamped)};
    if (lane_of_thread() != 0) return;
#pragma unroll
    for (int i = 0; i < kTotalsOfWarp; ++i) {
      shared_.warp_totals[warp_ * kTotalsOfWarp + i] = totals[i];
    }
  }

  // An element of SumLayout, of this block's warps.
  __device__ __forceinline__ std::int64_t sum_of_block(int j) const {
    const bool feature = j < shape_.features;
    const std::int64_t* from =
        feature ? shared_.warp_sums + j : shared_.warp_totals + j - shape_.features;
    const int apart = feature ? shape_.groups * kGroupColumns : kTotalsOfWarp;
    std::int64_t sum = 0;
    for (int warp = 0; warp < shape_.warps; ++warp) sum += from[warp * apart];
    return sum;
  }

  // The buffer of this step, or of one that comes `later`.
  __device__ __forceinline__ std::int64_t* exchanged(int later) const {
    return steps_.exchange + (turn_ + later) % 3 * sum_count();
  }

  // The sums of all blocks.
  __device__ __forceinline__ void add_up(std::int64_t step) const {
    const bool alone = gridDim.x == 1;
    for (int j = static_cast<int>(threadIdx.x); j < sum_count();
         j += static_cast<int>(blockDim.x)) {
      const std::int64_t sum = sum_of_block(j);
      alone ? (void)(shared_.sums[j] = sum) : add_to(exchanged(0) + j, sum);
    }
    if (alone) return;
    meet(step);
    for (int j = static_cast<int>(threadIdx.x); j < sum_count();
         j += static_cast<int>(blockDim.x)) {
      shared_.sums[j] = load_fresh(exchanged(0) + j);
      // The step after the next adds here; all have read what was there before they came to meet.
      if (blockIdx.x == 0) exchanged(2)[j] = 0;
    }
  }

  // Every block comes here once a step.
  __device__ __forceinline__ void meet(std::int64_t step) const {
    __syncthreads();
    if (threadIdx.x == 0) {
      __threadfence();
      atomicAdd(steps_.met, 1u);
      const unsigned all = gridDim.x * static_cast<unsigned>(step + 1);
      while (load_fresh(steps_.met) < all) wait_a_little();
      __threadfence();
    }
    __syncthreads();
  }

  __device__ __forceinline__ void move_weights(const StepParameters& parameters) const {
    with_rule(view_.rule, [&](auto kind) {
      using R = typename decltype(kind)::Rule;
      // The others' steps are not taken here: dense_steps_pay().
      if constexpr (!R::kNeedsSlope && !R::kScalesWeights) move_by(R(view_.model, parameters));
    });
  }

  template <class R>
  __device__ __forceinline__ void move_by(const R& rule) const {
    for (int j = static_cast<int>(threadIdx.x); j < elements(); j += static_cast<int>(blockDim.x)) {
      const double scoring = move_element(rule, j, shared_.sums[j], shared_.powers[j],
                                          shared_.weights, shared_.states, elements());
      if (j < shape_.features) {
        shared_.scoring[j] = scoring_weight(scoring, shared_.powers[j]);
      } else {
        *shared_.intercept = static_cast<float>(scoring);
      }
    }
  }

  __device__ __forceinline__ void keep_totals(std::int64_t step) const {
    if (blockIdx.x != 0 || threadIdx.x != 0) return;
    const std::int64_t* totals = shared_.sums + shape_.features + 1;
    steps_.run.totals[step] = {totals[0], totals[1], totals[2], totals[3]};
  }

  __device__ __forceinline__ void give_back() const {
    for (int j = static_cast<int>(threadIdx.x); j < elements(); j += static_cast<int>(blockDim.x)) {
      view_.weights[j] = shared_.weights[j];
      if (j < shape_.features) view_.scoring[j] = shared_.scoring[j];
    }
    copy_states(shared_.states, view_.states);
    if (threadIdx.x == 0) view_.scalars->intercept = *shared_.intercept;
  }

  const DenseRows& rows_;
  const DenseSteps& steps_;
  const OptimizerView& view_;
  const StepsShape& shape_;
  StepsShared shared_;
  int warp_;
  unsigned first_;               // slice of a batch that this warp takes first
  unsigned apart_;               // from one of its slices to the next
  std::int64_t ahead_step_ = 0;  // what is fetched next
  unsigned ahead_slice_ = first_;
  std::int64_t ahead_tile_ = -1;  // none: all have been fetched
  int ahead_group_ = 0;
  std::uint32_t begun_ = 0;  // groups, of all tiles
  std::uint32_t used_ = 0;
  std::int64_t sums_[kMostGroups] = {};  // of this step: column 32 g + lane
  LaneTotals totals_;
  int turn_ = 0;  // of the exchange's buffers
};

template <int kThreads, int kMostGroups>
__global__ void __launch_bounds__(kThreads)
    dense_steps_kernel(const __grid_constant__ DenseRows rows,
                       const __grid_constant__ DenseSteps steps,
                       const __grid_constant__ OptimizerView view,
                       const __grid_constant__ StepsShape shape) {
  StepsWarp<kMostGroups>(rows, steps, view, shape).run();
}

}  // namespace ossau::device
