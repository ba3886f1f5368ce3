// A module to load; see module_test.cpp.
#include "core/build_identity.hpp"

OSSAU_EXPORT_IDENTITY("of the tests");

extern "C" int answer_of_the_test_module() { return 42; }
