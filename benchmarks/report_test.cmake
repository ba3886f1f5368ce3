# Merges the outputs of the programs, then makes the tables and the picture of them.
#   cmake -D REPORT=... -D OUTPUTS=... -D WORK=... -P report_test.cmake
file(REMOVE_RECURSE ${WORK})

function(report expected)
  execute_process(COMMAND ${REPORT} ${ARGN}
    OUTPUT_VARIABLE output ERROR_VARIABLE error RESULT_VARIABLE code)
  if(NOT code EQUAL 0 OR NOT output MATCHES "${expected}")
    message(FATAL_ERROR "bench_report ${ARGN}: exit ${code}, no ${expected} in:\n${output}${error}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

report("\\.json\n$" --merge ${OUTPUTS} --into ${WORK} --commit test --modified)
string(STRIP "${output}" results)
report("### wake|### step" --markdown ${results})
report("</svg>\n$" --roofline ${results})
