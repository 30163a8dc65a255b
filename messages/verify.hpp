#pragma once

#include <flatbuffers/flatbuffers.h>

#include "messages/types.hpp"

namespace hypermesh::messages {

/// The root of `buffer` after the FlatBuffers verifier has accepted it; null if `buffer` is
/// not a valid `Table`. No other code runs the verifier. A depth of 8 is enough for the
/// deepest schema (NEW-VIEW: 3). `tables_max` bounds the work for overlapping tables. The
/// verifier checks alignment relative to the start of the buffer. Therefore frames start at
/// aligned addresses, and nested buffers at multiples of their alignment.
template <class Table>
const Table* verified_root(byte_span buffer, flatbuffers::uoffset_t tables_max = 64) {
  constexpr flatbuffers::uoffset_t depth_max = 8;
  const auto* data = reinterpret_cast<const std::uint8_t*>(buffer.data());
  if (buffer.size() < sizeof(flatbuffers::uoffset_t) + sizeof(flatbuffers::soffset_t)) return nullptr;
  flatbuffers::Verifier verifier{data, buffer.size(), depth_max, tables_max};
  if (!verifier.VerifyBuffer<Table>(nullptr)) return nullptr;
  return flatbuffers::GetRoot<Table>(data);
}

}  // namespace hypermesh::messages
