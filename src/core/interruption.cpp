#include "core/interruption.hpp"

#include <atomic>

namespace ossau {
namespace {

// Not sig_atomic_t, which says nothing of other threads; this is as safe in a handler.
std::atomic<bool> requested{false};
static_assert(std::atomic<bool>::is_always_lock_free);

extern "C" void on_signal(int signal) {
  // Launchers send SIGTERM twice, to the group and to each; only a person who insists means it.
  if (!requested.exchange(true) || signal != SIGINT) return;
  // Held back until this returns, then deadly.
  (void)std::signal(signal, SIG_DFL);
  (void)std::raise(signal);
}

}  // namespace

bool interruption_requested() noexcept { return requested.load(std::memory_order_relaxed); }

void request_interruption() noexcept { requested = true; }

InterruptionHandlers::InterruptionHandlers()
    : handlers_{{{.signal = SIGINT}, {.signal = SIGTERM}, {.signal = SIGUSR1}}} {
  requested = false;
  struct sigaction action = {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;  // reading and writing need not know of it
  sigemptyset(&action.sa_mask);
  for (Handler& handler : handlers_) {
    (void)::sigaction(handler.signal, nullptr, &handler.before);
    if (handler.before.sa_handler == SIG_IGN) continue;
    (void)::sigaction(handler.signal, &action, nullptr);
  }
}

InterruptionHandlers::~InterruptionHandlers() {
  for (const Handler& handler : handlers_) {
    (void)::sigaction(handler.signal, &handler.before, nullptr);
  }
}

}  // namespace ossau
