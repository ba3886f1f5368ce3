#include "solve/l1_quadratic.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "solve/cholesky.hpp"

namespace ossau {
namespace {

constexpr int kRounds = 60;
constexpr int kSweeps = 5;           // of coordinate descent in a round
constexpr double kTolerance = 1e-9;  // of a slope, as a share of l1

class L1Quadratic {
 public:
  L1Quadratic(const Triangle& hessian, std::span<const double> gradient,
              std::span<const double> start, double l1)
      : size_(gradient.size()),
        hessian_(size_ * size_),
        start_(start.begin(), start.end()),
        weight_(start_),
        slope_(gradient.begin(), gradient.end()),
        l1_(l1) {
    for (std::size_t i = 0; i < size_; ++i) {
      const std::span<const double> row = hessian.row(i);
      for (std::size_t j = i; j < size_; ++j) {
        hessian_[i * size_ + j] = row[j - i];
        hessian_[j * size_ + i] = row[j - i];
      }
    }
  }

  Vector step() {
    for (int round = 0; round < kRounds; ++round) {
      for (int sweep = 0; sweep < kSweeps; ++sweep) descend();
      if (is_minimum()) break;
      move_on_support();
    }
    return difference(weight_, start_);
  }

 private:
  std::span<const double> column(std::size_t j) const {
    return std::span(hessian_).subspan(j * size_, size_);
  }
  double penalty(std::size_t j) const { return j + 1 < size_ ? l1_ : 0; }
  // The penalty's slope at a weight that is not 0.
  double penalty_slope(std::size_t j) const { return std::copysign(penalty(j), weight_[j]); }

  void set(std::size_t j, double weight) {
    const double moved = weight - weight_[j];
    if (moved == 0) return;
    weight_[j] = weight;
    axpy(moved, column(j), slope_);
  }

  // Every weight to the minimum of its own parabola.
  void descend() {
    for (std::size_t j = 0; j < size_; ++j) {
      const double bend = column(j)[j];
      if (!(bend > 0)) continue;  // no row has the feature
      const double free = weight_[j] - slope_[j] / bend;
      const double shrunk = std::fmax(std::fabs(free) - penalty(j) / bend, 0.0);
      set(j, std::copysign(shrunk, free));
    }
  }

  bool is_minimum() const {
    for (std::size_t j = 0; j < size_; ++j) {
      if (!(column(j)[j] > 0)) continue;
      const double off = weight_[j] != 0 || penalty(j) == 0
                             ? std::fabs(slope_[j] + penalty_slope(j))
                             : std::fabs(slope_[j]) - penalty(j);
      if (off > kTolerance * l1_) return false;
    }
    return true;
  }

  // To the minimum among weights of these signs, or to the first that becomes 0.
  void move_on_support() {
    std::vector<std::size_t> support;
    for (std::size_t j = 0; j < size_; ++j) {
      if (weight_[j] != 0 || j + 1 == size_) support.push_back(j);
    }
    Triangle matrix(support.size());
    Vector move(support.size());
    for (std::size_t i = 0; i < support.size(); ++i) {
      const std::span<double> row = matrix.row(i);
      for (std::size_t k = i; k < support.size(); ++k) row[k - i] = column(support[i])[support[k]];
      move[i] = -(slope_[support[i]] + penalty_slope(support[i]));
    }
    CholeskyFactor(matrix).solve(move);
    double length = 1;
    std::size_t blocking = size_;
    for (std::size_t i = 0; i < support.size(); ++i) {
      const double weight = weight_[support[i]];
      if (penalty(support[i]) == 0 || !((weight + move[i]) * weight < 0)) continue;
      if (-weight / move[i] < length) {
        length = -weight / move[i];
        blocking = support[i];
      }
    }
    for (std::size_t i = 0; i < support.size(); ++i) {
      const std::size_t j = support[i];
      set(j, j == blocking ? 0.0 : weight_[j] + length * move[i]);
    }
  }

  std::size_t size_;
  std::vector<double> hessian_;  // [n, n]
  Vector start_;
  Vector weight_;
  Vector slope_;  // of the quadratic at weight_
  double l1_;
};

}  // namespace

Vector minimize_l1_quadratic(const Triangle& hessian, std::span<const double> gradient,
                             std::span<const double> start, double l1) {
  return L1Quadratic(hessian, gradient, start, l1).step();
}

}  // namespace ossau
