#include "core/module.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "support/files.hpp"

namespace ossau::test {
namespace {
namespace fs = std::filesystem;

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Sets the variable for one test.
class ModuleFolder {
 public:
  explicit ModuleFolder(const fs::path& folder) {
    ::setenv("OSSAU_MODULE_DIRECTORY", folder.c_str(), 1);
  }
  ~ModuleFolder() { ::unsetenv("OSSAU_MODULE_DIRECTORY"); }
  ModuleFolder(const ModuleFolder&) = delete;
  ModuleFolder& operator=(const ModuleFolder&) = delete;
};

TEST(LoadModule, LoadsAFileOfThatNameAndFindsItsSymbols) {
  const ModuleFolder folder(fs::path(OSSAU_TEST_MODULE).parent_path());
  const LoadedModule module = load_module("module_for_tests", "of the tests");
  ASSERT_NE(module.handle, nullptr) << module.why;
  EXPECT_THAT(module.why, IsEmpty());
  const auto answer = reinterpret_cast<int (*)()>(module.symbol("answer_of_the_test_module"));
  ASSERT_NE(answer, nullptr);
  EXPECT_EQ(answer(), 42);
  EXPECT_EQ(module.symbol("no_such_symbol"), nullptr);
}

TEST(LoadModule, SaysWhereItLookedInVain) {
  const TemporaryDirectory empty;
  const ModuleFolder folder(empty.path());
  const LoadedModule module = load_module("module_for_tests", "of the tests");
  EXPECT_EQ(module.handle, nullptr);
  EXPECT_EQ(module.symbol("answer_of_the_test_module"), nullptr);
  EXPECT_EQ(module.why,
            "libmodule_for_tests.so is not there (looked in " + empty.path().string() + ")");
}

TEST(LoadModule, SaysWhyAFileIsNone) {
  const TemporaryDirectory directory;
  const ModuleFolder folder(directory.path());
  const fs::path file = directory.write("libnone.so", std::string(10000, 'x'));
  const LoadedModule module = load_module("none", "");
  EXPECT_EQ(module.handle, nullptr);
  EXPECT_THAT(module.why, AllOf(HasSubstr(file.string() + " cannot be loaded: "),
                                HasSubstr("invalid ELF header")));
}

// The loader by itself would be killed at the first page that is not there.
TEST(LoadModule, NoticesAFileThatIsCutShort) {
  const TemporaryDirectory directory;
  const ModuleFolder folder(directory.path());
  const std::string whole = read_file(OSSAU_TEST_MODULE);
  for (const std::size_t bytes :
       {std::size_t{0}, std::size_t{40}, std::size_t{100}, whole.size() / 2, whole.size() - 1}) {
    directory.write("libcut.so", whole.substr(0, bytes));
    const LoadedModule module = load_module("cut", "of the tests");
    EXPECT_EQ(module.handle, nullptr) << bytes;
    EXPECT_THAT(module.why, HasSubstr("cannot be loaded: ")) << bytes;
    if (bytes < 100) continue;  // not even a header
    EXPECT_THAT(module.why, EndsWith("it is cut short")) << bytes;
  }
}

// Preallocated, and then the disk or the copy came to an end.
TEST(LoadModule, NoticesAFileWhoseEndWasNeverWritten) {
  const TemporaryDirectory directory;
  const ModuleFolder folder(directory.path());
  std::string file = read_file(OSSAU_TEST_MODULE);
  for (const std::size_t kept : {file.size() - 100, file.size() / 2, std::size_t{4096}}) {
    file = file.substr(0, kept) + std::string(file.size() - kept, '\0');
    directory.write("libempty_end.so", file);
    const LoadedModule module = load_module("empty_end", "of the tests");
    EXPECT_EQ(module.handle, nullptr) << kept;
    EXPECT_THAT(module.why, EndsWith("cannot be loaded: its end is missing")) << kept;
  }
}

TEST(LoadModule, RefusesAModuleThatWasBuiltFromOtherSources) {
  const ModuleFolder folder(fs::path(OSSAU_TEST_MODULE).parent_path());
  const LoadedModule module = load_module("module_for_tests", "of others");
  EXPECT_EQ(module.handle, nullptr);
  EXPECT_EQ(module.symbol("answer_of_the_test_module"), nullptr);
  EXPECT_THAT(module.why, HasSubstr("was built from other sources than this program"));
}

TEST(ModuleFolders, AreBesideTheProgramAndWhereItIsInstalled) {
  const auto folders = module_folders();
  ASSERT_GE(folders.size(), 2U);
  EXPECT_EQ(folders[0], fs::read_symlink("/proc/self/exe").parent_path());
  EXPECT_EQ(folders[1], folders[0].parent_path() / "lib" / "ossau");
  const ModuleFolder given("elsewhere");
  EXPECT_THAT(module_folders(), ElementsAre(fs::path("elsewhere")));
}

}  // namespace
}  // namespace ossau::test
