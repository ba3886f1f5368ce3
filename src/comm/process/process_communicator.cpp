#include "comm/process/process_communicator.hpp"

#include <fmt/format.h>

#include <exception>
#include <utility>

#include "core/log.hpp"
#include "ossau/error.hpp"

namespace ossau {
namespace {

class ProcessCommunicator final : public Communicator {
 public:
  ProcessCommunicator(Circle circle, RankInfo me, const ConnectTransport& connect,
                      const MonitorSettings& settings)
      : me_(me), timeout_s_(settings.timeout_s), monitor_(std::move(circle), me, settings) {
    try {
      transport_ = connect(monitor_.members(), [this] { check_alive(); });
    } catch (const std::exception& error) {
      ossau::abort(*this, error);
      throw;
    }
  }

  ~ProcessCommunicator() override {
    if (monitor_.over()) return;
    monitor_.expect_end();
    try {
      transport_->finish();
    } catch (const std::exception& error) {
      log_warning(fmt::format("end: {}", error.what()));  // the work is done
    }
  }
  ProcessCommunicator(const ProcessCommunicator&) = delete;
  ProcessCommunicator& operator=(const ProcessCommunicator&) = delete;

  RankInfo rank() const override { return me_; }
  RankInfo local_rank() const override { return member().local; }
  std::int64_t core_sharers() const override { return member().core_sharers; }

  void all_reduce(SumBuffer buffer, Reduction reduction, std::string_view operation) override {
    if (buffer.space != MemorySpace::kHost) {
      throw CommError("ranks of several processes: the buffer is not in host memory");
    }
    call(operation, [&](const TransportCall& call) {
      transport_->all_reduce(buffer.host(), reduction, call);
    });
  }

  void all_gather(std::span<const std::int64_t> mine, std::span<const std::size_t> sizes,
                  std::span<std::int64_t> all, std::string_view operation) override {
    call(operation,
         [&](const TransportCall& call) { transport_->all_gather(mine, sizes, all, call); });
  }

  void broadcast(std::span<std::byte> bytes, std::int64_t root,
                 std::string_view operation) override {
    call(operation, [&](const TransportCall& call) { transport_->broadcast(bytes, root, call); });
  }

  void barrier(std::string_view operation) override {
    call(operation, [&](const TransportCall& call) { transport_->barrier(call); });
  }

  void abort(const std::string& reason, ExitCode code) noexcept override {
    try {
      monitor_.give_up(reason, code);
    } catch (const std::exception&) {
      return;  // no memory for words: the others will miss this rank
    }
  }

  std::string gave_up() const override {
    if (!monitor_.over()) return {};
    return monitor_.verdict()->text;
  }

  void set_position(Position position) override {
    position_ = position;
    monitor_.set_position(position);
  }
  std::string last_seen() const override { return monitor_.last_seen(); }

 private:
  const Member& member() const { return monitor_.members()[static_cast<std::size_t>(me_.rank)]; }

  template <class Work>
  void call(std::string_view operation, const Work& work) {
    check_alive();
    monitor_.begin(operation);
    Deadline deadline(timeout_s_);
    Stopwatch since_look;
    const std::function<void()> look = [&] {
      check_alive();
      // Who was not running could not see the others come.
      if (since_look.seconds() > pause_s(timeout_s_)) deadline = Deadline(timeout_s_);
      since_look = Stopwatch();
      if (deadline.passed()) leave(monitor_.blame(operation));
    };
    try {
      work(TransportCall{.operation = operation, .number = ++calls_, .look = look});
    } catch (const TransportError& error) {
      leave(monitor_.explain(fmt::format("{}: {}", operation, error.what())));
    }
    monitor_.end();
  }

  void check_alive() const {
    if (monitor_.over()) leave(*monitor_.verdict());
  }

  [[noreturn]] void leave(const Verdict& verdict) const {
    throw CommError(
        fmt::format("{}; rank {} leaves ({})", verdict.text, me_.rank, describe(position_)),
        verdict.code);
  }

  RankInfo me_;
  double timeout_s_;
  Position position_;
  std::uint64_t calls_ = 0;
  std::unique_ptr<Transport> transport_;
  Monitor monitor_;
};

}  // namespace

std::unique_ptr<Communicator> make_process_communicator(Circle circle, RankInfo me,
                                                        const ConnectTransport& connect,
                                                        const MonitorSettings& settings) {
  return std::make_unique<ProcessCommunicator>(std::move(circle), me, connect, settings);
}

}  // namespace ossau
