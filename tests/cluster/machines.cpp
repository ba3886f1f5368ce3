#include "cluster/machines.hpp"

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string_view>

namespace ossau::test {
namespace {
namespace fs = std::filesystem;

constexpr std::string_view kMark = "ossau-";
constexpr const char* kNameSpaces = "/run/netns";

bool succeeds(const std::string& command) {
  return std::system(("{ " + command + "; } >/dev/null 2>&1").c_str()) == 0;
}

void must(const std::string& command) {
  if (std::system(("{ " + command + "; } </dev/null >&2").c_str()) == 0) return;
  throw std::runtime_error("failed: " + command);
}

bool is_alive(const std::string& process) {
  const int number = std::atoi(process.c_str());
  return number > 0 && ::kill(number, 0) == 0;
}

void remove_name_spaces(const std::string& prefix) {
  std::error_code ignored;
  for (fs::directory_iterator entry(kNameSpaces, ignored), end; !ignored && entry != end;
       entry.increment(ignored)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with(prefix)) (void)succeeds("ip netns delete " + name);
  }
}

// ossau-PROCESS-NUMBER-...
void remove_those_of_dead_tests() {
  std::error_code ignored;
  for (fs::directory_iterator entry(kNameSpaces, ignored), end; !ignored && entry != end;
       entry.increment(ignored)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with(kMark)) continue;
    const std::string process = name.substr(kMark.size(), name.find('-', kMark.size()));
    if (!is_alive(process)) (void)succeeds("ip netns delete " + name);
  }
}

std::string new_prefix() {
  static int made = 0;
  return std::string(kMark) + std::to_string(::getpid()) + "-" + std::to_string(++made) + "-";
}

}  // namespace

std::string Machines::unavailable() {
  static const std::string reason = [] {
    for (const char* const tool : {"ip", "tc", "nft"}) {
      if (!succeeds(std::string("command -v ") + tool)) {
        return std::string(tool) + " is not installed (scripts/install_dependencies.sh --tests)";
      }
    }
    const std::string name = new_prefix() + "probe";
    const bool made = succeeds("ip netns add " + name + " && ip netns exec " + name +
                               " unshare --uts hostname probe");
    (void)succeeds("ip netns delete " + name);
    return std::string(made ? "" : "this user may not make network namespaces");
  }();
  return reason;
}

Machines::Machines(std::size_t count) : prefix_(new_prefix()), count_(count) {
  remove_those_of_dead_tests();
  const std::string lan = prefix_ + "lan";
  try {
    must("ip netns add " + lan + " && ip -n " + lan + " link add br0 type bridge && ip -n " + lan +
         " link set br0 up");
    for (std::size_t i = 0; i < count; ++i) {
      const std::string here = name_space(i);
      const std::string port = "port" + std::to_string(i);
      must("ip netns add " + here + " && ip link add " + port + " netns " + lan +
           " type veth peer name eth0 netns " + here + " && ip -n " + lan + " link set " + port +
           " master br0 up && ip -n " + here + " addr add " + address(i) +
           "/24 dev eth0 && ip -n " + here + " link set eth0 up && ip -n " + here +
           " link set lo up");
    }
  } catch (...) {
    remove_name_spaces(prefix_);
    throw;
  }
}

Machines::~Machines() { remove_name_spaces(prefix_); }

std::string Machines::name_space(std::size_t machine) const {
  return prefix_ + std::to_string(machine);
}

std::string Machines::address(std::size_t machine) {
  return "10.77.0." + std::to_string(machine + 1);
}

std::string Machines::host(std::size_t machine) { return "node" + std::to_string(machine); }

void Machines::pull_cable(std::size_t machine) const {
  must("ip -n " + prefix_ + "lan link set port" + std::to_string(machine) + " down");
}

void Machines::drop_packets(std::size_t machine) const {
  must("ip netns exec " + name_space(machine) +
       " nft 'table inet lost { chain in { type filter hook input priority 0; iifname eth0 drop; };"
       " chain out { type filter hook output priority 0; oifname eth0 drop; }; }'");
}

void Machines::slow_down(std::size_t machine, const std::string& rate) const {
  must("ip netns exec " + name_space(machine) + " tc qdisc add dev eth0 root tbf rate " + rate +
       " burst 16kb latency 2s");
}

}  // namespace ossau::test
