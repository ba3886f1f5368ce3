#include "backend/cuda/passes.hpp"

#include <vector>

#include "core/median.hpp"
#include "launchers.hpp"

namespace ossau::cuda {

bool Passes::needs_scratch(const DeviceTiles& tiles) const {
  return tiles.dense() && !dense_rows_fit(tiles.set().features, device_);
}

void Passes::reserve(const DeviceTiles& tiles, std::int64_t slices) {
  if (!needs_scratch(tiles) || slices <= scratch_slices_) return;
  synchronize(stream_, "passes over wide rows");
  const std::int64_t features = tiles.set().features;
  const char* what = "partial scores of wide rows";
  counters_ = {static_cast<std::size_t>(wide_counters(slices)), what};
  floats_ = {static_cast<std::size_t>(wide_floats(slices, features)), what};
  scratch_slices_ = slices;
}

void Passes::add(DeviceTiles& tiles, std::span<const TileSlice> slices, const GradientPass& pass,
                 const TouchedList& touched) {
  reserve(tiles, static_cast<std::int64_t>(slices.size()));
  tiles.each_piece(
      slices, stream_,
      [&](const RowsView& view, const TileSlice* list, std::int64_t count, std::int64_t first) {
        GradientPass piece = pass;
        piece.list = {.slices = list, .count = count};
        if (pass.scores != nullptr) piece.scores = pass.scores + first * kTileRows;
        if (pass.solver.at != nullptr) piece.solver.at = pass.solver.at + first * kTileRows;
        add_view(tiles, view, piece, touched, count);
      });
}

void Passes::add_listed(const DeviceTiles& tiles, const GradientPass& pass,
                        const TouchedList& touched, std::int64_t slices) {
  add_view(tiles, tiles.view(), pass, touched, slices);
}

void Passes::add_view(const DeviceTiles& tiles, const RowsView& view, const GradientPass& pass,
                      const TouchedList& touched, std::int64_t slices) {
  const bool gradient = pass.solver.stage == RowStage::kGradient;
  if (!tiles.dense()) {
    gradient ? sparse_gradient(view.sparse, pass, touched, slices, device_, stream_)
             : sparse_solver_pass(view.sparse, pass, slices, device_, stream_);
  } else if (needs_scratch(tiles)) {
    const WideScratch scratch =
        wide_scratch(counters_.data(), floats_.data(), slices, tiles.set().features);
    (gradient ? wide_gradient : wide_solver_pass)(view.dense, pass, scratch, slices, device_,
                                                  stream_);
  } else {
    (gradient ? dense_gradient : dense_solver_pass)(view.dense, pass, slices, device_, stream_);
  }
}

double Passes::bare_pass_s(DeviceTiles& tiles, const GradientPass& pass) {
  constexpr std::size_t kPasses = 5;
  DeviceArray<float> sink(1, "the bare pass");
  const Event begin(make_event());
  const Event end(make_event());
  std::vector<double> seconds;
  for (std::size_t i = 0; i < kPasses + 1; ++i) {
    record(begin.get(), stream_);
    tiles.each_piece(tiles.every_tile(), stream_,
                     [&](const RowsView& view, const TileSlice*, std::int64_t count, std::int64_t) {
                       if (tiles.dense()) {
                         bare_read(view.dense.values, count * tiles.set().features * kTileRows,
                                   sink.data(), device_, stream_);
                       } else {
                         bare_gather_scatter(view.sparse, count, pass.weights, pass.sums, device_,
                                             stream_);
                       }
                     });
    record(end.get(), stream_);
    wait(end.get(), "bare pass");
    if (i > 0) seconds.push_back(elapsed_s(begin.get(), end.get()));  // the first warms up
  }
  return median(seconds);
}

}  // namespace ossau::cuda
