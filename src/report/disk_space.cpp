#include "report/disk_space.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <string_view>
#include <system_error>

#include "ossau/error.hpp"
#include "report/text.hpp"

namespace ossau {
namespace {

namespace fs = std::filesystem;

// Of a model: weight, shift, scale and raw weight in float64, an exponent, and its name.
constexpr std::int64_t kModelBytesOfFeature = 4 * 8 + 4 + 8;
// Of a checkpoint, at least.
constexpr std::int64_t kCheckpointBytesOfFeature = 8;

// What is not there yet will be on the disk of the folder above.
fs::path nearest_existing(fs::path path) {
  std::error_code ignored;
  while (!fs::exists(path, ignored) && path.has_parent_path() && path != path.parent_path()) {
    path = path.parent_path();
  }
  return path.empty() ? fs::path(".") : path;
}

void require_space(const fs::path& folder, std::int64_t bytes, std::string_view key,
                   std::string_view what) {
  std::error_code error;
  const fs::space_info space = fs::space(nearest_existing(folder), error);
  if (error || space.available >= static_cast<std::uintmax_t>(bytes)) return;
  throw DeviceError(
      fmt::format("{}: {}: {} free, but {} takes about {} (free some space or choose "
                  "another directory)",
                  key, folder.string(), bytes_text(static_cast<std::int64_t>(space.available)),
                  what, bytes_text(bytes)));
}

}  // namespace

void DiskSpaceCheck::on_start(const TrainingStart& start) {
  require_space(run_, start.features * kModelBytesOfFeature, "run.directory", "the model");
  require_space(checkpoints_, start.features * kCheckpointBytesOfFeature, "checkpoint.directory",
                "a checkpoint");
}

}  // namespace ossau
