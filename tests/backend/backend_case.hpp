#pragma once

#include <functional>
#include <memory>
#include <string>

#include "backend/backend.hpp"

namespace ossau::test {

/// One implementation of Backend, for the tests that all must pass.
struct BackendCase {
  std::string name;
  std::function<std::unique_ptr<Backend>(BackendRows rows, ModelSetup setup)> make;
  std::string why_not = {};  // there is none here; empty: there is
};

}  // namespace ossau::test
