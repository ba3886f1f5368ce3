// The contract of communicators, on MPI: started by mpirun, each rank a process that runs all
// tests.

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "comm/communicator_contract.hpp"
#include "comm/process/join.hpp"
#include "ossau/config.hpp"

namespace ossau::test {
namespace {

// One for all tests: MPI starts once in a process.
Communicator& job() {
  static const std::unique_ptr<Communicator> joined = [] {
    Config config;
    config.communication.launcher = Launcher::kMpi;
    config.communication.timeout_s = 60;
    return join_processes(config, [] { return std::map<std::string, std::string>(); });
  }();
  return *joined;
}

INSTANTIATE_TEST_SUITE_P(Mpi, CommunicatorContract,
                         ::testing::Values(CommunicatorCase{
                             "mpi", job().rank().size,
                             [](const std::function<void(Communicator&)>& work) { work(job()); }}),
                         [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace ossau::test
