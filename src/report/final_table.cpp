#include "report/final_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <string_view>
#include <vector>

#include "report/metrics_json.hpp"
#include "report/text.hpp"

namespace ossau {
namespace {

constexpr std::size_t kColumns = 80;
constexpr std::size_t kNameWidth = 20;
constexpr std::size_t kNumberWidth = 16;
constexpr std::size_t kStrongest = 5;

std::string percent(double share) { return fmt::format("{:.2f} %", 100 * share); }

std::string or_dash(double value, int digits) {
  return std::isfinite(value) ? fmt::format("{:.{}f}", value, digits) : "-";
}

// A share of the optimum: 0.01 is one hundredth of it.
std::string gap_line(const Summary& summary) {
  if (!summary.convergence || !std::isfinite(summary.convergence->gap)) {
    return "no bound tells how far the optimum is\n";
  }
  return fmt::format("objective within {:.1e} of the optimum, {}\n", summary.convergence->gap,
                     summary.convergence->certified ? "certified" : "estimated");
}

// "gram_lbfgs: 9 iterations, 10 passes, 2 Gram matrices"
std::string method_line(const Summary& summary) {
  if (summary.learning_rate > 0) {  // of a rule
    return fmt::format("{}, {}, stopped by {}; learning rate {:.4g}\n",
                       counted(summary.epochs, "epoch"), counted(summary.steps, "step"),
                       summary.stop_reason, summary.learning_rate);
  }
  const Convergence& reached = *summary.convergence;
  const std::string grams = reached.gram_passes == 0
                                ? ""
                                : fmt::format(", {} Gram {}", reached.gram_passes,
                                              reached.gram_passes == 1 ? "matrix" : "matrices");
  return fmt::format("{}: {}, {} {}{}\n", summary.method, counted(summary.epochs, "iteration"),
                     with_commas(reached.passes), reached.passes == 1 ? "pass" : "passes", grams);
}

std::string data_lines(const Summary& summary) {
  std::string held_out;
  if (summary.validation_rows > 0) {
    held_out = fmt::format(", {} to validate", counted(summary.validation_rows, "row"));
  }
  return fmt::format("{} x {} ({}){}\n", counted(summary.rows, "row"),
                     counted(summary.features, "feature"), summary.layout, held_out) +
         method_line(summary) + gap_line(summary);
}

// One line: what, its value on the training rows, and on the validation rows where there are any.
template <typename Format>
std::string quality_line(std::string_view what, const Summary& summary, Format format) {
  std::string line = left_aligned(what, kNameWidth);
  line += right_aligned(format(summary.train), kNumberWidth);
  if (summary.validation) line += right_aligned(format(*summary.validation), kNumberWidth);
  return line + "\n";
}

std::string quality_table(const Summary& summary) {
  std::string table = std::string(kNameWidth, ' ') + right_aligned("training", kNumberWidth);
  if (summary.validation) table += right_aligned("validation", kNumberWidth);
  table += "\n";
  const auto fixed = [](double Metrics::*value, int digits) {
    return [=](const Metrics& metrics) { return or_dash(metrics.*value, digits); };
  };
  constexpr int kLossDigits = 6;
  table += quality_line("objective", summary, fixed(&Metrics::objective, kLossDigits));
  table += quality_line("log loss", summary, fixed(&Metrics::log_loss, kLossDigits));
  table += quality_line("accuracy", summary,
                        [](const Metrics& metrics) { return percent(metrics.accuracy); });
  table += quality_line("AUC", summary, fixed(&Metrics::auc, 4));
  table += quality_line("largest gradient", summary, [](const Metrics& metrics) {
    return fmt::format("{:.3g}", metrics.gradient_max);
  });
  return table;
}

std::string confusion_lines(std::string_view rows, const Metrics& metrics,
                            const std::array<std::string, 2>& classes) {
  constexpr std::size_t kRowsWidth = 12;
  const auto line = [&](std::string_view first, const std::string& truth, std::int64_t negative,
                        std::int64_t positive) {
    return left_aligned(first, kRowsWidth) + left_aligned(truth, kNameWidth) +
           right_aligned(with_commas(negative), kNumberWidth + 4) +
           right_aligned(with_commas(positive), kNumberWidth + 4) + "\n";
  };
  return line(rows, classes[0], metrics.true_negatives, metrics.false_positives) +
         line("", classes[1], metrics.false_negatives, metrics.true_positives);
}

std::string confusion_table(const Summary& summary, const Model& model) {
  constexpr std::size_t kTruthWidth = 32;
  const std::array<std::string, 2>& classes = model.schema.classes;
  std::string table = left_aligned("Rows by true label", kTruthWidth) +
                      right_aligned("predicted " + classes[0], kNumberWidth + 4) +
                      right_aligned("predicted " + classes[1], kNumberWidth + 4) + "\n";
  table += confusion_lines("training", summary.train, classes);
  if (summary.validation) table += confusion_lines("validation", *summary.validation, classes);
  return table;
}

// The features with the largest weights towards one class, strongest first.
// sign: +1 towards the positive class, -1 towards the negative one.
std::vector<std::size_t> strongest(const Model& model, double sign) {
  std::vector<std::size_t> order;
  for (std::size_t j = 0; j < model.weights.size(); ++j) {
    if (sign * model.weights[j] > 0) order.push_back(j);
  }
  const auto kept = order.begin() + static_cast<std::ptrdiff_t>(std::min(kStrongest, order.size()));
  std::partial_sort(order.begin(), kept, order.end(), [&](std::size_t a, std::size_t b) {
    const double left = std::abs(model.weights[a]);
    const double right = std::abs(model.weights[b]);
    return left != right ? left > right : a < b;
  });
  order.erase(kept, order.end());
  return order;
}

std::string coefficient(const Model& model, const std::vector<std::size_t>& features,
                        std::size_t place) {
  constexpr std::size_t kFeatureWidth = 26;
  constexpr std::size_t kWeightWidth = 10;
  if (place >= features.size()) return left_aligned("", kFeatureWidth + kWeightWidth);
  const std::size_t j = features[place];
  return left_aligned(model.schema.feature_names[j], kFeatureWidth) +
         right_aligned(fmt::format("{:+.4g}", model.weights[j]), kWeightWidth);
}

std::string coefficient_table(const Summary& summary, const Model& model) {
  constexpr std::size_t kSideWidth = 36;
  constexpr std::string_view kBetween = "    ";
  if (summary.nonzero_weights == 0) return "";
  const std::vector<std::size_t> positive = strongest(model, 1);
  const std::vector<std::size_t> negative = strongest(model, -1);
  std::string table =
      fmt::format("Strongest coefficients, features as scaled ({} of {} not zero)\n",
                  with_commas(summary.nonzero_weights), with_commas(summary.features));
  table += left_aligned("towards " + model.schema.classes[1], kSideWidth);
  table += kBetween;
  table += shortened("towards " + model.schema.classes[0], kSideWidth) + "\n";
  for (std::size_t i = 0; i < std::max(positive.size(), negative.size()); ++i) {
    std::string line = coefficient(model, positive, i);
    line += kBetween;
    line += coefficient(model, negative, i);
    line.erase(line.find_last_not_of(' ') + 1);
    table += line + "\n";
  }
  return table + "\n";
}

std::string percents(double share) {
  return share < 0.1 ? fmt::format("{:.2g} %", 100 * share) : fmt::format("{:.0f} %", 100 * share);
}

// Dense: "Speed   12.3 GB/s of features, 81 % of the 15.2 GB/s that merely reading allows".
std::string speed_line(const Summary& summary) {
  const double reached = entries_per_second(summary);
  const double share = summary.speed.ceiling_share;
  if (!(reached > 0) || !(share > 0)) return "";  // rows without entries
  if (summary.layout == "dense") {
    constexpr double kEntryBytes = sizeof(float);
    return fmt::format("Speed   {}B/s of features, {} of the {}B/s that merely reading allows\n",
                       short_rate(kEntryBytes * reached), percents(share),
                       short_rate(kEntryBytes * reached / share));
  }
  return fmt::format("Speed   {} entries/s, {} of the {}/s that bare gather and scatter allows\n",
                     short_rate(reached), percents(share), short_rate(reached / share));
}

std::string ranks_line(const Summary& summary) {
  const double seconds = summary.speed.communication_s;
  if (!(seconds > 0)) return "";
  return fmt::format("Ranks   adding up with the others took {}, {} of training, {} a step\n",
                     short_duration(seconds), percents(seconds / summary.time.train_s),
                     short_duration(seconds / static_cast<double>(summary.steps)));
}

std::string closing_lines(const Summary& summary) {
  constexpr std::size_t kShownDigits = 16;
  const Times& time = summary.time;
  return fmt::format("Time    read {}, train {}, evaluate {}, total {}\n",
                     short_duration(time.read_s), short_duration(time.train_s),
                     short_duration(time.evaluate_s), short_duration(time.total_s)) +
         speed_line(summary) + ranks_line(summary) +
         fmt::format("Model   sha256 {}...\n", summary.model_sha256.substr(0, kShownDigits)) +
         fmt::format("Files   {}/\n", summary.run_directory) +
         "        model.safetensors summary.json metrics.jsonl config.yaml\n";
}

}  // namespace

std::string final_table(const Summary& summary, const Model& model) {
  const std::string rule = std::string(kColumns, '-') + "\n";
  return rule + data_lines(summary) + "\n" + quality_table(summary) + "\n" +
         confusion_table(summary, model) + "\n" + coefficient_table(summary, model) +
         closing_lines(summary) + rule;
}

}  // namespace ossau
