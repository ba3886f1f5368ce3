#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <new>
#include <span>
#include <string>
#include <string_view>

#include "core/buffer.hpp"
#include "core/rank.hpp"
#include "ossau/error.hpp"

namespace ossau {

/// Where a rank is in its work; cheap enough to be set at every step.
struct Position {
  const char* phase = "start-up";  // a literal
  std::int64_t epoch = 0;          // 1, 2, ...; 0: none
  std::int64_t step = 0;           // of the epoch, 1, 2, ...; 0: none
};

/// In words: "training, epoch 2, step 5".
std::string describe(const Position& position);

enum class Reduction { kSum, kMin, kMax };

/// Ties the ranks of one training together.  Every rank makes the same calls in the same order.
/// No call waits longer than the deadline it was made with: then, and when another rank has given
/// up, it throws CommError with the rank, the step and the operation.
class Communicator {
 public:
  virtual ~Communicator() = default;

  virtual RankInfo rank() const = 0;
  /// Which of the ranks on this machine.
  virtual RankInfo local_rank() const { return rank(); }
  /// Ranks that share this one's processor cores, itself included.
  virtual std::int64_t core_sharers() const { return rank().size; }

  /// Replaces `buffer` by its element-wise reduction over all ranks; all have the same size.
  /// operation: what for, said in error messages, the same on all ranks.
  virtual void all_reduce(SumBuffer buffer, Reduction reduction, std::string_view operation) = 0;

  /// Whether queue_all_reduce() only queues reductions of such memory, behind the work of a device.
  virtual bool queues(MemorySpace /*space*/) const { return false; }
  /// all_reduce(), done no later than await() returns.  Where queues(), the reduction is queued on
  /// the buffer's stream, which may be recording a graph; elsewhere it is done at once.
  virtual void queue_all_reduce(SumBuffer buffer, Reduction reduction, std::string_view operation) {
    all_reduce(buffer, reduction, operation);
  }
  /// Waits until what is queued on the buffer's stream is done, with the deadline of every call.
  virtual void await(SumBuffer /*buffer*/, std::string_view /*operation*/) {}

  /// Puts what each rank brings one behind the other into `all`, in order of rank.
  /// sizes: [ranks], how many each brings; the same on all ranks.
  virtual void all_gather(std::span<const std::int64_t> mine, std::span<const std::size_t> sizes,
                          std::span<std::int64_t> all, std::string_view operation) = 0;

  /// Copies `bytes` of rank `root` to all.
  virtual void broadcast(std::span<std::byte> bytes, std::int64_t root,
                         std::string_view operation) = 0;

  /// Returns once every rank has called it.
  virtual void barrier(std::string_view operation) = 0;

  /// Tells the other ranks that this one gives up; they leave with CommError, and where they are
  /// processes, with this exit code.  Never throws.
  virtual void abort(const std::string& reason, ExitCode code) noexcept = 0;

  /// Who gave up and why; empty while nobody has.  For those who wait for something else.
  virtual std::string gave_up() const { return {}; }

  /// Where this rank is, for messages.
  virtual void set_position(Position position) = 0;
  /// Where the other ranks are, as far as is known.
  virtual std::string last_seen() const { return "unknown"; }
};

inline void all_reduce(Communicator& communicator, std::span<std::int64_t> values,
                       Reduction reduction, std::string_view operation) {
  communicator.all_reduce({values.data(), values.size()}, reduction, operation);
}

/// abort() for what was thrown.
inline void abort(Communicator& communicator, const std::exception& error) noexcept {
  const auto* known = dynamic_cast<const Error*>(&error);
  const bool no_memory = dynamic_cast<const std::bad_alloc*>(&error) != nullptr;
  communicator.abort(error.what(), known != nullptr ? known->code()
                                   : no_memory      ? ExitCode::kDevice
                                                    : ExitCode::kCommunication);
}

}  // namespace ossau
