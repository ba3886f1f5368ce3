#include "report/doctor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace ossau {
namespace {

using ::testing::HasSubstr;

Diagnosis sample() {
  Diagnosis diagnosis;
  diagnosis.machine = {.processor = "A 1",
                       .processors = 8,
                       .usable_processors = 4,
                       .cpu_limit = 1.5,
                       .caches = {{"L1d", 48 * 1024}, {"L2", 1024 * 1024}},
                       .memory_bytes = std::int64_t{24} << 30,
                       .available_bytes = std::int64_t{12} << 30,
                       .page_bytes = 4096,
                       .huge_pages = "madvise",
                       .numa_nodes = 1};
  diagnosis.simd = {"avx2", "scalar"};
  diagnosis.threads = 4;
  diagnosis.speed = {.self_test = "",
                     .read_one_bytes = 12.5e9,
                     .read_all_bytes = 25e9,
                     .sparse_features = 1048576,
                     .sparse_entries = 300e6,
                     .wake_s = 5e-6};
  diagnosis.gpu.cuda = "this build has no CUDA module";
  diagnosis.mpi = "not part of this build";
  return diagnosis;
}

TEST(Doctor, IsGoldenText) {
  EXPECT_EQ("\n" + doctor_text(sample()), R"(
Processor     A 1
Processors    8 logical, 4 usable by this process, control group allows 1.5
Caches        L1d 48 KiB, L2 1 MiB
Memory        24 GiB, 12 GiB available
Pages         4 KiB, transparent huge pages: madvise
NUMA nodes    1
SIMD          avx2 (available: avx2, scalar)
Arithmetic    self-test passed
Reading       12.5 GB/s on 1 thread, 25 GB/s on 4 threads
Sparse rows   300 M entries/s gathered and scattered on 4 threads
              (1,048,576 features)
Waking        5 us for 4 threads
CUDA          no GPU: this build has no CUDA module
MPI           not part of this build
)");
}

Diagnosis sample_with_gpus() {
  Diagnosis diagnosis = sample();
  diagnosis.gpu.cuda = "CUDA 13.0, driver for CUDA 13.1";
  diagnosis.gpu.nccl = "2.28.9";
  GpuState fast;
  fast.info.name = "Fast 100";
  fast.info.major = 9;
  fast.info.memory_bytes = std::size_t{80} << 30;
  fast.info.free_bytes = std::size_t{79} << 30;
  GpuState busy;
  busy.info.ordinal = 1;
  busy.trouble = "cuda: use device 1: it is busy";
  diagnosis.gpu.gpus = {fast, busy};
  return diagnosis;
}

TEST(Doctor, ListsEveryGpu) {
  EXPECT_THAT(doctor_text(sample_with_gpus()), HasSubstr(R"(
CUDA          2 GPUs, CUDA 13.0, driver for CUDA 13.1
GPU 0         Fast 100, compute capability 9.0, 80 GiB, 79 GiB free
GPU 1         cuda: use device 1: it is busy
NCCL          2.28.9
MPI           not part of this build
)"));
}

TEST(Doctor, ListsEveryGpuForPrograms) {
  const auto json = nlohmann::json::parse(doctor_json(sample_with_gpus()));
  ASSERT_EQ(json.at("gpus").size(), 2U);
  EXPECT_EQ(json.at("gpus")[0].at("compute_capability"), "9.0");
  EXPECT_EQ(json.at("gpus")[0].at("free_bytes"), std::size_t{79} << 30);
  EXPECT_EQ(json.at("gpus")[1].at("trouble"), "cuda: use device 1: it is busy");
  EXPECT_EQ(json.at("modules").at("NCCL"), "2.28.9");
}

TEST(Doctor, SaysWhatIsUnknownAndWhatFailed) {
  Diagnosis diagnosis = sample();
  diagnosis.machine = Machine();
  diagnosis.speed.self_test = "fma";
  EXPECT_FALSE(diagnosis.healthy());
  const std::string text = doctor_text(diagnosis);
  for (const char* part : {"Processor     unknown\n", "Memory        unknown, unknown available\n",
                           "Caches        unknown\n", "NUMA nodes    unknown\n",
                           "huge pages: unknown\n", "SELF-TEST FAILED: fma"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
  const auto json = nlohmann::json::parse(doctor_json(diagnosis));
  EXPECT_TRUE(json.at("machine").at("processor").is_null());
  EXPECT_EQ(json.at("self_test"), "failed: fma");
}

TEST(Doctor, GivesProgramsTheSame) {
  const auto json = nlohmann::json::parse(doctor_json(sample()));
  EXPECT_EQ(json.at("machine").at("cpu_limit"), 1.5);
  EXPECT_EQ(json.at("machine").at("cache_bytes").at("L1d"), 48 * 1024);
  EXPECT_EQ(json.at("simd"), "avx2");
  EXPECT_EQ(json.at("read_bytes_per_second"), 25e9);
  EXPECT_EQ(json.at("modules").at("CUDA"), "this build has no CUDA module");
  EXPECT_TRUE(json.at("gpus").empty());
}

}  // namespace
}  // namespace ossau
