#pragma once

namespace ossau {

/// The same text in a program and in the modules that were built with it, another one in any that
/// were not: a hash of the sources that they share, and of the compiler
/// (cmake/build_identity.cmake).
extern const char kBuildIdentity[];

/// The symbol by which a module shows its own.
inline constexpr const char* kIdentitySymbol = "ossau_module_identity";

}  // namespace ossau

/// In one source of every module.  Data, so that nothing of a module that does not belong here
/// runs.
#define OSSAU_EXPORT_IDENTITY(identity)                                                  \
  extern "C" {                                                                           \
  extern __attribute__((visibility("default"))) const char* const ossau_module_identity; \
  const char* const ossau_module_identity = identity;                                    \
  }                                                                                      \
  static_assert(true)
