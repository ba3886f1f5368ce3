#include "comm/process/handshake.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <string_view>

#include "ossau/error.hpp"

namespace ossau {
namespace {

constexpr std::string_view kMagic = "OSSAU-1\n";
constexpr const char* kOtherToken = "it belongs to another job: its token differs";

void fill_randomly(std::span<std::byte> bytes) {
  auto* const data = reinterpret_cast<unsigned char*>(bytes.data());
  if (::RAND_bytes(data, static_cast<int>(bytes.size())) != 1) {
    throw DeviceError("random numbers: the OpenSSL library has none");
  }
}

Nonce random_nonce() {
  Nonce nonce;
  fill_randomly(nonce);
  return nonce;
}

Proof prove(const std::string& token, std::string_view side, const Nonce& client,
            const Nonce& server) {
  std::string message(side);
  message.append(reinterpret_cast<const char*>(client.data()), client.size());
  message.append(reinterpret_cast<const char*>(server.data()), server.size());
  Proof proof{};
  unsigned int size = 0;
  if (::HMAC(::EVP_sha256(), token.data(), static_cast<int>(token.size()),
             reinterpret_cast<const unsigned char*>(message.data()), message.size(),
             reinterpret_cast<unsigned char*>(proof.data()), &size) == nullptr) {
    throw DeviceError("HMAC-SHA256: the OpenSSL library refuses it");
  }
  return proof;
}

bool same(const Proof& a, const Proof& b) {
  return ::CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

template <std::size_t a, std::size_t b>
std::array<std::byte, a + b> joined(const std::array<std::byte, a>& first,
                                    const std::array<std::byte, b>& second) {
  std::array<std::byte, a + b> both;
  std::copy(first.begin(), first.end(), both.begin());
  std::copy(second.begin(), second.end(), both.begin() + a);
  return both;
}

// A fresh connection has room for so little.
void send_little(const Socket& socket, std::span<const std::byte> bytes) {
  if (socket.send_some(bytes) != bytes.size()) throw SocketError("no answer");
}

}  // namespace

std::string random_token() {
  std::string text;
  for (const std::byte byte : random_nonce())
    text += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
  return text;
}

void prove_to_server(const Socket& socket, const std::string& token, const Deadline& deadline) {
  std::array<std::byte, kMagic.size()> magic{};
  std::memcpy(magic.data(), kMagic.data(), kMagic.size());
  const Nonce client = random_nonce();
  socket.send_all(joined(magic, client), deadline);
  Nonce server;
  socket.receive_all(server, deadline);
  socket.send_all(prove(token, "client", client, server), deadline);
  Proof proof{};
  try {
    socket.receive_all(proof, deadline);
  } catch (const SocketError&) {
    if (deadline.passed()) throw;
    throw SocketError(kOtherToken);  // it closed the connection upon this side's proof
  }
  if (!same(proof, prove(token, "server", client, server))) throw SocketError(kOtherToken);
}

template <std::size_t size>
bool GuestHandshake::fill(const Socket& socket, std::array<std::byte, size>& bytes) {
  filled_ += socket.receive_some(std::span(bytes).subspan(filled_));
  if (filled_ < size) return false;
  filled_ = 0;
  return true;
}

void GuestHandshake::greet(const Socket& socket) {
  std::copy(greeting_.begin() + kMagicBytes, greeting_.end(), client_.begin());
  server_ = random_nonce();
  send_little(socket, server_);
}

bool GuestHandshake::advance(const Socket& socket, const std::string& token) {
  static_assert(kMagic.size() == kMagicBytes);
  if (stage_ == Stage::kGreeting) {
    const bool whole = fill(socket, greeting_);
    const std::size_t known = whole ? kMagicBytes : std::min(filled_, kMagicBytes);
    if (std::memcmp(greeting_.data(), kMagic.data(), known) != 0) {
      throw SocketError("it does not speak as Ossau does");
    }
    if (!whole) return false;
    greet(socket);
    stage_ = Stage::kProof;
  }
  if (stage_ == Stage::kProof) {
    if (!fill(socket, proof_)) return false;
    if (!same(proof_, prove(token, "client", client_, server_))) throw SocketError(kOtherToken);
    send_little(socket, prove(token, "server", client_, server_));
    stage_ = Stage::kDone;
  }
  return true;
}

}  // namespace ossau
