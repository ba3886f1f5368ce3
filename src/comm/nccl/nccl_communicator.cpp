#include "comm/nccl/nccl_communicator.hpp"

#include <cuda_runtime_api.h>
#include <fmt/format.h>

#include <chrono>
#include <exception>
#include <future>
#include <memory>
#include <thread>

#include "comm/nccl/nccl_library.hpp"
#include "core/clock.hpp"
#include "ossau/error.hpp"

namespace ossau::nccl {
namespace {

// NCCL has no deadlines: a rank whose peer is gone waits for ever.  So nothing here blocks: the
// communicator is a non-blocking one, whatever it does is polled, and who waits looks around for
// errors, for ranks that gave up and at the clock.  A rank that fails aborts its own communicator,
// which stops its kernels; the others hear of it from the host communicator and do the same.  Each
// rank is one thread, so nobody else is inside NCCL with this communicator meanwhile.
struct Aborter {
  void operator()(ncclComm_t comm) const noexcept { (void)library().comm_abort(comm); }
};
using Handle = std::unique_ptr<ncclComm, Aborter>;

// NCCL's abort returns only once every graph that holds one of its sums is gone, and those go after
// whoever asked for it: so it runs on a thread of its own, and a rank that leaves waits for it, as
// long as for any other call.
class BackgroundAbort {
 public:
  explicit BackgroundAbort(double timeout_s) : timeout_s_(timeout_s) {}
  ~BackgroundAbort() {
    if (done_.valid()) (void)done_.wait_for(std::chrono::duration<double>(timeout_s_));
  }
  BackgroundAbort(const BackgroundAbort&) = delete;
  BackgroundAbort& operator=(const BackgroundAbort&) = delete;

  void begin(ncclComm_t comm) noexcept {
    try {
      const auto done = std::make_shared<std::promise<void>>();
      done_ = done->get_future();
      std::thread([comm, done] {
        (void)library().comm_abort(comm);
        done->set_value();
      }).detach();
    } catch (const std::exception&) {
      done_ = {};  // no thread to be had: what is queued ends with the process
    }
  }

 private:
  double timeout_s_;
  std::future<void> done_;  // valid once begun
};

ncclRedOp_t nccl_operation(Reduction reduction) {
  switch (reduction) {
    case Reduction::kMin:
      return ncclMin;
    case Reduction::kMax:
      return ncclMax;
    case Reduction::kSum:
      break;
  }
  return ncclSum;
}

std::string words(ncclResult_t result) {
  const char* last = library().get_last_error(nullptr);
  const std::string detail = last == nullptr || *last == '\0' ? "" : fmt::format(" ({})", last);
  return fmt::format("NCCL: {}{}", library().get_error_string(result), detail);
}

class NcclCommunicator : public Communicator {
 public:
  NcclCommunicator(Communicator& host, DeviceRank mine)
      : host_(host), rank_(host.rank()), timeout_s_(mine.timeout_s), abort_(mine.timeout_s) {
    const cudaError_t status = cudaSetDevice(mine.device);
    if (status != cudaSuccess) fail_device("use the device", status);
    start(exchange_id());
  }

  ~NcclCommunicator() override {
    // A rank on its way out of an error waits for nobody.
    if (comm_ == nullptr || std::uncaught_exceptions() > exceptions_) return;
    try {
      take(library().comm_finalize(comm_.get()), "end of communication");
      (void)library().comm_destroy(comm_.release());
    } catch (const std::exception&) {
      comm_.reset();  // what there was to say has been said
    }
  }
  NcclCommunicator(const NcclCommunicator&) = delete;
  NcclCommunicator& operator=(const NcclCommunicator&) = delete;

  RankInfo rank() const override { return rank_; }
  RankInfo local_rank() const override { return host_.local_rank(); }
  std::int64_t core_sharers() const override { return host_.core_sharers(); }

  void all_reduce(SumBuffer buffer, Reduction reduction, std::string_view operation) override {
    if (buffer.space == MemorySpace::kHost) {
      host_.all_reduce(buffer, reduction, operation);
      return;
    }
    queue_all_reduce(buffer, reduction, operation);
    await(buffer, operation);
  }

  bool queues(MemorySpace space) const override { return space == MemorySpace::kCuda; }

  void queue_all_reduce(SumBuffer buffer, Reduction reduction,
                        std::string_view operation) override {
    if (buffer.space == MemorySpace::kHost) {
      host_.queue_all_reduce(buffer, reduction, operation);
      return;
    }
    if (buffer.size == 0) return;
    check_alive(operation);
    // A non-blocking communicator queues its kernels from a thread of its own; the stream may be
    // used again, and a graph ended, once it is ready.
    take(library().all_reduce(buffer.data, buffer.data, buffer.size, ncclInt64,
                              nccl_operation(reduction), comm_.get(), stream_of(buffer)),
         operation);
  }

  void await(SumBuffer buffer, std::string_view operation) override {
    if (buffer.space == MemorySpace::kHost) {
      host_.await(buffer, operation);
      return;
    }
    check_alive(operation);
    // Asking the stream costs about a microsecond, looking around more.
    constexpr int kQueriesPerLook = 50;
    const Stopwatch clock;
    for (int query = 1; !is_done(buffer, operation); ++query) {
      if (query % kQueriesPerLook != 0) continue;
      (void)is_ready(operation);
      look_around(clock, operation);
      std::this_thread::yield();
    }
    // After an error in the network a stream may end as if nothing had been.
    (void)is_ready(operation);
  }

  void all_gather(std::span<const std::int64_t> mine, std::span<const std::size_t> sizes,
                  std::span<std::int64_t> all, std::string_view operation) override {
    host_.all_gather(mine, sizes, all, operation);
  }
  void broadcast(std::span<std::byte> bytes, std::int64_t root,
                 std::string_view operation) override {
    host_.broadcast(bytes, root, operation);
  }
  void barrier(std::string_view operation) override { host_.barrier(operation); }

  void abort(const std::string& reason, ExitCode code) noexcept override {
    host_.abort(reason, code);
    give_up();
  }
  std::string gave_up() const override { return host_.gave_up(); }
  std::string last_seen() const override { return host_.last_seen(); }

  void set_position(Position position) override {
    position_ = position;
    host_.set_position(position);
  }

 private:
  static cudaStream_t stream_of(SumBuffer buffer) {
    return static_cast<cudaStream_t>(buffer.stream);
  }

  ncclUniqueId exchange_id() {
    ncclUniqueId id = {};
    if (rank_.rank == 0) {
      const ncclResult_t result = library().get_unique_id(&id);
      if (result != ncclSuccess) fail("start of NCCL: " + words(result));
    }
    host_.broadcast(std::as_writable_bytes(std::span(&id, 1)), 0, "start of NCCL");
    return id;
  }

  void start(const ncclUniqueId& id) {
    ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
    config.blocking = 0;
    ncclComm_t comm = nullptr;
    const ncclResult_t result = library().comm_init_rank_config(
        &comm, static_cast<int>(rank_.size), id, static_cast<int>(rank_.rank), &config);
    comm_.reset(comm);
    if (comm == nullptr) fail("start of NCCL: " + words(result));
    take(result, "start of NCCL");
  }

  // What a call of NCCL returned; waits until NCCL is done with the call.
  void take(ncclResult_t result, std::string_view operation) {
    if (result != ncclSuccess && result != ncclInProgress) fail_nccl(result, operation);
    const Stopwatch clock;
    while (!is_ready(operation)) {
      look_around(clock, operation);
      std::this_thread::yield();
    }
  }

  // Whether NCCL has nothing left to do but what is queued; throws where it failed.
  bool is_ready(std::string_view operation) {
    ncclResult_t state = ncclSuccess;
    const ncclResult_t result = library().comm_get_async_error(comm_.get(), &state);
    if (result != ncclSuccess) fail_nccl(result, operation);
    if (state == ncclInProgress) return false;
    if (state != ncclSuccess) fail_nccl(state, operation);
    return true;
  }

  bool is_done(SumBuffer buffer, std::string_view operation) {
    const cudaError_t status = cudaStreamQuery(stream_of(buffer));
    if (status == cudaSuccess) return true;
    (void)cudaGetLastError();
    if (status != cudaErrorNotReady) fail_device(operation, status);
    return false;
  }

  void look_around(const Stopwatch& clock, std::string_view operation) {
    const std::string reason = host_.gave_up();
    if (!reason.empty()) {
      fail(fmt::format("{}; rank {} leaves ({})", reason, rank_.rank, describe(position_)));
    }
    if (clock.seconds() <= timeout_s_) return;
    fail(fmt::format(
        "{}: the GPUs did not finish within {:g} s; rank {} waited in {}, the others were last "
        "seen: {} (if it is only slow, raise communication.timeout_s)",
        operation, timeout_s_, rank_.rank, describe(position_), host_.last_seen()));
  }

  void check_alive(std::string_view operation) const {
    if (comm_ != nullptr) return;
    throw CommError(fmt::format("{}: rank {} has given up before ({})", operation, rank_.rank,
                                describe(position_)));
  }

  [[noreturn]] void fail_nccl(ncclResult_t result, std::string_view operation) {
    const std::string reason = host_.gave_up();  // then NCCL's error is a consequence
    fail(fmt::format("{}{}: {}; rank {} leaves ({})", reason.empty() ? "" : reason + "; ",
                     operation, words(result), rank_.rank, describe(position_)));
  }

  // Stops what is queued here, without waiting.
  void give_up() noexcept {
    if (comm_ != nullptr) abort_.begin(comm_.release());
  }

  [[noreturn]] void fail(const std::string& message) {
    give_up();
    throw CommError(message);
  }

  [[noreturn]] void fail_device(std::string_view operation, cudaError_t status) {
    give_up();
    throw DeviceError(fmt::format("cuda: {}: {}; rank {} leaves ({})", operation,
                                  cudaGetErrorString(status), rank_.rank, describe(position_)));
  }

  Communicator& host_;
  RankInfo rank_;
  double timeout_s_;
  int exceptions_ = std::uncaught_exceptions();
  Position position_;
  BackgroundAbort abort_;  // begun once this rank has given up
  Handle comm_;
};

}  // namespace

std::unique_ptr<Communicator> make_nccl_communicator(Communicator& host, DeviceRank mine) {
  if (!library().why.empty()) throw DeviceError(library().why);
  return std::make_unique<NcclCommunicator>(host, mine);
}

}  // namespace ossau::nccl
