#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "arguments.hpp"
#include "backend/cuda/device_tiles.hpp"
#include "backend/cuda/passes.hpp"
#include "backend/cuda/runtime.hpp"
#include "backend/solver_passes.hpp"

namespace ossau::cuda {

/// What solvers ask of the training rows of a device.
class DeviceSolverPasses final : public SolverPasses {
 public:
  DeviceSolverPasses(LossKind loss, DeviceTiles& tiles, Passes& passes, DeviceInfo device,
                     StreamHandle stream)
      : loss_(loss), tiles_(tiles), passes_(passes), device_(std::move(device)), stream_(stream) {}

  void reserve(std::size_t slots, std::size_t runs) override;
  std::span<std::int64_t> fused(const FusedPass& pass) override;
  std::span<std::int64_t> hessian_times(const HessianPass& pass) override;
  std::span<std::int64_t> line(const LinePass& pass) override;
  std::span<std::int64_t> gram(ScoreSlot at) override;
  void add_scaled(float a, ScoreSlot x, ScoreSlot y) override;
  void subtract(ScoreSlot x, ScoreSlot y, ScoreSlot to) override;
  void copy(ScoreSlot from, ScoreSlot to) override;
  float largest(ScoreSlot x) override;
  void get_scores(ScoreSlot from, std::span<float> scores) const override;

 private:
  /// Numbers on the device that are added to, and where the host reads them.
  struct Sums {
    DeviceArray<std::int64_t> on_device;
    PinnedArray<std::int64_t> on_host;
  };

  static Sums make_sums(std::size_t size);
  void reserve_sums();
  GradientPass pass_to(ScoreSlot scores, int fixed_bits) const;
  void prepare(Sums& sums, std::size_t size);
  std::span<std::int64_t> read(const Sums& sums, std::size_t size, const char* what);
  std::span<std::int64_t> add(Sums& sums, const ScoringPoint& point, std::size_t runs,
                              GradientPass pass, const char* what);
  std::int64_t slot_size() const { return tiles_.set().owned.size() * kTileRows; }
  float* slot(ScoreSlot slot) const { return slots_[static_cast<std::size_t>(slot)].data(); }

  LossKind loss_;
  DeviceTiles& tiles_;
  Passes& passes_;
  DeviceInfo device_;
  StreamHandle stream_;
  std::vector<DeviceArray<float>> slots_;  // [tiles, 64] each
  DeviceArray<float> weights_;             // [d], of the pass under way
  DeviceArray<ScoringScalars> scalars_;
  DeviceArray<unsigned> largest_;
  Sums fused_;
  Sums hessian_;
  Sums line_;
  Sums gram_;  // made when needed
};

}  // namespace ossau::cuda
