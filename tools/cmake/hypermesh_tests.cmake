# hypermesh_test(<folder> [TIMEOUT <seconds>] [SERIAL] [LIBRARIES <library>...])
#   One doctest binary hypermesh_<folder>_test from tests/<folder>/*_test.cpp, and one ctest name "<folder>: <test case>" per
#   TEST_CASE. A folder without such files is skipped. Tests run in the top folder of the repository.
function(hypermesh_test folder)
  cmake_parse_arguments(PARSE_ARGV 1 arg "SERIAL" "TIMEOUT" "LIBRARIES")
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*_test.cpp)
  if(NOT sources)
    return()
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 60)
  endif()
  set(target hypermesh_${folder}_test)
  add_executable(${target} ${sources})
  target_link_libraries(${target} PRIVATE hypermesh_doctest_main ${arg_LIBRARIES})
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_definitions(${target} PRIVATE HYPERMESH_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  hypermesh_compile_options(${target})
  set(properties LABELS ${folder} TIMEOUT ${arg_TIMEOUT}
      # doctest succeeds when a filter matches nothing; that would be a test that no longer runs.
      FAIL_REGULAR_EXPRESSION "test cases: +0 ")
  if(arg_SERIAL)
    list(APPEND properties RUN_SERIAL TRUE)
  endif()
  # doctest's own module: one run of the binary per build lists all names; commas in a name are escaped.
  doctest_discover_tests(${target} TEST_PREFIX "${folder}: " WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
                         PROPERTIES ${properties})
endfunction()

# hypermesh_fuzzers(): one libFuzzer binary <name> from each tests/fuzz/<name>_fuzz.cpp.
function(hypermesh_fuzzers)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "HYPERMESH_FUZZ needs clang: cmake --preset fuzz")
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/*_fuzz.cpp)
  foreach(source IN LISTS sources)
    cmake_path(GET source STEM target)
    add_executable(${target} ${source})
    target_link_libraries(${target} PRIVATE hypermesh_test_support)
    target_link_options(${target} PRIVATE -fsanitize=fuzzer)
    hypermesh_compile_options(${target})
  endforeach()
endfunction()
