#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "comm/process/members.hpp"
#include "comm/process/transport.hpp"

namespace ossau {

/// Up to so many numbers are swapped whole; more are halved and doubled.
inline constexpr std::size_t kFewNumbers = 1024;

/// Collective calls over TCP, in about 2 log2(ranks) messages: each rank has a connection to those
/// whose number differs from its own in one bit.
/// listener: where this rank waits, as members[me].data says.  Every rank must make one at the same
/// time; throws CommError where one cannot be reached within timeout_s.
/// look: called every now and then while waiting; throws where waiting has become pointless.
std::unique_ptr<Transport> make_tcp_transport(const Listener& listener, RankInfo me,
                                              const std::vector<Member>& members,
                                              const std::string& token, double timeout_s,
                                              const std::function<void()>& look);

}  // namespace ossau
