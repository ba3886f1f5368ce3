#pragma once

#include <cstdint>

#include "arith/contract.hpp"
#include "arith/loss.hpp"
#include "arith/rules/list.hpp"
#include "arith/solver_sums.hpp"
#include "arith/step.hpp"
#include "arith/tile_slice.hpp"
#include "arith/update.hpp"

// What hosts and kernels tell each other: plain numbers and addresses in device memory.

namespace ossau::cuda {

/// The rows of a dense TileSet that are on the device.
struct DenseRows {
  const float* values = nullptr;         // [tiles, d, 64]
  const float* signed_weight = nullptr;  // [tiles, 64]
  std::int64_t features = 0;             // d
  std::int64_t first_tile = 0;           // number of the tile at place 0
};

/// In an index: the feature is one of SparseRows::hot.
inline constexpr std::uint32_t kHotFeature = 0x80000000u;

/// Those of a sparse one.
struct SparseRows {
  const std::int64_t* slice_start = nullptr;  // [tiles + 1]
  const std::uint32_t* index = nullptr;       // [slices, 64]
  const float* value = nullptr;               // [slices, 64]; unless ones
  const std::uint32_t* length = nullptr;      // [tiles, 64]
  const std::int64_t* spill_start = nullptr;  // [tiles + 1]
  const std::uint32_t* spill_index = nullptr;
  const float* spill_value = nullptr;    // unless ones
  const float* signed_weight = nullptr;  // [tiles, 64]
  std::int64_t features = 0;             // d
  std::int64_t first_tile = 0;
  bool ones = false;  // every stored value is 1
  // The features that come most often; an index of theirs is kHotFeature + their place here.
  const std::uint32_t* hot = nullptr;  // [hot_count]
  std::int32_t hot_count = 0;
};

/// Steps of a run on the device; see StepRun.
struct RunOfSteps {
  LossKind loss = LossKind::kLogistic;
  const TileSlice* slices = nullptr;           // [steps, stride]
  const std::int32_t* counts = nullptr;        // [steps]
  const StepParameters* parameters = nullptr;  // [steps]
  StepTotals* totals = nullptr;                // [steps]
  std::int64_t steps = 0;
  std::int64_t stride = 0;
  int fixed_bits = 0;
};
/// Where a run of steps stands; moved on by the device itself.
struct RunState {
  std::int64_t step = 0;  // first step of the graph that is being run, counted in the run
};

/// The slices that a pass visits: of a list, or of a step of a run.
struct SliceList {
  const TileSlice* slices = nullptr;
  std::int64_t count = 0;                // of a list
  const RunState* run = nullptr;         // of a step of a run, else null
  const std::int32_t* counts = nullptr;  // [steps of the run]
  std::int64_t stride = 0;               // slices kept for a step
  std::int64_t offset = 0;               // which step of the graph

  OSSAU_HOST_DEVICE std::int64_t step() const { return run->step + offset; }
};

/// What rows are scored with besides the weights.
struct ScoringScalars {
  float scale = 1;
  float intercept = 0;
  double nesterov_t = 1;  // of rules that need a slope
  double momentum = 0;    // of the step that is being taken
};

/// What a pass makes of scored rows: see row_stage.cuh.
enum class RowStage { kGradient, kFusedTwo, kFusedThree, kHessian };

/// What a solver's pass needs besides.
struct SolverTerms {
  RowStage stage = RowStage::kGradient;
  const float* at = nullptr;  // a Hessian's: [slices, 64], scores at which D is taken
  float factor = 1;           // a Hessian's: 2^-exponent
  bool squares = false;       // of several runs of sums: the last is of products with x^2
};

/// What a pass over rows reads and adds to.
struct GradientPass {
  LossKind loss = LossKind::kLogistic;
  SliceList list;
  const float* weights = nullptr;  // [d], as they score rows
  const ScoringScalars* scalars = nullptr;
  std::int64_t* sums = nullptr;  // SumLayout; of several runs SolverSumLayout
  double fixed_scale = 1;        // 2^k
  float* scores = nullptr;       // null, or [slices, 64]
  SolverTerms solver = {};
};

/// Features whose sums left 0, in no order, some of them twice; none where there is no room.
struct TouchedList {
  std::uint32_t* features = nullptr;  // null: no list is kept
  std::uint32_t* count = nullptr;     // may pass the capacity: then the list is incomplete
  std::uint32_t capacity = 0;
};

/// Scores along a line; see LinePass.
struct LineTerms {
  LossKind loss = LossKind::kLogistic;
  const float* from = nullptr;           // [tiles, 64]
  const float* along = nullptr;          // [tiles, 64]
  const float* signed_weight = nullptr;  // [tiles, 64]
  const TileSlice* slices = nullptr;     // [tiles]: all, in order
  std::int64_t tiles = 0;
  float t[kMostLineSteps] = {};
  int steps = 0;
  float factor = 1;  // 2^-exponent
  double fixed_scale = 1;
};

/// What a Gram matrix is made of, besides the rows; see arith/gram.hpp.
struct GramTerms {
  LossKind loss = LossKind::kLogistic;
  const TileSlice* slices = nullptr;  // [count], whole tiles
  std::int64_t count = 0;
  const float* at = nullptr;     // [count, 64], scores at which D is taken
  std::int64_t* sums = nullptr;  // the upper triangle of d + 1 columns, row by row
};

/// Runs of sums that a pass may add up at most.
inline constexpr int kMostRuns = 3;

/// Memory that passes over wide dense rows need: see wide_gradient.cuh.
struct WideScratch {
  float* partial = nullptr;          // [slices, chunks, 64]
  float* residual = nullptr;         // [slices, runs of the pass, 64]
  std::uint32_t* arrived = nullptr;  // [slices]
  std::uint32_t* ready = nullptr;    // [slices]
  std::uint32_t* ticket = nullptr;
};

/// A piece of memory to be copied; addresses are multiples of 4 bytes.
struct Segment {
  const std::uint32_t* from = nullptr;
  std::uint32_t* to = nullptr;
  std::int64_t words = 0;  // of 4 bytes
};

/// Weights and optimiser state.
struct OptimizerView {
  ModelRule model;
  UpdateRule rule = UpdateRule::kDescent;
  const double* powers = nullptr;  // [d]; null: all 1
  double* weights = nullptr;       // [d + 1]
  double* states = nullptr;        // of the rule, [states, d + 1]
  // Of a rule that needs a slope.
  double* proposal = nullptr;    // [d + 1]
  double* chunk_sums = nullptr;  // [chunks]
  std::uint32_t* blocks_done = nullptr;
  float* scoring = nullptr;  // [d]
  ScoringScalars* scalars = nullptr;
};

/// What an update takes: one step, or a step of a run.
struct UpdateStep {
  StepParameters parameters;
  const StepParameters* of_run = nullptr;  // [steps of the run]; null: `parameters`
  StepTotals* totals = nullptr;            // [steps of the run]
  const RunState* run = nullptr;
  std::int64_t offset = 0;

  OSSAU_HOST_DEVICE std::int64_t step() const { return run->step + offset; }
};

}  // namespace ossau::cuda
