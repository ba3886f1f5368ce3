#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "arith/contract.hpp"

// Sums over features in float64: chunks of 256 by a fixed tree, chunks in order, on every backend.

namespace ossau {

/// Sum of `count` <= 256 terms by the tree a_i + a_(i+o), o = 128, 64, ..., 1; missing terms are 0.
template <class Term>
double chunk_sum(std::int64_t first, std::int64_t count, Term&& term) {
  std::array<double, kFeatureChunk> a{};
  for (std::int64_t i = 0; i < count; ++i) a[static_cast<std::size_t>(i)] = term(first + i);
  for (std::size_t o = kFeatureChunk / 2; o > 0; o /= 2) {
    for (std::size_t i = 0; i < o; ++i) a[i] += a[i + o];
  }
  return a[0];
}

/// Sum of term(0), ..., term(n - 1).
template <class Term>
double feature_sum(std::int64_t n, Term&& term) {
  double total = 0;
  for (std::int64_t first = 0; first < n; first += kFeatureChunk) {
    const std::int64_t left = n - first;
    total += chunk_sum(first, left < kFeatureChunk ? left : kFeatureChunk, term);
  }
  return total;
}

}  // namespace ossau
