# Compiles through ccache when it is found. Precompiled headers need the two sloppiness settings, and GCC needs
# -fpch-preprocess. Paths below the top folder count relative to it. So another checkout, or the scratch copy of
# tools/mutants, compiles only the files that differ.
find_program(HYPERMESH_CCACHE ccache)
mark_as_advanced(HYPERMESH_CCACHE)
if(HYPERMESH_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}
      CCACHE_ABSSTDERR=1 ${HYPERMESH_CCACHE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-fpch-preprocess)
  endif()
endif()
