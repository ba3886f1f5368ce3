# The packages that the libraries use, found the same way by this build and by the installed copy
# (ossau-config.cmake includes this file).

find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(ZLIB REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(PkgConfig REQUIRED)

# yaml-cpp calls its target `yaml-cpp` up to 0.7 and `yaml-cpp::yaml-cpp` from 0.8 on.
find_package(yaml-cpp REQUIRED)
if(NOT TARGET yaml-cpp)
  add_library(yaml-cpp INTERFACE IMPORTED)
  set_target_properties(yaml-cpp PROPERTIES INTERFACE_LINK_LIBRARIES yaml-cpp::yaml-cpp)
endif()

# Highway's older packages carry only a pkg-config file.
find_package(hwy CONFIG QUIET)
if(NOT TARGET hwy::hwy)
  foreach(part hwy hwy_contrib)
    string(REPLACE "_" "-" package lib${part})
    pkg_check_modules(${part} REQUIRED QUIET IMPORTED_TARGET ${package})
    add_library(hwy::${part} INTERFACE IMPORTED)
    set_target_properties(hwy::${part} PROPERTIES INTERFACE_LINK_LIBRARIES PkgConfig::${part})
  endforeach()
endif()

# zstd's CMake targets differ from one distribution to the next; its pkg-config file does not.
if(NOT TARGET PkgConfig::ZSTD)
  pkg_check_modules(ZSTD REQUIRED QUIET IMPORTED_TARGET libzstd)
endif()
