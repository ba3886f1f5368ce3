#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "cli/program.hpp"

// The shipped program where the CUDA module, the driver or the GPU is missing.

namespace ossau::test {
namespace {
namespace fs = std::filesystem;

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class ProgramWithoutGpu : public Program {
 protected:
  ProgramWithoutGpu() {
    folder_.write("tiny.csv", "label,x\n0,1\n1,2\n0,1.5\n1,3\n");
    folder_.write("tiny.yaml", "data: {train: tiny.csv}\nrun: {overwrite: true}\n");
  }

  // auto trains on the CPU and says why in one line; cuda fails with the reason.
  void expect_reason(const std::string& reason, const std::string& environment) {
    const Result automatic = run("train tiny.yaml training.epochs=2 run.ranks=all", environment);
    EXPECT_EQ(automatic.exit_code, 0) << automatic.err;
    EXPECT_EQ(count(automatic.err, "run.device: auto: no GPU ("), 1) << automatic.err;
    EXPECT_EQ(count(automatic.err, "training on the CPU"), 1) << automatic.err;
    EXPECT_THAT(automatic.err, HasSubstr(reason));
    EXPECT_TRUE(fs::exists(folder_.path() / "runs/tiny/model.safetensors"));

    const Result forced = run("train tiny.yaml run.device=cuda run.directory=runs/no", environment);
    EXPECT_EQ(forced.exit_code, 4) << forced.err;
    EXPECT_THAT(forced.err, AllOf(HasSubstr("error: run.device: cuda: "), HasSubstr(reason),
                                  HasSubstr("(set run.device: auto or cpu)")));
    EXPECT_EQ(count(forced.err, "\n"), 1) << forced.err;
    EXPECT_FALSE(fs::exists(folder_.path() / "runs/no/model.safetensors"));

    const Result doctor = run("doctor", environment);
    EXPECT_EQ(doctor.exit_code, 0) << doctor.err;
    EXPECT_THAT(doctor.out, AllOf(HasSubstr("CUDA          no GPU: "), HasSubstr(reason)));
  }
};

TEST_F(ProgramWithoutGpu, SaysWhatIsMissingWhereCudaIsHidden) {
  expect_reason(OSSAU_WITH_CUDA ? "NVIDIA" : "this build has no CUDA module",
                "CUDA_VISIBLE_DEVICES=");
}

TEST_F(ProgramWithoutGpu, NeedsNoModuleToTrainOnTheCpu) {
  if (!OSSAU_WITH_CUDA) GTEST_SKIP() << "this build has no CUDA module";
  const TemporaryDirectory empty;
  expect_reason(
      "the CUDA module libossau_cuda.so is not there (looked in " + empty.path().string() + ")",
      "OSSAU_MODULE_DIRECTORY=" + empty.path().string());
}

TEST_F(ProgramWithoutGpu, SurvivesADamagedModule) {
  if (!OSSAU_WITH_CUDA) GTEST_SKIP() << "this build has no CUDA module";
  const TemporaryDirectory directory;
  const std::string environment = "OSSAU_MODULE_DIRECTORY=" + directory.path().string();
  directory.write("libossau_cuda.so", "not a library");
  expect_reason("libossau_cuda.so cannot be loaded: ", environment);
  const std::string whole = read_file(fs::path(OSSAU_PROGRAM).parent_path() / "libossau_cuda.so");
  ASSERT_THAT(whole, Not(IsEmpty()));
  directory.write("libossau_cuda.so", whole.substr(0, whole.size() / 2));
  expect_reason("libossau_cuda.so cannot be loaded: it is cut short", environment);
}

TEST_F(ProgramWithoutGpu, SurvivesADamagedNccl) {
  if (!OSSAU_WITH_CUDA) GTEST_SKIP() << "this build has no CUDA module";
  if (run("doctor", "").out.find("NCCL          2.") == std::string::npos) {
    GTEST_SKIP() << "there is no NCCL here, or this build has none";
  }
  const TemporaryDirectory directory;
  const std::string whole = read_file(OSSAU_PROGRAM);  // a sound ELF file, cut
  directory.write("libnccl.so.2", whole.substr(0, whole.size() / 2));
  const Result doctor = run("doctor", "LD_LIBRARY_PATH=" + directory.path().string());
  EXPECT_EQ(doctor.exit_code, 0) << doctor.err;
  EXPECT_THAT(doctor.out, HasSubstr("libnccl.so.2 cannot be loaded: it is cut short"));
}

TEST_F(ProgramWithoutGpu, RefusesAModuleOfSomethingElse) {
  if (!OSSAU_WITH_CUDA) GTEST_SKIP() << "this build has no CUDA module";
  const TemporaryDirectory directory;
  fs::copy_file(OSSAU_OTHER_MODULE, directory.path() / "libossau_cuda.so");
  expect_reason("libossau_cuda.so was built from other sources than this program",
                "OSSAU_MODULE_DIRECTORY=" + directory.path().string());
}

TEST_F(ProgramWithoutGpu, FindsNoModuleBesideACopyOfItself) {
  if (!OSSAU_WITH_CUDA) GTEST_SKIP() << "this build has no CUDA module";
  const fs::path copy = folder_.path() / "bin" / "ossau";
  fs::create_directories(copy.parent_path());
  fs::copy_file(OSSAU_PROGRAM, copy);
  const Result result = run_program(copy.string(), "train tiny.yaml training.epochs=1", "");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("the CUDA module libossau_cuda.so is not there"));
  // Put where an installation has it, it is found.
  const fs::path installed = folder_.path() / "lib" / "ossau";
  fs::create_directories(installed);
  fs::copy_file(fs::path(OSSAU_PROGRAM).parent_path() / "libossau_cuda.so",
                installed / "libossau_cuda.so");
  const Result found =
      run_program(copy.string(), "train tiny.yaml training.epochs=1", "CUDA_VISIBLE_DEVICES=");
  EXPECT_EQ(found.exit_code, 0) << found.err;
  EXPECT_THAT(found.err, AllOf(Not(HasSubstr("is not there")), HasSubstr("NVIDIA")));
}

}  // namespace
}  // namespace ossau::test
