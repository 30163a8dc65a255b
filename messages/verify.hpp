#pragma once

#include <flatbuffers/flatbuffers.h>

#include "messages/types.hpp"

namespace hypermesh {

/// The only place that runs the FlatBuffers verifier. Null when `buffer` is not a valid
/// `Table`. Depth 8 exceeds our deepest schema (NEW-VIEW: 3); `tables_max` bounds what
/// overlapping tables can cost. Alignment is checked relative to the buffer, which is why
/// frames start aligned and nested buffers stand at multiples of their alignment.
template <class Table>
const Table* verified_root(byte_span buffer, flatbuffers::uoffset_t tables_max = 64) {
  constexpr flatbuffers::uoffset_t depth_max = 8;
  const auto* data = reinterpret_cast<const std::uint8_t*>(buffer.data());
  if (buffer.size() < sizeof(flatbuffers::uoffset_t) + sizeof(flatbuffers::soffset_t)) return nullptr;
  flatbuffers::Verifier verifier{data, buffer.size(), depth_max, tables_max};
  if (!verifier.VerifyBuffer<Table>(nullptr)) return nullptr;
  return flatbuffers::GetRoot<Table>(data);
}

}  // namespace hypermesh
