#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "comm/process/members.hpp"
#include "comm/process/socket.hpp"
#include "core/rank.hpp"

namespace ossau {

/// A rank's connections to its neighbours in the hypercube (tcp_transport.cpp), by rank.  Every
/// rank must ask at the same time: each calls those with a smaller number and is called by the
/// others, and lets nobody in who does not know `token`. listener: where this rank waits, as
/// members[me].data says.  look: called every now and then while waiting; throws where waiting has
/// become pointless. Throws CommError where a neighbour is not reached within timeout_s.
std::map<std::int64_t, Socket> connect_neighbours(const Listener& listener, RankInfo me,
                                                  const std::vector<Member>& members,
                                                  const std::string& token, double timeout_s,
                                                  const std::function<void()>& look);

}  // namespace ossau
