#pragma once

#include <cstdint>
#include <cstring>
#include <unordered_map>
#include <vector>

#include "runtime/storage/acknowledged_mark.hpp"
#include "runtime/storage/rocksdb_database.hpp"
#include "runtime/storage/storage_totals_tracker.hpp"

namespace hypermesh::storage {

/// The first bytes of a digest. A client cannot choose them, so the tables that use them keep their speed.
struct digest_hash {
  std::size_t operator()(const digest& value) const {
    std::size_t first = 0;
    static_assert(sizeof(first) <= digest::size);
    std::memcpy(&first, value.bytes.data(), sizeof(first));
    return first;
  }
};

/// Chunks with their sizes. A state of 1 GiB has 100,000 chunks, and the journal waits while all of them are looked up.
using chunk_sizes = std::unordered_map<digest, std::uint64_t, digest_hash>;

/// The content of a database that is complete.
struct found_history {
  stored_history history;
  storage_totals_tracker tracker;
  /// The chunks that the kept state needs, with their sizes.
  chunk_sizes chunks;
  /// Chunks that the kept state does not need. They belong to a state that was not completed, or to an older state.
  std::vector<digest> garbage;
};

/// Reads the whole database and checks that nothing is missing: the checksums of all blocks, records and chunks, the
/// totals of the last change, and that this change is not older than the acknowledged changes.
[[nodiscard]] or_error<found_history> read_history(rocksdb_database& database, const acknowledged_mark& promised);

}  // namespace hypermesh::storage
