#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "comm/process/socket.hpp"

namespace ossau {

/// JSON objects over a connection that never blocks, each behind its length.
class FrameStream {
 public:
  explicit FrameStream(Socket socket) : socket_(std::move(socket)) {}

  Socket& socket() { return socket_; }
  const Socket& socket() const { return socket_; }

  /// Queues a message, and sends what can be sent now.  Throws SocketError.
  void send(const nlohmann::json& message);
  /// Sends what is queued, as far as it goes.
  void flush();
  bool has_unsent() const { return !unsent_.empty(); }

  /// The next message that has arrived whole.  Throws SocketError: closed, too long, or no JSON.
  std::optional<nlohmann::json> receive();
  /// Waits for one.
  nlohmann::json receive(const Deadline& deadline);

 private:
  std::optional<nlohmann::json> take();

  Socket socket_;
  std::vector<std::byte> unsent_;
  std::vector<std::byte> received_;
};

}  // namespace ossau
