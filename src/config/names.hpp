#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "ossau/config.hpp"

namespace ossau {

/// Names<E>::kAll: what each value of an enum is called in a configuration, in the enum's order.
template <typename E>
struct Names;

template <>
struct Names<Format> {
  static constexpr std::array<std::string_view, 3> kAll = {"auto", "libsvm", "csv"};
};
template <>
struct Names<Layout> {
  static constexpr std::array<std::string_view, 3> kAll = {"auto", "dense", "sparse"};
};
template <>
struct Names<AutoBool> {
  static constexpr std::array<std::string_view, 3> kAll = {"auto", "true", "false"};
};
template <>
struct Names<Method> {
  static constexpr auto kAll = kMethodNames;
};
template <>
struct Names<Schedule> {
  static constexpr std::array<std::string_view, 5> kAll = {"constant", "inverse", "inverse_sqrt",
                                                           "cosine", "step"};
};
template <>
struct Names<Restart> {
  static constexpr std::array<std::string_view, 2> kAll = {"none", "adaptive"};
};
template <>
struct Names<L1Method> {
  static constexpr std::array<std::string_view, 2> kAll = {"proximal", "pseudo_huber"};
};
template <>
struct Names<Metric> {
  static constexpr std::array<std::string_view, 4> kAll = {"objective", "log_loss", "accuracy",
                                                           "auc"};
};
template <>
struct Names<Launcher> {
  static constexpr std::array<std::string_view, 4> kAll = {"auto", "mpi", "environment", "none"};
};
template <>
struct Names<Device> {
  static constexpr std::array<std::string_view, 3> kAll = {"auto", "cpu", "cuda"};
};
template <>
struct Names<Simd> {
  static constexpr std::array<std::string_view, 5> kAll = {"auto", "scalar", "avx2", "avx512",
                                                           "neon"};
};

template <typename E>
constexpr std::string_view name_of(E value) {
  return Names<E>::kAll[static_cast<std::size_t>(value)];
}

}  // namespace ossau
