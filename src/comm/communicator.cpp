#include "comm/communicator.hpp"

#include <fmt/format.h>

namespace ossau {

std::string describe(const Position& position) {
  if (position.epoch == 0) return position.phase;
  return fmt::format("{}, epoch {}, step {}", position.phase, position.epoch, position.step);
}

}  // namespace ossau
