#include "report/doctor.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "backend/cpu/kernels.hpp"
#include "backend/cpu/self_test.hpp"
#include "comm/mpi_module.hpp"
#include "report/text.hpp"

namespace ossau {
namespace {

using nlohmann::ordered_json;

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

std::string gpu_text(const GpuState& gpu) {
  if (!gpu.trouble.empty()) return gpu.trouble;
  const auto bytes = [](std::size_t size) { return bytes_text(static_cast<std::int64_t>(size)); };
  return fmt::format("{}, compute capability {}.{}, {}, {} free", gpu.info.name, gpu.info.major,
                     gpu.info.minor, bytes(gpu.info.memory_bytes), bytes(gpu.info.free_bytes));
}

std::string modules_text(const Diagnosis& diagnosis) {
  const GpuDiagnosis& found = diagnosis.gpu;
  const auto gpus = static_cast<std::int64_t>(found.gpus.size());
  std::string text =
      line("CUDA",
           fmt::format("{}{}", gpus == 0 ? "no GPU: " : counted(gpus, "GPU") + ", ", found.cuda));
  for (const GpuState& gpu : found.gpus) {
    text += line(fmt::format("GPU {}", gpu.info.ordinal), gpu_text(gpu));
  }
  if (!found.nccl.empty()) text += line("NCCL", found.nccl);
  return text + line("MPI", diagnosis.mpi);
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

ordered_json gpus_json(const std::vector<GpuState>& gpus) {
  ordered_json list = ordered_json::array();
  for (const GpuState& gpu : gpus) {
    if (!gpu.trouble.empty()) {
      list.push_back({{"ordinal", gpu.info.ordinal}, {"trouble", gpu.trouble}});
      continue;
    }
    list.push_back({{"ordinal", gpu.info.ordinal},
                    {"name", gpu.info.name},
                    {"compute_capability", fmt::format("{}.{}", gpu.info.major, gpu.info.minor)},
                    {"multiprocessors", gpu.info.multiprocessors},
                    {"memory_bytes", gpu.info.memory_bytes},
                    {"free_bytes", gpu.info.free_bytes}});
  }
  return list;
}

ordered_json modules_json(const Diagnosis& diagnosis) {
  ordered_json json = {{"CUDA", diagnosis.gpu.cuda}};
  if (!diagnosis.gpu.nccl.empty()) json["NCCL"] = diagnosis.gpu.nccl;
  json["MPI"] = diagnosis.mpi;
  return json;
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
  diagnosis.gpu = diagnose_gpus();
  std::string why;
  const mpi::ModuleTable* const mpi = mpi_module(&why);
  diagnosis.mpi = mpi == nullptr ? why : mpi->mpi_version();
  return diagnosis;
}

std::string doctor_text(const Diagnosis& diagnosis) {
  std::string text = machine_text(diagnosis.machine);
  text += line("SIMD", fmt::format("{} (available: {})", diagnosis.simd.front(),
                                   fmt::join(diagnosis.simd, ", ")));
  text += speed_text(diagnosis.speed, diagnosis.threads);
  return text + modules_text(diagnosis);
}

std::string doctor_json(const Diagnosis& diagnosis) {
  constexpr int kIndent = 2;
  const MachineSpeed& speed = diagnosis.speed;
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
      {"gpus", gpus_json(diagnosis.gpu.gpus)},
      {"modules", modules_json(diagnosis)}};
  return json.dump(kIndent, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace ossau
