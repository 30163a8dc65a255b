#pragma once
#pragma GCC system_header

#include <cstdint>

// Replaces messages/verify.hpp in the sources of the decoder that the test binary `costs` compiles again. The function
// is the same, but it counts its calls.
#define verified_root verified_root_uncounted
#include_next "messages/verify.hpp"
#undef verified_root

namespace hypermesh::testing {

/// The number of buffers that the decoder has parsed since the start.
extern std::uint64_t buffers_parsed;

}  // namespace hypermesh::testing

namespace hypermesh::messages {

template <class Table>
const Table* verified_root(byte_span buffer, flatbuffers::uoffset_t tables_max = 64) {
  ++testing::buffers_parsed;
  return verified_root_uncounted<Table>(buffer, tables_max);
}

}  // namespace hypermesh::messages
