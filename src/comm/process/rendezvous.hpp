#pragma once

#include <functional>
#include <string>
#include <vector>

#include "comm/process/frames.hpp"
#include "comm/process/members.hpp"

namespace ossau {

/// All processes of a job, and this one's connections to others.
struct Circle {
  std::vector<Member> members;     // [size], in order of rank
  std::vector<FrameStream> peers;  // rank 0: [size], to everyone (its own is closed); others: one,
                                   // to rank 0
};

/// Rank 0's side: waits at `listener` for the others, lets none in that does not know `token`, and
/// compares what they say of themselves.  Throws CommError naming who is missing after timeout_s,
/// or who contradicts whom; the others throw the same.
Circle await_members(const Listener& listener, const Member& me, const std::string& token,
                     double timeout_s);

/// The side of every other rank.  candidates: where rank 0 may be reached; each is tried again
/// until it answers.  listen: asked where others reach this rank, with the address of this machine
/// that reaches rank 0; becomes me.data.
Circle join_members(const std::vector<Endpoint>& candidates, Member me, const std::string& token,
                    double timeout_s,
                    const std::function<Endpoint(const std::string& host)>& listen);

}  // namespace ossau
