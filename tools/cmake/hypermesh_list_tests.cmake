# Runs after a test binary is linked, and writes one add_test() per TEST_CASE into ${list}. One run of the binary gives
# all names. The module of doctest is not used, because it fails at brackets and semicolons in a name, and passes when
# no test ran.
execute_process(COMMAND ${executable} --list-test-cases --no-colors=true --no-version=true
                WORKING_DIRECTORY ${directory} OUTPUT_VARIABLE output RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "${executable} cannot list its test cases (${result}):\n${output}")
endif()

# The text is split line by line, because a CMake list would break at a semicolon or bracket inside of a name.
set(script "")
while(NOT output STREQUAL "")
  string(FIND "${output}" "\n" end)
  string(SUBSTRING "${output}" 0 ${end} name)
  if(end EQUAL -1)
    set(output "")
  else()
    math(EXPR end "${end} + 1")
    string(SUBSTRING "${output}" ${end} -1 output)
  endif()
  if(name STREQUAL "" OR name MATCHES "^\\[doctest\\]" OR name MATCHES "^=+$")
    continue()
  endif()
  # An unescaped comma separates two filters.
  string(REPLACE "," "\\," filter "${name}")
  string(APPEND script
    "add_test([==[${folder}: ${name}]==] [==[${executable}]==] [==[--test-case=${filter}]==])\n"
    # doctest succeeds when a filter matches no test. In this case the test no longer exists, so it must fail.
    "set_tests_properties([==[${folder}: ${name}]==] PROPERTIES WORKING_DIRECTORY [==[${directory}]==] ${properties}"
    " FAIL_REGULAR_EXPRESSION [==[test cases: +0 ]==])\n")
endwhile()
file(WRITE ${list} "${script}")
