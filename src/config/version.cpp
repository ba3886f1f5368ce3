#include "ossau/ossau.hpp"

namespace ossau {

std::string version() { return OSSAU_VERSION; }

}  // namespace ossau
