#pragma once

#include <cstdint>

#include "arith/contract.hpp"

// Keyed permutations without memory: the order of rows and of tiles is computed, never stored.

namespace ossau {

/// A bijection of 64-bit words that looks random (the finaliser of SplitMix64; Steele, Lea and
/// Flood, "Fast splittable pseudorandom number generators", 2014).
OSSAU_HOST_DEVICE inline std::uint64_t mix64(std::uint64_t x) {
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9ull;
  x ^= x >> 27;
  x *= 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

inline constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15ull;

/// One key out of three numbers.
OSSAU_HOST_DEVICE inline std::uint64_t make_key(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
  return mix64(mix64(mix64(a + kGolden) + b + kGolden) + c + kGolden);
}

/// A permutation of {0, ..., n - 1}: a Feistel network of six rounds on the next even number of
/// bits, repeated until it falls below n (Black and Rogaway, "Ciphers with arbitrary finite
/// domains", 2002).
class Permutation {
 public:
  OSSAU_HOST_DEVICE Permutation(std::uint64_t n, std::uint64_t key) : n_(n), key_(key) {
    while (half_bits_ < 31 && (std::uint64_t{1} << (2 * half_bits_)) < n) ++half_bits_;
  }

  /// The element at `position`, both in [0, n).
  OSSAU_HOST_DEVICE std::uint64_t operator()(std::uint64_t position) const {
    if (n_ < 2) return 0;
    std::uint64_t x = position;
    do {
      x = encrypt(x);
    } while (x >= n_);
    return x;
  }

  /// The position of `element`.
  OSSAU_HOST_DEVICE std::uint64_t inverse(std::uint64_t element) const {
    if (n_ < 2) return 0;
    std::uint64_t x = element;
    do {
      x = decrypt(x);
    } while (x >= n_);
    return x;
  }

 private:
  static constexpr int kRounds = 6;

  OSSAU_HOST_DEVICE std::uint64_t round_value(int round, std::uint64_t half) const {
    const auto offset = static_cast<std::uint64_t>(round) * kGolden;
    return mix64(key_ + offset + half) & mask();
  }
  OSSAU_HOST_DEVICE std::uint64_t mask() const { return (std::uint64_t{1} << half_bits_) - 1; }

  OSSAU_HOST_DEVICE std::uint64_t encrypt(std::uint64_t x) const {
    std::uint64_t left = x >> half_bits_;
    std::uint64_t right = x & mask();
    for (int round = 0; round < kRounds; ++round) {
      const std::uint64_t next = left ^ round_value(round, right);
      left = right;
      right = next;
    }
    return left << half_bits_ | right;
  }

  OSSAU_HOST_DEVICE std::uint64_t decrypt(std::uint64_t x) const {
    std::uint64_t left = x >> half_bits_;
    std::uint64_t right = x & mask();
    for (int round = kRounds - 1; round >= 0; --round) {
      const std::uint64_t previous = right ^ round_value(round, left);
      right = left;
      left = previous;
    }
    return left << half_bits_ | right;
  }

  std::uint64_t n_;
  std::uint64_t key_;
  int half_bits_ = 1;
};

}  // namespace ossau
