#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace ossau {

enum class LogLevel { kInfo, kWarning, kError };

/// One line to standard error, prefixed with the level (and "rank K: " where a rank was named).
/// Safe from any thread.
void log_info(std::string_view message);
void log_warning(std::string_view message);
void log_error(std::string_view message);

/// Names this process's rank in its messages; -1 names none (the default).  Ranks beyond 0 then say
/// no log_info(): they would only repeat what rank 0 says.
void set_log_rank(int rank);

/// Replaces where messages go, for tests and for embedding; an empty function restores stderr.
void set_log_sink(std::function<void(LogLevel, std::string_view)> sink);

}  // namespace ossau
