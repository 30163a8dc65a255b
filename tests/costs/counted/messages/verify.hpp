#pragma once
#pragma GCC system_header

#include <cstdint>

// Stands in for messages/verify.hpp in the sources of the decoder that the test binary `costs` compiles anew: the same
// function, which counts its calls.
#define verified_root verified_root_uncounted
#include_next "messages/verify.hpp"
#undef verified_root

namespace hypermesh::testing {

/// Buffers that the decoder has parsed since the start.
extern std::uint64_t buffers_parsed;

}  // namespace hypermesh::testing

namespace hypermesh {

template <class Table>
const Table* verified_root(byte_span buffer, flatbuffers::uoffset_t tables_max = 64) {
  ++testing::buffers_parsed;
  return verified_root_uncounted<Table>(buffer, tables_max);
}

}  // namespace hypermesh
