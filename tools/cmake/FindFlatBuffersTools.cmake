# Finds the FlatBuffers headers and the schema compiler; the FlatBuffers library itself is not needed.
# Targets: FlatBuffersTools::headers, FlatBuffersTools::flatc.
find_path(FlatBuffersTools_INCLUDE_DIR flatbuffers/flatbuffers.h)
find_program(FlatBuffersTools_FLATC flatc)
mark_as_advanced(FlatBuffersTools_INCLUDE_DIR FlatBuffersTools_FLATC)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(FlatBuffersTools REQUIRED_VARS FlatBuffersTools_INCLUDE_DIR FlatBuffersTools_FLATC
                                  REASON_FAILURE_MESSAGE "install libflatbuffers-dev and flatbuffers-compiler")

if(FlatBuffersTools_FOUND AND NOT TARGET FlatBuffersTools::headers)
  add_library(FlatBuffersTools::headers INTERFACE IMPORTED)
  target_include_directories(FlatBuffersTools::headers INTERFACE ${FlatBuffersTools_INCLUDE_DIR})
  add_executable(FlatBuffersTools::flatc IMPORTED)
  set_target_properties(FlatBuffersTools::flatc PROPERTIES IMPORTED_LOCATION ${FlatBuffersTools_FLATC})
endif()
