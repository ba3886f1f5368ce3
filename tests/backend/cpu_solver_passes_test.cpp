#include "backend/cpu/cpu_solver_passes.hpp"

#include <gtest/gtest.h>

#include "backend/cpu_cases.hpp"
#include "backend/solver_passes_contract.hpp"

namespace ossau::test {
namespace {

INSTANTIATE_TEST_SUITE_P(Cpu, SolverContract, ::testing::ValuesIn(solver_cases(cpu_cases())),
                         [](const auto& each) { return name_of(each.param); });

}  // namespace
}  // namespace ossau::test
