# Writes the source that holds the build's identity: a hash of all that the program and its modules
# must have in common.  A script of the build; the file keeps its time where nothing has changed.
#   cmake -D SOURCE_DIR=... -D COMPILER=... -D VERSION=... -D OUTPUT=... -P build_identity.cmake
set(patterns include/*.hpp kernels/*)
foreach(room core arith config data backend comm)
  list(APPEND patterns src/${room}/*.hpp src/${room}/*.cpp)
endforeach()
list(TRANSFORM patterns PREPEND ${SOURCE_DIR}/)
file(GLOB_RECURSE files RELATIVE ${SOURCE_DIR} ${patterns})
list(SORT files)
set(facts "${VERSION} ${COMPILER}\n")
foreach(file IN LISTS files)
  file(SHA256 ${SOURCE_DIR}/${file} hash)
  string(APPEND facts "${file} ${hash}\n")
endforeach()
string(SHA256 identity "${facts}")

set(text "#include \"core/build_identity.hpp\"\n
namespace ossau {
extern const char kBuildIdentity[] = \"${identity}\";
}\n")
set(before "")
if(EXISTS ${OUTPUT})
  file(READ ${OUTPUT} before)
endif()
if(NOT text STREQUAL before)
  file(WRITE ${OUTPUT} "${text}")
endif()
