#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "comm/communicator.hpp"

namespace ossau {

/// The ranks of one process, each a thread.
class ThreadGroup {
 public:
  ThreadGroup(std::int64_t size, double timeout_s);
  ~ThreadGroup();
  ThreadGroup(const ThreadGroup&) = delete;
  ThreadGroup& operator=(const ThreadGroup&) = delete;

  /// The communicator of one rank; the group must outlive it.
  std::unique_ptr<Communicator> communicator(std::int64_t rank);

  class State;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace ossau
