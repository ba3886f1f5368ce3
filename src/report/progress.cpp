#include "report/progress.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <exception>
#include <utility>

#include "report/text.hpp"

namespace ossau {
namespace {

constexpr double kRedrawSeconds = 0.1;
constexpr std::string_view kClearLine = "\r\x1b[K";

std::size_t terminal_columns() {
  constexpr std::size_t kUsual = 80;
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kUsual;
  return size.ws_col;
}

void write_to_standard_error(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

double steady_seconds() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

}  // namespace

ProgressOutput standard_error_progress(double log_every_s) {
  return {.terminal = ::isatty(STDERR_FILENO) == 1,
          .columns = terminal_columns(),
          .log_every_s = log_every_s,
          .write = write_to_standard_error,
          .now_s = steady_seconds};
}

std::string start_line(const TrainingStart& start) {
  std::string rows =
      fmt::format("{} x {}", counted(start.rows, "row"), counted(start.features, "feature"));
  if (start.validation_rows > 0) {
    rows += fmt::format(", {} to validate", counted(start.validation_rows, "row"));
  }
  const std::string method = start.solves
                                 ? fmt::format("method {}", start.method)
                                 : fmt::format("batch {}, learning rate {:.4g}",
                                               with_commas(start.batch_size), start.learning_rate);
  return fmt::format("training on {} ({}); {} {}, {} x {}; {}", rows, start.layout, start.device,
                     start.simd, counted(start.ranks, "rank"), counted(start.threads, "thread"),
                     method);
}

Progress::Progress(ProgressOutput output) : output_(std::move(output)) {}

Progress::~Progress() {
  try {
    finish();
  } catch (const std::exception&) {
    // Nobody is left to tell, and a missing line of progress costs nothing.
    line_open_ = false;
  }
}

void Progress::on_start(const TrainingStart& start) {
  start_ = start;
  output_.write(start_line(start) + "\n");
}

void Progress::on_resume(const ResumePoint& from, const std::vector<EpochReport>& reports) {
  for (const EpochReport& report : reports) {
    if (report.validation) validation_loss_ = report.validation->log_loss;
  }
  if (start_.solves) {
    output_.write(
        fmt::format("resumed from {}: iteration {}\n", from.file, with_commas(from.epoch)));
    return;
  }
  output_.write(fmt::format("resumed from {}: epoch {}, step {} of {}\n", from.file,
                            with_commas(from.epoch), with_commas(from.step),
                            with_commas(start_.steps_per_epoch)));
}

void Progress::on_epoch(const EpochReport& report) {
  if (report.validation) validation_loss_ = report.validation->log_loss;
  const double wait_s = output_.terminal ? kRedrawSeconds : output_.log_every_s;
  if (!shown_at_s_ || output_.now_s() - *shown_at_s_ >= wait_s) {
    show(report);
  } else {
    unshown_ = report;
  }
}

void Progress::finish() {
  if (unshown_) show(*std::exchange(unshown_, std::nullopt));
  if (std::exchange(line_open_, false)) output_.write("\n");
}

void Progress::show(const EpochReport& report) {
  unshown_.reset();
  shown_at_s_ = output_.now_s();
  if (!output_.terminal) {
    output_.write(line(report) + "\n");
    return;
  }
  // The last column stays free: some terminals wrap when it is written.
  output_.write(std::string(kClearLine) + shortened(line(report), output_.columns - 1));
  line_open_ = true;
}

std::string Progress::line(const EpochReport& report) const {
  if (report.passes) {
    const double gap = report.gap.value_or(INFINITY);
    return fmt::format("iteration {}  pass {}  loss {:.5f}  gap {}", with_commas(report.epoch),
                       with_commas(*report.passes), report.log_loss,
                       std::isfinite(gap) ? fmt::format("{:.1e}", gap) : "not known yet");
  }
  std::string text =
      fmt::format("epoch {}/{}  step {}  loss {:.5f}", with_commas(report.epoch),
                  with_commas(start_.epochs), with_commas(report.steps), report.log_loss);
  if (validation_loss_) text += fmt::format("  validation {:.5f}", *validation_loss_);
  text += fmt::format("  {} rows/s", short_rate(report.rows_per_second));
  const auto remaining = static_cast<double>(start_.epochs - report.epoch);
  if (remaining > 0) {
    const double epoch_s = report.elapsed_s / static_cast<double>(report.epoch);
    text += fmt::format("  ETA {}", short_duration(std::ceil(epoch_s * remaining)));
  }
  return text;
}

}  // namespace ossau
