#pragma once

#include "arith/device_answers.hpp"
#include "device.cuh"

namespace ossau::device {

/// results: [kDeviceAnswers], the bits of what this device computes.
static __global__ void self_test_kernel(const __grid_constant__ DeviceQuestions questions,
                                        std::uint64_t* results) {
  answer(questions, results);
}

}  // namespace ossau::device
