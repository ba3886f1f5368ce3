#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "backend/cpu/machine_speed.hpp"
#include "core/machine.hpp"
#include "report/gpu_diagnosis.hpp"

namespace ossau {

/// What `ossau doctor` finds.
struct Diagnosis {
  Machine machine;
  std::vector<std::string> simd;  // available, the one that run.simd: auto takes first
  std::int64_t threads = 0;       // measured with
  MachineSpeed speed;
  GpuDiagnosis gpu;
  std::string mpi;

  bool healthy() const { return speed.self_test.empty(); }
};

/// Looks at this machine and measures it: about half a second.
Diagnosis diagnose();

/// For people, and for programs: null is what the system does not say.
std::string doctor_text(const Diagnosis& diagnosis);
std::string doctor_json(const Diagnosis& diagnosis);

}  // namespace ossau
