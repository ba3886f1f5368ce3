#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ossau {

/// Quality of one model on one set of rows.
struct Metrics {
  double objective = 0;     // mean weighted log loss + l1 ||w||_1 + (l2/2) ||w||^2
  double log_loss = 0;      // mean weighted log loss
  double accuracy = 0;      // share of rows, unweighted
  double auc = 0;           // area under the ROC curve, ties one half; NaN with one class only
  double gradient_max = 0;  // largest entry of the objective's gradient, in absolute value

  // Rows by truth and prediction at model.threshold.
  std::int64_t true_positives = 0;
  std::int64_t false_positives = 0;
  std::int64_t true_negatives = 0;
  std::int64_t false_negatives = 0;
};

/// How far a solver came.
struct Convergence {
  double gap = 0;          // how far the objective may be above its minimum, as a share of that
  bool certified = false;  // the gap is proved; else, without an l2 penalty, an estimate
  bool converged = false;  // it is what was asked for
  bool nearly_collinear = false;  // columns are, as far as is known: an estimate may be too small
  std::int64_t passes = 0;        // reads of the training rows
  std::int64_t gram_passes = 0;   // Gram matrices
};

struct Times {
  double read_s = 0;
  double train_s = 0;
  double evaluate_s = 0;
  double total_s = 0;
};

/// How fast training went beside what this machine can do.  The ceiling is the barest pass over the
/// training rows, measured once at the end of the run: dense rows are merely read; for sparse ones
/// the weight of each entry is read and a number added to its sum.
struct Speed {
  std::int64_t entries = 0;  // stored for the training rows: all, or in sparse rows those not zero
  double passes = 0;         // rows visited in training / rows
  double bare_pass_s = 0;
  double floor_s = 0;        // passes * bare_pass_s: what training takes at the least
  double ceiling_share = 0;  // floor_s / train_s
  // Of train_s, what rank 0 spent on adding up with the others, waiting for them included; where a
  // GPU takes steps by itself, steps times the seconds of one sum, measured at the end; 0: one
  // rank.
  double communication_s = 0;
};

/// What a finished run says of itself; `summary.json` holds the same.
struct Summary {
  int exact = 1;  // version of the arithmetic contract
  std::int64_t rows = 0;
  std::int64_t features = 0;
  std::int64_t validation_rows = 0;
  std::string layout;       // "dense" or "sparse"
  std::string method;       // optimizer.method, `auto` resolved
  std::string stop_reason;  // "epochs", "tolerance", "early_stopping"; "gap", "stalled", "passes",
                            // "separation"
  std::int64_t epochs = 0;  // completed; of a solver: iterations
  std::int64_t steps = 0;   // completed
  std::int64_t nonzero_weights = 0;
  double learning_rate = 0;                // the first one, `auto` resolved
  std::optional<Convergence> convergence;  // of solvers
  Metrics train;
  std::optional<Metrics> validation;
  Times time;
  Speed speed;
  std::string model_sha256;
  std::string run_directory;
  std::optional<std::int64_t> resumed_from_step;  // absent: this run took every step
  std::vector<std::string> warnings;              // what the model is not that was asked for
};

}  // namespace ossau
