# What users of the library inherit: the language standard and our headers.
add_library(ossau_flags INTERFACE)
target_compile_features(ossau_flags INTERFACE cxx_std_20)
target_include_directories(ossau_flags INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
# The arithmetic contract: the compiler must not fuse, reorder or approximate.
target_compile_options(ossau_flags INTERFACE
  $<BUILD_INTERFACE:$<$<COMPILE_LANGUAGE:CXX>:-ffp-contract=off>>
  $<BUILD_INTERFACE:$<$<COMPILE_LANGUAGE:CXX>:-fno-fast-math>>)

# Only for our own files, never for those who use the library.
add_library(ossau_private INTERFACE)
target_link_libraries(ossau_private INTERFACE ossau_flags)
target_include_directories(ossau_private INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_compile_options(ossau_private INTERFACE
  "$<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wshadow;-Wconversion>"
  $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<BOOL:${OSSAU_WARNINGS_AS_ERRORS}>>:-Werror>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # gcc 12 sees these two inside std::string and std::optional where they are not (gcc bug 105651).
  target_compile_options(ossau_private INTERFACE
    "$<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict;-Wno-maybe-uninitialized>")
endif()
if(OSSAU_SANITIZE)
  # gcc's -Wmaybe-uninitialized sees things that are not there in instrumented code, of any version.
  target_compile_options(ossau_private INTERFACE -fsanitize=${OSSAU_SANITIZE}
    -fno-omit-frame-pointer -fno-sanitize-recover=all -Wno-maybe-uninitialized)
  target_link_options(ossau_private INTERFACE -fsanitize=${OSSAU_SANITIZE})
endif()
if(OSSAU_SANITIZE MATCHES "undefined")
  # Much of the compile time went into asking at every reference what the address sanitizer says
  # where it is followed.
  target_compile_options(ossau_private INTERFACE -fno-sanitize=null,object-size,vptr)
endif()

# The same for .cu files: the contract's flags for the device and for the host compiler, and what
# nvcc warns of.  Spills and local memory are reported, not refused: a test gates them.
add_library(ossau_cuda_flags INTERFACE)
target_compile_options(ossau_cuda_flags INTERFACE
  "$<$<COMPILE_LANGUAGE:CUDA>:--fmad=false;--ftz=false;--prec-div=true;--prec-sqrt=true>"
  "$<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=-ffp-contract=off,-fno-fast-math,-Wall,-Wextra>"
  "$<$<COMPILE_LANGUAGE:CUDA>:--Werror=all-warnings;-Xptxas=-warn-spills,-warn-lmem-usage>"
  "$<$<COMPILE_LANGUAGE:CUDA>:-compress-mode=size>")

# Where no time is spent, none goes into optimising instrumented code.
function(ossau_spends_no_time target)
  if(OSSAU_SANITIZE)
    target_compile_options(${target} PRIVATE -O0)
  endif()
endfunction()

# ossau_room(NAME SOURCES ... USES ...): one folder of src/ as a library; USES are its libraries.
function(ossau_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;USES" ${ARGN})
  add_library(ossau_${name} STATIC ${ROOM_SOURCES})
  set_target_properties(ossau_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_link_libraries(ossau_${name} PUBLIC ${ROOM_USES} PRIVATE $<BUILD_INTERFACE:ossau_private>)
  if(name MATCHES "^(report|config)$")
    ossau_spends_no_time(ossau_${name})
  endif()
endfunction()

# ossau_test(NAME SOURCES ... USES ... LABELS ... [TIMEOUT n] [PROCESSORS n] [OPTIMISED]): one test
# program; LABELS are ctest labels, PROCESSORS how many each of its tests keeps busy, OPTIMISED says that
# it computes much itself.
function(ossau_test name)
  cmake_parse_arguments(TEST "OPTIMISED" "TIMEOUT;PROCESSORS" "SOURCES;USES;LABELS" ${ARGN})
  add_executable(${name} ${TEST_SOURCES})
  target_link_libraries(${name} PRIVATE ${TEST_USES} ossau_test_support ossau_private)
  # What is tested is compiled as it is shipped; most tests themselves run for less time than it
  # takes to optimise them.
  if(OSSAU_SANITIZE AND NOT TEST_OPTIMISED)
    target_compile_options(${name} PRIVATE -O0)
  elseif(NOT OSSAU_SANITIZE)
    target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O1>)
  endif()
  if("threads" IN_LIST TEST_LABELS)
    add_dependencies(ossau_threaded_tests ${name})
  endif()
  if(NOT TEST_TIMEOUT)
    set(TEST_TIMEOUT 300)
  endif()
  if(NOT TEST_PROCESSORS)
    set(TEST_PROCESSORS 1)
  endif()
  gtest_discover_tests(${name} TEST_LIST ${name}_found DISCOVERY_TIMEOUT 60
    PROPERTIES TIMEOUT ${TEST_TIMEOUT} PROCESSORS ${TEST_PROCESSORS})
  # Labels are set by ctest itself: the property list of gtest_discover_tests flattens lists.
  set(labels_file ${CMAKE_CURRENT_BINARY_DIR}/${name}_labels.cmake)
  file(CONFIGURE OUTPUT ${labels_file} @ONLY CONTENT [[
if(@name@_found)
  set_tests_properties(${@name@_found} PROPERTIES LABELS "@TEST_LABELS@")
endif()
]])
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${labels_file})
endfunction()
