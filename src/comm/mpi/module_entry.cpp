#include <mpi.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "comm/mpi/module_table.hpp"
#include "core/build_identity.hpp"

namespace ossau::mpi {
namespace {

// A rank whose peer is gone waits in MPI for ever.  So every call here only begins, is asked again
// and again whether it is done, and looks around meanwhile.
constexpr int kTestsPerLook = 100;

// Where looking around throws, the call stays begun, and its buffers go.  MPI does nothing more for
// it: it moves numbers only inside its own calls, and the process makes none from then on.

// MPI counts in int.
constexpr std::size_t kMostAtOnce = std::size_t{1} << 30;

void check(int status, const char* what) {
  if (status == MPI_SUCCESS) return;
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  if (MPI_Error_string(status, text.data(), &length) != MPI_SUCCESS) length = 0;
  throw TransportError(std::string("MPI: ") + what + ": " +
                       std::string(text.data(), static_cast<std::size_t>(length)));
}

MPI_Op operation_of(Reduction reduction) {
  switch (reduction) {
    case Reduction::kMin:
      return MPI_MIN;
    case Reduction::kMax:
      return MPI_MAX;
    case Reduction::kSum:
      break;
  }
  return MPI_SUM;
}

void complete(MPI_Request& request, const TransportCall& call) {
  for (int tests = 1;; ++tests) {
    int done = 0;
    check(MPI_Test(&request, &done, MPI_STATUS_IGNORE), "a collective call");
    if (done != 0) return;
    if (tests % kTestsPerLook != 0) continue;
    call.look();
    std::this_thread::yield();  // there may be more ranks than cores
  }
}

class MpiTransport : public Transport {
 public:
  void all_reduce(std::span<std::int64_t> values, Reduction reduction,
                  const TransportCall& call) override {
    while (!values.empty()) {
      const auto part = values.first(std::min(values.size(), kMostAtOnce));
      MPI_Request request = MPI_REQUEST_NULL;
      check(MPI_Iallreduce(MPI_IN_PLACE, part.data(), static_cast<int>(part.size()), MPI_INT64_T,
                           operation_of(reduction), MPI_COMM_WORLD, &request),
            "all-reduce");
      complete(request, call);
      // The checker knows waiting, not asking again and again.
      // NOLINTNEXTLINE(clang-analyzer-optin.mpi.MPI-Checker)
      values = values.subspan(part.size());
    }
  }

  void all_gather(std::span<const std::int64_t> mine, std::span<const std::size_t> sizes,
                  std::span<std::int64_t> all, const TransportCall& call) override {
    if (all.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
      throw TransportError("MPI: more numbers than MPI can count");
    }
    counts_.clear();
    places_.clear();
    std::size_t place = 0;
    for (const std::size_t size : sizes) {
      counts_.push_back(static_cast<int>(size));
      places_.push_back(static_cast<int>(place));
      place += size;
    }
    MPI_Request request = MPI_REQUEST_NULL;
    check(MPI_Iallgatherv(mine.data(), static_cast<int>(mine.size()), MPI_INT64_T, all.data(),
                          counts_.data(), places_.data(), MPI_INT64_T, MPI_COMM_WORLD, &request),
          "all-gather");
    complete(request, call);
  }

  void broadcast(std::span<std::byte> bytes, std::int64_t root,
                 const TransportCall& call) override {
    while (!bytes.empty()) {
      const auto part = bytes.first(std::min(bytes.size(), kMostAtOnce));
      MPI_Request request = MPI_REQUEST_NULL;
      check(MPI_Ibcast(part.data(), static_cast<int>(part.size()), MPI_BYTE, static_cast<int>(root),
                       MPI_COMM_WORLD, &request),
            "broadcast");
      complete(request, call);
      bytes = bytes.subspan(part.size());  // NOLINT(clang-analyzer-optin.mpi.MPI-Checker): as above
    }
  }

  void barrier(const TransportCall& call) override {
    MPI_Request request = MPI_REQUEST_NULL;
    check(MPI_Ibarrier(MPI_COMM_WORLD, &request), "barrier");
    complete(request, call);
  }

  void finish() override { check(MPI_Finalize(), "end"); }

 private:
  std::vector<int> counts_;  // [ranks], of a gathering
  std::vector<int> places_;
};

std::string mpi_version() {
  std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text{};
  int length = 0;
  if (MPI_Get_library_version(text.data(), &length) != MPI_SUCCESS) return "unknown";
  const std::string version(text.data(), static_cast<std::size_t>(length));
  return version.substr(0, version.find(','));
}

Start start() {
  int provided = 0;
  check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided), "start");
  if (provided < MPI_THREAD_FUNNELED) {
    throw TransportError("MPI: this library does not run beside other threads");
  }
  check(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "start");
  int rank = 0;
  int size = 1;
  check(MPI_Comm_rank(MPI_COMM_WORLD, &rank), "rank");
  check(MPI_Comm_size(MPI_COMM_WORLD, &size), "number of ranks");
  return {.rank = {.rank = rank, .size = size}, .transport = std::make_unique<MpiTransport>()};
}

constexpr ModuleTable kTable = {.mpi_version = mpi_version, .start = start};

}  // namespace
}  // namespace ossau::mpi

extern "C" __attribute__((visibility("default"))) const ossau::mpi::ModuleTable*
ossau_mpi_transport() {
  return &ossau::mpi::kTable;
}

OSSAU_EXPORT_IDENTITY(ossau::kBuildIdentity);
