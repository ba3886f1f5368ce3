#pragma once

#include <cfenv>
#include <cstdint>

namespace ossau {

/// Gives this thread the default floating-point environment (round to nearest, subnormals kept, no
/// traps) while it lives.  A library built with fast-math may have changed it at load time.
class FloatingPointGuard {
 public:
  FloatingPointGuard();
  ~FloatingPointGuard();
  FloatingPointGuard(const FloatingPointGuard&) = delete;
  FloatingPointGuard& operator=(const FloatingPointGuard&) = delete;

 private:
  std::fenv_t saved_;
};

/// The thread's floating-point control word (MXCSR on x86, FPCR on Arm).
std::uint64_t floating_point_control();
void set_floating_point_control(std::uint64_t control);

}  // namespace ossau
