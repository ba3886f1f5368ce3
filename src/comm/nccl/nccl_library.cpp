#include "comm/nccl/nccl_library.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cstddef>
#include <filesystem>
#include <new>
#include <system_error>
#include <vector>

#include "comm/nccl/nccl_communicator.hpp"
#include "core/module.hpp"

namespace ossau::nccl {
namespace {

constexpr const char* kFile = "libnccl.so.2";

template <class Function>
void find(void* handle, const char* name, Function& function, std::string& why) {
  function = reinterpret_cast<Function>(::dlsym(handle, name));
  if (function != nullptr || !why.empty()) return;
  why = fmt::format("{} is too old: it has no {}", kFile, name);
}

// Folders where the loader looks for what this module asks for; not those that only its cache
// knows.
std::vector<std::filesystem::path> library_folders() {
  std::vector<std::filesystem::path> folders;
  Dl_info module;
  if (::dladdr(&kFile, &module) == 0) return folders;
  void* handle = ::dlopen(module.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
  if (handle == nullptr) return folders;
  Dl_serinfo size;
  if (::dlinfo(handle, RTLD_DI_SERINFOSIZE, &size) == 0) {
    std::vector<std::max_align_t> memory(size.dls_size / sizeof(std::max_align_t) + 1);
    auto* found = new (memory.data()) Dl_serinfo(size);
    if (::dlinfo(handle, RTLD_DI_SERINFO, found) == 0) {
      for (unsigned i = 0; i < found->dls_cnt; ++i) {
        folders.emplace_back(found->dls_serpath[i].dls_name);
      }
    }
  }
  ::dlclose(handle);
  return folders;
}

std::string why_damaged_library() {
  for (const std::filesystem::path& folder : library_folders()) {
    std::error_code ignored;
    const std::filesystem::path file = folder / kFile;
    if (!std::filesystem::exists(file, ignored)) continue;
    const std::string damage = why_damaged(file);
    return damage.empty() ? "" : fmt::format("{} cannot be loaded: {}", file.string(), damage);
  }
  return "";
}

Library load() {
  Library loaded;
  if (const std::string damage = why_damaged_library(); !damage.empty()) {
    loaded.why = damage;
    return loaded;
  }
  void* handle = ::dlopen(kFile, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* reason = ::dlerror();
    loaded.why = fmt::format("{} cannot be loaded: {}", kFile,
                             reason == nullptr ? "unknown reason" : reason);
    return loaded;
  }
  find(handle, "ncclGetVersion", loaded.get_version, loaded.why);
  find(handle, "ncclGetErrorString", loaded.get_error_string, loaded.why);
  find(handle, "ncclGetLastError", loaded.get_last_error, loaded.why);
  find(handle, "ncclGetUniqueId", loaded.get_unique_id, loaded.why);
  find(handle, "ncclCommInitRankConfig", loaded.comm_init_rank_config, loaded.why);
  find(handle, "ncclCommGetAsyncError", loaded.comm_get_async_error, loaded.why);
  find(handle, "ncclAllReduce", loaded.all_reduce, loaded.why);
  find(handle, "ncclCommFinalize", loaded.comm_finalize, loaded.why);
  find(handle, "ncclCommDestroy", loaded.comm_destroy, loaded.why);
  find(handle, "ncclCommAbort", loaded.comm_abort, loaded.why);
  return loaded;
}

}  // namespace

const Library& library() {
  static const Library loaded = load();
  return loaded;
}

std::string why_no_nccl() { return library().why; }

std::string nccl_version() {
  int version = 0;
  if (!library().why.empty() || library().get_version(&version) != ncclSuccess) return "";
  return fmt::format("{}.{}.{}", version / 10000, version / 100 % 100, version % 100);
}

}  // namespace ossau::nccl
