#include "report/progress.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <string>

#include "report/samples.hpp"

namespace ossau {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

// A place to write and a clock, both in the test's hands.
struct Screen {
  std::string text;
  double now_s = 100;

  ProgressOutput output(bool terminal, double log_every_s = 10) {
    return {.terminal = terminal,
            .columns = 80,
            .log_every_s = log_every_s,
            .write = [this](std::string_view more) { text += more; },
            .now_s = [this] { return now_s; }};
  }
  std::ptrdiff_t count(char wanted) const { return std::ranges::count(text, wanted); }
};

void run_epochs(Screen& screen, Progress& progress, int epochs, double epoch_s) {
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    screen.now_s += epoch_s;
    progress.on_epoch(test::sample_epoch(epoch));
  }
}

TEST(StartLine, SaysWhatRunsWhere) {
  TrainingStart start = test::sample_start();
  EXPECT_EQ(start_line(start),
            "training on 32,561 rows x 123 features (sparse); cpu avx512, 1 rank x 2 threads; "
            "batch 1,024, learning rate 0.03457");
  start.validation_rows = 1;
  EXPECT_THAT(start_line(start), HasSubstr("123 features, 1 row to validate (sparse)"));
}

TEST(StartLine, OfASolverNamesItInsteadOfABatchAndARate) {
  EXPECT_EQ(start_line(test::solver_start()),
            "training on 32,561 rows x 123 features (sparse); cpu avx512, 1 rank x 2 threads; "
            "method newton_cg");
}

TEST(Progress, OfASolverShowsItsPassesAndItsGap) {
  Screen screen;
  Progress progress(screen.output(false, 0));
  progress.on_start(test::solver_start());
  screen.text.clear();
  progress.on_epoch(test::sample_iteration(3));
  EXPECT_EQ(screen.text, "iteration 3  pass 1,200  loss 0.50000  gap 9.8e-04\n");
  screen.text.clear();
  progress.on_resume({.file = "a/step.safetensors", .epoch = 4, .step = 0}, {});
  EXPECT_EQ(screen.text, "resumed from a/step.safetensors: iteration 4\n");
}

TEST(Progress, WithoutATerminalWritesPlainLinesWithTheFirstAndTheLast) {
  Screen screen;
  {
    Progress progress(screen.output(false));
    progress.on_start(test::sample_start());
    run_epochs(screen, progress, 20, 0.25);
  }
  EXPECT_EQ(screen.text, start_line(test::sample_start()) +
                             "\n"
                             "epoch 1/20  step 32  loss 0.50000  1.23 M rows/s  ETA 5 s\n"
                             "epoch 20/20  step 640  loss 0.50000  1.23 M rows/s\n");
}

TEST(Progress, WithoutATerminalWritesAtMostOneLineEachInterval) {
  Screen screen;
  Progress progress(screen.output(false, 10));
  progress.on_start(test::sample_start());
  run_epochs(screen, progress, 20, 4);
  progress.finish();
  // Start, epochs 1, 4, 7, 10, 13, 16, 19 (12 s apart) and 20.
  EXPECT_EQ(screen.count('\n'), 9);
  EXPECT_THAT(screen.text, Not(HasSubstr("\x1b")));
}

TEST(Progress, ShowsEveryEpochWhereTheIntervalIsZero) {
  Screen screen;
  Progress progress(screen.output(false, 0));
  progress.on_start(test::sample_start());
  run_epochs(screen, progress, 20, 0);
  progress.finish();
  EXPECT_EQ(screen.count('\n'), 21);
}

TEST(Progress, OnATerminalRedrawsOneLineTenTimesASecondAtMost) {
  Screen screen;
  Progress progress(screen.output(true));
  progress.on_start(test::sample_start());
  run_epochs(screen, progress, 1000, 0.001);
  progress.finish();
  EXPECT_LE(screen.count('\r'), 12) << "one second of epochs";
  EXPECT_GE(screen.count('\r'), 9);
  EXPECT_EQ(screen.count('\n'), 2) << "after the start line and at the end";
  EXPECT_THAT(screen.text, HasSubstr("epoch 1,000/20"));
  EXPECT_THAT(screen.text, EndsWith("\n"));
}

TEST(Progress, OnATerminalNeverReachesTheLastColumn) {
  Screen screen;
  ProgressOutput output = screen.output(true);
  output.columns = 30;
  Progress progress(output);
  progress.on_epoch(test::sample_epoch(1));
  const std::string drawn = screen.text.substr(screen.text.find('K') + 1);
  EXPECT_EQ(drawn.size(), 29U);
}

TEST(Progress, KeepsTheLatestValidationInSight) {
  Screen screen;
  Progress progress(screen.output(false, 0));
  progress.on_start(test::sample_start());
  EpochReport with_validation = test::sample_epoch(1);
  with_validation.validation = test::sample_metrics();
  progress.on_epoch(with_validation);
  screen.text.clear();
  progress.on_epoch(test::sample_epoch(2));
  EXPECT_THAT(screen.text, HasSubstr("validation 0.25000"));
}

TEST(Progress, SaysWhereATrainingGoesOn) {
  Screen screen;
  Progress progress(screen.output(false));
  progress.on_start(test::sample_start());
  screen.text.clear();
  EpochReport with_validation = test::sample_epoch(2);
  with_validation.validation = test::sample_metrics();
  progress.on_resume({.file = "runs/a/checkpoints/step.safetensors", .epoch = 3, .step = 17},
                     {test::sample_epoch(1), with_validation});
  EXPECT_EQ(screen.text,
            "resumed from runs/a/checkpoints/step.safetensors: epoch 3, step 17 of 32\n");
  progress.on_epoch(test::sample_epoch(3));
  EXPECT_THAT(screen.text, ::testing::HasSubstr("validation 0.25000"));
}

TEST(Progress, EndsItsLineWhenTheTrainingFails) {
  Screen screen;
  try {
    Progress progress(screen.output(true));
    progress.on_start(test::sample_start());
    progress.on_epoch(test::sample_epoch(1));
    throw std::runtime_error("divergence");
  } catch (const std::runtime_error&) {
    EXPECT_THAT(screen.text, EndsWith("\n"));
  }
}

TEST(Progress, WritesNothingMoreOnceFinished) {
  Screen screen;
  {
    Progress progress(screen.output(true));
    progress.on_start(test::sample_start());
    run_epochs(screen, progress, 3, 0.01);
    progress.finish();
    screen.text.clear();
    progress.finish();
  }
  EXPECT_EQ(screen.text, "");
}

}  // namespace
}  // namespace ossau
