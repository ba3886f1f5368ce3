// Makes one results file of what the benchmark programs wrote, and tables and a picture of it.
//   bench_report --merge OUT... --into FOLDER --commit HASH [--modified]   prints the file's name
//   bench_report --markdown FILE                                           the tables
//   bench_report --roofline FILE                                           the picture, SVG

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include "results.hpp"
#include "roofline.hpp"
#include "table.hpp"

namespace ossau::bench {
namespace {

struct Arguments {
  std::vector<std::string> merge;
  std::string into = ".";
  std::string commit = "unknown";
  bool modified = false;
  std::string markdown;
  std::string roofline;
};

std::string compiler() {
#if defined(__clang__)
  return "clang " __clang_version__;
#else
  return "gcc " __VERSION__;
#endif
}

std::string today() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm utc{};
  gmtime_r(&now, &utc);
  return fmt::format("{:04}-{:02}-{:02}", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday);
}

std::filesystem::path merge(const Arguments& arguments) {
  Results results;
  results.date = today();
  results.machine = describe_machine();
  results.compiler = compiler();
  results.commit = arguments.commit;
  results.modified = arguments.modified;
  for (const std::string& file : arguments.merge) add_program_output(file, results);
  std::filesystem::create_directories(arguments.into);
  std::filesystem::path file = std::filesystem::path(arguments.into) / results_file_name(results);
  write_results(file, results);
  return file;
}

void run(const Arguments& arguments) {
  if (!arguments.merge.empty()) fmt::print("{}\n", merge(arguments).string());
  if (!arguments.markdown.empty()) {
    fmt::print("{}", markdown(read_results(arguments.markdown)));
  }
  if (!arguments.roofline.empty()) {
    const std::filesystem::path file = arguments.roofline;
    fmt::print("{}", roofline_svg(read_results(file), file.filename().string()));
  }
}

int main_with_exceptions(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("Results of the benchmark programs: one file, tables, a picture");
  app.add_option("--merge", arguments.merge, "Files that programs wrote with --benchmark_out");
  app.add_option("--into", arguments.into, "Folder for the results file");
  app.add_option("--commit", arguments.commit, "Commit that was measured");
  app.add_flag("--modified", arguments.modified, "The tree differed from the commit");
  app.add_option("--markdown", arguments.markdown, "Prints the tables of a results file");
  app.add_option("--roofline", arguments.roofline, "Prints the picture of a results file, SVG");
  app.require_option(1, 0);
  CLI11_PARSE(app, argc, argv);
  run(arguments);
  return 0;
}

}  // namespace
}  // namespace ossau::bench

int main(int argc, char** argv) {
  try {
    return ossau::bench::main_with_exceptions(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}
