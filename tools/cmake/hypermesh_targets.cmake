# hypermesh_sources(<variable> <folder>...)
#   The .cpp files directly in the folders (relative to the calling CMakeLists.txt), without *_test.cpp. A folder that does not
#   exist counts as empty. The list is checked again at each build, so a new file needs no edit.
function(hypermesh_sources variable)
  set(sources)
  foreach(folder IN LISTS ARGN)
    file(GLOB found CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.cpp)
    list(APPEND sources ${found})
  endforeach()
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")
  set(${variable} ${sources} PARENT_SCOPE)
endfunction()

# hypermesh_compile_options(<target>): sets the warnings for our own code. The preset sets -Werror.
function(hypermesh_compile_options target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
                         $<$<CXX_COMPILER_ID:Clang>:-Wno-sign-conversion>)
endfunction()

# hypermesh_library(<name> <folder>...): the static library hypermesh_<name>, alias hypermesh::<name>, from these folders.
# Includes are written from the top of the repository, those of the public headers from runtime/include. A folder that has headers only gives a library of one empty unit.
function(hypermesh_library name)
  hypermesh_sources(sources ${ARGN})
  if(NOT sources)
    set(sources ${CMAKE_CURRENT_BINARY_DIR}/${name}_empty.cpp)
    file(CONFIGURE OUTPUT ${sources} CONTENT "")
  endif()
  add_library(hypermesh_${name} STATIC ${sources})
  add_library(hypermesh::${name} ALIAS hypermesh_${name})
  target_include_directories(hypermesh_${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>
                                                    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/runtime/include>)
  hypermesh_compile_options(hypermesh_${name})
endfunction()
