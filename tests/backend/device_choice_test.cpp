#include "backend/device_choice.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "backend/cuda_module.hpp"
#include "ossau/error.hpp"
#include "support/log_capture.hpp"

namespace ossau::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Config config_of(Device device, std::int64_t ranks) {
  Config config;
  config.run.device = device;
  config.run.ranks = ranks;
  return config;
}

TEST(ChooseDevices, LeavesTheCpuAlone) {
  const LogCapture log;
  const Config config = choose_devices(config_of(Device::kCpu, 3));
  EXPECT_EQ(config.run.device, Device::kCpu);
  EXPECT_EQ(config.run.ranks, 3);
  EXPECT_THAT(log.infos(), IsEmpty());
  EXPECT_FALSE(gpu_of_rank(config.run, {.rank = 1, .size = 3}));
}

TEST(ChooseDevices, TakesOneRankForAllGpusOnTheCpu) {
  EXPECT_EQ(choose_devices(config_of(Device::kCpu, RunConfig::kAllGpus)).run.ranks, 1);
}

TEST(ChooseDevices, SaysInOneLineWhyThereIsNoGpu) {
  const std::string why = why_no_gpu();
  if (why.empty()) GTEST_SKIP() << "this machine has a GPU";
  const LogCapture log;
  const Config config = choose_devices(config_of(Device::kAuto, RunConfig::kAllGpus));
  EXPECT_EQ(config.run.device, Device::kCpu);
  EXPECT_EQ(config.run.ranks, 1);
  EXPECT_THAT(log.infos(),
              ElementsAre("run.device: auto: no GPU (" + why + "); training on the CPU"));
  try {
    choose_devices(config_of(Device::kCuda, 1));
    FAIL() << "expected a DeviceError";
  } catch (const DeviceError& error) {
    EXPECT_EQ(error.what(), "run.device: cuda: " + why + " (set run.device: auto or cpu)");
  }
}

// GPU 1 is too old.
TEST(ChooseDevices, LeavesOutGpusThatAreTooOld) {
  const std::vector<int> gpus = {0, 2, 3};
  std::vector<int> taken;
  std::vector<std::int64_t> sharers;
  for (std::int64_t rank = 0; rank < 5; ++rank) {
    const GpuPlace place = place_on(gpus, {.rank = rank, .size = 5});
    taken.push_back(place.device);
    sharers.push_back(place.ranks_here);
    EXPECT_TRUE(place.shared);
  }
  EXPECT_THAT(taken, ElementsAre(0, 2, 3, 0, 2));
  EXPECT_THAT(sharers, ElementsAre(2, 2, 1, 2, 2));
  EXPECT_FALSE(place_on(gpus, {.rank = 2, .size = 3}).shared);
}

TEST(ChooseDevices, SpreadsRanksOverGpus) {
  if (!why_no_gpu().empty()) GTEST_SKIP() << "this machine has no GPU";
  const Config config = choose_devices(config_of(Device::kAuto, RunConfig::kAllGpus));
  EXPECT_EQ(config.run.device, Device::kCuda);
  const std::int64_t gpus = *config.run.ranks;
  ASSERT_GE(gpus, 1);
  for (std::int64_t rank = 0; rank < gpus; ++rank) {
    const auto place = gpu_of_rank(config.run, {.rank = rank, .size = gpus});
    ASSERT_TRUE(place);
    EXPECT_EQ(place->device, rank);
    EXPECT_EQ(place->ranks_here, 1);
    EXPECT_FALSE(place->shared);
  }
  const auto crowded = gpu_of_rank(config.run, {.rank = gpus, .size = gpus + 1});
  ASSERT_TRUE(crowded);
  EXPECT_EQ(crowded->device, 0);
  EXPECT_EQ(crowded->ranks_here, 2);
  EXPECT_TRUE(crowded->shared);
}

}  // namespace
}  // namespace ossau::test
