#include "train/checkpoint_file.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ossau/error.hpp"

namespace ossau {
namespace {

// The one table of single numbers: name and place of each.  visit(name, number), where a number is
// an int64, a double or an optional double; the state may be const.
template <class State, class Visit>
void each_number(State& state, const Visit& visit) {
  auto& position = state.position;
  visit("epoch", position.epoch);
  visit("step", position.step);
  visit("steps", position.steps);
  visit("rows_visited", position.rows_visited);
  visit("loss_floors", position.epoch_totals.loss_floors);
  visit("loss_fractions", position.epoch_totals.loss_fractions);
  visit("last_rate", position.last_rate);
  visit("gradient_max", position.gradient_max);
  visit("elapsed_s", position.elapsed_s);
  visit("evaluate_s", position.evaluate_s);
  visit("communication_s", position.communication_s);
  visit("epoch_started_s", position.epoch_started_s);
  visit("nesterov_t", state.model.nesterov_t);
  visit("scale", state.model.scale);
  if (state.early_stopper) {
    visit("best", state.early_stopper->best);
    visit("passes_without_gain", state.early_stopper->passes_without_gain);
  }
  if (state.solver) {
    visit("reads", state.solver->reads);
    visit("gram_passes", state.solver->gram_passes);
    visit("first_gradient", state.solver->first_gradient);
    visit("gap", state.solver->gap);
    visit("best_gap", state.solver->best_gap);
    visit("without_gain", state.solver->without_gain);
    visit("settled", state.solver->settled);
  }
}

// The vectors of a solver, of d + 1 numbers each.
std::vector<double> joined(const std::vector<StepPair>& pairs) {
  std::vector<double> all;
  for (const StepPair& pair : pairs) {
    all.insert(all.end(), pair.step.begin(), pair.step.end());
    all.insert(all.end(), pair.change.begin(), pair.change.end());
  }
  return all;
}

std::vector<StepPair> parted(const std::vector<double>& all, std::size_t size) {
  std::vector<StepPair> pairs;
  for (auto at = all.begin(); at != all.end(); at += static_cast<std::ptrdiff_t>(2 * size)) {
    const auto middle = at + static_cast<std::ptrdiff_t>(size);
    pairs.push_back({.step = Vector(at, middle),
                     .change = Vector(middle, middle + static_cast<std::ptrdiff_t>(size))});
  }
  return pairs;
}

// The columns of a report; every integer is far below 2^53.
template <class Report, class Visit>
void each_column(Report& report, const Visit& visit) {
  visit(report.epoch);
  visit(report.steps);
  visit(report.learning_rate);
  visit(report.log_loss);
  visit(report.gradient_max);
  visit(report.passes);
  visit(report.gap);
  visit(report.elapsed_s);
  visit(report.rows_per_second);
  visit(report.validation);
}

template <class Measured, class Visit>
void each_metric(Measured& metrics, const Visit& visit) {
  visit(metrics.objective);
  visit(metrics.log_loss);
  visit(metrics.accuracy);
  visit(metrics.auc);
  visit(metrics.gradient_max);
  visit(metrics.true_positives);
  visit(metrics.false_positives);
  visit(metrics.true_negatives);
  visit(metrics.false_negatives);
}

// An absent value is a 0 and as many zeros as it would have numbers; a present one starts with a 1.
struct RowWriter {
  std::vector<double>& row;

  void operator()(double x) const { row.push_back(x); }
  void operator()(std::int64_t x) const { row.push_back(static_cast<double>(x)); }
  void operator()(const std::optional<double>& x) const {
    row.push_back(x ? 1 : 0);
    row.push_back(x.value_or(0));
  }
  void operator()(const std::optional<std::int64_t>& x) const {
    row.push_back(x ? 1 : 0);
    row.push_back(static_cast<double>(x.value_or(0)));
  }
  void operator()(const std::optional<Metrics>& x) const {
    row.push_back(x ? 1 : 0);
    const Metrics metrics = x.value_or(Metrics{});
    each_metric(metrics, *this);
  }
};

class RowReader {
 public:
  explicit RowReader(const double* row) : at_(row) {}

  void operator()(double& x) const { x = *at_++; }
  void operator()(std::int64_t& x) const { x = static_cast<std::int64_t>(*at_++); }
  void operator()(std::optional<double>& x) const {
    const bool present = *at_++ != 0;
    const double value = *at_++;
    if (present) x = value;
  }
  void operator()(std::optional<std::int64_t>& x) const {
    const bool present = *at_++ != 0;
    const double value = *at_++;
    if (present) x = static_cast<std::int64_t>(value);
  }
  void operator()(std::optional<Metrics>& x) const {
    const bool present = *at_++ != 0;
    Metrics metrics;
    each_metric(metrics, *this);
    if (present) x = metrics;
  }

 private:
  mutable const double* at_;
};

std::vector<double> row_of(const EpochReport& report) {
  std::vector<double> row;
  each_column(report, RowWriter{row});
  return row;
}

std::int64_t columns() { return std::ssize(row_of(EpochReport{})); }

std::vector<double> matrix_of(const std::vector<EpochReport>& reports) {
  std::vector<double> matrix;
  matrix.reserve(reports.size() * static_cast<std::size_t>(columns()));
  for (const EpochReport& report : reports) each_column(report, RowWriter{matrix});
  return matrix;
}

std::vector<EpochReport> reports_of(const std::vector<double>& matrix, std::size_t count) {
  std::vector<EpochReport> reports(count);
  for (std::size_t i = 0; i < count; ++i) {
    each_column(reports[i], RowReader(matrix.data() + i * static_cast<std::size_t>(columns())));
  }
  return reports;
}

TensorView one(const std::int64_t& x) { return tensor_view(std::span(&x, 1), {}); }
TensorView one(const double& x) { return tensor_view(std::span(&x, 1), {}); }
// None or one.
TensorView one(const std::optional<double>& x) {
  return x ? tensor_view(std::span(&*x, 1), {1}) : tensor_view(std::span<const double>(), {0});
}

TensorView vector_of(const std::vector<double>& values) {
  return tensor_view(std::span(values), {std::ssize(values)});
}

// The length of a tensor that may have several.
std::int64_t length_of(const Safetensors& file, const std::string& name) {
  const auto found = file.tensors().find(name);
  if (found == file.tensors().end() || found->second.shape.empty()) {
    throw DataError(fmt::format("{}: no vector \"{}\"", file.file(), name));
  }
  return found->second.shape.front();
}

struct NumberReader {
  const Safetensors& file;

  void operator()(const char* name, std::int64_t& x) const {
    x = file.values<std::int64_t>(name, {}).front();
  }
  void operator()(const char* name, double& x) const { x = file.values<double>(name, {}).front(); }
  void operator()(const char* name, std::optional<double>& x) const {
    if (length_of(file, name) == 0) return;
    x = file.values<double>(name, {1}).front();
  }
};

// A vector of `size` numbers, or an empty one.
std::vector<double> none_or(const Safetensors& file, const std::string& name, std::int64_t size) {
  return file.values<double>(name, {length_of(file, name) == 0 ? 0 : size});
}

}  // namespace

void save_checkpoint(const std::filesystem::path& file, const TrainingState& state,
                     const CheckpointIdentity& identity) {
  const std::vector<double> reports = matrix_of(state.reports);
  TensorViews tensors = {
      {"weights", vector_of(state.model.weights)},
      {"optimizer_state", vector_of(state.model.optimizer_state)},
      {"reports", tensor_view(std::span(reports), {std::ssize(state.reports), columns()})}};
  each_number(state, [&](const char* name, const auto& x) { tensors[name] = one(x); });
  std::vector<double> pairs;
  if (state.solver) {
    pairs = joined(state.solver->pairs);
    tensors["point"] = vector_of(state.solver->point);
    tensors["hessian_point"] = vector_of(state.solver->hessian_point);
    tensors["pairs"] = vector_of(pairs);
    tensors["bounds"] = vector_of(state.solver->bounds);
  }
  if (state.early_stopper) {
    tensors["best_weights"] = vector_of(state.early_stopper->best_weights);
  }
  save_safetensors(file, tensors, identity_metadata(identity));
}

TrainingState state_of(const Safetensors& file, std::int64_t features) {
  TrainingState state;
  if (file.tensors().contains("best")) state.early_stopper.emplace();
  if (file.tensors().contains("point")) state.solver.emplace();
  each_number(state, NumberReader{file});
  state.model.weights = none_or(file, "weights", features + 1);
  if (state.solver) {
    state.solver->point = file.values<double>("point", {features + 1});
    state.solver->hessian_point = none_or(file, "hessian_point", features + 1);
    const std::int64_t pairs = length_of(file, "pairs") / (2 * (features + 1));
    state.solver->pairs = parted(file.values<double>("pairs", {pairs * 2 * (features + 1)}),
                                 static_cast<std::size_t>(features + 1));
    state.solver->bounds = file.values<double>("bounds", {length_of(file, "bounds")});
  }
  const std::int64_t states = length_of(file, "optimizer_state") / (features + 1);
  state.model.optimizer_state = file.values<double>("optimizer_state", {states * (features + 1)});
  if (state.early_stopper) {
    state.early_stopper->best_weights = none_or(file, "best_weights", features + 1);
  }
  const std::int64_t reports = length_of(file, "reports");
  state.reports = reports_of(file.values<double>("reports", {reports, columns()}),
                             static_cast<std::size_t>(reports));
  return state;
}

}  // namespace ossau
