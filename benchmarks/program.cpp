// The main function of every benchmark program.
//   build/release/bin/gradient_benchmark                     every row
//   build/release/bin/gradient_benchmark --quick             a smoke run with tiny data
//   ... --benchmark_filter=sparse --benchmark_out=rows.json  and whatever Google Benchmark offers

#include "program.hpp"

#include <algorithm>
#include <string_view>
#include <thread>
#include <utility>

#include "backend/cpu/kernels.hpp"

namespace ossau::bench {
namespace {

constexpr std::int64_t kMebibyte = std::int64_t{1} << 20;

// Size of the last cache; a common one where the system hides it.
std::int64_t last_cache_bytes() {
  std::int64_t size = 0;
  for (const auto& cache : benchmark::CPUInfo::Get().caches) {
    size = std::max<std::int64_t>(size, cache.size);
  }
  return size > 0 ? size : 32 * kMebibyte;
}

Effort make_effort(bool quick) {
  const auto cores = static_cast<std::int64_t>(std::thread::hardware_concurrency());
  Effort effort;
  effort.quick = quick;
  effort.pairs = quick ? 3 : 11;
  effort.threads = {1};
  if (cores > 1) effort.threads.push_back(cores);
  // Eight times the last cache: what it may keep from one pass to the next is then lost in noise.
  effort.memory_bytes = quick ? kMebibyte : std::max(512 * kMebibyte, 8 * last_cache_bytes());
  // The work's rows and the copy that its reference reads fill half of it.
  effort.cache_bytes = quick ? kMebibyte : last_cache_bytes() / 4;
  return effort;
}

bool take_flag(int& argc, char** argv, std::string_view flag) {
  char** const end = argv + argc;
  char** const kept = std::remove_if(argv + 1, end, [&](char* text) { return text == flag; });
  argc = static_cast<int>(kept - argv);
  return kept != end;
}

}  // namespace

void add_row(const Effort& effort, const std::string& name,
             std::function<void(benchmark::State&)> measure) {
  // NOLINTNEXTLINE(clang-analyzer-cplusplus.NewDeleteLeaks): Google Benchmark owns it
  benchmark::RegisterBenchmark(name.c_str(), std::move(measure))
      ->UseManualTime()
      ->Iterations(effort.pairs)
      ->Unit(benchmark::kMillisecond);
}

}  // namespace ossau::bench

int main(int argc, char** argv) {
  const bool quick = ossau::bench::take_flag(argc, argv, "--quick");
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  ossau::bench::add_rows(ossau::bench::make_effort(quick));
  benchmark::AddCustomContext("simd", ossau::choose_kernels(ossau::Simd::kAuto).name);
  benchmark::AddCustomContext("quick", quick ? "yes" : "no");
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
