#include "core/log.hpp"

#include <fmt/format.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <utility>

namespace ossau {
namespace {

std::atomic<int> log_rank = -1;

struct Sink {
  std::mutex mutex;
  std::function<void(LogLevel, std::string_view)> replacement;
};

Sink& sink() {
  static Sink instance;
  return instance;
}

spdlog::logger& terminal() {
  static const std::shared_ptr<spdlog::logger> logger = [] {
    auto made = std::make_shared<spdlog::logger>(
        "ossau", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    made->set_pattern("%^%l%$: %v");
    made->flush_on(spdlog::level::info);
    return made;
  }();
  return *logger;
}

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

void write(LogLevel level, std::string_view message) {
  const int rank = log_rank.load();
  const std::string line =
      rank < 0 ? std::string(message) : fmt::format("rank {}: {}", rank, message);
  const std::lock_guard lock(sink().mutex);
  if (sink().replacement) {
    sink().replacement(level, line);
  } else {
    terminal().log(spdlog_level(level), "{}", line);
  }
}

}  // namespace

void log_info(std::string_view message) {
  // What one process of a job has to tell, the others would only repeat.
  if (log_rank.load() <= 0) write(LogLevel::kInfo, message);
}
void log_warning(std::string_view message) { write(LogLevel::kWarning, message); }
void log_error(std::string_view message) { write(LogLevel::kError, message); }

void set_log_rank(int rank) { log_rank = rank; }

void set_log_sink(std::function<void(LogLevel, std::string_view)> replacement) {
  const std::lock_guard lock(sink().mutex);
  sink().replacement = std::move(replacement);
}

}  // namespace ossau
