#pragma once

#include <string>
#include <string_view>

#include <rocksdb/slice.h>

#include "actors/ports.hpp"

/// The keys of the column family `ledger`, and conversions between bytes and RocksDB's slices. Only source files
/// include this file.
namespace hypermesh::storage::stored_keys {

inline constexpr std::string_view totals = "totals";
inline constexpr std::string_view manifest = "state";

/// The key of the newest record of a kind that `is_replaced`.
[[nodiscard]] inline std::string newest(record_kind kind) {
  return "newest/" + std::to_string(static_cast<unsigned>(kind));
}

}  // namespace hypermesh::storage::stored_keys

namespace hypermesh::storage {

[[nodiscard]] inline byte_span bytes_of(const rocksdb::Slice& slice) {
  return as_byte_span({slice.data(), slice.size()});
}

[[nodiscard]] inline rocksdb::Slice slice_of(byte_span bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

[[nodiscard]] inline rocksdb::Slice slice_of(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace hypermesh::storage
