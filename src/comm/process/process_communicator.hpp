#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/process/monitor.hpp"
#include "comm/process/transport.hpp"

namespace ossau {

/// Makes the way to the other ranks; calls `look` now and then while it waits for them.
using ConnectTransport = std::function<std::unique_ptr<Transport>(
    const std::vector<Member>& members, const std::function<void()>& look)>;

/// A rank that is a process of its own: a monitor watches over the ranks from now on, and numbers
/// go through what `connect` makes.  settings.timeout_s bounds every call.
/// Throws what `connect` throws, and CommError where another rank is lost meanwhile.
std::unique_ptr<Communicator> make_process_communicator(Circle circle, RankInfo me,
                                                        const ConnectTransport& connect,
                                                        const MonitorSettings& settings);

}  // namespace ossau
