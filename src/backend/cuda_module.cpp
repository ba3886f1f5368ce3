#include "backend/cuda_module.hpp"

#include "core/build_identity.hpp"
#include "core/module.hpp"

namespace ossau {
namespace {

struct Found {
  const cuda::ModuleTable* table = nullptr;
  std::string why;
};

Found find_table() {
  if (!OSSAU_CUDA_MODULE) return {nullptr, "this build has no CUDA module"};
  const LoadedModule module = load_module(cuda::kModuleName, kBuildIdentity);
  if (module.handle == nullptr) return {nullptr, "the CUDA module " + module.why};
  using Entry = const cuda::ModuleTable* (*)();
  const auto entry = reinterpret_cast<Entry>(module.symbol(cuda::kBackendEntry));
  return {entry(), ""};
}

}  // namespace

const cuda::ModuleTable* cuda_module(std::string* why) {
  static const Found found = find_table();
  *why = found.why;
  return found.table;
}

std::string why_no_gpu() {
  std::string why;
  const cuda::ModuleTable* module = cuda_module(&why);
  return module == nullptr ? why : module->why_no_device();
}

}  // namespace ossau
