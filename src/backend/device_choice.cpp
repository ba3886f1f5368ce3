#include "backend/device_choice.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <string>

#include "backend/cuda_module.hpp"
#include "core/log.hpp"
#include "ossau/error.hpp"

namespace ossau {
namespace {

// Only where why_no_gpu() is empty.
std::vector<int> usable_gpus() {
  std::string ignored;
  return cuda_module(&ignored)->usable_devices();
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
  const auto gpus = static_cast<std::int64_t>(usable_gpus().size());
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
  return place_on(usable_gpus(), rank);
}

GpuPlace place_on(const std::vector<int>& gpus, RankInfo rank) {
  const auto count = static_cast<std::int64_t>(gpus.size());
  const std::int64_t turn = rank.rank % count;
  return {.device = gpus[static_cast<std::size_t>(turn)],
          .ranks_here = (rank.size - turn + count - 1) / count,
          .shared = rank.size > count};
}

}  // namespace ossau
