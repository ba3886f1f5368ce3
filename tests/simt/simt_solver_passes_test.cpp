#include "backend/solver_passes_contract.hpp"
#include "simt/simt_cases.hpp"

// What solvers ask of the CUDA backend, its kernels run on the CPU: bit for bit the reference.

namespace ossau::test {
namespace {

INSTANTIATE_TEST_SUITE_P(Simt, SolverContract,
                         ::testing::ValuesIn(solver_cases({simt_case("resident", std::nullopt, 1),
                                                           simt_case("streamed", 100'000, 2)})),
                         [](const auto& each) { return name_of(each.param); });

}  // namespace
}  // namespace ossau::test
