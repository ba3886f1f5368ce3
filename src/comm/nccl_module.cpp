#include "comm/nccl_module.hpp"

#include "core/build_identity.hpp"
#include "core/module.hpp"

namespace ossau {
namespace {

struct Found {
  const nccl::ModuleTable* table = nullptr;
  std::string why;
};

Found find_table() {
  const LoadedModule module = load_module(nccl::kModuleName, kBuildIdentity);
  if (module.handle == nullptr) return {nullptr, module.why};
  using Entry = const nccl::ModuleTable* (*)();
  const nccl::ModuleTable* table = reinterpret_cast<Entry>(module.symbol(nccl::kEntry))();
  return {table, table->why_none()};
}

}  // namespace

const nccl::ModuleTable* nccl_module(std::string* why) {
  static const Found found = find_table();
  *why = found.why;
  return found.why.empty() ? found.table : nullptr;
}

}  // namespace ossau
