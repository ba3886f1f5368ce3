#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "house/project.hpp"
#include "support/files.hpp"

namespace ossau::test {
namespace {
namespace fs = std::filesystem;

// Every configuration that is shipped runs as it is, from the top folder, to a model.
TEST(Configs, EveryShippedOneTrains) {
  const std::vector<fs::path> configs = project_files({"configs"}, {".yaml"});
  EXPECT_FALSE(configs.empty());
  for (const fs::path& config : configs) {
    const TemporaryDirectory folder;
    const fs::path run = folder.path() / "run";
    const CommandResult result = run_command("'" OSSAU_PROGRAM "' train '" + config.string() +
                                             "' run.directory='" + run.string() + "'");
    EXPECT_EQ(result.exit_code, 0) << config << "\n" << result.output;
    EXPECT_TRUE(fs::exists(run / "model.safetensors")) << config << "\n" << result.output;
    EXPECT_TRUE(fs::exists(run / "summary.json")) << config << "\n" << result.output;
  }
}

}  // namespace
}  // namespace ossau::test
