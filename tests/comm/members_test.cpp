#include "comm/process/members.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace ossau::test {
namespace {

Member member(std::int64_t rank, const std::string& host, std::vector<int> processors,
              std::map<std::string, std::string> facts = {}) {
  Member made;
  made.rank = {.rank = rank, .size = 4};
  made.host = host;
  made.processors = std::move(processors);
  made.facts = std::move(facts);
  return made;
}

TEST(Members, CountThoseOnTheirMachine) {
  std::vector<Member> members = {member(0, "a", {0, 1}), member(1, "b", {0, 1}),
                                 member(2, "a", {0, 1}), member(3, "a", {2, 3})};
  find_neighbours(members);
  EXPECT_EQ(members[0].local.rank, 0);
  EXPECT_EQ(members[2].local.rank, 1);
  EXPECT_EQ(members[3].local.rank, 2);
  EXPECT_EQ(members[3].local.size, 3);
  EXPECT_EQ(members[1].local.rank, 0);
  EXPECT_EQ(members[1].local.size, 1);
}

// mpirun binds ranks to processors of their own: those need not be divided again.
TEST(Members, ShareProcessorsOnlyWhereTheyRunOnTheSame) {
  std::vector<Member> members = {member(0, "a", {0, 1}), member(1, "a", {1, 2}),
                                 member(2, "a", {3}), member(3, "b", {0, 1})};
  find_neighbours(members);
  EXPECT_EQ(members[0].core_sharers, 2);
  EXPECT_EQ(members[1].core_sharers, 2);
  EXPECT_EQ(members[2].core_sharers, 1);
  EXPECT_EQ(members[3].core_sharers, 1);
}

TEST(Members, KeepALocalRankThatTheLauncherGave) {
  std::vector<Member> members = {member(0, "a", {0}), member(1, "a", {0})};
  members[0].local.rank = 5;
  find_neighbours(members);
  EXPECT_EQ(members[0].local.rank, 5);
  EXPECT_EQ(members[1].local.rank, 1);
}

TEST(Members, SayWhereTheyDiffer) {
  EXPECT_EQ(differences({member(0, "a", {}, {{"seed", "1"}}), member(1, "a", {}, {{"seed", "1"}})}),
            "");
  EXPECT_EQ(differences({member(0, "a", {}, {{"seed", "1"}, {"x", "y"}}),
                         member(1, "a", {}, {{"seed", "7"}, {"x", "y"}}),
                         member(2, "a", {}, {{"seed", "1"}, {"x", "y"}}),
                         member(3, "b", {}, {{"x", "y"}})}),
            "seed: 1 on ranks 0 and 2, 7 on rank 1, nothing on rank 3");
}

TEST(Members, AreSentWhole) {
  Member sent = member(2, "node3", {0, 5}, {{"seed", "1"}});
  sent.process = 4711;
  sent.data = {"10.0.0.1", 29500};
  sent.local = {.rank = 1, .size = 2};
  sent.core_sharers = 2;
  const Member got = member_from_json(to_json(sent));
  EXPECT_EQ(to_json(got), to_json(sent));
  EXPECT_EQ(name_of(got), "rank 2 (node3)");
}

TEST(ListedRanks, ReadsAsASentence) {
  EXPECT_EQ(listed_ranks({4}), "rank 4");
  EXPECT_EQ(listed_ranks({1, 2}), "ranks 1 and 2");
  EXPECT_EQ(listed_ranks({1, 2, 5}), "ranks 1, 2 and 5");
  EXPECT_EQ(listed_ranks({0, 1, 2, 3, 4, 5, 6, 7, 8, 9}),
            "ranks 0, 1, 2, 3, 4, 5, 6, 7 and 2 more");
}

}  // namespace
}  // namespace ossau::test
