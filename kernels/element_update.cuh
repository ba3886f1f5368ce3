#pragma once

#include "arith/rules/list.hpp"
#include "warp.cuh"

namespace ossau::device {

/// Moves the element j of weights and states that lie `apart`; returns what scores rows from now
/// on.
template <class R>
__device__ __forceinline__ double move_element(const R& rule, std::int64_t j, std::int64_t sum,
                                               double power, double* weights, double* states,
                                               std::int64_t apart) {
  double state[R::kStates + 1];  // one more: there are no arrays of none
#pragma unroll
  for (int k = 0; k < R::kStates; ++k) state[k] = states[k * apart + j];
  double w = weights[j];
  rule.move(rules::Element{j, sum, power}, w, state);
  weights[j] = w;
#pragma unroll
  for (int k = 0; k < R::kStates; ++k) states[k * apart + j] = state[k];
  return R::kLooksAhead ? state[0] : w;
}

}  // namespace ossau::device
