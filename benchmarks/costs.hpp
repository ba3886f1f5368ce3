#pragma once

#include "data/tiles.hpp"

// What a pass over rows costs at the least; benchmarks/README.md derives each.

namespace ossau::bench {

struct PassCost {
  double entries = 0;  // dense: rows times features; sparse: stored entries
  double bytes = 0;    // read from memory
  double flops = 0;    // 1 an addition, multiplication or division, 2 an fma
};

/// Scores, losses, residuals and gradient sums of every row.
PassCost gradient_cost(const TileSet& rows);

/// Scores of every row.
PassCost scores_cost(const TileSet& rows);

/// Floating-point operations of one row's residual and loss, counted by running the formula.
double row_loss_flops();

}  // namespace ossau::bench
