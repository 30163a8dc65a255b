# The install rules. The components are those of the Debian packages in tools/debian:
#
#   hypermesh    the binary, manual pages, completion, systemd unit, its user and folder
#   library      libhypermesh.so.0
#   development  headers, archives, CMake package, pkg-config
#   laboratory   hypermesh-lab
#
# Nothing gets an RPATH, because all libraries come from the system, and `hypermesh` contains the archives.
include(CMakePackageConfigHelpers)

set(HYPERMESH_ZSH_COMPLETIONS ${CMAKE_INSTALL_DATADIR}/zsh/site-functions CACHE STRING "Folder of zsh completions")
set(HYPERMESH_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/hypermesh)
# Headers that are included from the top of the source tree. They are not public: they may change in each release.
set(HYPERMESH_SOURCE_HEADERS ${CMAKE_INSTALL_INCLUDEDIR}/hypermesh/source)

# hypermesh_printed(<target> <folder> <component> <file> <word>...)
#   Builds <file> from what the binary <target> prints when it is called with these words, and installs it in <folder>. So
#   manual pages and completion come from the same command tree as the help, and cannot differ from it.
function(hypermesh_printed target folder component file)
  set(printed ${CMAKE_BINARY_DIR}/printed/${file})
  cmake_path(GET printed PARENT_PATH parent)
  file(MAKE_DIRECTORY ${parent})
  list(JOIN ARGN " " words)
  add_custom_command(
    OUTPUT ${printed}
    COMMAND sh -c "'$<TARGET_FILE:${target}>' ${words} > '${printed}.new' && mv '${printed}.new' '${printed}'"
    DEPENDS ${target}
    COMMENT "${target} ${words}"
    VERBATIM)
  install(FILES ${printed} DESTINATION ${folder} COMPONENT ${component})
  set_property(GLOBAL APPEND PROPERTY HYPERMESH_PRINTED ${printed})
endfunction()

# hypermesh_completion(<target> <component>): the completion of a binary for bash, zsh and fish.
function(hypermesh_completion target component)
  hypermesh_printed(${target} ${CMAKE_INSTALL_DATADIR}/bash-completion/completions ${component}
                    bash/${target} completion bash)
  hypermesh_printed(${target} ${HYPERMESH_ZSH_COMPLETIONS} ${component} zsh/_${target} completion zsh)
  hypermesh_printed(${target} ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d ${component}
                    fish/${target}.fish completion fish)
endfunction()

# --- The binaries ----------------------------------------------------------------

install(TARGETS hypermesh RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT hypermesh)
hypermesh_printed(hypermesh ${CMAKE_INSTALL_MANDIR}/man1 hypermesh man/hypermesh.1 man hypermesh.1)
hypermesh_printed(hypermesh ${CMAKE_INSTALL_MANDIR}/man5 hypermesh man/node.toml.5 man node.toml.5)
hypermesh_completion(hypermesh hypermesh)
if(HYPERMESH_LAB)
  install(TARGETS hypermesh-lab RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT laboratory)
  hypermesh_printed(hypermesh-lab ${CMAKE_INSTALL_MANDIR}/man1 laboratory man/hypermesh-lab.1 man hypermesh-lab.1)
  hypermesh_completion(hypermesh-lab laboratory)
endif()
get_property(printed GLOBAL PROPERTY HYPERMESH_PRINTED)
add_custom_target(hypermesh_printed ALL DEPENDS ${printed})

configure_file(${PROJECT_SOURCE_DIR}/tools/systemd/hypermesh@.service.in ${CMAKE_BINARY_DIR}/systemd/hypermesh@.service
               @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/systemd/hypermesh@.service DESTINATION lib/systemd/system COMPONENT hypermesh)
install(FILES ${PROJECT_SOURCE_DIR}/tools/systemd/hypermesh.sysusers DESTINATION lib/sysusers.d
        RENAME hypermesh.conf COMPONENT hypermesh)
install(FILES ${PROJECT_SOURCE_DIR}/tools/systemd/hypermesh.tmpfiles DESTINATION lib/tmpfiles.d
        RENAME hypermesh.conf COMPONENT hypermesh)

install(DIRECTORY ${PROJECT_SOURCE_DIR}/tools/hypermesh/schema DESTINATION ${CMAKE_INSTALL_DATADIR}/hypermesh
        COMPONENT hypermesh FILES_MATCHING PATTERN *.json)

# --- The library for host applications -------------------------------------------

install(TARGETS hypermesh_shared EXPORT hypermesh_runtime
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library NAMELINK_COMPONENT development)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/runtime/include/hypermesh DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        COMPONENT development FILES_MATCHING PATTERN *.hpp)
# The folders are relative to that of hypermesh.pc, so that an installed tree can be moved, or installed to another prefix
# than that of the configuration.
file(RELATIVE_PATH HYPERMESH_PC_PREFIX ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
file(RELATIVE_PATH HYPERMESH_PC_INCLUDEDIR ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_INCLUDEDIR})
file(RELATIVE_PATH HYPERMESH_PC_LIBDIR ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_LIBDIR})
configure_file(${CMAKE_CURRENT_LIST_DIR}/hypermesh.pc.in ${CMAKE_BINARY_DIR}/hypermesh.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/hypermesh.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)

# --- The archives for tests of hosts ------------------------------------------------

# hypermesh_install_archives(<export> <target>...)
function(hypermesh_install_archives export)
  install(TARGETS ${ARGN} EXPORT ${export}
          ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}/hypermesh COMPONENT development)
  foreach(target IN LISTS ARGN)
    target_include_directories(${target} INTERFACE $<INSTALL_INTERFACE:${HYPERMESH_SOURCE_HEADERS}>
                                                   $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  endforeach()
endfunction()

function(hypermesh_install_source_headers)
  foreach(folder IN LISTS ARGN)
    cmake_path(GET folder PARENT_PATH parent)
    cmake_path(APPEND HYPERMESH_SOURCE_HEADERS ${parent} OUTPUT_VARIABLE destination)
    # No installed header includes one of the excluded headers, which need the generated schemas.
    install(DIRECTORY ${PROJECT_SOURCE_DIR}/${folder} DESTINATION ${destination}
            COMPONENT development FILES_MATCHING PATTERN *.hpp PATTERN wire_values.hpp EXCLUDE PATTERN statement_reader.hpp EXCLUDE
            PATTERN runtime/include EXCLUDE)
  endforeach()
endfunction()

set_target_properties(hypermesh_messages PROPERTIES EXPORT_NAME messages)
set_target_properties(hypermesh_protocol PROPERTIES EXPORT_NAME protocol)
hypermesh_install_archives(hypermesh_protocol hypermesh_messages hypermesh_protocol)
hypermesh_install_source_headers(messages actors/protocol)
set(exports runtime protocol)
if(HYPERMESH_LAB)
  set_target_properties(hypermesh_actors PROPERTIES EXPORT_NAME actors)
  set_target_properties(hypermesh_runtime PROPERTIES EXPORT_NAME runtime_archive)
  set_target_properties(hypermesh_test_support PROPERTIES EXPORT_NAME testing)
  hypermesh_install_archives(hypermesh_testing hypermesh_actors hypermesh_runtime hypermesh_test_support)
  hypermesh_install_source_headers(actors runtime tests/support tests/simulation tests/byzantine)
  # The simulator draws from the generator of the traces.
  install(FILES ${PROJECT_SOURCE_DIR}/tools/hypermesh/traces/splitmix64.hpp
          DESTINATION ${HYPERMESH_SOURCE_HEADERS}/tools/hypermesh/traces COMPONENT development)
  list(APPEND exports testing)
endif()

foreach(component IN LISTS exports)
  install(EXPORT hypermesh_${component} NAMESPACE hypermesh:: DESTINATION ${HYPERMESH_PACKAGE_DIR}
          FILE hypermesh_${component}.cmake COMPONENT development)
endforeach()

# --- The CMake package ----------------------------------------------------------------

set(package ${CMAKE_BINARY_DIR}/package)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/hypermesh-config.cmake.in ${package}/hypermesh-config.cmake
                              INSTALL_DESTINATION ${HYPERMESH_PACKAGE_DIR} NO_CHECK_REQUIRED_COMPONENTS_MACRO)
# Before 1.0.0 each minor version may change the interface.
write_basic_package_version_file(${package}/hypermesh-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${package}/hypermesh-config.cmake ${package}/hypermesh-config-version.cmake
              ${CMAKE_CURRENT_LIST_DIR}/FindCAF.cmake ${CMAKE_CURRENT_LIST_DIR}/FindMicrohttpd.cmake
              ${CMAKE_CURRENT_LIST_DIR}/FindPrometheusCpp.cmake ${CMAKE_CURRENT_LIST_DIR}/FindRocksDB.cmake
              ${CMAKE_CURRENT_LIST_DIR}/FindSodium.cmake ${CMAKE_CURRENT_LIST_DIR}/FindTlExpected.cmake
        DESTINATION ${HYPERMESH_PACKAGE_DIR} COMPONENT development)
