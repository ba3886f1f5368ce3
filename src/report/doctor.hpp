#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "backend/cpu/machine_speed.hpp"
#include "core/machine.hpp"

namespace ossau {

/// A part that is loaded at run time, and why it is not where it is not.
struct Module {
  std::string name;
  std::string state;
};

/// What `ossau doctor` finds.
struct Diagnosis {
  Machine machine;
  std::vector<std::string> simd;  // available, the one that run.simd: auto takes first
  std::int64_t threads = 0;       // measured with
  MachineSpeed speed;
  std::vector<Module> modules;

  bool healthy() const { return speed.self_test.empty(); }
};

/// Looks at this machine and measures it: about half a second.
Diagnosis diagnose();

/// For people, and for programs: null is what the system does not say.
std::string doctor_text(const Diagnosis& diagnosis);
std::string doctor_json(const Diagnosis& diagnosis);

}  // namespace ossau
