#pragma once

#include <cstdint>
#include <memory>

#include "backend/backend.hpp"
#include "backend/cpu/kernels.hpp"
#include "core/thread_pool.hpp"

namespace ossau {

/// The backend that every machine has.  waiting: of its threads.  Throws DeviceError when the
/// processor fails the arithmetic self-test.
/// solver_wake_s: work of a solver's pass that repays a thread.  Between two passes the solver
/// works on vectors for so long that threads sleep, whatever they do otherwise.
std::unique_ptr<Backend> make_cpu_backend(CpuKernels kernels, std::int64_t threads, Waiting waiting,
                                          BackendRows rows, ModelSetup setup,
                                          double solver_wake_s = ThreadPool::kAsleepSeconds);

}  // namespace ossau
