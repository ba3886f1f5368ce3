#include "comm/nccl/nccl_communicator.hpp"

#include <cuda_runtime_api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "comm/communicator_contract.hpp"
#include "comm/nccl/nccl_library.hpp"
#include "comm/threads.hpp"
#include "ossau/error.hpp"

// The NCCL communicator upon an NCCL and a CUDA that are made here: which calls it makes in which
// order, and what it does when one of them fails or never ends.

using ossau::nccl::Library;

// A communicator of the made one.  A call is in progress for a few polls, as the real one's are.
struct ncclComm {
  int rank = 0;
  int polls_left = 0;
  int rounds = 0;  // collectives so far
};

namespace {

constexpr int kPolls = 3;

// One collective: done once all ranks are in.
struct Round {
  std::map<int, std::int64_t*> buffers;  // by rank; a rank that aborts takes its own away
  bool done = false;
};

struct Made {
  std::mutex mutex;
  int size = 0;
  std::vector<std::string> calls;  // of rank 0, without the polls
  std::map<int, Round> rounds;
  std::map<void*, int> last_round;  // of each stream
  std::atomic<ncclResult_t> async_error{ncclSuccess};
  std::atomic<cudaError_t> stream_error{cudaSuccess};
  bool misused = false;        // a call while another was in progress
  std::atomic<int> graphs{0};  // that hold a sum: until they are gone, an abort does not return
};

// Never destroyed: an abort may still be running when the process ends.
Made& made() {
  static Made& instance = *new Made;
  return instance;
}

std::vector<std::string> calls() {
  const std::lock_guard lock(made().mutex);
  return made().calls;
}

void note(const ncclComm* comm, const std::string& call) {
  if (comm->polls_left > 0 && call != "abort") made().misused = true;
  if (comm->rank == 0) made().calls.push_back(call);
}

std::int64_t reduced(std::int64_t a, std::int64_t b, ncclRedOp_t operation) {
  if (operation == ncclMin) return std::min(a, b);
  return operation == ncclMax ? std::max(a, b) : a + b;
}

ncclResult_t init(ncclComm_t* comm, int size, ncclUniqueId id, int rank, ncclConfig_t* config) {
  const std::lock_guard lock(made().mutex);
  if (config->blocking != 0 || id.internal[0] != 'i') made().misused = true;
  made().size = size;
  *comm = new ncclComm{.rank = rank};
  note(*comm, "init");
  (*comm)->polls_left = kPolls;
  return ncclInProgress;
}

ncclResult_t get_async_error(ncclComm_t comm, ncclResult_t* state) {
  *state = comm->polls_left > 0 ? ncclInProgress : made().async_error.load();
  comm->polls_left = std::max(0, comm->polls_left - 1);
  return ncclSuccess;
}

ncclResult_t add_up(const void* from, void* to, std::size_t count, ncclDataType_t type,
                    ncclRedOp_t operation, ncclComm_t comm, cudaStream_t stream) {
  const std::lock_guard lock(made().mutex);
  note(comm, "all_reduce");
  if (from != to || type != ncclInt64) made().misused = true;
  made().last_round[stream] = comm->rounds;
  Round& round = made().rounds[comm->rounds++];
  round.buffers[comm->rank] = static_cast<std::int64_t*>(to);
  comm->polls_left = kPolls;
  if (static_cast<int>(round.buffers.size()) < made().size) return ncclInProgress;
  for (std::size_t i = 0; i < count; ++i) {
    std::int64_t total = round.buffers.at(0)[i];
    for (int rank = 1; rank < made().size; ++rank) {
      total = reduced(total, round.buffers.at(rank)[i], operation);
    }
    for (const auto& [rank, buffer] : round.buffers) buffer[i] = total;
  }
  round.done = true;
  return ncclInProgress;
}

ncclResult_t finalize(ncclComm_t comm) {
  const std::lock_guard lock(made().mutex);
  note(comm, "finalize");
  comm->polls_left = kPolls;
  return ncclInProgress;
}

ncclResult_t end(ncclComm_t comm, const char* call) {
  const std::lock_guard lock(made().mutex);
  note(comm, call);
  for (auto& [number, round] : made().rounds) round.buffers.erase(comm->rank);
  delete comm;
  return ncclSuccess;
}

}  // namespace

const Library& ossau::nccl::library() {
  static const Library instance = {
      .get_version = nullptr,
      .get_error_string = [](ncclResult_t) { return "network error"; },
      .get_last_error = [](ncclComm_t) { return "cable cut"; },
      .get_unique_id =
          [](ncclUniqueId* id) {
            id->internal[0] = 'i';
            return ncclSuccess;
          },
      .comm_init_rank_config = init,
      .comm_get_async_error = get_async_error,
      .all_reduce = add_up,
      .comm_finalize = finalize,
      .comm_destroy = [](ncclComm_t comm) { return end(comm, "destroy"); },
      .comm_abort =
          [](ncclComm_t comm) {
            while (made().graphs > 0) std::this_thread::yield();
            return end(comm, "abort");
          },
      .why = ""};
  return instance;
}

// The few functions of CUDA that it calls.
extern "C" {
cudaError_t cudaSetDevice(int) { return cudaSuccess; }
cudaError_t cudaGetLastError() { return cudaSuccess; }
const char* cudaGetErrorString(cudaError_t) { return "an illegal memory access"; }
cudaError_t cudaStreamQuery(cudaStream_t stream) {
  if (made().stream_error != cudaSuccess) return made().stream_error;
  const std::lock_guard lock(made().mutex);
  return made().rounds[made().last_round[stream]].done ? cudaSuccess : cudaErrorNotReady;
}
}

namespace ossau::test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

void start_afresh() {
  const std::lock_guard lock(made().mutex);
  made().calls.clear();
  made().rounds.clear();
  made().last_round.clear();
  made().async_error = ncclSuccess;
  made().stream_error = cudaSuccess;
  made().misused = false;
}

// Runs `work` on every rank, each with its pair; returns what each of them threw.
std::vector<std::string> run_pairs(
    std::int64_t size, double timeout_s,
    const std::function<void(Communicator& pair, Communicator& host)>& work) {
  start_afresh();
  ThreadGroup group(size, 60);
  std::vector<std::string> errors(static_cast<std::size_t>(size));
  std::vector<std::thread> threads;
  for (std::int64_t rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] {
      const auto host = group.communicator(rank);
      try {
        const auto pair = nccl::make_nccl_communicator(
            *host, {.device = static_cast<int>(rank), .timeout_s = timeout_s});
        work(*pair, *host);
      } catch (const std::exception& error) {
        errors[static_cast<std::size_t>(rank)] = error.what();
        abort(*host, error);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(made().misused);
  return errors;
}

CommunicatorCase pair_case(std::int64_t size) {
  return {"nccl_" + std::to_string(size), size,
          [size](const std::function<void(Communicator&)>& work) {
            const auto errors =
                run_pairs(size, 60, [&work](Communicator& pair, Communicator&) { work(pair); });
            EXPECT_THAT(errors, ::testing::Each(""));
          }};
}

INSTANTIATE_TEST_SUITE_P(Nccl, CommunicatorContract, ::testing::Values(pair_case(2), pair_case(4)),
                         [](const auto& each) { return each.param.name; });

// A buffer that passes for one of a GPU, and its stream.
struct GpuBuffer {
  std::vector<std::int64_t> values;
  SumBuffer get() { return {values.data(), values.size(), MemorySpace::kCuda, this}; }
};

TEST(NcclCommunicator, AddsUpBetweenGpusAndEndsInOrder) {
  const auto errors = run_pairs(3, 60, [](Communicator& pair, Communicator&) {
    EXPECT_TRUE(pair.queues(MemorySpace::kCuda));
    const std::int64_t rank = pair.rank().rank;
    GpuBuffer sum{{1, rank}};
    pair.queue_all_reduce(sum.get(), Reduction::kSum, "sums");
    pair.await(sum.get(), "sums");
    EXPECT_THAT(sum.values, ElementsAre(3, 3));
    GpuBuffer extremes{{rank}};
    pair.all_reduce(extremes.get(), Reduction::kMin, "least");
    EXPECT_THAT(extremes.values, ElementsAre(0));
    extremes.values[0] = rank;
    pair.barrier("before the next");
    pair.all_reduce(extremes.get(), Reduction::kMax, "most");
    EXPECT_THAT(extremes.values, ElementsAre(2));
  });
  EXPECT_THAT(errors, ::testing::Each(""));
  EXPECT_THAT(calls(),
              ElementsAre("init", "all_reduce", "all_reduce", "all_reduce", "finalize", "destroy"));
}

TEST(NcclCommunicator, LeavesARankBehindThatDoesNotCome) {
  const auto errors = run_pairs(2, 1, [](Communicator& pair, Communicator& host) {
    pair.set_position({.phase = "training", .epoch = 1, .step = 7});
    if (pair.rank().rank == 1) {
      while (host.gave_up().empty()) std::this_thread::yield();
      return;
    }
    GpuBuffer sum{{1}};
    pair.all_reduce(sum.get(), Reduction::kSum, "gradient sums");
  });
  EXPECT_THAT(errors[0],
              AllOf(HasSubstr("gradient sums: the GPUs did not finish within 1 s; rank 0 waited "
                              "in training, epoch 1, step 7"),
                    HasSubstr("last seen: rank 1 in training, epoch 1, step 7"),
                    HasSubstr("communication.timeout_s")));
  EXPECT_THAT(calls(), ElementsAre("init", "all_reduce", "abort"));
}

TEST(NcclCommunicator, LeavesWhenAnotherRankGaveUp) {
  const auto start = std::chrono::steady_clock::now();
  const auto errors = run_pairs(2, 60, [](Communicator& pair, Communicator&) {
    pair.barrier("start");
    if (pair.rank().rank == 1) throw DataError("the disk is full");
    GpuBuffer sum{{1}};
    pair.all_reduce(sum.get(), Reduction::kSum, "gradient sums");
  });
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
  EXPECT_EQ(errors[0], "rank 1 gave up (start-up): the disk is full; rank 0 leaves (start-up)");
  EXPECT_THAT(calls(), ElementsAre("init", "all_reduce", "abort"));
}

TEST(NcclCommunicator, AbortsWhereItsOwnRankFails) {
  const auto errors = run_pairs(2, 60, [](Communicator& pair, Communicator&) {
    pair.barrier("start");
    if (pair.rank().rank == 0) throw DataError("the disk is full");
  });
  EXPECT_EQ(errors[0], "the disk is full");
  EXPECT_THAT(calls(), ElementsAre("init", "abort"));
}

// As in a training: the communicator is there before the backend's graphs and goes after them.
TEST(NcclCommunicator, DoesNotWaitForGraphsThatItsCallerHolds) {
  const auto errors = run_pairs(2, 60, [](Communicator& pair, Communicator& host) {
    pair.barrier("start");
    made().graphs = 1;
    pair.barrier("graphs are there");
    if (pair.rank().rank == 0) pair.abort("diverged", ExitCode::kConfig);
    while (host.gave_up().empty()) std::this_thread::yield();
    pair.abort("the other has given up", ExitCode::kConfig);
    made().graphs = 0;
  });
  EXPECT_THAT(errors, ::testing::Each(""));
  EXPECT_THAT(calls(), ElementsAre("init", "abort"));
}

TEST(NcclCommunicator, NamesWhatNcclAndCudaReport) {
  // They outlive the ranks: the made-up NCCL may add to that of a rank that has left with an error
  // until its abort is done.
  std::array<GpuBuffer, 2> sums = {GpuBuffer{{1}}, GpuBuffer{{1}}};
  const auto sum_of = [&](const Communicator& pair) {
    return sums.at(static_cast<std::size_t>(pair.rank().rank)).get();
  };
  auto errors = run_pairs(2, 60, [&](Communicator& pair, Communicator&) {
    pair.barrier("start");
    made().async_error = ncclRemoteError;
    pair.all_reduce(sum_of(pair), Reduction::kSum, "sums");
  });
  // One of the two may hear of the other's before it sees its own.
  EXPECT_THAT(errors, ::testing::Each(HasSubstr("sums: NCCL: network error (cable cut); rank ")));
  EXPECT_EQ(calls().back(), "abort");

  std::atomic<int> device_errors = 0;
  errors = run_pairs(2, 60, [&](Communicator& pair, Communicator&) {
    made().stream_error = cudaErrorIllegalAddress;
    try {
      pair.all_reduce(sum_of(pair), Reduction::kSum, "sums");
    } catch (const DeviceError& error) {
      EXPECT_THAT(error.what(), HasSubstr("cuda: sums: an illegal memory access; rank "));
      ++device_errors;
    }
    EXPECT_THROW(pair.all_reduce(sum_of(pair), Reduction::kSum, "more sums"), CommError);
  });
  EXPECT_EQ(device_errors, 2);
}

}  // namespace
}  // namespace ossau::test
