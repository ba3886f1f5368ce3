#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace ossau {

// Numbers and texts in one string, for other processes of the same program.

class Packer {
 public:
  void add(std::int64_t number) {
    char bytes[sizeof number];
    std::memcpy(bytes, &number, sizeof number);
    packed_.append(bytes, sizeof number);
  }
  void add(std::string_view text) {
    add(static_cast<std::int64_t>(text.size()));
    packed_.append(text);
  }
  std::string take() { return std::move(packed_); }

 private:
  std::string packed_;
};

/// Takes out what a Packer was given, in the same order; `packed` must outlive it.
class Unpacker {
 public:
  explicit Unpacker(std::string_view packed) : rest_(packed) {}

  bool done() const { return rest_.empty(); }
  std::int64_t number() {
    std::int64_t number = 0;
    std::memcpy(&number, take(sizeof number).data(), sizeof number);
    return number;
  }
  std::string_view text() { return take(static_cast<std::size_t>(number())); }

 private:
  std::string_view take(std::size_t bytes) {
    const std::string_view taken = rest_.substr(0, bytes);
    rest_.remove_prefix(bytes);
    return taken;
  }

  std::string_view rest_;
};

}  // namespace ossau
