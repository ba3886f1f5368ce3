#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ossau {

// The configuration as plain structs.  The initialisers below are the only place a default is
// written; src/config/fields.hpp describes each field (meaning, bounds) and reads and prints it.

enum class Format { kAuto, kLibsvm, kCsv };
enum class Layout { kAuto, kDense, kSparse };
enum class AutoBool { kAuto, kTrue, kFalse };
enum class ClassWeightMode { kNone, kBalanced, kByLabel };
enum class Method { kAuto, kSgd, kAdagrad, kAdam, kGramLbfgs, kNewtonCg, kProximalNewton };
inline constexpr std::array<std::string_view, 7> kMethodNames = {
    "auto", "sgd", "adagrad", "adam", "gram_lbfgs", "newton_cg", "proximal_newton"};
enum class Schedule { kConstant, kInverse, kInverseSqrt, kCosine, kStep };
enum class Restart { kNone, kAdaptive };
enum class L1Method { kProximal, kPseudoHuber };
enum class Metric { kObjective, kLogLoss, kAccuracy, kAuc };
enum class Launcher { kAuto, kMpi, kEnvironment, kNone };
enum class Device { kAuto, kCpu, kCuda };
enum class Simd { kAuto, kScalar, kAvx2, kAvx512, kNeon };

struct CsvConfig {
  std::optional<char> delimiter;  // absent: auto
  AutoBool header = AutoBool::kAuto;
  std::optional<std::string>
      label;  // a name, a number (1-based column), first, last; absent: guess
};

struct DataConfig {
  std::vector<std::string> train;       // paths or globs; required
  std::vector<std::string> validation;  // paths or globs; empty: none
  double validation_fraction = 0;       // share of the training rows held out
  Format format = Format::kAuto;
  Layout layout = Layout::kAuto;
  bool zero_based = false;
  bool shuffle = true;
  std::uint64_t shuffle_seed = 0;
  AutoBool standardize = AutoBool::kAuto;
  std::optional<std::string> weight;  // CSV column of sample weights
  CsvConfig csv;
};

struct ClassWeight {
  ClassWeightMode mode = ClassWeightMode::kNone;
  std::map<std::string, double> by_label;  // only with kByLabel
};

struct ModelConfig {
  bool intercept = true;
  double l1 = 0;
  std::optional<double> l2;  // absent: auto
  ClassWeight class_weight;
  std::optional<std::string> positive;  // absent: the larger number, else the later string
  double threshold = 0.5;
};

// Keys of one method alone stand in a section of its name.
struct AdagradConfig {
  double epsilon = 1e-10;
};

struct AdamConfig {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
};

struct OptimizerConfig {
  Method method = Method::kAuto;
  std::optional<double> learning_rate;  // absent: auto
  Schedule schedule = Schedule::kConstant;
  double decay = 1;               // inverse, inverse_sqrt: rate of decay per epoch
  double final_fraction = 0;      // cosine: last learning rate as a share of the first
  std::int64_t step_epochs = 10;  // step: epochs between two drops
  double step_factor = 0.1;       // step: factor of each drop
  std::int64_t warmup_steps = 0;
  double momentum = 0;
  bool nesterov = false;
  Restart restart = Restart::kNone;
  L1Method l1_method = L1Method::kProximal;
  double pseudo_huber_delta = 1;
  AdagradConfig adagrad;
  AdamConfig adam;
};

struct EarlyStopping {
  Metric metric = Metric::kLogLoss;
  std::int64_t patience = 5;
  double min_delta = 0;
};

struct TrainingConfig {
  std::optional<std::int64_t> epochs;      // of rules; absent: auto
  std::optional<std::int64_t> batch_size;  // of rules; absent: auto; kAllRows: every row
  std::uint64_t seed = 0;
  std::int64_t virtual_shards = 64;
  double tolerance = 0;
  std::optional<double> gap;      // solvers; absent: auto
  std::int64_t max_passes = 500;  // solvers
  bool require_convergence = false;
  std::optional<std::string> init;  // a model file to start from
  std::int64_t evaluate_every = 1;  // epochs between two passes over the validation rows
  std::optional<EarlyStopping> early_stopping;

  static constexpr std::int64_t kAllRows = 0;
  // What `auto` stands for where a rule trains.
  static constexpr std::int64_t kUsualEpochs = 20;
  static constexpr std::int64_t kUsualBatchSize = 1024;
  static constexpr double kUsualGap = 1e-6;  // and less, see SolverPlan
};

struct CheckpointConfig {
  std::optional<std::string> directory;     // absent: `checkpoints` in run.directory
  std::optional<std::int64_t> every_steps;  // absent: the clock alone decides
  double every_minutes = 10;                // 0: off
  std::int64_t keep = 2;                    // newest ones
  std::string resume = "auto";              // auto, never, or a checkpoint or a directory of them
};

struct CommunicationConfig {
  double timeout_s = 300;
  Launcher launcher = Launcher::kAuto;
  std::optional<std::string> interface;  // of the network, for example eth0; absent: auto
};

struct RunConfig {
  std::optional<std::string> directory;  // absent: runs/NAME-OF-THE-CONFIG-FILE
  bool overwrite = false;
  Device device = Device::kAuto;
  Simd simd = Simd::kAuto;
  std::optional<std::int64_t> threads;  // per rank; absent: cores / ranks
  // Absent: one, or as many as a launcher has started; kAllGpus: one for each GPU of this machine.
  std::optional<std::int64_t> ranks;
  std::optional<std::int64_t> device_memory;  // bytes that rows may take on a GPU; absent: auto
  double log_every_s = 10;

  static constexpr std::int64_t kAllGpus = 0;
};

struct Config {
  DataConfig data;
  ModelConfig model;
  OptimizerConfig optimizer;
  TrainingConfig training;
  CheckpointConfig checkpoint;
  CommunicationConfig communication;
  RunConfig run;
};

}  // namespace ossau
