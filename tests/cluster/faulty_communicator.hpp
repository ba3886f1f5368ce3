#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "comm/communicator.hpp"

namespace ossau::test {

/// A communicator that forwards every call to another one, and before it tells `hit` the name of
/// the operation or of the phase that is set.
class FaultyCommunicator : public Communicator {
 public:
  FaultyCommunicator(Communicator& real, std::function<void(std::string_view)> hit)
      : real_(real), hit_(std::move(hit)) {}

  RankInfo rank() const override { return real_.rank(); }
  RankInfo local_rank() const override { return real_.local_rank(); }
  std::int64_t core_sharers() const override { return real_.core_sharers(); }
  void all_reduce(SumBuffer buffer, Reduction reduction, std::string_view operation) override {
    hit_(operation);
    real_.all_reduce(buffer, reduction, operation);
  }
  bool queues(MemorySpace space) const override { return real_.queues(space); }
  void queue_all_reduce(SumBuffer buffer, Reduction reduction,
                        std::string_view operation) override {
    hit_(operation);
    real_.queue_all_reduce(buffer, reduction, operation);
  }
  void await(SumBuffer buffer, std::string_view operation) override {
    real_.await(buffer, operation);
  }
  void all_gather(std::span<const std::int64_t> mine, std::span<const std::size_t> sizes,
                  std::span<std::int64_t> all, std::string_view operation) override {
    hit_(operation);
    real_.all_gather(mine, sizes, all, operation);
  }
  void broadcast(std::span<std::byte> bytes, std::int64_t root,
                 std::string_view operation) override {
    hit_(operation);
    real_.broadcast(bytes, root, operation);
  }
  void barrier(std::string_view operation) override {
    hit_(operation);
    real_.barrier(operation);
  }
  void abort(const std::string& reason, ExitCode code) noexcept override {
    real_.abort(reason, code);
  }
  std::string gave_up() const override { return real_.gave_up(); }
  void set_position(Position position) override {
    real_.set_position(position);
    hit_(position.phase);
  }
  std::string last_seen() const override { return real_.last_seen(); }

 private:
  Communicator& real_;
  std::function<void(std::string_view)> hit_;
};

}  // namespace ossau::test
