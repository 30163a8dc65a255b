# Finds GNU libmicrohttpd through pkg-config. Target: Microhttpd::microhttpd. Variables: Microhttpd_FOUND, Microhttpd_VERSION.
find_package(PkgConfig QUIET)
if(PkgConfig_FOUND)
  pkg_check_modules(Microhttpd_PKG QUIET IMPORTED_TARGET libmicrohttpd)
endif()
set(Microhttpd_VERSION ${Microhttpd_PKG_VERSION})

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Microhttpd REQUIRED_VARS Microhttpd_PKG_LINK_LIBRARIES VERSION_VAR Microhttpd_VERSION
                                  REASON_FAILURE_MESSAGE "install libmicrohttpd-dev and pkg-config")

if(Microhttpd_FOUND AND NOT TARGET Microhttpd::microhttpd)
  add_library(Microhttpd::microhttpd ALIAS PkgConfig::Microhttpd_PKG)
endif()
