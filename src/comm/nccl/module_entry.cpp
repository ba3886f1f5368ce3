#include <memory>
#include <string>

#include "comm/nccl/module_table.hpp"
#include "comm/nccl/nccl_communicator.hpp"
#include "ossau/error.hpp"

namespace ossau::nccl {
namespace {

#if !defined(OSSAU_NCCL)
constexpr const char* kReason = "this build was made without NCCL's header";

std::string why_no_nccl() { return kReason; }
std::string nccl_version() { return ""; }
std::unique_ptr<Communicator> make_nccl_communicator(Communicator& /*host*/, DeviceRank /*mine*/) {
  throw DeviceError(kReason);
}
#endif

constexpr ModuleTable kTable = {
    .why_none = why_no_nccl, .nccl_version = nccl_version, .pair = make_nccl_communicator};

}  // namespace
}  // namespace ossau::nccl

extern "C" __attribute__((visibility("default"))) const ossau::nccl::ModuleTable*
ossau_cuda_communicator() {
  return &ossau::nccl::kTable;
}
