# Whether the MPI module is built: sets OSSAU_MPI_MODULE.  OSSAU_MPI is AUTO (on where an MPI is
# found), ON (an error where none is) or OFF.
set(OSSAU_MPI_MODULE OFF)
if(NOT OSSAU_MPI)
  message(STATUS "MPI module: off (OSSAU_MPI is OFF)")
  return()
endif()
# Open MPI leaves memory behind, in libraries that are gone when the sanitizer looks for their names.
if(OSSAU_MPI STREQUAL "AUTO" AND OSSAU_SANITIZE)
  message(STATUS "MPI module: off (sanitizers are on)")
  return()
endif()
set(MPI_CXX_SKIP_MPICXX ON)  # the C++ classes of old, which nobody uses
find_package(MPI QUIET COMPONENTS CXX)
if(MPI_CXX_FOUND)
  set(OSSAU_MPI_MODULE ON)
  message(STATUS "MPI module: MPI ${MPI_CXX_VERSION}")
elseif(OSSAU_MPI STREQUAL "AUTO")
  message(STATUS "MPI module: off (no MPI was found; Debian: openmpi-bin libopenmpi-dev)")
else()
  message(FATAL_ERROR "OSSAU_MPI is ${OSSAU_MPI}, but no MPI was found (install openmpi-bin and "
    "libopenmpi-dev, or set OSSAU_MPI=OFF)")
endif()
