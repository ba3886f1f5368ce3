#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ossau/config.hpp"

namespace ossau {

// What a step of a training should take on several ranks, before they are rented.
// docs/scaling.md derives the formulas and says what they leave out.

/// What one message between two ranks costs.
struct Network {
  double latency_s = 0;         // alpha
  double bytes_per_second = 0;  // 1 / beta
};

/// The part of the data that decides how long a step takes.
struct PlanData {
  std::int64_t rows = 0;                // to train on
  std::int64_t features = 0;            // d
  std::optional<double> entries_a_row;  // stored ones of sparse rows; absent: dense rows
};

struct PlanRequest {
  PlanData data;
  bool data_was_read = false;  // or was it told
  std::int64_t batch = 0;      // rows of all ranks
  std::int64_t ranks = 1;
  std::int64_t most_ranks = 0;  // training.virtual_shards
  Network network;
  double read_bytes_per_second = 0;  // of one rank
  bool reading_was_measured = false;
};

/// One step on so many ranks.
struct PlanStep {
  std::int64_t ranks = 1;
  double batch = 0;  // rows of all ranks
  double read_s = 0;
  double update_s = 0;
  double communication_s = 0;
  /// Rows of all ranks with which communication takes a tenth of the step: one for which it takes
  /// less anyway.
  double batch_for_a_tenth = 1;

  double step_s() const { return read_s + update_s + communication_s; }
  double communication_share() const { return communication_s / step_s(); }
};

struct Plan {
  PlanRequest request;
  PlanStep step;                // as asked
  std::vector<PlanStep> table;  // on 1, 8, 64, ... ranks with as many rows a rank as asked
};

/// Seconds in which `ranks` add up `numbers` of 8 bytes, as the TCP transport does it.
double all_reduce_s(std::int64_t numbers, std::int64_t ranks, const Network& network);

/// batch: rows of all ranks.
PlanStep plan_step(const PlanRequest& request, std::int64_t ranks, double batch);

Plan make_plan(const PlanRequest& request);

/// Reads the data of `config` as a training would.  Throws what that throws.
PlanData read_plan_data(const Config& config);

/// For people and for programs.
std::string plan_text(const Plan& plan);
std::string plan_json(const Plan& plan);

}  // namespace ossau
