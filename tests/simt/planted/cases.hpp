#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backend/backend.hpp"
#include "simt/runtime.hpp"

namespace ossau::test {

using MakeBackend = std::function<std::unique_ptr<Backend>(BackendRows rows, ModelSetup setup)>;

/// The bits of all numbers that a backend gave, in order.
using Bits = std::vector<std::uint64_t>;

/// Work that every backend must do with the same result.
struct PlantedCase {
  std::string name;
  simt::Limits device;                       // small, so that few rows go through every path
  std::optional<std::int64_t> memory_bytes;  // that rows may take; little makes them stream
  std::function<Bits(const MakeBackend& make)> work;
};

/// Each path of the kernels, in a few milliseconds each.
std::vector<PlantedCase> planted_cases();

}  // namespace ossau::test
