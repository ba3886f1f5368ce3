#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "comm/process/socket.hpp"
#include "core/rank.hpp"

namespace ossau {

/// One process of a job, as it presents itself to the others.
struct Member {
  static constexpr std::int64_t kUnknown = -1;

  RankInfo rank;     // and how many it was told there are
  std::string host;  // its machine's name
  std::int64_t process = 0;
  std::vector<int> processors;               // those it may run on
  Endpoint data;                             // where others send it numbers; TCP only
  std::map<std::string, std::string> facts;  // what must be the same on every rank

  // Known once all have come, if not said before.
  RankInfo local = {.rank = kUnknown, .size = 1};  // among the ranks of its machine
  std::int64_t core_sharers = 1;  // ranks that may run on one of its processors, itself included
};

/// This process; `rank` and `facts` are the caller's.
Member this_process(RankInfo rank, std::map<std::string, std::string> facts);

/// "rank 2 (node3)"
std::string name_of(const Member& member);

nlohmann::json to_json(const Member& member);
/// Throws nlohmann::json::exception.
Member member_from_json(const nlohmann::json& json);

/// Fills in what only all members together tell.  members: [size], in order of rank.
void find_neighbours(std::vector<Member>& members);

/// Where facts differ: what, and which ranks say what; empty where they agree.
std::string differences(const std::vector<Member>& members);

/// "ranks 0, 2 and 5", at most a few by number.
std::string listed_ranks(const std::vector<std::int64_t>& ranks);

}  // namespace ossau
