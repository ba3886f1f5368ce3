#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "backend/backend.hpp"
#include "backend/cuda/device_tiles.hpp"
#include "backend/cuda/model_state.hpp"
#include "backend/cuda/passes.hpp"
#include "backend/cuda/runtime.hpp"

namespace ossau::cuda {

/// Minibatch steps without the host: batches are chosen on the device; gradient, reduction and
/// update of many steps are one graph.  Rows that stream from the host come step by step.
class StepRunner final : public StepGraphs {
 public:
  StepRunner(DeviceTiles& tiles, ModelState& state, Passes& passes, DeviceInfo device,
             StreamHandle stream)
      : tiles_(tiles),
        state_(state),
        passes_(passes),
        device_(std::move(device)),
        stream_(stream) {}

  void reserve(const BatchOrder& order) override;
  void run(const StepRun& run) override;

 private:
  void connect(const StepRun& run);
  void run_part(const StepRun& run, Range steps);
  void select(const StepRun& run, Range steps);
  bool takes_steps_in_one(const StepRun& run) const;
  void run_in_one(const StepRun& run, std::int64_t steps);
  void run_graphs(const StepRun& run, std::int64_t steps);
  void run_streamed(const StepRun& run, Range steps);
  GraphHandle graph_of(const StepRun& run, std::int64_t steps);
  Graph record(const StepRun& run, std::int64_t steps);
  void record_step(const StepRun& run, std::int64_t offset);
  UpdateStep update_step(std::int64_t offset) const;
  TouchedList touched(const StepRun& run) const;
  SumBuffer sums() const;

  DeviceTiles& tiles_;
  ModelState& state_;
  Passes& passes_;
  DeviceInfo device_;
  StreamHandle stream_;

  std::int64_t batch_rows_ = 0;  // of the run that memory was reserved for
  std::int64_t stride_ = 0;      // slices kept for a step
  std::int64_t steps_ = 0;       // that are prepared together
  int fixed_bits_ = 0;           // of the recorded graphs
  bool connected_ = false;       // with the ranks that add up with this one
  DeviceArray<RunState> state_of_run_;
  DeviceArray<std::int64_t> last_round_;
  DeviceArray<TileSlice> slices_;           // [steps, stride]
  DeviceArray<std::int32_t> counts_;        // [steps]
  DeviceArray<StepParameters> parameters_;  // [steps]
  DeviceArray<StepTotals> totals_;          // [steps]
  PinnedArray<StepTotals> totals_read_;     // [steps]
  std::map<std::int64_t, Graph> graphs_;    // by the number of their steps
  DeviceArray<std::int64_t> exchange_;      // where blocks add up, of steps that are one kernel
  std::vector<TileSlice> streamed_;
};

}  // namespace ossau::cuda
