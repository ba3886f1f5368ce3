#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "comm/communicator.hpp"

namespace ossau {

/// One collective call.
struct TransportCall {
  std::string_view operation;
  std::uint64_t number = 0;  // 1, 2, ...: the same on all ranks
  /// To be called every now and then while waiting; throws where waiting has become pointless.
  const std::function<void()>& look;
};

/// What went wrong in a call; the caller finds out who is behind it.
class TransportError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Moves numbers between processes.  Every rank makes the same calls in the same order.  No call
/// blocks without looking; each throws TransportError, or what `look` throws.
class Transport {
 public:
  virtual ~Transport() = default;

  virtual void all_reduce(std::span<std::int64_t> values, Reduction reduction,
                          const TransportCall& call) = 0;
  virtual void all_gather(std::span<const std::int64_t> mine, std::span<const std::size_t> sizes,
                          std::span<std::int64_t> all, const TransportCall& call) = 0;
  virtual void broadcast(std::span<std::byte> bytes, std::int64_t root,
                         const TransportCall& call) = 0;
  virtual void barrier(const TransportCall& call) = 0;

  /// Takes leave of the others; every rank calls it, and nothing after it.  Where a job has failed
  /// it is not called.
  virtual void finish() {}
};

/// `total` becomes the reduction of itself and `values`.
void reduce(std::span<std::int64_t> total, std::span<const std::int64_t> values,
            Reduction reduction);

}  // namespace ossau
