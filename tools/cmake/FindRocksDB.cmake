# Finds RocksDB as a shared library. Debian's own CMake package is not used, because it also needs the development
# packages of all libraries that RocksDB was built with, for a static library that is not used here.
# Target: RocksDB::rocksdb. Variables: RocksDB_FOUND, RocksDB_VERSION.
find_path(RocksDB_INCLUDE_DIR rocksdb/db.h)
find_library(RocksDB_LIBRARY rocksdb)
mark_as_advanced(RocksDB_INCLUDE_DIR RocksDB_LIBRARY)

if(RocksDB_INCLUDE_DIR)
  file(STRINGS ${RocksDB_INCLUDE_DIR}/rocksdb/version.h lines REGEX "^#define ROCKSDB_(MAJOR|MINOR|PATCH) [0-9]+")
  list(TRANSFORM lines REPLACE "^.* ([0-9]+)$" "\\1")
  list(JOIN lines "." RocksDB_VERSION)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(RocksDB REQUIRED_VARS RocksDB_LIBRARY RocksDB_INCLUDE_DIR VERSION_VAR RocksDB_VERSION
                                  REASON_FAILURE_MESSAGE "install librocksdb-dev")

if(RocksDB_FOUND AND NOT TARGET RocksDB::rocksdb)
  add_library(RocksDB::rocksdb UNKNOWN IMPORTED)
  set_target_properties(RocksDB::rocksdb PROPERTIES
    IMPORTED_LOCATION ${RocksDB_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${RocksDB_INCLUDE_DIR})
endif()
