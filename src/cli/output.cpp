#include "cli/output.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <iostream>

#include "ossau/error.hpp"

namespace ossau {

void flush_output() {
  errno = 0;
  std::cout.flush();
  if (std::cout.good() || errno == EPIPE) return;
  const std::string reason = errno == 0 ? "" : fmt::format(": {}", std::strerror(errno));
  throw DeviceError(fmt::format(
      "cannot write to standard output{} (free space or redirect it elsewhere)", reason));
}

void print(std::string_view text) {
  std::cout << text;
  flush_output();
}

}  // namespace ossau
