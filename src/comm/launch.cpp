#include "comm/launch.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <exception>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "comm/nccl_module.hpp"
#include "comm/single.hpp"
#include "comm/threads.hpp"
#include "ossau/error.hpp"

namespace ossau {
namespace {

void rethrow_culprit(const std::vector<std::exception_ptr>& errors) {
  std::exception_ptr victim;
  for (const std::exception_ptr& error : errors) {
    if (!error) continue;
    try {
      std::rethrow_exception(error);
    } catch (const CommError&) {
      if (!victim) victim = error;
    }
  }
  if (victim) std::rethrow_exception(victim);
}

// The ranks as threads of this process, and what each of them threw.
class RankThreads {
 public:
  RankThreads(std::int64_t ranks, double timeout_s, const std::function<void(Communicator&)>& work)
      : work_(work), group_(ranks, timeout_s), errors_(static_cast<std::size_t>(ranks)) {}

  void run() {
    const auto ranks = static_cast<std::int64_t>(errors_.size());
    try {
      for (std::int64_t rank = 0; rank < ranks; ++rank) {
        threads_.emplace_back([this, rank] { run_rank(rank); });
      }
    } catch (const std::system_error& error) {
      const auto missing = static_cast<std::int64_t>(threads_.size());
      const DeviceError failure(
          fmt::format("run.ranks: {}: the system started only {} ({}; ask for fewer ranks)", ranks,
                      missing, error.code().message()));
      group_.communicator(missing)->abort(failure.what(), failure.code());
      join();
      throw failure;
    }
    join();
    rethrow_culprit(errors_);
  }

 private:
  void run_rank(std::int64_t rank) {
    const auto communicator = group_.communicator(rank);
    try {
      work_(*communicator);
    } catch (const std::exception& error) {
      errors_[static_cast<std::size_t>(rank)] = std::current_exception();
      abort(*communicator, error);
    }
  }

  void join() {
    for (std::thread& thread : threads_) thread.join();
  }

  const std::function<void(Communicator&)>& work_;
  ThreadGroup group_;
  std::vector<std::exception_ptr> errors_;
  std::vector<std::thread> threads_;
};

}  // namespace

// The explicit list: one case a communicator that ties ranks of one process together (those of a
// launcher's processes: process/join.cpp)...
void run_ranks(const Config& config, const std::function<void(Communicator&)>& work) {
  const std::int64_t ranks = config.run.ranks.value_or(1);
  if (ranks == 1) {
    work(*make_single_communicator());
  } else {
    RankThreads(ranks, config.communication.timeout_s, work).run();
  }
}

void require_device_sums(std::int64_t ranks) {
  std::string why;
  if (nccl_module(&why) != nullptr) return;
  throw DeviceError(
      fmt::format("run.ranks: {}: GPUs add up through NCCL, and {} (install NCCL, or set "
                  "run.ranks: 1)",
                  ranks, why));
}

// ... and one that builds on it.
std::unique_ptr<Communicator> pair_with_device(Communicator& host, int device, double timeout_s) {
  require_device_sums(host.rank().size);
  std::string ignored;
  return nccl_module(&ignored)->pair(host, {.device = device, .timeout_s = timeout_s});
}

}  // namespace ossau
