#include "comm/nccl_module.hpp"

#include "core/module.hpp"
#include "ossau/ossau.hpp"

namespace ossau {
namespace {

struct Found {
  const nccl::ModuleTable* table = nullptr;
  std::string why;
};

Found find_table() {
  const LoadedModule module = load_module(nccl::kModuleName);
  if (module.handle == nullptr) return {nullptr, module.why};
  using Entry = const nccl::ModuleTable* (*)();
  const auto entry = reinterpret_cast<Entry>(module.symbol(nccl::kEntry));
  const nccl::ModuleTable* table = entry == nullptr ? nullptr : entry();
  if (table == nullptr || table->interface != nccl::kModuleInterface ||
      table->version != version()) {
    return {nullptr, module.file.string() + " belongs to another version of Ossau"};
  }
  return {table, table->why_none()};
}

}  // namespace

const nccl::ModuleTable* nccl_module(std::string* why) {
  static const Found found = find_table();
  *why = found.why;
  return found.why.empty() ? found.table : nullptr;
}

}  // namespace ossau
