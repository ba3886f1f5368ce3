#include "report/metrics_log.hpp"

#include <fcntl.h>

#include <cerrno>
#include <utility>

#include "report/metrics_json.hpp"

namespace ossau {

MetricsLog::MetricsLog(std::filesystem::path file) : file_(std::move(file)) {
  constexpr mode_t kFileMode = 0666;  // the process's umask takes away from it
  descriptor_ = FileDescriptor(
      ::open(file_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, kFileMode));
  if (!descriptor_.is_open()) throw_cannot_write(file_, errno);
}

void MetricsLog::on_resume(const ResumePoint& /*from*/, const std::vector<EpochReport>& reports) {
  for (const EpochReport& report : reports) on_epoch(report);
}

void MetricsLog::on_epoch(const EpochReport& report) {
  write_all(descriptor_, epoch_line(report) + "\n", file_);
}

}  // namespace ossau
