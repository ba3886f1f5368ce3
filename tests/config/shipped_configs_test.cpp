#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "config/load.hpp"
#include "support/files.hpp"

namespace ossau::test {
namespace {
namespace fs = std::filesystem;

TEST(ShippedConfigs, AreFineAndWarnOfNothing) {
  int configs = 0;
  for (const auto& entry : fs::directory_iterator(source_directory() / "configs")) {
    if (entry.path().extension() != ".yaml") continue;
    ++configs;
    const LoadedConfig loaded =
        parse_config(read_file(entry.path()), entry.path().filename().string());
    EXPECT_TRUE(loaded.warnings.empty()) << entry.path();
    EXPECT_TRUE(loaded.config.run.overwrite) << entry.path() << " runs only once";
    for (const std::string& file : loaded.config.data.train) {
      EXPECT_TRUE(fs::exists(source_directory() / file)) << entry.path() << ": " << file;
    }
  }
  EXPECT_GE(configs, 5);
}

}  // namespace
}  // namespace ossau::test
