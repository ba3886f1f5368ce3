#include "report/final_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "report/samples.hpp"

namespace ossau {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(FinalTable, IsGoldenText) {
  EXPECT_EQ("\n" + final_table(test::sample_summary(), test::sample_model()), R"(
--------------------------------------------------------------------------------
2,666 rows x 4 features (dense), 667 rows to validate
20 epochs, 60 steps, stopped by epochs; learning rate 0.0625
no bound tells how far the optimum is

                            training      validation
objective                   0.312500        0.312500
log loss                    0.250000        0.250000
accuracy                     86.12 %         86.12 %
AUC                           0.9000               -
largest gradient            1.25e-05        1.25e-05

Rows by true label                   predicted False      predicted True
training    False                              2,200                  80
            True                                 250                 136
validation  False                              2,200                  80
            True                                   0                   0

Strongest coefficients, features as scaled (3 of 4 not zero)
towards True                            towards False
âge                             +1.5    international plan=no, as~     -2.25
account length                  +0.5

Time    read 0.125 s, train 1 min 15 s, evaluate 0.5 s, total 1 min 15 s
Speed   11.4 kB/s of features, 40 % of the 28.4 kB/s that merely reading allows
Ranks   adding up with the others took 7.5 s, 10 % of training, 0.125 s a step
Model   sha256 0123456789abcdef...
Files   runs/quickstart/
        model.safetensors summary.json metrics.jsonl config.yaml
--------------------------------------------------------------------------------
)");
}

TEST(FinalTable, SaysHowNearTheOptimumASolverCame) {
  Summary summary = test::solved_summary();
  EXPECT_THAT(final_table(summary, test::sample_model()),
              HasSubstr("\ngram_lbfgs: 9 iterations, 1,010 passes, 2 Gram matrices\n"
                        "objective within 3.1e-07 of the optimum, certified\n"));
  summary.method = "newton_cg";
  summary.epochs = 1;
  summary.convergence->gram_passes = 0;
  summary.convergence->certified = false;
  EXPECT_THAT(final_table(summary, test::sample_model()),
              HasSubstr("\nnewton_cg: 1 iteration, 1,010 passes\n"
                        "objective within 3.1e-07 of the optimum, estimated\n"));
}

TEST(FinalTable, FitsEightyColumnsWhateverTheNames) {
  Model model = test::sample_model();
  model.schema.classes = {std::string(200, 'n'), std::string(200, 'p')};
  model.schema.feature_names[0] = std::string(200, 'f');
  Summary summary = test::sample_summary();
  summary.rows = 9'000'000'000;
  summary.train.true_negatives = 9'000'000'000;
  std::istringstream lines(final_table(summary, model));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 82U) << line;
}

TEST(FinalTable, WithoutValidationShowsTrainingOnly) {
  Summary summary = test::sample_summary();
  summary.validation.reset();
  summary.validation_rows = 0;
  EXPECT_THAT(final_table(summary, test::sample_model()), Not(HasSubstr("valid")));
}

TEST(FinalTable, ShowsFiveCoefficientsASideAndTiesByPosition) {
  Model model = test::sample_model();
  model.weights = {1, 1, 1, 1, 1, 1, 2};
  model.schema.feature_names = {"f0", "f1", "f2", "f3", "f4", "f5", "f6"};
  Summary summary = test::sample_summary();
  summary.nonzero_weights = summary.features = 7;
  const std::string table = final_table(summary, model);
  EXPECT_LT(table.find("f6"), table.find("f0"));
  EXPECT_THAT(table, HasSubstr("f3"));
  EXPECT_THAT(table, Not(HasSubstr("f4")));
}

TEST(FinalTable, GivesTheSpeedOfSparseRowsInEntries) {
  Summary summary = test::sample_summary();
  summary.layout = "sparse";
  summary.speed.entries = 150'000'000;
  summary.speed.ceiling_share = 0.0123;
  EXPECT_THAT(final_table(summary, test::sample_model()),
              HasSubstr("Speed   40 M entries/s, 1.2 % of the 3.25 G/s that bare gather and "
                        "scatter allows\n"));
}

TEST(FinalTable, SaysNothingOfTheSpeedOfRowsWithoutEntries) {
  Summary summary = test::sample_summary();
  summary.speed.entries = 0;
  EXPECT_THAT(final_table(summary, test::sample_model()), Not(HasSubstr("Speed")));
}

TEST(FinalTable, WithoutAnyWeightHasNoCoefficients) {
  Model model = test::sample_model();
  model.weights = {0, 0, 0, 0};
  Summary summary = test::sample_summary();
  summary.nonzero_weights = 0;
  EXPECT_THAT(final_table(summary, model), Not(HasSubstr("coefficients")));
}

}  // namespace
}  // namespace ossau
