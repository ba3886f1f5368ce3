#include "core/machine.hpp"

#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <optional>
#include <string>

#include "core/machine_texts.hpp"
#include "support/files.hpp"

namespace ossau {
namespace {

TEST(MachineTexts, CountAListOfRanges) {
  EXPECT_EQ(count_of_list("0\n"), 1);
  EXPECT_EQ(count_of_list("0-1"), 2);
  EXPECT_EQ(count_of_list("0-3,8,10-11\n"), 7);
  for (const char* text : {"", "\n", "a", "3-1", "0-", "1,x"}) {
    EXPECT_EQ(count_of_list(text), std::nullopt) << text;
  }
}

TEST(MachineTexts, FindTheOptionInBrackets) {
  EXPECT_EQ(chosen_option("always [madvise] never\n"), "madvise");
  EXPECT_EQ(chosen_option("always madvise never"), std::nullopt);
  EXPECT_EQ(chosen_option(""), std::nullopt);
}

TEST(MachineTexts, FindTheProcessorsName) {
  EXPECT_EQ(processor_name("processor\t: 0\nmodel\t\t: 2\nmodel name\t: AMD EPYC\n"), "AMD EPYC");
  EXPECT_EQ(processor_name("processor\t: 0\nFeatures\t: asimd\n"), std::nullopt);
}

TEST(MachineTexts, ReadMemoryInBytes) {
  const std::string text = "MemTotal:       24684084 kB\nMemAvailable:   23231808 kB\nBad: 3 MB\n";
  EXPECT_EQ(meminfo_bytes(text, "MemTotal"), 24684084LL * 1024);
  EXPECT_EQ(meminfo_bytes(text, "MemAvailable"), 23231808LL * 1024);
  EXPECT_EQ(meminfo_bytes(text, "Bad"), std::nullopt);
  EXPECT_EQ(meminfo_bytes(text, "Mem"), std::nullopt);
}

TEST(MachineTexts, ReadTheSizeOfACache) {
  EXPECT_EQ(cache_bytes("48K\n"), 48 * 1024);
  EXPECT_EQ(cache_bytes("4M"), 4 * 1024 * 1024);
  EXPECT_EQ(cache_bytes("512"), 512);
  EXPECT_EQ(cache_bytes("K"), std::nullopt);
  EXPECT_EQ(cache_bytes(""), std::nullopt);
}

TEST(MachineTexts, ReadTheLimitOfAControlGroup) {
  EXPECT_EQ(cpu_limit("150000 100000\n"), 1.5);
  EXPECT_EQ(cpu_limit("-1\n 100000\n"), std::nullopt);
  for (const char* text : {"max 100000", "", "100000", "100000 0"}) {
    EXPECT_EQ(cpu_limit(text), std::nullopt) << text;
  }
}

TEST(MachineTexts, FindTheControlGroup) {
  const std::string text = "4:memory:/a\n3:cpu,cpuacct:/b/c\n0::/d\n";
  EXPECT_EQ(cgroup_path(text, "cpu"), "/b/c");
  EXPECT_EQ(cgroup_path(text, ""), "/d");
  EXPECT_EQ(cgroup_path(text, "cpuset"), std::nullopt);
}

class FakeSystem {
 public:
  void file(const std::string& name, const std::string& content) const {
    std::filesystem::create_directories((folder_.path() / name).parent_path());
    folder_.write(name, content);
  }
  Machine read() const { return read_machine(folder_.path()); }

 private:
  test::TemporaryDirectory folder_;
};

TEST(Machine, IsReadFromTheKernelsFiles) {
  const FakeSystem system;
  system.file("proc/cpuinfo", "model name\t: A 1\n");
  system.file("proc/meminfo", "MemTotal: 8 kB\nMemAvailable: 4 kB\n");
  system.file("sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never\n");
  system.file("sys/devices/system/node/online", "0-1\n");
  const std::string cache = "sys/devices/system/cpu/cpu0/cache/index";
  for (const auto& [i, level, type, size] : {std::array{"0", "1", "Data", "48K"},
                                             {"1", "1", "Instruction", "32K"},
                                             {"2", "2", "Unified", "2M"}}) {
    system.file(cache + i + "/level", level + std::string("\n"));
    system.file(cache + i + "/type", type + std::string("\n"));
    system.file(cache + i + "/size", size + std::string("\n"));
    system.file(cache + i + "/shared_cpu_list", "0-1\n");
  }
  const Machine machine = system.read();
  EXPECT_EQ(machine.processor, "A 1");
  EXPECT_EQ(machine.memory_bytes, 8192);
  EXPECT_EQ(machine.available_bytes, 4096);
  EXPECT_EQ(machine.huge_pages, "always");
  EXPECT_EQ(machine.numa_nodes, 2);
  ASSERT_EQ(machine.caches.size(), 2u);
  EXPECT_EQ(machine.caches[0].name, "L1d");
  EXPECT_EQ(machine.caches[1].name, "L2");
  EXPECT_EQ(machine.caches[1].bytes, 2 * 1024 * 1024);
  EXPECT_EQ(machine.caches[1].sharers, 2);
  EXPECT_EQ(machine.cpu_limit, std::nullopt);
}

TEST(Machine, IsLimitedByTheTightestGroupAbove) {
  const FakeSystem system;
  system.file("proc/self/cgroup", "0::/outer/inner\n");
  system.file("sys/fs/cgroup/outer/cpu.max", "200000 100000\n");
  system.file("sys/fs/cgroup/outer/inner/cpu.max", "400000 100000\n");
  EXPECT_EQ(system.read().cpu_limit, 2.0);
}

TEST(Machine, KnowsTheFirstVersionOfControlGroupsToo) {
  const FakeSystem system;
  system.file("proc/self/cgroup", "1:cpu,cpuacct:/box\n0::/\n");
  // As a container sees it: its own group is the top of what is mounted.
  system.file("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "50000\n");
  system.file("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(system.read().cpu_limit, 0.5);
}

TEST(Machine, DoesWithoutFiles) {
  const FakeSystem system;
  const Machine machine = system.read();
  EXPECT_EQ(machine.processor, std::nullopt);
  EXPECT_EQ(machine.numa_nodes, std::nullopt);
  EXPECT_TRUE(machine.caches.empty());
  EXPECT_GE(machine.usable_processors, 1);
  EXPECT_GE(machine.page_bytes, 4096);
}

constexpr std::int64_t kMebibyte = std::int64_t{1} << 20;

TEST(BytesPastCaches, AreFourTimesTheLastOnesInReach) {
  Machine machine;
  machine.processors = 16;
  machine.caches = {{"L2", kMebibyte, 1}, {"L3", 64 * kMebibyte, 8}};
  EXPECT_EQ(bytes_past_caches(machine, 1), 256 * kMebibyte);
  EXPECT_EQ(bytes_past_caches(machine, 2), 512 * kMebibyte);
  EXPECT_EQ(bytes_past_caches(machine, 16), 512 * kMebibyte);
}

TEST(BytesPastCaches, AssumeACacheWhereNoneIsKnown) {
  Machine machine;
  EXPECT_EQ(bytes_past_caches(machine, 4), 128 * kMebibyte);
  machine.caches = {{"L1d", kMebibyte / 16, 0}};
  EXPECT_EQ(bytes_past_caches(machine, 4), 128 * kMebibyte);
}

std::int64_t cores_with(std::int64_t processors, std::optional<double> limit) {
  Machine machine;
  machine.usable_processors = processors;
  machine.cpu_limit = limit;
  return usable_cores(machine);
}

TEST(UsableCores, AreNoMoreThanProcessorsOrTheLimitRoundedUp) {
  EXPECT_EQ(cores_with(8, std::nullopt), 8);
  EXPECT_EQ(cores_with(8, 100.0), 8);
  EXPECT_EQ(cores_with(8, 1e300), 8);
  EXPECT_EQ(cores_with(8, 2.0), 2);
  EXPECT_EQ(cores_with(8, 2.01), 3);
  EXPECT_EQ(cores_with(8, 0.5), 1);
}

TEST(UsableCores, AreAtLeastOne) {
  EXPECT_EQ(cores_with(8, 0.0), 1);
  EXPECT_EQ(cores_with(0, std::nullopt), 1);
}

TEST(UsableCores, OfThisMachineAreThoseThatItSays) {
  EXPECT_EQ(usable_cores(), usable_cores(read_machine()));
}

}  // namespace
}  // namespace ossau
