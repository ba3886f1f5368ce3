#include "comm/process/join.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "arith/contract.hpp"
#include "comm/mpi_module.hpp"
#include "comm/process/handshake.hpp"
#include "comm/process/launcher.hpp"
#include "comm/process/process_communicator.hpp"
#include "comm/process/tcp_transport.hpp"
#include "config/check.hpp"
#include "config/write.hpp"
#include "core/log.hpp"
#include "ossau/ossau.hpp"

namespace ossau {
namespace {

constexpr double kRetrySeconds = 0.2;

// What the ranks must agree on: all keys but those that say where and how one of them runs.
void add_common_facts(const Config& config, std::map<std::string, std::string>& facts) {
  facts["program"] = "ossau " + version();
  facts["data.validation"] = config.data.validation.empty() ? "null" : "given";
  facts["arithmetic"] = fmt::format("exact-{}", kExactVersion);
  for (auto& [key, value] : config_values(config)) {
    const bool is_path = key == "data.train" || key.starts_with("data.train.") ||
                         key == "data.validation" || key.starts_with("data.validation.");
    const bool is_local = is_path || key.starts_with("run.") || key.starts_with("checkpoint.") ||
                          key == "communication.interface";
    if (!is_local) facts[key] = std::move(value);
  }
}

void check_size(const Config& config, std::int64_t size) {
  const std::optional<std::int64_t> asked = config.run.ranks;
  if (asked && asked != RunConfig::kAllGpus && asked != size) {
    throw ConfigError(fmt::format(
        "run.ranks: {}, but the launcher started {} (leave it out: the launcher decides)", *asked,
        size));
  }
  check_processes(config, size);
}

// Whoever reads standard error may have stopped doing so, and another thread wait for that with the
// log's lock: words get a second, then the process ends without them.
[[noreturn]] void end_now(const std::string& text, ExitCode code) {
  const auto said = std::make_shared<std::promise<void>>();
  std::thread([said, text] {
    log_error(text);
    said->set_value();
  }).detach();
  (void)said->get_future().wait_for(std::chrono::seconds(1));
  std::_Exit(static_cast<int>(code));
}

void end_process(const Verdict& verdict) {
  end_now(verdict.text + "; this rank could not leave in time and ends here", verdict.code);
}

MonitorSettings monitor_settings(const Config& config) {
  return {.timeout_s = config.communication.timeout_s, .end_process = end_process};
}

// The address of this machine on the interface that the configuration names; empty: none named.
std::string interface_address(const CommunicationConfig& config) {
  if (!config.interface) return {};
  const std::vector<std::string> addresses = local_addresses(*config.interface);
  if (!addresses.empty()) return addresses.front();
  throw ConfigError(fmt::format(
      "communication.interface: {}: {} has no such network interface, or it is down (see `ip "
      "address`)",
      *config.interface, host_name()));
}

bool is_loopback_by_name(const std::string& host) {
  return host == "localhost" || host.starts_with("127.") || host == "::1";
}

// Many systems take their own name for loopback, where nobody else could come.
Listener listen_at(const Endpoint& master) {
  const bool misleads = !is_loopback_by_name(master.host) && is_only_loopback(master.host);
  return Listener({misleads ? "" : master.host, master.port});
}

// The name may be published, and the port of a run before be free, only after a while.
Listener listen_at_meeting_point(const Endpoint& master, double timeout_s) {
  const Deadline deadline(timeout_s);
  std::string reason;
  do {
    try {
      return listen_at(master);
    } catch (const SocketError& error) {
      reason = error.what();
    }
    wait_for({}, {}, std::min(kRetrySeconds, deadline.left_s()));
  } while (!deadline.passed());
  throw CommError(fmt::format(
      "start: rank 0 ({}) cannot listen at {}: {} (MASTER_ADDR must be an address of rank 0's "
      "machine, and MASTER_PORT be free there)",
      host_name(), to_string(master), reason));
}

// The environment tells where to meet; numbers go over TCP.
std::unique_ptr<Communicator> join_by_environment(const Config& config, const Launch& launch,
                                                  Member me) {
  const double timeout_s = config.communication.timeout_s;
  const std::string own = interface_address(config.communication);
  std::optional<Listener> listener;
  // here: the address of this machine that rank 0 was reached from, or waits at.
  const auto listen = [&](const std::string& here) {
    const std::string host = own.empty() ? here : own;
    listener.emplace(Endpoint{host, 0});
    return Endpoint{host, listener->port()};
  };
  Circle circle;
  if (launch.rank.rank == 0) {
    const Listener meeting_point = listen_at_meeting_point(launch.master, timeout_s);
    me.data = listen(meeting_point.host());
    circle = await_members(meeting_point, me, launch.token, timeout_s);
  } else {
    circle = join_members({launch.master}, std::move(me), launch.token, timeout_s, listen);
  }
  const auto connect = [&](const std::vector<Member>& members, const std::function<void()>& look) {
    return make_tcp_transport(*listener, launch.rank, members, launch.token, timeout_s, look);
  };
  return make_process_communicator(std::move(circle), launch.rank, connect,
                                   monitor_settings(config));
}

// Calls of a transport before there is a monitor.
class FirstCalls {
 public:
  FirstCalls(Transport& transport, double timeout_s)
      : transport_(transport), deadline_(timeout_s), look_([this] {
          if (deadline_.passed()) throw TransportError("the other ranks do not answer");
        }) {}

  void broadcast(std::span<std::byte> bytes) {
    transport_.broadcast(bytes, 0, {.operation = "start", .number = ++calls_, .look = look_});
  }
  std::int64_t largest(std::int64_t number) {
    transport_.all_reduce({&number, 1}, Reduction::kMax,
                          {.operation = "start", .number = ++calls_, .look = look_});
    return number;
  }
  std::string broadcast_text(std::string text) {
    auto size = static_cast<std::int64_t>(text.size());
    broadcast(std::as_writable_bytes(std::span(&size, 1)));
    text.resize(static_cast<std::size_t>(size));
    broadcast(std::as_writable_bytes(std::span(text)));
    return text;
  }

 private:
  Transport& transport_;
  Deadline deadline_;
  std::function<void()> look_;
  std::uint64_t calls_ = 0;
};

// What rank 0 tells the others through MPI: where its monitor listens, and the password.
struct MeetingPoint {
  std::string token;
  std::vector<std::string> hosts;
  std::uint16_t port = 0;
};

nlohmann::json to_json(const MeetingPoint& point) {
  return {{"token", point.token}, {"hosts", point.hosts}, {"port", point.port}};
}

MeetingPoint meeting_point_from_json(const nlohmann::json& json) {
  return {.token = json.at("token"),
          .hosts = json.at("hosts").get<std::vector<std::string>>(),
          .port = json.at("port")};
}

constexpr const char* kLoopback = "127.0.0.1";

// Its name, and since when it runs: two machines may both be called localhost.
std::string machine_identity() {
  std::string boot;
  std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), boot);
  return host_name() + " " + boot;
}

// MPI carries the numbers; who lives is watched over TCP, since MPI cannot tell.
Circle meet_through_mpi(const Config& config, Transport& transport, Member me) {
  const double timeout_s = config.communication.timeout_s;
  FirstCalls calls(transport, timeout_s);
  const std::string machine = machine_identity();
  const bool one_machine = calls.largest(calls.broadcast_text(machine) == machine ? 0 : 1) == 0;
  if (me.rank.rank == 0) {
    const std::string own = interface_address(config.communication);
    const std::string host = one_machine ? kLoopback : own;
    const Listener listener(Endpoint{host, 0});
    const MeetingPoint point{
        .token = random_token(),
        .hosts = host.empty() ? local_addresses() : std::vector<std::string>{host},
        .port = listener.port()};
    calls.broadcast_text(to_json(point).dump());
    return await_members(listener, me, point.token, timeout_s);
  }
  const MeetingPoint point =
      meeting_point_from_json(nlohmann::json::parse(calls.broadcast_text({})));
  std::vector<Endpoint> candidates;
  for (const std::string& host : point.hosts) candidates.push_back({host, point.port});
  return join_members(candidates, std::move(me), point.token, timeout_s,
                      [](const std::string&) { return Endpoint{}; });
}

// A rank that does not come keeps the others in MPI's start for ever, and nothing calls them back.
mpi::Start start_mpi(const mpi::ModuleTable& module, double timeout_s) {
  std::mutex mutex;
  std::condition_variable_any never;
  const std::jthread limit([&](const std::stop_token& started) {
    std::unique_lock lock(mutex);
    never.wait_for(lock, started, std::chrono::duration<double>(timeout_s), [] { return false; });
    if (started.stop_requested()) return;
    end_now(
        fmt::format(
            "start: {}: MPI did not start within {:g} s: another rank has ended or stalled before "
            "it "
            "came (its own messages say why; if it is only late, raise communication.timeout_s)",
            host_name(), timeout_s),
        ExitCode::kCommunication);
  });
  return module.start();
}

std::unique_ptr<Communicator> join_by_mpi(const Config& config, Member me) {
  std::string why;
  const mpi::ModuleTable* const module = mpi_module(&why);
  if (module == nullptr) {
    throw CommError(fmt::format(
        "an MPI launcher started several ranks, and {} (build with MPI, or set "
        "communication.launcher: none for runs that have nothing to do with each other)",
        why));
  }
  try {
    mpi::Start start = start_mpi(*module, config.communication.timeout_s);
    me.rank = start.rank;
    set_log_rank(static_cast<int>(start.rank.rank));
    check_size(config, start.rank.size);
    Circle circle = meet_through_mpi(config, *start.transport, std::move(me));
    const auto connect = [&](const auto&, const auto&) { return std::move(start.transport); };
    return make_process_communicator(std::move(circle), start.rank, connect,
                                     monitor_settings(config));
  } catch (const TransportError& error) {
    throw CommError(fmt::format("start: {}: {}", host_name(), error.what()));
  } catch (const SocketError& error) {
    throw CommError(fmt::format("start: {}: no connection for watching over the ranks: {}",
                                host_name(), error.what()));
  }
}

}  // namespace

std::unique_ptr<Communicator> join_processes(const Config& config, const Facts& more_facts) {
  const Launch launch = find_launch(config.communication.launcher, environment_variable);
  if (launch.launcher == Launcher::kNone) return nullptr;
  std::map<std::string, std::string> facts = more_facts();
  add_common_facts(config, facts);
  Member me = this_process(launch.rank, std::move(facts));
  if (launch.local_rank) me.local.rank = *launch.local_rank;
  if (launch.launcher == Launcher::kMpi) return join_by_mpi(config, std::move(me));
  set_log_rank(static_cast<int>(launch.rank.rank));
  check_size(config, launch.rank.size);
  try {
    return join_by_environment(config, launch, std::move(me));
  } catch (const SocketError& error) {
    throw CommError(fmt::format("start: {}: {}", host_name(), error.what()));
  }
}

}  // namespace ossau
