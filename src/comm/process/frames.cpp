#include "comm/process/frames.hpp"

#include <array>
#include <cstdint>
#include <cstring>
#include <string>

namespace ossau {
namespace {

using Length = std::uint32_t;  // little-endian, as every machine that this runs on

// More than the list of 65,536 ranks takes.
constexpr Length kLongest = Length{1} << 26;
constexpr std::size_t kPiece = 65536;

}  // namespace

void FrameStream::send(const nlohmann::json& message) {
  // Reasons quote users' files, whose bytes need not be UTF-8.
  const std::string text = message.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  const auto length = static_cast<Length>(text.size());
  const std::size_t start = unsent_.size();
  unsent_.resize(start + sizeof length + text.size());
  std::memcpy(unsent_.data() + start, &length, sizeof length);
  std::memcpy(unsent_.data() + start + sizeof length, text.data(), text.size());
  flush();
}

void FrameStream::flush() {
  std::size_t sent = 0;
  while (sent < unsent_.size()) {
    const std::size_t now = socket_.send_some(std::span(unsent_).subspan(sent));
    if (now == 0) break;
    sent += now;
  }
  unsent_.erase(unsent_.begin(), unsent_.begin() + static_cast<std::ptrdiff_t>(sent));
}

std::optional<nlohmann::json> FrameStream::take() {
  Length length = 0;
  if (received_.size() < sizeof length) return std::nullopt;
  std::memcpy(&length, received_.data(), sizeof length);
  if (length > kLongest) throw SocketError("a message is too long");
  if (received_.size() - sizeof length < length) return std::nullopt;
  const auto* const text = reinterpret_cast<const char*>(received_.data()) + sizeof length;
  nlohmann::json message = nlohmann::json::parse(text, text + length, nullptr, false);
  if (!message.is_object()) throw SocketError("a message is garbled");
  received_.erase(received_.begin(),
                  received_.begin() + static_cast<std::ptrdiff_t>(sizeof length + length));
  return message;
}

std::optional<nlohmann::json> FrameStream::receive() {
  if (auto message = take()) return message;
  thread_local std::array<std::byte, kPiece> piece;
  const std::size_t more = socket_.receive_some(piece);
  received_.insert(received_.end(), piece.begin(),
                   piece.begin() + static_cast<std::ptrdiff_t>(more));
  return take();
}

nlohmann::json FrameStream::receive(const Deadline& deadline) {
  const std::array<int, 1> here = {socket_.descriptor()};
  for (;;) {
    flush();  // what the other side waits for before it answers
    if (auto message = receive()) return std::move(*message);
    if (deadline.passed()) throw SocketError("no answer");
    const std::span<const int> writable = has_unsent() ? here : std::span<const int>();
    wait_for(here, writable, std::min(deadline.left_s(), 1.0));
  }
}

}  // namespace ossau
