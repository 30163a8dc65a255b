# Finds the core of prometheus-cpp: values and the text format. Debian's own CMake package is passed over, because it also
# wants civetweb and curl for a server and a client that are not used here.
# Target: PrometheusCpp::core. Variable: PrometheusCpp_FOUND.
find_path(PrometheusCpp_INCLUDE_DIR prometheus/text_serializer.h)
find_library(PrometheusCpp_LIBRARY prometheus-cpp-core)
mark_as_advanced(PrometheusCpp_INCLUDE_DIR PrometheusCpp_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(PrometheusCpp REQUIRED_VARS PrometheusCpp_LIBRARY PrometheusCpp_INCLUDE_DIR
                                  REASON_FAILURE_MESSAGE "install prometheus-cpp-dev")

if(PrometheusCpp_FOUND AND NOT TARGET PrometheusCpp::core)
  add_library(PrometheusCpp::core UNKNOWN IMPORTED)
  set_target_properties(PrometheusCpp::core PROPERTIES
    IMPORTED_LOCATION ${PrometheusCpp_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${PrometheusCpp_INCLUDE_DIR})
endif()
