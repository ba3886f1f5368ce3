#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>

#include "comm/process/socket.hpp"

namespace ossau {

// Both sides of a new connection show that they know the job's token without sending it:
//   client -> server   what it speaks, and a random number
//   server -> client   a random number
//   client -> server   HMAC-SHA256(token, "client", both numbers)
//   server -> client   HMAC-SHA256(token, "server", both numbers); else it closes the connection
// So a process of another job, or another program, is told apart before anything it says is read.

inline constexpr std::size_t kNonceBytes = 32;
using Nonce = std::array<std::byte, kNonceBytes>;
using Proof = std::array<std::byte, 32>;

/// 256 random bits in hexadecimal.
std::string random_token();

/// The client's side.  Throws SocketError.
void prove_to_server(const Socket& socket, const std::string& token, const Deadline& deadline);

/// The server's side, a step at a time: a stranger who says nothing must not keep others waiting.
class GuestHandshake {
 public:
  /// Takes what has arrived.  True once the other side has shown the token.  Throws SocketError
  /// where it has not, with the reason.
  bool advance(const Socket& socket, const std::string& token);

 private:
  enum class Stage { kGreeting, kProof, kDone };

  template <std::size_t size>
  bool fill(const Socket& socket, std::array<std::byte, size>& bytes);
  void greet(const Socket& socket);

  static constexpr std::size_t kMagicBytes = 8;

  Stage stage_ = Stage::kGreeting;
  std::size_t filled_ = 0;
  std::array<std::byte, kMagicBytes + kNonceBytes> greeting_{};
  Nonce client_{};
  Nonce server_{};
  Proof proof_{};
};

}  // namespace ossau
