#pragma once

#include <memory>

#include "comm/communicator.hpp"
#include "comm/process/monitor.hpp"
#include "comm/process/transport.hpp"

namespace ossau {

/// A rank that is a process of its own: numbers go through `transport`, and a monitor watches over
/// the ranks.  settings.timeout_s bounds every call.
std::unique_ptr<Communicator> make_process_communicator(Circle circle, RankInfo me,
                                                        std::unique_ptr<Transport> transport,
                                                        MonitorSettings settings);

}  // namespace ossau
