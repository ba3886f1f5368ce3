#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/rank.hpp"
#include "ossau/config.hpp"

namespace ossau {

/// The configuration with what this machine decides filled in: run.device is cpu or cuda, run.ranks
/// a number.  Logs a line where `auto` takes the CPU.  Throws DeviceError where cuda is asked for
/// and not to be had, ConfigError where `run.ranks: all` finds more GPUs than there are shards.
Config choose_devices(Config config);

/// "yes" or "none"; "not wanted" where run.device is cpu.
std::string gpu_in_words(Device wanted);

/// The GPU of one rank.
struct GpuPlace {
  int device = 0;
  std::int64_t ranks_here = 1;  // that share it
  bool shared = false;          // whether any GPU is: then no NCCL
};

/// rank: among those of this machine.  GPUs that are too old for the kernels are left out.  Absent
/// where run.device, once chosen, is the CPU.
std::optional<GpuPlace> gpu_of_rank(const RunConfig& run, RankInfo rank);

/// Rank r takes GPU r mod (number of GPUs).  gpus: their ordinals, at least one.
GpuPlace place_on(const std::vector<int>& gpus, RankInfo rank);

}  // namespace ossau
