#include "comm/process/members.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

namespace ossau {
namespace {

// Enough to see what is wrong.
constexpr std::size_t kMostNamed = 8;
constexpr std::size_t kMostDifferences = 10;

std::vector<int> usable_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> processors;
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return processors;
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (CPU_ISSET(i, &set)) processors.push_back(i);
  }
  return processors;
}

bool share_processors(const Member& a, const Member& b) {
  return std::find_first_of(a.processors.begin(), a.processors.end(), b.processors.begin(),
                            b.processors.end()) != a.processors.end();
}

std::string said_by(const std::map<std::string, std::vector<std::int64_t>>& ranks_of_value) {
  std::string text;
  std::size_t shown = 0;
  for (const auto& [value, ranks] : ranks_of_value) {
    if (shown++ == kMostNamed) return text + ", ...";
    text += fmt::format("{}{} on {}", text.empty() ? "" : ", ", value, listed_ranks(ranks));
  }
  return text;
}

}  // namespace

Member this_process(RankInfo rank, std::map<std::string, std::string> facts) {
  Member member;
  member.rank = rank;
  member.host = host_name();
  member.process = ::getpid();
  member.processors = usable_processors();
  member.facts = std::move(facts);
  return member;
}

std::string name_of(const Member& member) {
  return fmt::format("rank {} ({})", member.rank.rank, member.host);
}

nlohmann::json to_json(const Member& member) {
  return {{"rank", member.rank.rank},
          {"size", member.rank.size},
          {"host", member.host},
          {"process", member.process},
          {"processors", member.processors},
          {"data_host", member.data.host},
          {"data_port", member.data.port},
          {"facts", member.facts},
          {"local_rank", member.local.rank},
          {"local_size", member.local.size},
          {"core_sharers", member.core_sharers}};
}

Member member_from_json(const nlohmann::json& json) {
  Member member;
  member.rank = {.rank = json.at("rank"), .size = json.at("size")};
  member.host = json.at("host");
  member.process = json.at("process");
  member.processors = json.at("processors").get<std::vector<int>>();
  member.data = {.host = json.at("data_host"), .port = json.at("data_port")};
  member.facts = json.at("facts").get<std::map<std::string, std::string>>();
  member.local = {.rank = json.at("local_rank"), .size = json.at("local_size")};
  member.core_sharers = json.at("core_sharers");
  return member;
}

void find_neighbours(std::vector<Member>& members) {
  std::map<std::string, std::vector<Member*>> by_host;
  for (Member& member : members) by_host[member.host].push_back(&member);
  for (const auto& [host, neighbours] : by_host) {
    std::int64_t place = 0;
    for (Member* member : neighbours) {
      if (member->local.rank == Member::kUnknown) member->local.rank = place;
      member->local.size = static_cast<std::int64_t>(neighbours.size());
      ++place;
      member->core_sharers =
          std::count_if(neighbours.begin(), neighbours.end(), [&](const Member* other) {
            return other == member || share_processors(*member, *other);
          });
    }
  }
}

std::string differences(const std::vector<Member>& members) {
  std::set<std::string> names;
  for (const Member& member : members) {
    for (const auto& [name, value] : member.facts) names.insert(name);
  }
  std::string text;
  std::size_t shown = 0;
  for (const std::string& name : names) {
    std::map<std::string, std::vector<std::int64_t>> ranks_of_value;
    for (const Member& member : members) {
      const auto found = member.facts.find(name);
      ranks_of_value[found == member.facts.end() ? "nothing" : found->second].push_back(
          member.rank.rank);
    }
    if (ranks_of_value.size() == 1) continue;
    if (shown++ == kMostDifferences) return text + "; ...";
    text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", name, said_by(ranks_of_value));
  }
  return text;
}

std::string listed_ranks(const std::vector<std::int64_t>& ranks) {
  std::string text = ranks.size() == 1 ? "rank " : "ranks ";
  const std::size_t shown = std::min(ranks.size(), kMostNamed);
  for (std::size_t i = 0; i < shown; ++i) {
    const bool last = i + 1 == ranks.size();
    text += fmt::format("{}{}", i == 0 ? "" : last ? " and " : ", ", ranks[i]);
  }
  if (shown < ranks.size()) text += fmt::format(" and {} more", ranks.size() - shown);
  return text;
}

}  // namespace ossau
