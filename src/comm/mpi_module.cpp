#include "comm/mpi_module.hpp"

#include "core/module.hpp"
#include "ossau/ossau.hpp"

namespace ossau {
namespace {

struct Found {
  const mpi::ModuleTable* table = nullptr;
  std::string why;
};

Found find_table() {
  if (!OSSAU_MPI_MODULE) return {nullptr, "this build has no MPI"};
  const LoadedModule module = load_module(mpi::kModuleName);
  if (module.handle == nullptr) return {nullptr, module.why};
  using Entry = const mpi::ModuleTable* (*)();
  const auto entry = reinterpret_cast<Entry>(module.symbol(mpi::kEntry));
  const mpi::ModuleTable* table = entry == nullptr ? nullptr : entry();
  if (table == nullptr || table->interface != mpi::kModuleInterface ||
      table->version != version()) {
    return {nullptr, module.file.string() + " belongs to another version of Ossau"};
  }
  return {table, ""};
}

}  // namespace

const mpi::ModuleTable* mpi_module(std::string* why) {
  static const Found found = find_table();
  *why = found.why;
  return found.table;
}

}  // namespace ossau
