#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "arith/rules/accelerated.hpp"
#include "arith/rules/adagrad.hpp"
#include "arith/rules/adam.hpp"
#include "arith/rules/descent.hpp"
#include "arith/rules/heavy_ball.hpp"
#include "arith/rules/nesterov.hpp"
#include "arith/rules/scaled_descent.hpp"

// Every update rule there is.  A rule is one struct in one header (rule.hpp says what it may have);
// CPU loops and kernels are templates over it.

namespace ossau {

/// How weights move; fixed for a training.
enum class UpdateRule {
  kDescent,
  kMomentum,
  kNesterov,
  kAdaptive,
  kScaled,
  kAdagrad,
  kAdam,
  kCount  // no rule
};

/// Their structs, in the order of UpdateRule.
template <class... Rules>
struct RuleList {
  static constexpr int kSize = sizeof...(Rules);
};
using EveryRule = RuleList<rules::Descent, rules::HeavyBall, rules::Nesterov, rules::Accelerated,
                           rules::ScaledDescent, rules::Adagrad, rules::Adam>;

static_assert(EveryRule::kSize == static_cast<int>(UpdateRule::kCount));

/// Names a rule's struct to a visitor.
template <class R>
struct RuleKind {
  using Rule = R;
};

// The visitor may be of the host, of the device or of both.
#if defined(__CUDACC__)
#pragma nv_exec_check_disable
#endif
template <class Visit, class First, class... Rest>
OSSAU_HOST_DEVICE auto with_rule_of(int place, const Visit& visit, RuleList<First, Rest...>) {
  if constexpr (sizeof...(Rest) > 0) {
    if (place > 0) return with_rule_of(place - 1, visit, RuleList<Rest...>());
  }
  return visit(RuleKind<First>());
}

/// Calls visit(RuleKind<R>()) with the struct of a rule; visit returns the same type for each.
#if defined(__CUDACC__)
#pragma nv_exec_check_disable
#endif
template <class Visit>
OSSAU_HOST_DEVICE auto with_rule(UpdateRule rule, const Visit& visit) {
  return with_rule_of(static_cast<int>(rule), visit, EveryRule());
}

/// Calls visit(RuleKind<R>()) with the struct of every rule.
template <class Visit>
void each_rule(const Visit& visit) {
  for (int place = 0; place < EveryRule::kSize; ++place) {
    with_rule(static_cast<UpdateRule>(place), visit);
  }
}

/// What must be known of a rule without its struct; see rules::Rule.
struct RuleTraits {
  int states = 0;
  bool looks_ahead = false;
  bool needs_slope = false;
  bool scales_weights = false;
  double usual_rate = 0;
  const char* method = nullptr;
};
inline RuleTraits traits_of(UpdateRule rule) {
  return with_rule(rule, [](auto kind) {
    using R = typename decltype(kind)::Rule;
    return RuleTraits{R::kStates,        R::kLooksAhead, R::kNeedsSlope,
                      R::kScalesWeights, R::kUsualRate,  R::kMethod};
  });
}

/// The rule of a method that has one of its own.
inline std::optional<UpdateRule> rule_of_method(std::string_view method) {
  for (int place = 0; place < EveryRule::kSize; ++place) {
    const auto rule = static_cast<UpdateRule>(place);
    const char* const name = traits_of(rule).method;
    if (name != nullptr && name == method) return rule;
  }
  return std::nullopt;
}

/// Whether features whose sum is 0 may be left out of this step.
inline bool keeps_untouched(UpdateRule rule, const ModelRule& model, const StepParameters& step) {
  return with_rule(rule,
                   [&](auto kind) { return decltype(kind)::Rule::keeps_untouched(model, step); });
}

/// Fills step.corrections of the step with this number, from 1.
inline void prepare_step(UpdateRule rule, const RuleSettings& settings, std::int64_t number,
                         StepParameters& step) {
  with_rule(rule, [&](auto kind) { decltype(kind)::Rule::prepare(settings, number, step); });
}

/// A rule's settings, from the optimizer section of a configuration.
template <class Optimizer>
RuleSettings settings_of(UpdateRule rule, const Optimizer& optimizer) {
  return with_rule(
      rule, [&](auto kind) -> RuleSettings { return decltype(kind)::Rule::settings(optimizer); });
}

}  // namespace ossau
