#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>
#include <string>

#include "house/project.hpp"
#include "support/files.hpp"

namespace ossau::test {
namespace {
namespace fs = std::filesystem;

// Functions of the C library whose results differ from one machine to the next.  sqrt, fma, fabs,
// floor and ldexp are exact and therefore free to use.
const std::string kInexactFunctions =
    "(exp|exp2|expm1|log|log2|log10|log1p|pow|cbrt|hypot|sin|cos|tan|asin|acos|atan|atan2|sinh|"
    "cosh|"
    "tanh|asinh|acosh|atanh|erf|erfc|lgamma|tgamma)[fl]?";

TEST(ArithmeticGates, ArithmeticCallsNoInexactLibraryFunction) {
  const std::regex call("(std::|[^A-Za-z0-9_:.>])" + kInexactFunctions + R"(\s*\()");
  for (const fs::path& file : project_files({"src/arith"}, {".hpp", ".cpp"})) {
    std::istringstream code(code_only(read_file(file)));
    int number = 0;
    for (std::string line; std::getline(code, line);) {
      ++number;
      EXPECT_FALSE(std::regex_search(line, call)) << file.string() << ":" << number << ": " << line;
    }
  }
}

// Headers may hide a call; the libraries' symbol tables cannot.  OSSAU_EXACT_LIBRARIES are those
// through which weights and data pass.
TEST(ArithmeticGates, LibrariesNeedNoInexactLibraryFunction) {
  const std::regex undefined(R"(^\s+U )" + kInexactFunctions + "(@.*)?$");
  std::istringstream libraries(OSSAU_EXACT_LIBRARIES);
  for (std::string library; std::getline(libraries, library, ':');) {
    const CommandResult symbols = run_command("'" OSSAU_NM "' '" + library + "'");
    ASSERT_EQ(symbols.exit_code, 0) << symbols.output;
    std::istringstream lines(symbols.output);
    for (std::string line; std::getline(lines, line);) {
      EXPECT_FALSE(std::regex_search(line, undefined)) << library << ": " << line;
    }
  }
}

TEST(ArithmeticGates, EveryFileIsCompiledWithoutContraction) {
  const std::regex forbidden(
      "-Ofast|-f(fast-math|unsafe-math|associative-math|reciprocal-math)|"
      "-ffp-contract=(fast|on)");
  const auto commands =
      nlohmann::json::parse(read_file(fs::path(OSSAU_BINARY_DIR) / "compile_commands.json"));
  EXPECT_FALSE(commands.empty());
  for (const auto& entry : commands) {
    const auto command = entry.at("command").get<std::string>();
    if (command.find("house_fused.dir") != std::string::npos) continue;  // the counter-example
    EXPECT_NE(command.find("-ffp-contract=off"), std::string::npos) << command;
    EXPECT_FALSE(std::regex_search(command, forbidden)) << command;
  }
}

std::string disassembly(const std::string& object) {
  const CommandResult result = run_command("'" OSSAU_OBJDUMP "' -d '" + object + "'");
  EXPECT_EQ(result.exit_code, 0) << result.output;
  return result.output;
}

TEST(ArithmeticGates, NoFmaAppearsWhereNoneIsWritten) {
  const std::regex fused("\\bv?fn?m(add|sub|la|ls)");
  EXPECT_FALSE(std::regex_search(disassembly(OSSAU_UNFUSED_OBJECT), fused));
  // The same source without our flags is fused, or this gate would look at nothing.
  EXPECT_TRUE(std::regex_search(disassembly(OSSAU_FUSED_OBJECT), fused));
}

// Every fma that our formulas write is a float32 one, so a fused float64 operation anywhere in the
// product would be the compiler's own.
TEST(ArithmeticGates, NoFloat64FmaIsInTheLibraries) {
  const std::string fused_float64 =
      R"(vfn?m(add|sub)[0-9]+[sp]d|fn?m(add|sub)\s+d[0-9]|fml[as]\s+v[0-9]+\.2d)";
  const auto lines_with = [](const std::string& library, const std::string& pattern) {
    return run_command("'" OSSAU_OBJDUMP "' -d '" + library + "' | grep -E -m 3 -e '" + pattern +
                       "'; true")
        .output;
  };
  std::istringstream libraries(OSSAU_EXACT_LIBRARIES);
  bool found_float32 = false;
  for (std::string library; std::getline(libraries, library, ':');) {
    EXPECT_EQ(lines_with(library, fused_float64), "") << library;
    found_float32 = found_float32 || !lines_with(library, R"(vfmadd[0-9]+ps|fmla\s+v)").empty();
  }
  // Or this gate would look at nothing: the SIMD kernels do fuse where it is written.
  EXPECT_TRUE(found_float32);
}

}  // namespace
}  // namespace ossau::test
