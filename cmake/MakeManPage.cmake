# SPDX-License-Identifier: Apache-2.0
# Joins the written part of the man page with what the program says of its own commands, and writes the completion.
foreach(job man completion)
  execute_process(COMMAND "${program}" --${job} OUTPUT_VARIABLE ${job} RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "'${program} --${job}' failed: ${result}")
  endif()
endforeach()
file(READ "${template}" text)
string(REPLACE "@COMMANDS@\n" "${man}" text "${text}")
string(REPLACE "@VERSION@" "${version}" text "${text}")
file(WRITE "${page}" "${text}")
file(WRITE "${completion_file}" "${completion}")
