# hypermesh_flatbuffers(<target> <schema>...)
#   An INTERFACE target that offers schemas/<name>_generated.h for each schema, generated at build time into
#   <build>/generated/schemas. Schemas include each other by bare file name.
function(hypermesh_flatbuffers target)
  set(root ${PROJECT_BINARY_DIR}/generated)
  set(headers)
  foreach(schema IN LISTS ARGN)
    cmake_path(GET schema STEM stem)
    set(header ${root}/schemas/${stem}_generated.h)
    # Every header depends on every schema, because schemas include each other and there are only a few.
    add_custom_command(
      OUTPUT ${header}
      COMMAND FlatBuffersTools::flatc --cpp --scoped-enums -I ${CMAKE_CURRENT_SOURCE_DIR} -o ${root}/schemas ${schema}
      DEPENDS ${ARGN}
      COMMENT "FlatBuffers: ${stem}.fbs"
      VERBATIM)
    list(APPEND headers ${header})
  endforeach()
  file(MAKE_DIRECTORY ${root}/schemas)
  add_custom_target(${target}_generate DEPENDS ${headers})
  add_library(${target} INTERFACE)
  add_dependencies(${target} ${target}_generate)
  # The headers are SYSTEM headers, because our warnings do not apply to generated code.
  target_include_directories(${target} SYSTEM INTERFACE $<BUILD_INTERFACE:${root}>)
  target_link_libraries(${target} INTERFACE FlatBuffersTools::headers)
endfunction()
