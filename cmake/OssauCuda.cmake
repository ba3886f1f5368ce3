# Whether the CUDA module is built: sets OSSAU_CUDA_MODULE and, where it is ON, enables CUDA.
# OSSAU_CUDA is AUTO (on where a working nvcc is found), ON (an error where none is) or OFF.
set(OSSAU_OLDEST_NVCC 12.8)  # the first that knows compute capability 10.0

# A folder of CUDA's that is not in PATH is still the usual place of nvcc.
function(ossau_find_nvcc variable)
  if(CMAKE_CUDA_COMPILER)
    set(${variable} "${CMAKE_CUDA_COMPILER}" PARENT_SCOPE)
    return()
  endif()
  file(GLOB folders /usr/local/cuda-*/bin)
  list(SORT folders COMPARE NATURAL ORDER DESCENDING)
  find_program(OSSAU_NVCC nvcc
    HINTS ENV CUDA_HOME ENV CUDA_PATH
    PATHS /usr/local/cuda/bin ${folders} PATH_SUFFIXES bin)
  mark_as_advanced(OSSAU_NVCC)
  set(nvcc "${OSSAU_NVCC}")
  if(DEFINED ENV{CUDACXX})
    set(nvcc "$ENV{CUDACXX}")
  endif()
  if(nvcc)
    set(${variable} "${nvcc}" PARENT_SCOPE)
  else()
    set(${variable} "" PARENT_SCOPE)
  endif()
endfunction()

# Sets `variable` to why nvcc cannot be used; empty where it can.
function(ossau_try_nvcc nvcc variable)
  if(NOT nvcc)
    set(${variable} "nvcc was found neither in PATH nor in /usr/local/cuda nor in CUDA_HOME"
        PARENT_SCOPE)
    return()
  endif()
  execute_process(COMMAND ${nvcc} --version OUTPUT_VARIABLE text ERROR_QUIET RESULT_VARIABLE code)
  if(NOT code EQUAL 0 OR NOT text MATCHES "release ([0-9]+\\.[0-9]+)")
    set(${variable} "${nvcc} does not run" PARENT_SCOPE)
    return()
  endif()
  if(CMAKE_MATCH_1 VERSION_LESS OSSAU_OLDEST_NVCC)
    set(${variable} "${nvcc} is ${CMAKE_MATCH_1}, older than ${OSSAU_OLDEST_NVCC}" PARENT_SCOPE)
    return()
  endif()
  set(ENV{CUDACXX} ${nvcc})
  include(CheckLanguage)
  check_language(CUDA)
  if(CMAKE_CUDA_COMPILER)
    set(${variable} "" PARENT_SCOPE)
  else()
    set(${variable} "${nvcc} does not compile with ${CMAKE_CXX_COMPILER}" PARENT_SCOPE)
  endif()
endfunction()

set(OSSAU_CUDA_MODULE OFF)
set(cuda_reason "OSSAU_CUDA is OFF")
if(OSSAU_CUDA STREQUAL "AUTO" AND OSSAU_SANITIZE)
  set(cuda_reason "sanitizers are on")
elseif(OSSAU_CUDA)
  # 'native', CMake's other way of asking, is an error without a GPU.
  if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
    set(CMAKE_CUDA_ARCHITECTURES "80-real;90-real;100-real;100-virtual" CACHE STRING "")
  endif()
  ossau_find_nvcc(nvcc)
  ossau_try_nvcc("${nvcc}" cuda_reason)
  if(NOT cuda_reason)
    set(OSSAU_CUDA_MODULE ON)
  elseif(NOT OSSAU_CUDA STREQUAL "AUTO")
    message(FATAL_ERROR "OSSAU_CUDA is ${OSSAU_CUDA}, but ${cuda_reason} "
      "(install CUDA ${OSSAU_OLDEST_NVCC} or newer, or set OSSAU_CUDA=OFF)")
  endif()
endif()

if(NOT OSSAU_CUDA_MODULE)
  message(STATUS "CUDA module: off (${cuda_reason})")
  return()
endif()

enable_language(CUDA)
if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)  # unknown to CMake 3.25
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION "-std=c++20")
  set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION "-std=c++20")
endif()
set(CMAKE_CUDA_STANDARD 20)
set(CMAKE_CUDA_STANDARD_REQUIRED ON)
set(CMAKE_CUDA_EXTENSIONS OFF)
find_package(CUDAToolkit REQUIRED)

# Only NCCL's header is needed here; its library is loaded where several GPUs train together.
find_path(OSSAU_NCCL_INCLUDE_DIR nccl.h HINTS ${CUDAToolkit_INCLUDE_DIRS} ENV NCCL_HOME
          PATH_SUFFIXES include)
find_library(OSSAU_NCCL_LIBRARY NAMES libnccl.so.2 nccl HINTS ${CUDAToolkit_LIBRARY_DIR}
             ENV NCCL_HOME PATH_SUFFIXES lib lib64)
mark_as_advanced(OSSAU_NCCL_INCLUDE_DIR OSSAU_NCCL_LIBRARY)
if(OSSAU_NCCL_INCLUDE_DIR)
  message(STATUS "CUDA module: on (CUDA ${CUDAToolkit_VERSION})")
else()
  message(STATUS "CUDA module: on (CUDA ${CUDAToolkit_VERSION}), "
    "for one GPU a process: NCCL's header nccl.h was not found")
endif()
