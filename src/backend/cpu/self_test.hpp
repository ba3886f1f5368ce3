#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "arith/self_test.hpp"
#include "core/thread_pool.hpp"

namespace ossau {

/// What to do where the self-test fails.
inline constexpr const char* kSelfTestRemedy = "rebuild without fast-math options";

/// arithmetic_self_test() in every thread of the pool: empty, or what the first that fails says.
inline std::string self_test_of(ThreadPool& pool) {
  std::vector<std::string> failed(static_cast<std::size_t>(pool.size()));
  pool.run([&](std::int64_t thread) {
    failed[static_cast<std::size_t>(thread)] = arithmetic_self_test();
  });
  for (std::string& what : failed) {
    if (!what.empty()) return std::move(what);
  }
  return "";
}

}  // namespace ossau
