#include "core/floating_point.hpp"

#if defined(__x86_64__)
#include <xmmintrin.h>
#elif !defined(__aarch64__)
#error "floating_point.cpp: say here how this processor's floating-point control word is set"
#endif

namespace ossau {
namespace {

#if defined(__x86_64__)
constexpr std::uint64_t kDefaultControl = 0x1f80;  // all exceptions masked, nearest, no FTZ or DAZ
#else
constexpr std::uint64_t kDefaultControl = 0;
#endif

}  // namespace

std::uint64_t floating_point_control() {
#if defined(__x86_64__)
  return _mm_getcsr();
#else
  std::uint64_t control = 0;
  asm volatile("mrs %0, fpcr" : "=r"(control));
  return control;
#endif
}

void set_floating_point_control(std::uint64_t control) {
#if defined(__x86_64__)
  _mm_setcsr(static_cast<unsigned>(control));
#else
  asm volatile("msr fpcr, %0" : : "r"(control));
#endif
}

// The whole environment, not our control word alone: on x86 the C library asks the older x87 unit
// how to round when it reads or prints a number.
FloatingPointGuard::FloatingPointGuard() : saved_{} {
  std::fegetenv(&saved_);
  std::fesetenv(FE_DFL_ENV);
  set_floating_point_control(kDefaultControl);
}

FloatingPointGuard::~FloatingPointGuard() { std::fesetenv(&saved_); }

}  // namespace ossau
