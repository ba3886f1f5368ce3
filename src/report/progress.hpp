#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "train/observer.hpp"

namespace ossau {

/// Where progress is shown, and how.
struct ProgressOutput {
  bool terminal = false;     // one line, redrawn; else plain lines
  std::size_t columns = 80;  // of the terminal
  double log_every_s = 10;   // plain lines: seconds between two, at least
  std::function<void(std::string_view)> write;
  std::function<double()> now_s;  // a clock that never goes back
};

/// Standard error, redrawn where it is a terminal.
ProgressOutput standard_error_progress(double log_every_s);

/// Shows a training as it goes: a first line that says what runs where, then the latest epoch; on a
/// terminal one line redrawn at most ten times a second, elsewhere the first epoch, one at most
/// every log_every_s, and the last.
class Progress final : public TrainingObserver {
 public:
  explicit Progress(ProgressOutput output);
  /// Calls finish(), so that an error message starts on a line of its own.
  ~Progress() override;
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void on_start(const TrainingStart& start) override;
  void on_resume(const ResumePoint& from, const std::vector<EpochReport>& reports) override;
  void on_epoch(const EpochReport& report) override;
  /// Shows the last epoch, where that has not been done, and ends the line.
  void finish();

 private:
  std::string line(const EpochReport& report) const;
  void show(const EpochReport& report);

  ProgressOutput output_;
  TrainingStart start_;
  std::optional<EpochReport> unshown_;
  std::optional<double> shown_at_s_;
  std::optional<double> validation_loss_;  // the latest: not every epoch has one
  bool line_open_ = false;
};

/// The first line: rows, features, layout, device, ranks x threads, batch, learning rate.
std::string start_line(const TrainingStart& start);

}  // namespace ossau
