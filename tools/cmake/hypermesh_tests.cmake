set(HYPERMESH_LIST_TESTS ${CMAKE_CURRENT_LIST_DIR}/hypermesh_list_tests.cmake)

# hypermesh_test(<folder> [TIMEOUT <seconds>] [SERIAL] [LIBRARIES <library>...])
#   One doctest binary hypermesh_<folder>_test from tests/<folder>/*_test.cpp, and one ctest name "<folder>: <test case>" per
#   TEST_CASE. A folder without such files is skipped. Tests run in the top folder of the repository.
function(hypermesh_test folder)
  cmake_parse_arguments(PARSE_ARGV 1 arg "SERIAL" "TIMEOUT" "LIBRARIES")
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*_test.cpp)
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
  set(properties LABELS ${folder} TIMEOUT ${arg_TIMEOUT})
  if(arg_SERIAL)
    list(APPEND properties RUN_SERIAL TRUE)
  endif()
  list(JOIN properties " " properties)
  # ctest reads the list that the build writes. Before the first build, ctest names the missing binary.
  set(list ${CMAKE_CURRENT_BINARY_DIR}/${target}.cmake)
  set(include ${CMAKE_CURRENT_BINARY_DIR}/${target}_include.cmake)
  file(CONFIGURE OUTPUT ${include} @ONLY CONTENT
    "if(EXISTS [==[@list@]==])\n  include([==[@list@]==])\nelse()\n  add_test(@target@_is_not_built false)\nendif()\n")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${include})
  add_custom_command(
    TARGET ${target} POST_BUILD
    BYPRODUCTS ${list}
    COMMAND ${CMAKE_COMMAND} -D executable=$<TARGET_FILE:${target}> -D folder=${folder} -D directory=${PROJECT_SOURCE_DIR}
            -D properties=${properties} -D list=${list} -P ${HYPERMESH_LIST_TESTS}
    VERBATIM)
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
    target_link_libraries(${target} PRIVATE hypermesh_test_support hypermesh_gateway)
    target_link_options(${target} PRIVATE -fsanitize=fuzzer)
    hypermesh_compile_options(${target})
  endforeach()
endfunction()
