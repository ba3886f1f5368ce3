#include "backend/device_choice.hpp"

#include <fmt/format.h>

#include <string>

#include "backend/cuda_module.hpp"
#include "core/log.hpp"
#include "ossau/error.hpp"

namespace ossau {
namespace {

// Only where why_no_gpu() is empty.
std::int64_t gpu_count() {
  std::string ignored;
  return cuda_module(&ignored)->device_count();
}

Device choose_device(Device wanted) {
  if (wanted == Device::kCpu) return wanted;
  const std::string why = why_no_gpu();
  if (why.empty()) return Device::kCuda;
  if (wanted == Device::kCuda) {
    throw DeviceError(fmt::format("run.device: cuda: {} (set run.device: auto or cpu)", why));
  }
  log_info(fmt::format("run.device: auto: no GPU ({}); training on the CPU", why));
  return Device::kCpu;
}

std::int64_t choose_ranks(const Config& config) {
  if (config.run.ranks != RunConfig::kAllGpus) return config.run.ranks.value_or(1);
  if (config.run.device == Device::kCpu) return 1;
  const std::int64_t gpus = gpu_count();
  const std::int64_t shards = config.training.virtual_shards;
  if (gpus > shards) {
    throw ConfigError(fmt::format(
        "run.ranks: all: {} GPUs, but training.virtual_shards is {} (set run.ranks: {}, or raise "
        "training.virtual_shards, which changes the batch order)",
        gpus, shards, shards));
  }
  return gpus;
}

}  // namespace

Config choose_devices(Config config) {
  config.run.device = choose_device(config.run.device);
  config.run.ranks = choose_ranks(config);
  return config;
}

std::string gpu_in_words(Device wanted) {
  if (wanted == Device::kCpu) return "not wanted";
  return why_no_gpu().empty() ? "yes" : "none";
}

std::optional<GpuPlace> gpu_of_rank(const RunConfig& run, RankInfo rank) {
  if (run.device != Device::kCuda) return std::nullopt;
  const std::int64_t gpus = gpu_count();
  const std::int64_t device = rank.rank % gpus;
  return GpuPlace{.device = static_cast<int>(device),
                  .ranks_here = (rank.size - device + gpus - 1) / gpus,
                  .shared = rank.size > gpus};
}

}  // namespace ossau
