#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "cluster/faulty_communicator.hpp"
#include "core/log.hpp"
#include "ossau/ossau.hpp"
#include "report/run.hpp"
#include "train/job.hpp"

// `ossau train CONFIG OVERRIDES...` in which one rank fails at a chosen moment:
//   faulty_rank RANK:MOMENT:COUNT:FAULT CONFIG OVERRIDES...
// RANK     the one that fails
// MOMENT   "start" (before it joins the others), a phase, an operation of the communicator, or
//          "rename FILE" (before that file of the results gets its name; "rename a checkpoint")
// COUNT    1, 2, ...: which time
// FAULT    kill, stop, nap (1 s), sleep (for ever), data (throws DataError) or exit (with code 0)

namespace ossau::test {
namespace {

class Fault {
 public:
  static Fault& instance() {
    static Fault fault;
    return fault;
  }

  void read(const std::string& text) {
    const std::size_t kind = text.rfind(':');
    const std::size_t count = text.rfind(':', kind - 1);
    const std::size_t moment = text.find(':');
    if (kind == std::string::npos || moment == count) throw std::runtime_error("bad fault " + text);
    rank_ = std::stol(text.substr(0, moment));
    moment_ = text.substr(moment + 1, count - moment - 1);
    left_ = std::stol(text.substr(count + 1, kind - count - 1));
    kind_ = text.substr(kind + 1);
  }

  void hit(long rank, std::string_view moment) {
    if (rank != rank_ || moment != moment_ || --left_ != 0) return;
    leave_note();
    strike();
  }

 private:
  // The time of the fault, for the test that waits for its consequences.
  static void leave_note() {
    const char* const file = std::getenv("OSSAU_TEST_FAULT_FILE");
    if (file == nullptr) throw std::runtime_error("OSSAU_TEST_FAULT_FILE is not set");
    const int descriptor = ::open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (descriptor < 0) throw std::runtime_error("no fault file");
    ::close(descriptor);
  }

  void strike() const {
    if (kind_ == "kill") {
      (void)std::raise(SIGKILL);
    } else if (kind_ == "stop") {
      (void)std::raise(SIGSTOP);
    } else if (kind_ == "nap") {
      std::this_thread::sleep_for(std::chrono::seconds(1));
    } else if (kind_ == "sleep") {
      std::this_thread::sleep_for(std::chrono::hours(1));
    } else if (kind_ == "data") {
      throw DataError("clicks.svm:3: a fault on purpose");
    } else if (kind_ == "exit") {
      std::_Exit(0);
    } else {
      throw std::runtime_error("unknown fault " + kind_);
    }
  }

  long rank_ = -1;
  std::string moment_;
  long left_ = 0;
  std::string kind_;
};

long rank_said() {
  for (const char* const name : {"OMPI_COMM_WORLD_RANK", "RANK"}) {
    if (const char* const text = std::getenv(name)) return std::stol(text);
  }
  return 0;
}

void train_with_fault(const std::vector<std::string>& arguments) {
  Fault& fault = Fault::instance();
  fault.read(arguments.at(0));
  fault.hit(rank_said(), "start");
  const Config config = load_config(
      arguments.at(1), std::vector<std::string>(arguments.begin() + 2, arguments.end()));
  const std::unique_ptr<Communicator> job = join_job(config);
  if (job == nullptr) throw std::runtime_error("faulty_rank is for jobs of several processes");
  FaultyCommunicator faulty(*job,
                            [&](std::string_view moment) { fault.hit(job->rank().rank, moment); });
  (void)train_in_job(config, &faulty, nullptr);
}

}  // namespace
}  // namespace ossau::test

// Takes the place of the C library's in this program, so that a fault can strike while results are
// saved.
extern "C" int rename(const char* from, const char* to) noexcept {
  try {
    std::string_view name(to);
    name.remove_prefix(name.rfind('/') + 1);
    const std::string what = name.starts_with("step-") ? "a checkpoint" : std::string(name);
    ossau::test::Fault::instance().hit(ossau::test::rank_said(), "rename " + what);
  } catch (...) {
    std::abort();  // no other fault is meant for this moment
  }
  return ::renameat(AT_FDCWD, from, AT_FDCWD, to);
}

int main(int argc, char** argv) {
  try {
    ossau::test::train_with_fault({argv + 1, argv + argc});
    return 0;
  } catch (const ossau::Error& error) {
    ossau::log_error(error.what());
    return static_cast<int>(error.code());
  } catch (const std::exception& error) {
    ossau::log_error(error.what());
    return 1;
  }
}
