#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <exception>
#include <new>
#include <string>

#include "cli/command_line.hpp"
#include "core/log.hpp"
#include "ossau/error.hpp"

namespace {

constexpr int kInternalError = 1;

// The first file that is opened would get the number of a closed stream, and messages would end in
// that file.
void open_closed_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(stream, F_GETFD) >= 0 || errno != EBADF) continue;
    // Gets the lowest free number, this one: the streams before it are open by now.
    if (::open("/dev/null", O_RDWR) != stream) return;
  }
}

int run(int argc, const char* const* argv) {
  try {
    return ossau::run_command_line(argc, argv);
  } catch (const ossau::Interrupted& interrupted) {
    ossau::log_warning(interrupted.what());
    return static_cast<int>(interrupted.code());
  } catch (const ossau::Error& error) {
    ossau::log_error(error.what());
    return static_cast<int>(error.code());
  } catch (const std::bad_alloc&) {
    ossau::log_error(
        "out of memory (use fewer rows or features, data.layout: sparse, or a larger machine)");
    return static_cast<int>(ossau::ExitCode::kDevice);
  } catch (const std::exception& error) {
    ossau::log_error(std::string("internal error: ") + error.what() +
                     " (please report it with the command and the configuration)");
    return kInternalError;
  }
}

}  // namespace

int main(int argc, char** argv) {
  open_closed_streams();
  // A training must not die because the reader of its output has gone.
  (void)std::signal(SIGPIPE, SIG_IGN);
  try {
    return run(argc, argv);
  } catch (...) {
    return kInternalError;  // not even the message could be written
  }
}
