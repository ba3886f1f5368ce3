// Ossau's side of compare.py: holds one data set as tiles and answers a command a line on standard
// input with a line of JSON.
//   ossau_worker FOLDER THREADS
//   describe                                  what runs here
//   pass                                      one gradient of all training rows, weights 0.01
//   epoch batch=B rate=R                      one epoch of plain steps from weights 0
//   solve l2=L [l1=L] [gap=G] solution=FILE   the default method, to its certified optimum; the
//   weights
//                                             and the intercept go to FILE as float64
//   fit budget=EPOCHS l2=L [batch=B] [rate=R] [momentum=M] [schedule=cosine] [restart=adaptive]
// With repeat=N the work is done N times in a row, and `seconds` is their median.
// Answers hold `seconds`, of the work alone, and `loss`: a pass's and an epoch's mean log loss on
// the training rows (an epoch's: after it), a fit's on the held-out rows.

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "arith/fixed_point.hpp"
#include "backend/backend.hpp"
#include "comm/single.hpp"
#include "core/clock.hpp"
#include "core/floating_point.hpp"
#include "data_files.hpp"
#include "ossau/error.hpp"
#include "train/preparation.hpp"
#include "train/trainer.hpp"
#include "train/training.hpp"
#include "train/update_rule.hpp"

namespace ossau::compare {
namespace {

// The first word of a line and its NAME=VALUE pairs.
struct Command {
  std::string task;
  std::map<std::string, std::string> options;

  explicit Command(const std::string& line) {
    std::istringstream words(line);
    words >> task;
    for (std::string word; words >> word;) {
      const std::size_t equals = word.find('=');
      options[word.substr(0, equals)] = equals == std::string::npos ? "" : word.substr(equals + 1);
    }
  }

  double number(const std::string& name, double otherwise) const {
    const auto found = options.find(name);
    return found == options.end() ? otherwise : std::stod(found->second);
  }
  std::int64_t integer(const std::string& name, std::int64_t otherwise) const {
    const auto found = options.find(name);
    return found == options.end() ? otherwise : std::stoll(found->second);
  }
  bool is(const std::string& name, const std::string& value) const {
    const auto found = options.find(name);
    return found != options.end() && found->second == value;
  }
};

// The features as they are: peers see the same numbers.
Config base_config() {
  Config config;
  config.data.standardize = AutoBool::kFalse;
  config.data.shuffle = false;
  config.model.l2 = 0;
  config.optimizer.method = Method::kSgd;
  return config;
}

Config epoch_config(const Command& command) {
  Config config = base_config();
  config.training.epochs = 1;
  config.training.batch_size = command.integer("batch", TrainingConfig::kUsualBatchSize);
  config.optimizer.learning_rate = command.number("rate", 0.01);
  return config;
}

Config fit_config(const Command& command) {
  Config config = base_config();
  config.training.epochs = command.integer("budget", TrainingConfig::kUsualEpochs);
  config.training.evaluate_every = *config.training.epochs;  // held-out rows at the end alone
  config.training.batch_size = command.integer("batch", TrainingConfig::kAllRows);
  config.model.l2 = command.number("l2", 0);
  config.optimizer.momentum = command.number("momentum", 0);
  if (command.options.count("rate") > 0) config.optimizer.learning_rate = command.number("rate", 0);
  if (command.is("schedule", "cosine")) config.optimizer.schedule = Schedule::kCosine;
  if (command.is("restart", "adaptive")) config.optimizer.restart = Restart::kAdaptive;
  return config;
}

class Worker {
 public:
  Worker(const std::string& folder, std::int64_t threads)
      : threads_(threads), communicator_(make_single_communicator()) {
    const DataHeader header = read_header(folder);
    Config config = base_config();
    config.data.layout = header.sparse ? Layout::kSparse : Layout::kDense;
    ThreadPool pool(threads);
    const Dataset dataset = read_data(folder, header);
    schema_ = dataset.schema;
    data_ = prepare(config, dataset, *communicator_, pool);
  }

  nlohmann::json answer(const Command& command) {
    if (command.task == "describe") return describe();
    if (command.task == "pass") return pass();
    if (command.task == "epoch") return epoch(command);
    if (command.task == "fit") return fit(command);
    if (command.task == "solve") return solve(command);
    return {{"error", fmt::format("{}: no such task", command.task)}};
  }

 private:
  nlohmann::json describe() {
    use_backend(base_config());
    return {{"program", "Ossau"}, {"simd", backend_->attributes().unit}, {"threads", threads_}};
  }

  nlohmann::json pass() {
    use_backend(base_config());
    const RowSetInfo rows(RowSet::kTrain, data_.rows.train);
    backend_->set_weights(
        std::vector<double>(static_cast<std::size_t>(data_.transform.columns()) + 1, 0.01));
    const Stopwatch clock;
    backend_->gradient(RowSet::kTrain, backend_->every_tile(RowSet::kTrain), rows.fixed_bits);
    const double seconds = clock.seconds();
    const StepTotals totals = backend_->totals();
    return {{"seconds", seconds},
            {"loss", loss_value(totals.loss_floors, totals.loss_fractions) / rows.total_weight}};
  }

  nlohmann::json epoch(const Command& command) {
    const Summary summary = train(epoch_config(command), /*held_out=*/false);
    return {{"seconds", summary.time.train_s}, {"loss", summary.train.log_loss}};
  }

  nlohmann::json fit(const Command& command) {
    const Summary summary = train(fit_config(command), /*held_out=*/true);
    return {{"seconds", summary.time.train_s}, {"loss", summary.validation->log_loss}};
  }

  nlohmann::json solve(const Command& command) {
    Config config;
    config.data.standardize = AutoBool::kFalse;
    config.model.l2 = command.number("l2", 0);
    config.model.l1 = command.number("l1", 0);
    if (command.options.count("gap") > 0) config.training.gap = command.number("gap", 0);
    config.run.threads = threads_;
    backend_.reset();
    PreparedData rows = data_;
    const TrainingResult result =
        train_rows(config, rows, schema_, *communicator_, make_backend, nullptr);
    write_solution(result.model, command.options.at("solution"));
    const Convergence& reached = result.summary.convergence.value();
    return {{"seconds", result.summary.time.train_s},
            {"loss", result.summary.train.log_loss},
            {"method", result.summary.method},
            {"gap", reached.gap},
            {"certified", reached.certified},
            {"converged", reached.converged},
            {"passes", reached.passes},
            {"gram_passes", reached.gram_passes}};
  }

  static void write_solution(const Model& model, const std::string& path) {
    std::vector<double> numbers = model.weights;
    numbers.push_back(model.intercept);
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(numbers.data()),
               static_cast<std::streamsize>(numbers.size() * sizeof(double)));
    if (!file.flush()) throw DataError(fmt::format("{}: cannot be written", path));
  }

  Summary train(const Config& config, bool held_out) {
    use_backend(config);
    const UpdateRule rule = choose_rule(config, data_.layout);
    const RowSetInfo train(RowSet::kTrain, data_.rows.train);
    TrainerData data{.shards = data_.rows.train.shards,
                     .train = train,
                     .validation = std::nullopt,
                     .start = first_weights(config.model, train),
                     .first_rate = first_learning_rate(config, rule, data_.lipschitz),
                     .penalty = make_penalty(config),
                     .rule = rule,
                     .settings = settings_of(rule, config.optimizer),
                     .features = data_.transform.columns()};
    if (held_out) data.validation.emplace(RowSet::kValidation, data_.rows.validation);
    Trainer trainer(config, data, *backend_, *communicator_, nullptr);
    return trainer.train();
  }

  // A backend is made for one rule and penalty; making it is no part of any time.
  void use_backend(const Config& config) {
    const UpdateRule rule = choose_rule(config, data_.layout);
    const std::string key = fmt::format("{} {} {}", static_cast<int>(rule),
                                        config.optimizer.momentum, *config.model.l2);
    if (backend_ != nullptr && key == backend_key_) return;
    backend_.reset();
    backend_ = make_backend(config.run, {}, threads_, data_.rows,
                            {.intercept = config.model.intercept,
                             .exponent_power = data_.transform.exponent_power,
                             .rule = rule,
                             .settings = settings_of(rule, config.optimizer),
                             .penalty = make_penalty(config)});
    backend_key_ = key;
  }

  std::int64_t threads_;
  std::unique_ptr<Communicator> communicator_;
  Schema schema_;
  PreparedData data_;
  std::unique_ptr<Backend> backend_;
  std::string backend_key_;
};

nlohmann::json repeat(Worker& worker, const Command& command) {
  nlohmann::json answer = worker.answer(command);
  if (!answer.contains("seconds")) return answer;
  std::vector<double> seconds = {answer["seconds"]};
  while (static_cast<std::int64_t>(seconds.size()) < command.integer("repeat", 1)) {
    seconds.push_back(worker.answer(command)["seconds"]);
  }
  const auto middle = seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 2);
  std::nth_element(seconds.begin(), middle, seconds.end());
  answer["seconds"] = *middle;
  return answer;
}

void serve(Worker& worker) {
  for (std::string line; std::getline(std::cin, line);) {
    nlohmann::json answer;
    try {
      answer = repeat(worker, Command(line));
    } catch (const std::exception& error) {  // a diverging fit, say: compare.py tells
      answer = {{"error", error.what()}};
    }
    std::cout << answer.dump() << '\n' << std::flush;
  }
}

}  // namespace
}  // namespace ossau::compare

int main(int argc, char** argv) {
  try {
    if (argc != 3) throw ossau::ConfigError("usage: ossau_worker FOLDER THREADS");
    const ossau::FloatingPointGuard default_arithmetic;
    ossau::compare::Worker worker(argv[1], std::stoll(argv[2]));
    ossau::compare::serve(worker);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "ossau_worker: {}\n", error.what());
    return 1;
  }
}
