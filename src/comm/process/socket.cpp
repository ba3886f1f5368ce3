#include "comm/process/socket.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <memory>
#include <utility>

namespace ossau {
namespace {

constexpr int kWaitingConnections = 1024;

[[noreturn]] void fail(const std::string& what, int error) {
  throw SocketError(what + std::strerror(error));
}

using AddressList = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

AddressList resolve(const Endpoint& endpoint, int flags) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int status = ::getaddrinfo(endpoint.host.empty() ? nullptr : endpoint.host.c_str(),
                                   std::to_string(endpoint.port).c_str(), &hints, &found);
  if (status != 0) {
    throw SocketError(fmt::format("the name \"{}\" cannot be resolved: {}", endpoint.host,
                                  ::gai_strerror(status)));
  }
  return {found, &::freeaddrinfo};
}

FileDescriptor open_socket(const addrinfo& address) {
  FileDescriptor descriptor(::socket(
      address.ai_family, address.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address.ai_protocol));
  if (!descriptor.is_open()) fail("no socket: ", errno);
  return descriptor;
}

void set_option(int descriptor, int level, int name) {
  const int on = 1;
  (void)::setsockopt(descriptor, level, name, &on, sizeof on);
}

std::string numeric(const sockaddr* address, socklen_t bytes) {
  std::array<char, NI_MAXHOST> host{};
  if (::getnameinfo(address, bytes, host.data(), host.size(), nullptr, 0, NI_NUMERICHOST) != 0) {
    return "?";
  }
  return host.data();
}

using NameOf = int (*)(int, sockaddr*, socklen_t*);

std::string numeric_name(int descriptor, NameOf name_of) {
  sockaddr_storage storage{};
  socklen_t bytes = sizeof storage;
  auto* const address = reinterpret_cast<sockaddr*>(&storage);
  if (name_of(descriptor, address, &bytes) != 0) return "?";
  return numeric(address, bytes);
}

void await_connection(int descriptor, const Deadline& deadline) {
  pollfd poll{.fd = descriptor, .events = POLLOUT, .revents = 0};
  int ready = 0;
  do {
    ready = ::poll(&poll, 1, static_cast<int>(std::ceil(deadline.left_s() * 1000)));
  } while (ready < 0 && errno == EINTR);
  if (ready == 0) throw SocketError("no answer");
  int error = 0;
  socklen_t bytes = sizeof error;
  (void)::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &bytes);
  if (error != 0) fail("", error);
}

Socket connect_one(const addrinfo& address, const Deadline& deadline) {
  FileDescriptor descriptor = open_socket(address);
  if (::connect(descriptor.get(), address.ai_addr, address.ai_addrlen) != 0) {
    if (errno != EINPROGRESS) fail("", errno);
    await_connection(descriptor.get(), deadline);
  }
  return Socket(std::move(descriptor));
}

bool would_block(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

}  // namespace

std::string to_string(const Endpoint& endpoint) {
  const bool ipv6 = endpoint.host.find(':') != std::string::npos;
  return fmt::format(fmt::runtime(ipv6 ? "[{}]:{}" : "{}:{}"), endpoint.host, endpoint.port);
}

Socket::Socket(FileDescriptor descriptor) : descriptor_(std::move(descriptor)) {
  set_option(descriptor_.get(), IPPROTO_TCP, TCP_NODELAY);  // small messages must not wait
}

void Socket::end_sending() const noexcept { (void)::shutdown(descriptor(), SHUT_WR); }

std::size_t Socket::send_some(std::span<const std::byte> bytes) const {
  const ssize_t sent = ::send(descriptor(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent >= 0) return static_cast<std::size_t>(sent);
  if (would_block(errno)) return 0;
  fail("", errno);
}

std::size_t Socket::receive_some(std::span<std::byte> bytes) const {
  if (bytes.empty()) return 0;
  const ssize_t received = ::recv(descriptor(), bytes.data(), bytes.size(), 0);
  if (received > 0) return static_cast<std::size_t>(received);
  if (received == 0) throw SocketError("the other side closed the connection");
  if (would_block(errno)) return 0;
  fail("", errno);
}

void Socket::send_all(std::span<const std::byte> bytes, const Deadline& deadline) const {
  while (!bytes.empty()) {
    const std::size_t sent = send_some(bytes);
    bytes = bytes.subspan(sent);
    if (sent > 0) continue;
    if (deadline.passed()) throw SocketError("no answer");
    const std::array<int, 1> writable = {descriptor()};
    wait_for({}, writable, deadline.left_s());
  }
}

void Socket::receive_all(std::span<std::byte> bytes, const Deadline& deadline) const {
  while (!bytes.empty()) {
    const std::size_t received = receive_some(bytes);
    bytes = bytes.subspan(received);
    if (received > 0) continue;
    if (deadline.passed()) throw SocketError("no answer");
    const std::array<int, 1> readable = {descriptor()};
    wait_for(readable, {}, deadline.left_s());
  }
}

std::string Socket::local_host() const { return numeric_name(descriptor(), ::getsockname); }
std::string Socket::peer_host() const { return numeric_name(descriptor(), ::getpeername); }

Socket connect_to(const Endpoint& endpoint, const Deadline& deadline) {
  const AddressList addresses = resolve(endpoint, 0);
  std::string reason = "no address";
  for (const addrinfo* address = addresses.get(); address != nullptr; address = address->ai_next) {
    try {
      return connect_one(*address, deadline);
    } catch (const SocketError& error) {
      reason = error.what();
    }
  }
  throw SocketError(reason);
}

Listener::Listener(const Endpoint& endpoint) {
  const AddressList addresses = resolve(endpoint, AI_PASSIVE);
  int error = EADDRNOTAVAIL;
  for (const addrinfo* address = addresses.get(); address != nullptr; address = address->ai_next) {
    FileDescriptor descriptor = open_socket(*address);
    set_option(descriptor.get(), SOL_SOCKET, SO_REUSEADDR);  // that of a run that just ended
    if (::bind(descriptor.get(), address->ai_addr, address->ai_addrlen) == 0 &&
        ::listen(descriptor.get(), kWaitingConnections) == 0) {
      descriptor_ = std::move(descriptor);
      return;
    }
    error = errno;
  }
  fail("", error);
}

std::string Listener::host() const { return numeric_name(descriptor(), ::getsockname); }

std::uint16_t Listener::port() const {
  sockaddr_storage storage{};
  socklen_t bytes = sizeof storage;
  (void)::getsockname(descriptor(), reinterpret_cast<sockaddr*>(&storage), &bytes);
  // At the same place in both kinds of address.
  return ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
}

std::optional<Socket> Listener::accept() const {
  FileDescriptor descriptor(
      ::accept4(descriptor_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!descriptor.is_open() && (errno == EMFILE || errno == ENFILE)) {
    throw SocketError("too many open files for so many ranks (raise `ulimit -n`)");
  }
  if (!descriptor.is_open()) return std::nullopt;  // nobody waits, or who did went away
  return Socket(std::move(descriptor));
}

std::vector<std::string> local_addresses(const std::string& interface) {
  ifaddrs* found = nullptr;
  if (::getifaddrs(&found) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(found, &::freeifaddrs);
  std::vector<std::string> addresses[2];  // IPv4, IPv6
  for (const ifaddrs* each = found; each != nullptr; each = each->ifa_next) {
    if (each->ifa_addr == nullptr || (each->ifa_flags & IFF_UP) == 0) continue;
    const bool wanted =
        interface.empty() ? (each->ifa_flags & IFF_LOOPBACK) == 0 : interface == each->ifa_name;
    const int family = each->ifa_addr->sa_family;
    if (!wanted || (family != AF_INET && family != AF_INET6)) continue;
    const bool ipv4 = family == AF_INET;
    const auto bytes = static_cast<socklen_t>(ipv4 ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    addresses[ipv4 ? 0 : 1].push_back(numeric(each->ifa_addr, bytes));
  }
  std::vector<std::string> all = std::move(addresses[0]);
  all.insert(all.end(), addresses[1].begin(), addresses[1].end());
  return all;
}

bool is_only_loopback(const std::string& host) {
  const AddressList addresses = resolve({host, 0}, 0);
  for (const addrinfo* address = addresses.get(); address != nullptr; address = address->ai_next) {
    const std::string number = numeric(address->ai_addr, address->ai_addrlen);
    if (!number.starts_with("127.") && number != "::1") return false;
  }
  return true;
}

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "?";
  return name.data();
}

std::vector<int> wait_for(std::span<const int> readable, std::span<const int> writable,
                          double seconds) {
  std::vector<pollfd> polls;
  polls.reserve(readable.size() + writable.size());
  for (const int descriptor : readable) {
    polls.push_back({.fd = descriptor, .events = POLLIN, .revents = 0});
  }
  for (const int descriptor : writable) {
    polls.push_back({.fd = descriptor, .events = POLLOUT, .revents = 0});
  }
  std::vector<int> ready;
  if (::poll(polls.data(), polls.size(), static_cast<int>(std::ceil(seconds * 1000))) <= 0) {
    return ready;
  }
  for (const pollfd& poll : polls) {
    if (poll.revents != 0) ready.push_back(poll.fd);
  }
  return ready;
}

}  // namespace ossau
