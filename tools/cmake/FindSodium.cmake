# Finds libsodium through pkg-config. Target: Sodium::sodium. Variables: Sodium_FOUND, Sodium_VERSION.
find_package(PkgConfig QUIET)
if(PkgConfig_FOUND)
  pkg_check_modules(Sodium_PKG QUIET IMPORTED_TARGET libsodium)
endif()
set(Sodium_VERSION ${Sodium_PKG_VERSION})

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Sodium REQUIRED_VARS Sodium_PKG_LINK_LIBRARIES VERSION_VAR Sodium_VERSION
                                  REASON_FAILURE_MESSAGE "install libsodium-dev and pkg-config")

if(Sodium_FOUND AND NOT TARGET Sodium::sodium)
  add_library(Sodium::sodium ALIAS PkgConfig::Sodium_PKG)
endif()
