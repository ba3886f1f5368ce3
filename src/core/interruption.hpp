#pragma once

#include <array>
#include <csignal>

namespace ossau {

/// Whether the process has been asked to stop, by a signal or by request_interruption().
bool interruption_requested() noexcept;

/// What a first signal does while InterruptionHandlers live.  Safe in signal handlers.
void request_interruption() noexcept;

/// Turns SIGINT, SIGTERM and SIGUSR1 (which mpirun hands on to its ranks, as it does not SIGTERM)
/// into a request that work may look for between two steps, as long as this lives.  A SIGINT after
/// that ends the process at once: somebody insists.  Further ones of the others change nothing:
/// launchers send them twice.  A signal that the process was started to ignore stays ignored.  One
/// at a time; a new one forgets what was requested before.
class InterruptionHandlers {
 public:
  InterruptionHandlers();
  ~InterruptionHandlers();
  InterruptionHandlers(const InterruptionHandlers&) = delete;
  InterruptionHandlers& operator=(const InterruptionHandlers&) = delete;

 private:
  struct Handler {
    int signal = 0;
    struct sigaction before = {};
  };
  std::array<Handler, 3> handlers_;
};

}  // namespace ossau
