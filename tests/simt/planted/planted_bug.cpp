// Runs the CUDA backend upon the interpreter, its kernels with a bug in them, and looks whether the
// CPU backend's bits or the interpreter tell.
//   planted_bug           something must be found
//   planted_bug --none    nothing must be found: the kernels are as they are

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backend/cpu/cpu_backend.hpp"
#include "backend/cuda/cuda_backend.hpp"
#include "simt/interpreter.hpp"
#include "simt/planted/cases.hpp"
#include "simt/runtime.hpp"

namespace ossau::test {
namespace {

constexpr std::uint64_t kSeeds = 10;

constexpr int kFound = 10;  // exit status of the process that looks
constexpr int kNothing = 11;

Bits expected_bits(const PlantedCase& one) {
  return one.work([](BackendRows rows, const ModelSetup& setup) {
    return make_cpu_backend(available_kernels().front(), 1, Waiting::kSleep, std::move(rows),
                            setup);
  });
}

Bits bits_of_kernels(const PlantedCase& one, std::uint64_t seed) {
  simt::set_limits(one.device);
  simt::set_seed(seed);
  return one.work([&](BackendRows rows, const ModelSetup& setup) {
    return cuda::make_cuda_backend({.device = 0, .memory_bytes = one.memory_bytes}, std::move(rows),
                                   setup);
  });
}

std::string difference(const Bits& expected, const Bits& found) {
  if (expected == found) return "";
  if (expected.size() != found.size()) return "difference: not as many numbers";
  const auto first = std::mismatch(expected.begin(), expected.end(), found.begin());
  return fmt::format("difference: number {} of {} is {:#x}, not {:#x}",
                     first.first - expected.begin(), expected.size(), *first.second, *first.first);
}

// What shows the bug; empty if nothing does.
std::string symptom(const PlantedCase& one, const Bits& expected, std::uint64_t seed) {
  try {
    return difference(expected, bits_of_kernels(one, seed));
  } catch (const simt::Fault& fault) {
    return std::string("fault: ") + fault.what();
  } catch (const std::exception& error) {
    return std::string("error: ") + error.what();
  }
}

int look() {
  const std::vector<PlantedCase> cases = planted_cases();
  std::vector<Bits> expected;
  for (const PlantedCase& one : cases) expected.push_back(expected_bits(one));
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    for (std::size_t i = 0; i < cases.size(); ++i) {
      const std::string found = symptom(cases[i], expected[i], seed);
      if (found.empty()) continue;
      fmt::print("seed {}, {}: {}\n", seed, cases[i].name, found);
      return kFound;
    }
  }
  fmt::print("nothing found in {} cases with {} seeds each\n", cases.size(), kSeeds);
  return kNothing;
}

// In a process of its own: a bug in a kernel may write anywhere.
int look_apart() {
  const pid_t child = fork();
  if (child == 0) {
    const int status = look();
    std::fflush(stdout);
    _exit(status);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) return 1;
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  if (!WIFSIGNALED(status)) return 1;
  fmt::print("crash: {}\n", strsignal(WTERMSIG(status)));
  return kFound;
}

}  // namespace
}  // namespace ossau::test

int main(int argc, char** argv) {
  const bool none = argc == 2 && std::string_view(argv[1]) == "--none";
  if (argc != 1 && !none) {
    fmt::print(stderr, "error: unknown argument {} (only --none)\n", argv[1]);
    return 2;
  }
  std::fflush(stdout);
  return ossau::test::look_apart() == (none ? ossau::test::kNothing : ossau::test::kFound) ? 0 : 1;
}
