#pragma once

#include <algorithm>
#include <chrono>

namespace ossau {

/// Seconds since it was made, by a clock that never jumps.
class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// A moment some seconds from now.
class Deadline {
 public:
  explicit Deadline(double seconds) : seconds_(seconds) {}

  double seconds() const { return seconds_; }
  double left_s() const { return std::max(0.0, seconds_ - watch_.seconds()); }
  bool passed() const { return watch_.seconds() >= seconds_; }

 private:
  Stopwatch watch_;
  double seconds_;
};

}  // namespace ossau
