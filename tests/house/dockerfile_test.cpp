#include "house/dockerfile.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "house/project.hpp"
#include "support/files.hpp"

// Docker itself can check little of this without building, and CI has no engine for that.

namespace ossau::test {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string project_file(const std::string& name) { return read_file(source_directory() / name); }

std::vector<std::string> faults_of(const std::string& dockerfile, const std::string& ignored) {
  return dockerfile_faults(dockerfile, ignored, OSSAU_PROGRAM);
}

TEST(Dockerfile, NamesOnlyWhatExists) {
  EXPECT_THAT(faults_of(project_file("Dockerfile.cuda"), project_file(".dockerignore")), IsEmpty());
}

TEST(Dockerfile, BuildsInOneStageAndRunsInAnother) {
  int stages = 0;
  std::string builds;
  for (const Instruction& instruction : parse_dockerfile(project_file("Dockerfile.cuda"))) {
    if (instruction.name == "FROM") ++stages;
    if (instruction.name == "RUN" && stages == 1) builds += instruction.body;
  }
  EXPECT_EQ(stages, 2);
  EXPECT_THAT(builds, HasSubstr("-DOSSAU_CUDA=ON"));
  EXPECT_THAT(builds, HasSubstr("-DOSSAU_BUILD_TESTS=OFF"));
}

TEST(Dockerfile, KeepsBuildsRunsAndHistoryOut) {
  std::set<std::string> ignored;
  std::istringstream lines(project_file(".dockerignore"));
  for (std::string line; std::getline(lines, line);) ignored.insert(line);
  for (const char* name : {"build", "runs", ".venv", ".git"}) EXPECT_EQ(ignored.count(name), 1U);
}

TEST(Dockerfile, IsReadAsDockerReadsIt) {
  const auto read = parse_dockerfile("# one\nfrom a:1.0 \\\n# two\n  AS b\n\nRUN x \\\n && y\n");
  ASSERT_EQ(read.size(), 2U);
  EXPECT_EQ(read[0].name, "FROM");
  EXPECT_EQ(read[0].body, "a:1.0 AS b");
  EXPECT_EQ(read[1].line, 6);
  EXPECT_EQ(read[1].body, "x && y");
}

struct Mistake {
  const char* right;  // in Dockerfile.cuda
  const char* wrong;
  const char* fault;
};

// So that the checks cannot pass by looking at nothing: one mistake each, made in the real file.
const Mistake kMistakes[] = {
    {"nvidia/cuda:${CUDA}-devel-ubuntu24.04", "nvidia/cuda:latest", "not pinned"},
    {"nvidia/cuda:${CUDA}-runtime", "nvidia/cuda:${CUDDA}-runtime", "CUDDA has no value"},
    {"COPY kernels kernels", "COPY kernel kernel", "kernel does not exist"},
    {"COPY kernels kernels", "COPY . .", "is ignored or holds what is"},
    {"COPY kernels kernels", "ADD kernels kernels", "use COPY"},
    {"COPY kernels kernels", "COPPY kernels kernels", "unknown instruction"},
    {"COPY scripts/install_dependencies.sh scripts/", "COPY LICENSE scripts/", "is not copied"},
    {"install_dependencies.sh --runtime", "install_dependencies.sh --run", "does not know --run"},
    {"-DOSSAU_CUDA=ON", "-DOSSAU_GPU=ON", "no option OSSAU_GPU"},
    {"cmake --preset release", "cmake --preset fast", "no preset fast"},
    {"cmake --build --preset release", "cmake --build --preset fast", "no build preset fast"},
    {"--install build/release", "--install build/debug", "configured in build/debug"},
    {"--prefix /opt/ossau", "--prefix /usr", "installs nothing into /opt/ossau/bin"},
    {"--from=build /opt/ossau/bin", "--from=builder /opt/ossau/bin", "no stage builder"},
    {"doctor | grep '", "doctor | grep ", "bash does not understand"},
    {"    && rm -rf /var/lib/apt/lists/*\nCOPY", "    && true\nCOPY", "lists stay"},
    {"install -y", "install", "would ask"},
    {"USER ossau", "USER root", "as root"},
    {"USER ossau", "", "as root"},
    {"WORKDIR /data", "WORKDIR data", "depends on what was before"},
    {R"(CMD ["ossau", "doctor"])", "CMD ossau doctor", "HEALTHCHECK is not in exec form"},
    {R"(CMD ["ossau", "doctor"])", R"(CMD ["ossau", "doc"])", "no command doc"},
    {R"(ENTRYPOINT ["ossau"])", "ENTRYPOINT ossau", "ENTRYPOINT is not in exec form"},
    {R"(CMD ["--help"])", R"(CMD ["--halp"])", "no command --halp"},
    {"ENV PATH=/opt/ossau/bin", "ENV PATH=/opt/ossau", "PATH does not lead"},
    {R"(version=")", R"(version="9.)", "label of the version"},
};

TEST(Dockerfile, OneMistakeIsFound) {
  const std::string right = project_file("Dockerfile.cuda");
  for (const Mistake& mistake : kMistakes) {
    std::string wrong = right;
    const std::size_t at = wrong.find(mistake.right);
    ASSERT_NE(at, std::string::npos) << mistake.right;
    wrong.replace(at, std::string(mistake.right).size(), mistake.wrong);
    EXPECT_THAT(faults_of(wrong, project_file(".dockerignore")), Contains(HasSubstr(mistake.fault)))
        << mistake.wrong;
  }
}

TEST(Dockerfile, IgnoringASourceIsFound) {
  EXPECT_THAT(faults_of(project_file("Dockerfile.cuda"), "build\nsrc\n"),
              Contains(HasSubstr("src is ignored")));
}

TEST(InstallDependencies, KnowsTheLibrariesThatTheProgramNeeds) {
  if (!has_program("dpkg-query") || !has_program("ldd")) GTEST_SKIP() << "not a Debian system";
  const CommandResult listed = run_command("scripts/install_dependencies.sh --runtime --list");
  ASSERT_EQ(listed.exit_code, 0) << listed.output;
  std::set<std::string> packages = {"libc6", "libgcc-s1"};  // in every image
  std::istringstream names(listed.output);
  for (std::string name; std::getline(names, name);) {
    EXPECT_FALSE(name.ends_with("-dev")) << name;
    packages.insert(name);
  }
  const std::string libraries = run_command("ldd '" OSSAU_PROGRAM "'").output;
  const std::regex library(R"((\S+) => /)");
  int checked = 0;
  for (std::sregex_iterator it(libraries.begin(), libraries.end(), library), end; it != end; ++it) {
    // Only a build with sanitizers needs these.
    if (std::regex_match(it->str(1), std::regex("lib(asan|ubsan|tsan)\\.so.*"))) continue;
    // More than one package may have a file of this name.
    const CommandResult owners = run_command("dpkg-query -S '*/" + it->str(1) + "'");
    std::istringstream lines(owners.output);
    bool known = false;
    for (std::string line; std::getline(lines, line);) {
      known = known || packages.count(line.substr(0, line.find(':'))) > 0;
    }
    EXPECT_TRUE(known) << it->str(1) << " is in " << owners.output;
    ++checked;
  }
  EXPECT_GE(checked, 5);
}

}  // namespace
}  // namespace ossau::test
