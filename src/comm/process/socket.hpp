#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/file_descriptor.hpp"

namespace ossau {

/// What went wrong with a connection, in the system's words.  Whoever knows which rank is at the
/// other end makes a CommError of it.
class SocketError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Where a process can be reached.
struct Endpoint {
  std::string host;  // a name or a number
  std::uint16_t port = 0;
};
std::string to_string(const Endpoint& endpoint);

/// A TCP connection that never blocks.
class Socket {
 public:
  Socket() = default;
  explicit Socket(FileDescriptor descriptor);

  int descriptor() const { return descriptor_.get(); }
  bool is_open() const { return descriptor_.is_open(); }
  void close() noexcept { descriptor_.close(); }
  /// The other side reads the end after what was sent.
  void end_sending() const noexcept;

  /// Bytes sent or received at once; 0: none can be now.  Throws SocketError, also for receiving
  /// where the other side has closed.
  std::size_t send_some(std::span<const std::byte> bytes) const;
  std::size_t receive_some(std::span<std::byte> bytes) const;

  /// All of `bytes` before the deadline.  Throws SocketError.
  void send_all(std::span<const std::byte> bytes, const Deadline& deadline) const;
  void receive_all(std::span<std::byte> bytes, const Deadline& deadline) const;

  /// The addresses of this side and of the other one, as numbers.
  std::string local_host() const;
  std::string peer_host() const;

 private:
  FileDescriptor descriptor_;
};

/// Tries every address that the name has, until one answers or the deadline passes.
/// Throws SocketError.
Socket connect_to(const Endpoint& endpoint, const Deadline& deadline);

/// Waits for connections.
class Listener {
 public:
  /// host: the address to listen on, or empty for all.  port 0: any that is free.
  /// Throws SocketError.
  explicit Listener(const Endpoint& endpoint);

  int descriptor() const { return descriptor_.get(); }
  std::uint16_t port() const;
  std::string host() const;
  /// The next connection, where one waits.  Throws SocketError where the process may open no more.
  std::optional<Socket> accept() const;

 private:
  FileDescriptor descriptor_;
};

/// Numeric addresses of this machine that others might reach, IPv4 first; those of one interface
/// where it is named.
std::vector<std::string> local_addresses(const std::string& interface = "");

/// Whether the name stands for nothing but this machine's loopback.  Throws SocketError where it
/// stands for nothing.
bool is_only_loopback(const std::string& host);

/// This machine's name.
std::string host_name();

/// Waits until one descriptor can be read or another be written, but no longer than `seconds`.
/// Returns those, and those that were closed.
std::vector<int> wait_for(std::span<const int> readable, std::span<const int> writable,
                          double seconds);

}  // namespace ossau
