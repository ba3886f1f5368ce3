#pragma once

#include <cstdint>

#include "arith/bits.hpp"
#include "arith/fixed_point.hpp"
#include "arith/loss.hpp"
#include "arith/update.hpp"

// The operations that the contract rests on, asked of a device: the same text on hosts and devices,
// so that bits can be compared.

namespace ossau {

/// Numbers whose results tell a wrong device; handed over as arguments, so that the device computes
/// and not its compiler.
struct DeviceQuestions {
  float a = 1.0f + 0x1p-12f;
  float one = 1.0f;
  float three = 3.0f;
  float smallest_normal = 0x1p-126f;
  float subnormal = 0x1p-140f;
  float half_step = 0x1p-24f;
  double double_one = 1.0;
  double double_three = 3.0;
  double smallest_double = 0x1p-1022;
  float fixed = -2.5f;
};

inline constexpr int kDeviceAnswers = 14;

/// What each answer tests, for messages.
inline constexpr const char* kDeviceAnswerNames[kDeviceAnswers] = {
    "fused multiply-add",        "separate multiply and add", "subnormal results",
    "subnormal arguments",       "rounding to nearest even",  "float64 subnormals",
    "float32 division",          "float64 division",          "square root",
    "conversion to fixed point", "conversion of losses",      "float64 to float32",
    "the logistic function",     "the logistic loss"};

/// results: [kDeviceAnswers], the bits of what was computed.
OSSAU_HOST_DEVICE inline void answer(const DeviceQuestions& ask, std::uint64_t* results) {
  const auto bits = [](float x) { return std::uint64_t{bit_copy<std::uint32_t>(x)}; };
  const auto wide = [](double x) { return bit_copy<std::uint64_t>(x); };
  results[0] = bits(ScalarOps::fma(ask.a, ask.a, -ask.one));
  results[1] = bits(ask.a * ask.a - ask.one);
  results[2] = bits(ask.smallest_normal * (ask.one / 2.0f));
  results[3] = bits(ask.subnormal * 1024.0f);
  results[4] = bits(ask.one + ask.half_step) ^ bits((ask.one + 2 * ask.half_step) + ask.half_step);
  results[5] = wide(ask.smallest_double * (ask.double_one / 2.0));
  results[6] = bits(ask.one / ask.three);
  results[7] = wide(ask.double_one / ask.double_three);
  results[8] = wide(next_nesterov_t(ask.double_one));
  results[9] = static_cast<std::uint64_t>(to_fixed(ask.fixed, 1.0)) ^
               static_cast<std::uint64_t>(to_fixed(ask.fixed, 0x1p44));
  results[10] = static_cast<std::uint64_t>(to_fixed(ask.one / ask.three, kLossFractionScale));
  results[11] = bits(static_cast<float>(ask.double_one / ask.double_three));
  const RowLoss<float> loss = LogisticLoss<ScalarOps>::at(ask.one, {-ask.one});
  results[12] = bits(loss.residual);
  results[13] = bits(loss.loss);
}

}  // namespace ossau
