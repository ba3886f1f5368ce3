#include "report/doctor.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "backend/cpu/kernels.hpp"
#include "backend/cpu/self_test.hpp"
#include "report/text.hpp"

namespace ossau {
namespace {

using nlohmann::ordered_json;

// The explicit list of what is loaded when wanted.
std::vector<Module> modules() {
  return {{.name = "CUDA", .state = "not part of this build"},
          {.name = "MPI", .state = "not part of this build"}};
}

std::string bytes_text(std::int64_t bytes) {
  constexpr double kStep = 1024;
  auto size = static_cast<double>(bytes);
  std::string_view unit = "B";
  for (const std::string_view larger : {"KiB", "MiB", "GiB", "TiB"}) {
    if (size < kStep) break;
    size /= kStep;
    unit = larger;
  }
  return fmt::format("{:.4g} {}", size, unit);
}

std::string bytes_or_unknown(std::optional<std::int64_t> bytes) {
  return bytes ? bytes_text(*bytes) : "unknown";
}

std::string caches_text(const Machine& machine) {
  std::string text;
  for (const Cache& cache : machine.caches) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", cache.name, bytes_text(cache.bytes));
  }
  return text.empty() ? "unknown" : text;
}

std::string processors_text(const Machine& machine) {
  const std::string limit = machine.cpu_limit
                                ? fmt::format("control group allows {:.3g}", *machine.cpu_limit)
                                : "no limit by a control group";
  return fmt::format("{} logical, {} usable by this process, {}", machine.processors,
                     machine.usable_processors, limit);
}

std::string line(std::string_view what, std::string_view value) {
  constexpr std::size_t kWidth = 14;
  return fmt::format("{}{}\n", left_aligned(what, kWidth), value);
}

std::string machine_text(const Machine& machine) {
  return line("Processor", machine.processor.value_or("unknown")) +
         line("Processors", processors_text(machine)) + line("Caches", caches_text(machine)) +
         line("Memory", fmt::format("{}, {} available", bytes_or_unknown(machine.memory_bytes),
                                    bytes_or_unknown(machine.available_bytes))) +
         line("Pages", fmt::format("{}, transparent huge pages: {}", bytes_text(machine.page_bytes),
                                   machine.huge_pages.value_or("unknown"))) +
         line("NUMA nodes",
              machine.numa_nodes ? fmt::format("{}", *machine.numa_nodes) : "unknown");
}

std::string speed_text(const MachineSpeed& speed, std::int64_t threads) {
  const std::string on_all = counted(threads, "thread");
  return line("Arithmetic", speed.self_test.empty() ? "self-test passed"
                                                    : "SELF-TEST FAILED: " + speed.self_test +
                                                          " (" + kSelfTestRemedy + ")") +
         line("Reading",
              fmt::format("{}B/s on 1 thread, {}B/s on {}", short_rate(speed.read_one_bytes),
                          short_rate(speed.read_all_bytes), on_all)) +
         line("Sparse rows", fmt::format("{} entries/s gathered and scattered on {}",
                                         short_rate(speed.sparse_entries), on_all)) +
         line("", fmt::format("({} features)", with_commas(speed.sparse_features))) +
         line("Waking", fmt::format("{:.3g} us for {}", 1e6 * speed.wake_s, on_all));
}

template <class T>
ordered_json or_null(const std::optional<T>& value) {
  return value ? ordered_json(*value) : ordered_json();
}

ordered_json machine_json(const Machine& machine) {
  ordered_json caches = ordered_json::object();
  for (const Cache& cache : machine.caches) caches[cache.name] = cache.bytes;
  return {{"processor", or_null(machine.processor)},
          {"processors", machine.processors},
          {"usable_processors", machine.usable_processors},
          {"cpu_limit", or_null(machine.cpu_limit)},
          {"cache_bytes", caches},
          {"memory_bytes", or_null(machine.memory_bytes)},
          {"available_bytes", or_null(machine.available_bytes)},
          {"page_bytes", machine.page_bytes},
          {"transparent_huge_pages", or_null(machine.huge_pages)},
          {"numa_nodes", or_null(machine.numa_nodes)}};
}

}  // namespace

Diagnosis diagnose() {
  Diagnosis diagnosis;
  diagnosis.machine = read_machine();
  for (const CpuKernels& kernels : available_kernels()) diagnosis.simd.emplace_back(kernels.name);
  // As many as a training on one rank would take.
  ThreadPool pool(usable_cores(diagnosis.machine));
  diagnosis.threads = pool.size();
  diagnosis.speed = measure_machine(diagnosis.machine, pool);
  diagnosis.modules = modules();
  return diagnosis;
}

std::string doctor_text(const Diagnosis& diagnosis) {
  std::string text = machine_text(diagnosis.machine);
  text += line("SIMD", fmt::format("{} (available: {})", diagnosis.simd.front(),
                                   fmt::join(diagnosis.simd, ", ")));
  text += speed_text(diagnosis.speed, diagnosis.threads);
  for (const Module& module : diagnosis.modules) text += line(module.name, module.state);
  return text;
}

std::string doctor_json(const Diagnosis& diagnosis) {
  constexpr int kIndent = 2;
  const MachineSpeed& speed = diagnosis.speed;
  ordered_json loaded = ordered_json::object();
  for (const Module& module : diagnosis.modules) loaded[module.name] = module.state;
  const ordered_json json = {
      {"machine", machine_json(diagnosis.machine)},
      {"simd", diagnosis.simd.front()},
      {"simd_available", diagnosis.simd},
      {"self_test", speed.self_test.empty() ? "passed" : "failed: " + speed.self_test},
      {"threads", diagnosis.threads},
      {"read_one_thread_bytes_per_second", speed.read_one_bytes},
      {"read_bytes_per_second", speed.read_all_bytes},
      {"sparse_features", speed.sparse_features},
      {"sparse_entries_per_second", speed.sparse_entries},
      {"wake_s", speed.wake_s},
      {"modules", loaded}};
  return json.dump(kIndent, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace ossau
