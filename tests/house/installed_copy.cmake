# Installs the build BUILD into a folder below WORK, moves that folder, and there runs the program
# and builds and runs the consumer: an installed copy must not need the place it was built in.
#   cmake -D BUILD=... -D WORK=... -D CONSUMER=... -D COMPILER=... -P installed_copy.cmake
file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK}/consumer)

function(run)
  message(STATUS "${ARGN}")
  execute_process(COMMAND ${ARGN} WORKING_DIRECTORY ${WORK}/consumer RESULT_VARIABLE code)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "exit code ${code}")
  endif()
endfunction()

run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/first)
file(RENAME ${WORK}/first ${WORK}/installed)
run(${WORK}/installed/bin/ossau --version)
run(${CMAKE_COMMAND} -S ${CONSUMER} -B ${WORK}/consumer -G Ninja
    -D CMAKE_CXX_COMPILER=${COMPILER} -D CMAKE_PREFIX_PATH=${WORK}/installed
    -D CMAKE_BUILD_TYPE=Release)
run(${CMAKE_COMMAND} --build ${WORK}/consumer)
run(${WORK}/consumer/consumer)
