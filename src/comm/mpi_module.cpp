#include "comm/mpi_module.hpp"

#include "core/build_identity.hpp"
#include "core/module.hpp"

namespace ossau {
namespace {

struct Found {
  const mpi::ModuleTable* table = nullptr;
  std::string why;
};

Found find_table() {
  if (!OSSAU_MPI_MODULE) return {nullptr, "this build has no MPI"};
  const LoadedModule module = load_module(mpi::kModuleName, kBuildIdentity);
  if (module.handle == nullptr) return {nullptr, module.why};
  using Entry = const mpi::ModuleTable* (*)();
  const mpi::ModuleTable* table = reinterpret_cast<Entry>(module.symbol(mpi::kEntry))();
  return {table, ""};
}

}  // namespace

const mpi::ModuleTable* mpi_module(std::string* why) {
  static const Found found = find_table();
  *why = found.why;
  return found.table;
}

}  // namespace ossau
