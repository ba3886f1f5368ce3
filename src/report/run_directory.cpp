#include "report/run_directory.hpp"

#include <fmt/format.h>

#include <string>
#include <system_error>
#include <vector>

#include "config/write.hpp"
#include "core/atomic_file.hpp"
#include "ossau/error.hpp"

namespace ossau {
namespace {

namespace fs = std::filesystem;

// Where a program that uses the library names no directory.
constexpr const char* kDefaultDirectory = "runs/ossau";

void remove_file(const fs::path& file) {
  std::error_code error;
  fs::remove(file, error);
  if (error) throw_cannot_write(file, error.value());
}

// `file` and what a killed process left aside of it.
void remove_with_asides(const fs::path& file) {
  remove_file(file);
  std::vector<fs::path> asides;
  std::error_code error;
  for (fs::directory_iterator entry(file.parent_path(), error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (is_aside_of(name, file.filename().string())) asides.push_back(entry->path());
  }
  if (error) throw_cannot_write(file.parent_path(), error.value());
  for (const fs::path& aside : asides) remove_file(aside);
}

void make_directory(const fs::path& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  std::error_code ignored;  // of asking; that of creating says more
  if (fs::is_directory(directory, ignored)) return;
  if (fs::exists(directory, ignored)) {
    throw ConfigError(
        fmt::format("run.directory: {} is not a directory (choose another)", directory.string()));
  }
  throw_cannot_write(directory, error.value());
}

}  // namespace

RunFiles run_files(const fs::path& directory) {
  return {.directory = directory,
          .config = directory / "config.yaml",
          .metrics = directory / "metrics.jsonl",
          .model = directory / "model.safetensors",
          .summary = directory / "summary.json"};
}

RunFiles prepare_run_directory(const Config& config) {
  RunFiles files = run_files(config.run.directory.value_or(kDefaultDirectory));
  make_directory(files.directory);
  std::error_code ignored;  // a directory that cannot be searched fails below, at the first removal
  if (fs::exists(files.summary, ignored) && !config.run.overwrite) {
    throw ConfigError(
        fmt::format("run.directory: {} holds a finished run (replace it with run.overwrite=true, "
                    "or choose another run.directory)",
                    files.directory.string()));
  }
  // The summary first: a crash in between must not leave one that speaks of removed files.
  for (const fs::path& file : {files.summary, files.model, files.metrics, files.config}) {
    remove_with_asides(file);
  }
  write_file_atomically(files.config, effective_config_yaml(config));
  return files;
}

void discard_results(const RunFiles& files) noexcept {
  for (const fs::path& file : {files.summary, files.model}) {
    std::error_code ignored;  // the failure that brought us here is the one to tell
    fs::remove(file, ignored);
  }
}

}  // namespace ossau
