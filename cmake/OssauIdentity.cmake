# What tells whether a module belongs to the program that loads it: a hash of their sources and the
# compiler, taken anew in every build.  Git is not asked: sources may come without it, or be changed.
set(identity_source ${PROJECT_BINARY_DIR}/generated/build_identity.cpp)
set(write_identity ${CMAKE_COMMAND} -D SOURCE_DIR=${PROJECT_SOURCE_DIR} -D VERSION=${PROJECT_VERSION}
  -D "COMPILER=${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}" -D OUTPUT=${identity_source}
  -P ${PROJECT_SOURCE_DIR}/cmake/build_identity.cmake)
add_custom_target(ossau_write_identity COMMAND ${write_identity} BYPRODUCTS ${identity_source} VERBATIM)
ossau_room(build_identity SOURCES ${identity_source} USES ossau_flags)
add_dependencies(ossau_build_identity ossau_write_identity)
