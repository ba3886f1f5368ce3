#include "comm/process/rendezvous.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "comm/process/handshake.hpp"
#include "comm/process_case.hpp"
#include "ossau/error.hpp"
#include "support/log_capture.hpp"

namespace ossau::test {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::SizeIs;

// What each of some ranks throws while they join; ranks are started as `start` says.
class Meeting {
 public:
  explicit Meeting(double timeout_s) : timeout_s_(timeout_s) {}
  ~Meeting() { join(); }

  void start(RankInfo rank, std::map<std::string, std::string> facts = {},
             const std::string& token = "secret") {
    threads_.emplace_back([this, rank, facts = std::move(facts), token] {
      try {
        const Member me = this_process(rank, facts);
        const Circle circle = rank.rank == 0
                                  ? await_members(listener_, me, token, timeout_s_)
                                  : join_members({{"127.0.0.1", listener_.port()}}, me, token,
                                                 timeout_s_, [](const std::string&) {
                                                   return Endpoint{"127.0.0.1", 1};
                                                 });
        const std::lock_guard lock(mutex_);
        circles_.push_back(circle.members.size());
      } catch (const Error& error) {
        const std::lock_guard lock(mutex_);
        errors_.emplace_back(error.what());
        codes_.push_back(error.code());
      }
    });
  }

  void join() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }
  const Listener& listener() const { return listener_; }
  const std::vector<std::string>& errors() {
    join();
    return errors_;
  }
  const std::vector<ExitCode>& codes() const { return codes_; }
  const std::vector<std::size_t>& circles() const { return circles_; }

 private:
  double timeout_s_;
  Listener listener_ = Listener(Endpoint{"127.0.0.1", 0});
  std::mutex mutex_;
  std::vector<std::string> errors_;
  std::vector<ExitCode> codes_;
  std::vector<std::size_t> circles_;
  std::vector<std::thread> threads_;
};

TEST(Rendezvous, BringsAllTogetherInAnyOrder) {
  Meeting meeting(30);
  meeting.start({.rank = 2, .size = 3});
  meeting.start({.rank = 1, .size = 3});
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  meeting.start({.rank = 0, .size = 3});
  EXPECT_THAT(meeting.errors(), SizeIs(0));
  EXPECT_THAT(meeting.circles(), ::testing::ElementsAre(3, 3, 3));
}

TEST(Rendezvous, NamesThoseThatDoNotCome) {
  Meeting meeting(3);
  meeting.start({.rank = 0, .size = 4});
  meeting.start({.rank = 2, .size = 4});
  EXPECT_THAT(
      meeting.errors(),
      AllOf(SizeIs(2), Each(AllOf(HasSubstr("ranks 1 and 3 did not come within 3 s"),
                                  HasSubstr("rank 2 ("), HasSubstr("communication.timeout_s")))));
  EXPECT_THAT(meeting.codes(), Each(ExitCode::kCommunication));
}

TEST(Rendezvous, NamesRankZeroWhereItDoesNotAnswer) {
  std::uint16_t port = 0;
  {
    const Listener gone(Endpoint{"127.0.0.1", 0});
    port = gone.port();
  }
  try {
    join_members({{"127.0.0.1", port}}, this_process({.rank = 1, .size = 2}, {}), "secret", 0.3,
                 [](const std::string&) {
                   return Endpoint{"127.0.0.1", 1};
                 });
    FAIL() << "expected a CommError";
  } catch (const CommError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("rank 1 ("), HasSubstr("did not reach rank 0 at 127"),
                                    HasSubstr("Connection refused")));
  }
}

TEST(Rendezvous, NamesAHostThatNobodyKnows) {
  try {
    join_members({{"no-such-host.invalid", 1}}, this_process({.rank = 1, .size = 2}, {}), "secret",
                 0.3, [](const std::string&) {
                   return Endpoint{"127.0.0.1", 1};
                 });
    FAIL() << "expected a CommError";
  } catch (const CommError& error) {
    EXPECT_THAT(error.what(), HasSubstr("\"no-such-host.invalid\" cannot be resolved"));
  }
}

TEST(Rendezvous, RefusesRanksThatWereToldAnotherNumber) {
  Meeting meeting(30);
  meeting.start({.rank = 0, .size = 3});
  meeting.start({.rank = 1, .size = 4});
  EXPECT_THAT(meeting.errors(),
              AllOf(SizeIs(2), Each(HasSubstr("says it is one of 4, but rank 0"))));
}

TEST(Rendezvous, RefusesTwoOfTheSameNumber) {
  Meeting meeting(30);
  meeting.start({.rank = 0, .size = 3});
  meeting.start({.rank = 1, .size = 3});
  meeting.start({.rank = 1, .size = 3});
  EXPECT_THAT(meeting.errors(),
              AllOf(SizeIs(3), Each(HasSubstr("two processes say that they are rank 1"))));
}

TEST(Rendezvous, RefusesRanksThatDisagreeAndSaysWhere) {
  Meeting meeting(30);
  meeting.start({.rank = 0, .size = 3}, {{"training.seed", "1"}});
  meeting.start({.rank = 1, .size = 3}, {{"training.seed", "1"}});
  meeting.start({.rank = 2, .size = 3}, {{"training.seed", "2"}});
  EXPECT_THAT(meeting.errors(),
              AllOf(SizeIs(3), Each(HasSubstr("training.seed: 1 on ranks 0 and 1, 2 on rank 2"))));
  EXPECT_THAT(meeting.codes(), Each(ExitCode::kConfig));
}

// Somebody else's program, a port scanner, a process of another job: none of them may disturb.
TEST(Rendezvous, LetsNoStrangersIn) {
  LogCapture log;
  Meeting meeting(30);
  meeting.start({.rank = 0, .size = 2});
  const Endpoint there{"127.0.0.1", meeting.listener().port()};
  const Deadline deadline(10);
  const Socket browser = connect_to(there, deadline);
  browser.send_all(std::as_bytes(std::span("GET / HTTP/1.1\r\n\r\n")), deadline);
  const Socket silent = connect_to(there, deadline);
  { const Socket hasty = connect_to(there, deadline); }
  const Socket other_job = connect_to(there, deadline);
  EXPECT_THROW(prove_to_server(other_job, "another secret", deadline), SocketError);
  std::array<std::byte, 8> ignored{};
  EXPECT_THROW(browser.receive_all(ignored, deadline), SocketError);
  meeting.start({.rank = 1, .size = 2});
  EXPECT_THAT(meeting.errors(), SizeIs(0));
  EXPECT_THAT(meeting.circles(), SizeIs(2));
  EXPECT_THAT(log.warnings(), ::testing::Contains(HasSubstr("does not speak as Ossau does")));
}

// It knows the token, and sends a frame that is too long, or no JSON, or the wrong JSON.
TEST(Rendezvous, SurvivesNonsenseFromThoseWhoKnowTheToken) {
  LogCapture log;
  Meeting meeting(30);
  meeting.start({.rank = 0, .size = 2});
  const Deadline deadline(10);
  for (const std::string& nonsense :
       {std::string("\xff\xff\xff\xff"), std::string("\x02\x00\x00\x00[]", 6),
        std::string("\x04\x00\x00\x00{\"a\"", 8),
        std::string("\x0a\x00\x00\x00{\"rank\":1}", 14)}) {
    const Socket socket = connect_to({"127.0.0.1", meeting.listener().port()}, deadline);
    prove_to_server(socket, "secret", deadline);
    socket.send_all(std::as_bytes(std::span(nonsense)), deadline);
    std::array<std::byte, 8> ignored{};
    EXPECT_THROW(socket.receive_all(ignored, deadline), SocketError);
  }
  meeting.start({.rank = 1, .size = 2});
  EXPECT_THAT(meeting.errors(), SizeIs(0));
  EXPECT_THAT(log.warnings(), SizeIs(4));
}

TEST(Rendezvous, NoticesARankThatIsLostWhileOthersAreWaitedFor) {
  Meeting meeting(30);
  meeting.start({.rank = 0, .size = 3});
  const Deadline deadline(10);
  {
    FrameStream lost(connect_to({"127.0.0.1", meeting.listener().port()}, deadline));
    prove_to_server(lost.socket(), "secret", deadline);
    lost.send(to_json(this_process({.rank = 2, .size = 3}, {})));
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
  }
  EXPECT_THAT(meeting.errors(),
              ::testing::ElementsAre(AllOf(HasSubstr("rank 2 ("), HasSubstr("was lost"))));
}

}  // namespace
}  // namespace ossau::test
