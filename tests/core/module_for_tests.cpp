// A module to load; see module_test.cpp.
extern "C" int answer_of_the_test_module() { return 42; }
