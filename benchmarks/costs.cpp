#include "costs.hpp"

#include <cstdint>
#include <variant>

#include "arith/loss.hpp"

namespace ossau::bench {
namespace {

// The operations of loss_formulas.hpp, counted.  What moves or compares bits costs nothing.
struct CountingOps {
  using Float = float;
  using Mask = bool;
  using Scale = ScalarOps::Scale;

  static float set(float x) { return x; }
  static float add(float a, float b) { return count(1, ScalarOps::add(a, b)); }
  static float subtract(float a, float b) { return count(1, ScalarOps::subtract(a, b)); }
  static float multiply(float a, float b) { return count(1, ScalarOps::multiply(a, b)); }
  static float divide(float a, float b) { return count(1, ScalarOps::divide(a, b)); }
  static float fma(float a, float b, float c) { return count(2, ScalarOps::fma(a, b, c)); }
  static float negative_fma(float a, float b, float c) { return fma(-a, b, c); }
  static float abs(float x) { return ScalarOps::abs(x); }
  static float negate(float x) { return ScalarOps::negate(x); }
  static float min(float a, float b) { return ScalarOps::min(a, b); }
  static float max(float a, float b) { return ScalarOps::max(a, b); }
  static bool greater_equal(float a, float b) { return ScalarOps::greater_equal(a, b); }
  static float select(bool mask, float yes, float no) { return ScalarOps::select(mask, yes, no); }
  static float flip_sign(float x, float sign) { return ScalarOps::flip_sign(x, sign); }
  static Scale power_of_two_halves(float k) { return ScalarOps::power_of_two_halves(k); }

  static float count(int operations, float result) {
    counted += operations;
    return result;
  }
  static thread_local int counted;
};
thread_local int CountingOps::counted = 0;

#include "arith/loss_formulas.hpp"

double stored_entries(const TileSet& rows) {
  if (const auto* sparse = std::get_if<SparseTiles>(&rows.storage)) {
    double entries = 0;
    for (const std::uint32_t length : sparse->length) entries += length;
    return entries;
  }
  return static_cast<double>(rows.shards.rows()) * static_cast<double>(rows.features);
}

// Features, indices and lengths: what tells one row from another.
double storage_bytes(const TileSet& rows, double entries) {
  const auto* sparse = std::get_if<SparseTiles>(&rows.storage);
  if (sparse == nullptr) return 4 * entries;
  const double lengths = 4 * static_cast<double>(rows.shards.rows());
  return (sparse->implicit_ones() ? 4 : 8) * entries + lengths;
}

// A row's score takes a multiplication and an addition for each entry; none to multiply by 1.
double flops_per_entry(const TileSet& rows) {
  const auto* sparse = std::get_if<SparseTiles>(&rows.storage);
  return sparse != nullptr && sparse->implicit_ones() ? 1 : 2;
}

}  // namespace

double row_loss_flops() {
  CountingOps::counted = 0;
  LogisticLoss<CountingOps>::at({}, {});
  return CountingOps::counted;
}

PassCost scores_cost(const TileSet& rows) {
  const double entries = stored_entries(rows);
  return {.entries = entries,
          .bytes = storage_bytes(rows, entries),
          .flops = flops_per_entry(rows) * entries};
}

PassCost gradient_cost(const TileSet& rows) {
  const auto n = static_cast<double>(rows.shards.rows());
  PassCost cost = scores_cost(rows);
  cost.bytes += 4 * n;  // the rows' labels and weights
  // As many operations spread a row's residual over the gradient.
  cost.flops = 2 * cost.flops + row_loss_flops() * n;
  return cost;
}

}  // namespace ossau::bench
