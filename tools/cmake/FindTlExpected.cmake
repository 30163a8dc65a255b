# Finds the header tl::expected, which provides std::expected of C++23 for C++20. Target: tl::expected.
find_path(TlExpected_INCLUDE_DIR tl/expected.hpp)
mark_as_advanced(TlExpected_INCLUDE_DIR)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(TlExpected REQUIRED_VARS TlExpected_INCLUDE_DIR
                                  REASON_FAILURE_MESSAGE "install libexpected-dev")

if(TlExpected_FOUND AND NOT TARGET tl::expected)
  add_library(tl::expected INTERFACE IMPORTED)
  target_include_directories(tl::expected INTERFACE ${TlExpected_INCLUDE_DIR})
endif()
