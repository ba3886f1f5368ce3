#pragma once

#include <string_view>

namespace ossau {

/// Writes `text` to standard output.  Throws DeviceError where it cannot be written (disk full);
/// a reader that has gone (`ossau config | head`) has seen enough and is no error.
void print(std::string_view text);

/// Sends what std::cout holds; the same errors.
void flush_output();

}  // namespace ossau
