#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "comm/process/process_communicator.hpp"
#include "comm/process/rendezvous.hpp"
#include "comm/process/tcp_transport.hpp"

namespace ossau::test {

/// One rank of a job over TCP on this machine, as a process would be, but in a thread of the test.
inline std::unique_ptr<Communicator> join_on_loopback(
    const Listener& meeting_point, RankInfo me, double timeout_s,
    const std::string& token = "secret", std::function<void(const Verdict&)> end_process = {}) {
  Member member = this_process(me, {});
  std::optional<Listener> listener;
  const auto listen = [&](const std::string& host) {
    listener.emplace(Endpoint{host, 0});
    return Endpoint{host, listener->port()};
  };
  Circle circle;
  if (me.rank == 0) {
    member.data = listen("127.0.0.1");
    circle = await_members(meeting_point, member, token, timeout_s);
  } else {
    circle = join_members({{"127.0.0.1", meeting_point.port()}}, member, token, timeout_s, listen);
  }
  const auto connect = [&](const std::vector<Member>& members, const std::function<void()>& look) {
    return make_tcp_transport(*listener, me, members, token, timeout_s, look);
  };
  return make_process_communicator(std::move(circle), me, connect,
                                   {.timeout_s = timeout_s, .end_process = std::move(end_process)});
}

/// Calls `work` on every rank, each in a thread.
inline void run_on_loopback(std::int64_t size, double timeout_s,
                            const std::function<void(Communicator&)>& work) {
  const Listener meeting_point(Endpoint{"127.0.0.1", 0});
  std::vector<std::thread> threads;
  for (std::int64_t rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] {
      try {
        const auto communicator =
            join_on_loopback(meeting_point, {.rank = rank, .size = size}, timeout_s);
        work(*communicator);
        communicator->barrier("end");
      } catch (const std::exception& error) {
        ADD_FAILURE() << "rank " << rank << ": " << error.what();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace ossau::test
