#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "runtime/storage/acknowledged_mark.hpp"
#include "runtime/storage/rocksdb_database.hpp"
#include "runtime/storage/storage_ledger.hpp"

namespace hypermesh {

/// What a database holds, found complete.
struct found_history {
  stored_history history;
  storage_ledger ledger;
  /// The sizes of the chunks that the kept state needs.
  std::map<digest, std::uint64_t> chunks;
  /// Chunks that no kept state needs: of one that was not completed, or of an older one.
  std::vector<digest> garbage;
};

/// Reads everything and shows that nothing is missing: the checksum of each block, each record and each chunk, the
/// totals of the last change, and that this change is not older than what was acknowledged.
[[nodiscard]] or_error<found_history> read_history(rocksdb_database& database, const acknowledged_mark& promised);

}  // namespace hypermesh
