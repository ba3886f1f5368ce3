#pragma once

#include "config/codec.hpp"
#include "ossau/config.hpp"

namespace ossau {

// The one table of keys: name, what is allowed, where the value lives, what it means.  The reader,
// the printers and the model file's record all walk it, in this order.  A visitor has
//   field(key, codec, value, help), section(key, value, walk, help) and
//   optional_section(key, optional_value, walk, help),
// where walk(visitor, section) visits the fields of a section.  ConfigT may be const.

template <typename V, typename CsvT>
void visit_csv(V& v, CsvT& csv) {
  v.field("delimiter", Or{"auto", Delimiter{}}, csv.delimiter, "What separates columns.");
  v.field(
      "header", Choice<AutoBool>{}, csv.header,
      "Whether the first line names the columns. auto: it does if none of its cells is a number.");
  v.field("label", Or{"null", Text{"a column name | a column number from 1 | first | last"}},
          csv.label,
          "The column to predict. null: the one named label, target, class or y, else the first.");
}

template <typename V, typename DataT>
void visit_data(V& v, DataT& data) {
  v.field("train", Paths{}, data.train,
          "REQUIRED: the rows to learn from. Relative paths start at the current directory, not "
          "at this file.");
  v.field("validation", Paths{"null, or "}, data.validation,
          "Rows to measure the model on, of the same columns. null: none.");
  v.field("validation_fraction", Real{{.low = 0, .high = 1, .high_excluded = true}},
          data.validation_fraction,
          "Share of the training rows to hold out and measure on instead; 0 holds out none.");
  v.field("format", Choice<Format>{}, data.format,
          "How the files are written. auto looks at the names and the first lines.");
  v.field(
      "layout", Choice<Layout>{}, data.layout,
      "How rows lie in memory. auto: sparse where most values are 0. Sums, and so the model's last "
      "bits, differ between the two.");
  v.field("zero_based", Flag{}, data.zero_based,
          "LIBSVM: whether feature indices start at 0, not at 1.");
  v.field("shuffle", Flag{}, data.shuffle,
          "Shuffle the rows once after reading. false keeps the order of the file.");
  v.field("shuffle_seed", Seed{}, data.shuffle_seed,
          "Chooses the shuffle, and with it the held-out rows.");
  v.field("standardize", Choice<AutoBool>{}, data.standardize,
          "Bring every feature to mean 0 and deviation 1: dense data is centred and scaled, sparse "
          "data "
          "only scaled. auto does so; false leaves values alone.");
  v.field("weight", Or{"null", Text{"a column name | a column number from 1"}}, data.weight,
          "CSV: the column of sample weights (0 or more). null: every row weighs 1.");
  v.section(
      "csv", data.csv, [](auto& inner, auto& csv) { visit_csv(inner, csv); },
      "How to read CSV and TSV files. Columns that are not numbers become one feature a value.");
}

template <typename V, typename ModelT>
void visit_model(V& v, ModelT& model) {
  v.field("intercept", Flag{}, model.intercept, "Fit an intercept. It is never regularised.");
  v.field("l1", Real{{.low = 0}}, model.l1,
          "Penalty l1 * sum(|w|): drives weights to exactly 0. Penalties apply on the standardised "
          "scale when standardising.");
  v.field("l2", Or{"auto", Real{{.low = 0}}}, model.l2,
          "Penalty l2 / 2 * sum(w^2). auto: 1 / W for rows of total weight W, which is "
          "scikit-learn's C = 1; 0 where l1 is given alone. 0 fits as glm does.");
  v.field("class_weight", LabelWeights{}, model.class_weight,
          "A factor on the weight of every row of a class. balanced: n / (2 * rows of the class), "
          "sample weights not counted, as in scikit-learn.");
  v.field("positive", Or{"null", Text{"a label"}}, model.positive,
          "The label whose probability is modelled. null: the larger number, else the later text.");
  v.field("threshold", Real{{.low = 0, .high = 1, .low_excluded = true, .high_excluded = true}},
          model.threshold, "Probability from which a row counts as positive.");
}

template <typename V, typename AdagradT>
void visit_adagrad(V& v, AdagradT& adagrad) {
  v.field("epsilon", Real{{.low = 0, .low_excluded = true}}, adagrad.epsilon,
          "Keeps a weight's first steps finite: rate / (sqrt(sum of g^2) + epsilon).");
}

template <typename V, typename AdamT>
void visit_adam(V& v, AdamT& adam) {
  v.field("beta1", Real{{.low = 0, .high = 1, .high_excluded = true}}, adam.beta1,
          "How much of the gradients' running mean is kept from step to step.");
  v.field("beta2", Real{{.low = 0, .high = 1, .high_excluded = true}}, adam.beta2,
          "The same of the mean of their squares.");
  v.field("epsilon", Real{{.low = 0, .low_excluded = true}}, adam.epsilon,
          "Keeps steps finite: rate * mean / (sqrt(mean of squares) + epsilon).");
}

template <typename V, typename OptimizerT>
void visit_optimizer(V& v, OptimizerT& optimizer) {
  v.field(
      "method", Choice<Method>{}, optimizer.method,
      "auto: a solver that goes to the optimum, chosen by the size of the data; sgd where "
      "learning_rate, schedule, warmup_steps, momentum, nesterov, restart or l1_method is set, or "
      "training.epochs, batch_size or early_stopping. sgd: gradient descent, from single rows to "
      "full batches "
      "(training.batch_size). adagrad "
      "and adam give each weight a rate of its own; momentum, nesterov and restart are sgd's. "
      "Solvers go to the optimum and say how near it they are (training.gap): gram_lbfgs is "
      "L-BFGS on a factor of the Gram matrix, for up to some thousand features, and "
      "proximal_newton the same for l1; newton_cg is Newton's method by conjugate gradients, "
      "for any number of features, with l1 or without.");
  v.field("learning_rate", Or{"auto", Real{{.low = 0, .low_excluded = true}}},
          optimizer.learning_rate,
          "Step length. auto is 0.1 for adagrad, 0.01 for adam, and for sgd 1/L, L = max c (|x|^2 "
          "+ 1) / 4 * n / W + l2 over the rows (c a row's "
          "weight, W their sum; pseudo_huber adds l1 / delta), which never diverges.");
  v.field("schedule", Choice<Schedule>{}, optimizer.schedule,
          "How the rate falls. With t the epochs passed: inverse is rate / (1 + decay t), "
          "inverse_sqrt is rate / sqrt(1 + decay t), cosine goes from rate to rate * "
          "final_fraction over all steps, step is rate * step_factor^floor(t / step_epochs).");
  v.field("decay", Real{{.low = 0}}, optimizer.decay,
          "inverse and inverse_sqrt: how fast the rate falls, per epoch.");
  v.field("final_fraction", Real{{.low = 0, .high = 1}}, optimizer.final_fraction,
          "cosine: the last rate as a share of the first.");
  v.field("step_epochs", Whole{.low = 1}, optimizer.step_epochs, "step: epochs between two drops.");
  v.field("step_factor", Real{{.low = 0, .high = 1, .low_excluded = true}}, optimizer.step_factor,
          "step: factor of each drop.");
  v.field("warmup_steps", Whole{}, optimizer.warmup_steps,
          "Steps over which the rate rises linearly from near 0; 0: none.");
  v.field("momentum", Real{{.low = 0, .high = 1, .high_excluded = true}}, optimizer.momentum,
          "mu in v <- mu v + g, w <- w - rate v: steps of up to rate / (1 - mu). 0.9 is usual.");
  v.field("nesterov", Flag{}, optimizer.nesterov,
          "Nesterov: take gradients at the look-ahead w + mu (w - w of the step before).");
  v.field("restart", Choice<Restart>{}, optimizer.restart,
          "adaptive: accelerated full-batch descent (Nesterov's growing momentum, restarted when "
          "it points uphill); momentum is then ignored.");
  v.field("l1_method", Choice<L1Method>{}, optimizer.l1_method,
          "proximal gives exact zeros; pseudo_huber is the smooth penalty l1 * sum(sqrt(w^2 + "
          "delta^2) - delta).");
  v.field("pseudo_huber_delta", Real{{.low = 1e-100, .high = 1e100}}, optimizer.pseudo_huber_delta,
          "pseudo_huber: delta, the width of the smooth part.");
  v.section(
      "adagrad", optimizer.adagrad, [](auto& inner, auto& own) { visit_adagrad(inner, own); },
      "Of method adagrad. Without penalties a step of sparse data takes only what its batch has.");
  v.section(
      "adam", optimizer.adam, [](auto& inner, auto& own) { visit_adam(inner, own); },
      "Of method adam.");
}

template <typename V, typename StoppingT>
void visit_early_stopping(V& v, StoppingT& stopping) {
  v.field("metric", Choice<Metric>{}, stopping.metric, "What to watch on the validation rows.");
  v.field("patience", Whole{.low = 1}, stopping.patience,
          "Measurements in a row without an improvement that end the training.");
  v.field("min_delta", Real{{.low = 0}}, stopping.min_delta,
          "The smallest change that counts as an improvement.");
}

template <typename V, typename TrainingT>
void visit_training(V& v, TrainingT& training) {
  v.field("epochs", Or{"auto", Whole{.low = 1, .high = 1'000'000'000}}, training.epochs,
          "Rules: passes over the training rows, at most. auto: 20.");
  v.field("batch_size", Or{"auto", CountOrAll{}}, training.batch_size,
          "Rules: rows in a step, over all ranks together. all: every row (full-batch descent). "
          "auto: 1024.");
  v.field("seed", Seed{}, training.seed,
          "Chooses the order of the batches; a full batch does not depend on it.");
  v.field("virtual_shards", Whole{.low = 1, .high = 65536}, training.virtual_shards,
          "Parts that the rows are cut into, a power of two: fixes the order of the batches for "
          "any number of ranks up to it.");
  v.field("tolerance", Real{{.low = 0}}, training.tolerance,
          "Rules: stop when no entry of the full gradient (penalties included) exceeds this; 0: "
          "never.");
  v.field("gap", Or{"auto", Real{{.low = 0, .low_excluded = true}}}, training.gap,
          "Solvers: how far above the minimum the objective may end, as a share of the minimum; "
          "certified where model.l2 is above 0. auto: 1e-6, or less where that is beyond a tenth "
          "of the weights' standard errors.");
  v.field("max_passes", Whole{.low = 1, .high = 1'000'000'000}, training.max_passes,
          "Solvers: reads of the training rows after which no further iteration begins.");
  v.field(
      "require_convergence", Flag{}, training.require_convergence,
      "Whether a training that ends farther from the optimum than training.gap fails (exit code "
      "2), once its results are written. false: it warns.");
  v.field("init", Or{"null", Text{"a model file"}}, training.init,
          "A model to start from, of the same label: columns are told by name, those that it does "
          "not know start at 0. null: weights of 0 and the intercept that fits best.");
  v.field("evaluate_every", Whole{.low = 1}, training.evaluate_every,
          "Epochs between two measurements on the validation rows.");
  v.optional_section(
      "early_stopping", training.early_stopping,
      [](auto& inner, auto& stopping) { visit_early_stopping(inner, stopping); },
      "Stop when the validation rows see no improvement, and keep the best weights. null: off.");
}

template <typename V, typename CheckpointT>
void visit_checkpoint(V& v, CheckpointT& checkpoint) {
  v.field("directory", Or{"null", Text{"a path"}}, checkpoint.directory,
          "Where checkpoints lie. null: the folder checkpoints in run.directory.");
  v.field("every_steps", Or{"null", Whole{.low = 1}}, checkpoint.every_steps,
          "Steps between two checkpoints, counted from the training's start. null: only the clock "
          "decides.");
  v.field("every_minutes", Real{{.low = 0}}, checkpoint.every_minutes,
          "Minutes between two checkpoints; 0: only every_steps decides. An interrupted run writes "
          "one in any case.");
  v.field("keep", Whole{.low = 1}, checkpoint.keep,
          "How many are kept: the newest ones. A finished run keeps none.");
  v.field("resume", Text{"auto | never | a checkpoint file or a folder of them"}, checkpoint.resume,
          "Where to go on from. auto: the newest checkpoint in the directory that is whole and of "
          "this configuration and data, else the beginning. never: the beginning; the directory's "
          "checkpoints are removed.");
}

template <typename V, typename CommunicationT>
void visit_communication(V& v, CommunicationT& communication) {
  v.field("timeout_s", Real{{.low = 0, .high = 1e6, .low_excluded = true}}, communication.timeout_s,
          "Seconds after which a rank that does not answer ends the run.");
  v.field(
      "launcher", Choice<Launcher>{}, communication.launcher,
      "Who started the ranks, where they are processes: mpi (mpirun, srun --mpi), or environment "
      "(RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT and OSSAU_JOB_TOKEN). auto looks; none starts "
      "run.ranks in this process alone.");
  v.field(
      "interface", Or{"auto", Text{"a network interface"}}, communication.interface,
      "The network interface, for example ib0, by which numbers reach this rank; with mpi, which "
      "chooses for numbers itself, the one by which ranks watch over each other. auto: the one "
      "that reaches MASTER_ADDR; with mpi any.");
}

template <typename V, typename RunT>
void visit_run(V& v, RunT& run) {
  v.field("directory", Or{"null", Text{"a path"}}, run.directory,
          "Where results go: model, metrics, summary. null: runs/ and this file's name.");
  v.field("overwrite", Flag{}, run.overwrite, "Replace a finished run in that directory.");
  v.field("device", Choice<Device>{}, run.device,
          "What computes. auto: a GPU where there is one. The model has the same bits on all.");
  v.field("simd", Choice<Simd>{}, run.simd,
          "Vector instructions of the CPU. auto: the widest it has. The bits are the same.");
  v.field("threads", Or{"auto", Whole{.low = 1, .high = 4096}}, run.threads,
          "CPU threads of each rank. auto: cores / ranks. The bits are the same.");
  v.field(
      "ranks", Or{"auto", CountOrAll{.high = 65536}}, run.ranks,
      "Ranks in this process, at most training.virtual_shards; they take the GPUs in turn. auto: "
      "one, or where a launcher started several processes, one in each. all: one for each GPU of "
      "this machine, one on the CPU. The bits are the same.");
  v.field("device_memory", Or{"auto", Bytes{}}, run.device_memory,
          "GPU memory that the rows may take; those beyond it stream from the host's memory in "
          "every pass. auto: what is free. The bits are the same.");
  v.field("log_every_s", Real{{.low = 0}}, run.log_every_s,
          "Seconds between two progress lines where output is no terminal; 0: every epoch.");
}

template <typename V, typename ConfigT>
void visit_fields(V& v, ConfigT& config) {
  v.section(
      "data", config.data, [](auto& inner, auto& data) { visit_data(inner, data); },
      "What to learn from. Paths may be globs and end in .gz or .zst.");
  v.section(
      "model", config.model, [](auto& inner, auto& model) { visit_model(inner, model); },
      "What to fit: the mean weighted log loss plus penalties on the weights w is minimised.");
  v.section(
      "optimizer", config.optimizer,
      [](auto& inner, auto& optimizer) { visit_optimizer(inner, optimizer); },
      "How each step moves the weights.");
  v.section(
      "training", config.training,
      [](auto& inner, auto& training) { visit_training(inner, training); },
      "How long, in which order, and when to stop.");
  v.section(
      "checkpoint", config.checkpoint,
      [](auto& inner, auto& checkpoint) { visit_checkpoint(inner, checkpoint); },
      "What lets an interrupted training go on, with the same model in the end, on any number of "
      "ranks.");
  v.section(
      "communication", config.communication,
      [](auto& inner, auto& communication) { visit_communication(inner, communication); },
      "Between ranks.");
  v.section(
      "run", config.run, [](auto& inner, auto& run) { visit_run(inner, run); },
      "Where and how to run: nothing here changes the model.");
}

}  // namespace ossau
