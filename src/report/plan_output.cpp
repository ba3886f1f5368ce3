#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "report/plan.hpp"
#include "report/text.hpp"

namespace ossau {
namespace {

using nlohmann::ordered_json;

std::string line(std::string_view what, std::string_view value) {
  constexpr std::size_t kWidth = 15;
  return fmt::format("{}{}\n", left_aligned(what, kWidth), value);
}

std::string short_time(double seconds) {
  struct Unit {
    double size;
    const char* name;
  };
  constexpr double kRoundsUp = 999.5;  // would show as 1e+03
  for (const Unit unit : {Unit{1e-9, "ns"}, Unit{1e-6, "us"}, Unit{1e-3, "ms"}}) {
    if (seconds < kRoundsUp * unit.size) {
      return fmt::format("{:.3g} {}", seconds / unit.size, unit.name);
    }
  }
  return short_duration(seconds);
}

// Past this, digits say nothing and the number does not fit an integer.
constexpr double kMostRows = 1e15;

std::string rows_text(double rows) {
  return rows < kMostRows ? with_commas(static_cast<std::int64_t>(rows))
                          : fmt::format("{:.2g}", rows);
}

std::string share_text(double share) { return fmt::format("{:.3g} %", 100 * share); }

std::string row_text(const PlanData& data) {
  return data.entries_a_row ? fmt::format("{:.3g} entries a row", *data.entries_a_row)
                            : std::string("dense");
}

std::string part_text(const PlanStep& step, double seconds) {
  return fmt::format("{} {}", left_aligned(short_time(seconds), 10),
                     share_text(seconds / step.step_s()));
}

std::string request_text(const PlanRequest& asked) {
  return line("Data", fmt::format("{} x {}, {} ({})", counted(asked.data.rows, "row"),
                                  counted(asked.data.features, "feature"), row_text(asked.data),
                                  asked.data_was_read ? "read now" : "as told")) +
         line("Batch", counted(asked.batch, "row")) +
         line("Reading",
              fmt::format(
                  "{}B/s on each rank ({})", short_rate(asked.read_bytes_per_second),
                  asked.reading_was_measured ? "measured here, on all processors" : "as told")) +
         line("Network",
              fmt::format("{}B/s, {} a message", short_rate(asked.network.bytes_per_second),
                          short_time(asked.network.latency_s)));
}

std::string tenth_text(const Plan& plan) {
  const double batch = plan.step.batch_for_a_tenth;
  if (batch <= 1) return "any batch: communication takes less than 10 % of a step";
  const auto rows = static_cast<double>(plan.request.data.rows);
  std::string text = fmt::format("{} rows or more keep communication at 10 %", rows_text(batch));
  if (batch <= rows) return text;
  const PlanStep full = plan_step(plan.request, plan.step.ranks, rows);
  return fmt::format("{}; there are {}, and batch_size: all gives {}", text, rows_text(rows),
                     share_text(full.communication_share()));
}

std::string table_text(const Plan& plan) {
  std::string text = fmt::format("\nWith {:.4g} rows a rank in each step:\n",
                                 plan.step.batch / static_cast<double>(plan.step.ranks));
  text += "     ranks         batch  step time  communication  batch for 10 %\n";
  for (const PlanStep& step : plan.table) {
    text += fmt::format(
        "{:>10} {:>13} {:>10} {:>14} {:>15}\n", with_commas(step.ranks), rows_text(step.batch),
        short_time(step.step_s()), share_text(step.communication_share()),
        step.batch_for_a_tenth <= 1 ? std::string("any") : rows_text(step.batch_for_a_tenth));
  }
  return text;
}

ordered_json step_json(const PlanStep& step) {
  return {{"ranks", step.ranks},
          {"batch", step.batch},
          {"step_s", step.step_s()},
          {"read_s", step.read_s},
          {"update_s", step.update_s},
          {"communication_s", step.communication_s},
          {"communication_share", step.communication_share()},
          {"batch_for_a_tenth", step.batch_for_a_tenth}};
}

}  // namespace

std::string plan_text(const Plan& plan) {
  const PlanStep& step = plan.step;
  std::string text = request_text(plan.request);
  text += line("Ranks", with_commas(step.ranks));
  if (step.ranks > plan.request.most_ranks) {
    text +=
        line("", fmt::format("(training.virtual_shards: {} allows no more than {}; raising it "
                             "changes the batch order)",
                             plan.request.most_ranks, counted(plan.request.most_ranks, "rank")));
  }
  text += "\n" + line("Step", short_time(step.step_s()));
  text += line("  rows", part_text(step, step.read_s));
  text += line("  update", part_text(step, step.update_s));
  text += line("  all-reduce", part_text(step, step.communication_s));
  return text + line("Batch for 10 %", tenth_text(plan)) + table_text(plan);
}

std::string plan_json(const Plan& plan) {
  constexpr int kIndent = 2;
  const PlanRequest& asked = plan.request;
  ordered_json table = ordered_json::array();
  for (const PlanStep& step : plan.table) table.push_back(step_json(step));
  const ordered_json json = {
      {"rows", asked.data.rows},
      {"features", asked.data.features},
      {"entries_a_row",
       asked.data.entries_a_row ? ordered_json(*asked.data.entries_a_row) : ordered_json()},
      {"data", asked.data_was_read ? "read" : "told"},
      {"most_ranks", asked.most_ranks},
      {"read_bytes_per_second", asked.read_bytes_per_second},
      {"reading", asked.reading_was_measured ? "measured" : "told"},
      {"bandwidth_bytes_per_second", asked.network.bytes_per_second},
      {"latency_s", asked.network.latency_s},
      {"step", step_json(plan.step)},
      {"same_rows_a_rank", table}};
  return json.dump(kIndent) + "\n";
}

}  // namespace ossau
