#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "data/read.hpp"
#include "ossau/error.hpp"

namespace ossau::test {

/// How many processes each test tries.
constexpr std::int64_t kProcesses[] = {1, 2, 3, 5, 64};

/// Where processes meet to tell each other what they found; each is a thread here.
class Meeting {
 public:
  explicit Meeting(std::size_t size) : texts_(size) {}

  std::vector<std::string> gather(std::size_t rank, std::string mine) {
    std::unique_lock lock(mutex_);
    const std::size_t round = rounds_;
    texts_[rank] = std::move(mine);
    if (++arrived_ == texts_.size()) {
      arrived_ = 0;
      told_ = texts_;
      ++rounds_;
      changed_.notify_all();
    }
    changed_.wait(lock, [&] { return rounds_ > round || left_; });
    if (rounds_ == round) throw std::runtime_error("another process left");
    return told_;
  }

  /// The others need not wait any longer.
  void leave() {
    const std::lock_guard lock(mutex_);
    left_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> texts_;
  std::vector<std::string> told_;
  std::size_t arrived_ = 0;
  std::size_t rounds_ = 0;
  bool left_ = false;
};

/// What one process ends with: rows, or its own error; neither where it only lost the others.
struct Reading {
  std::optional<Dataset> dataset;
  std::string error;
};

/// Reads `config` as so many processes would, each for itself.
inline std::vector<Reading> read_in_processes(const DataConfig& config,
                                              const std::optional<std::string>& positive,
                                              std::int64_t processes) {
  const auto size = static_cast<std::size_t>(processes);
  Meeting meeting(size);
  std::vector<Reading> readings(size);
  std::vector<std::thread> threads;
  for (std::size_t rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] {
      try {
        readings[rank].dataset =
            read_dataset(config, positive, {{static_cast<std::int64_t>(rank), processes}, 64},
                         [&](std::string mine, std::string_view) {
                           return meeting.gather(rank, std::move(mine));
                         });
      } catch (const Error& error) {
        readings[rank].error = error.what();
        meeting.leave();
      } catch (const std::runtime_error&) {
        meeting.leave();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return readings;
}

}  // namespace ossau::test
