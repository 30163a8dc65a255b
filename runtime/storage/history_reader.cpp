#include "runtime/storage/history_reader.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/iterator.h>

#include "runtime/storage/node_directory.hpp"
#include "runtime/storage/stored_keys.hpp"

namespace hypermesh::storage {

namespace {

using stored_values::decoded_record;
using stored_values::state_manifest;
using stored_values::storage_totals;

/// Reads a database once. The first error is kept, and the later steps are skipped.
class history_reader {
 public:
  explicit history_reader(rocksdb_database& database) : database_(database) {}

  or_error<found_history> read(const acknowledged_mark& promised) {
    const auto sound = database_.content().VerifyChecksum();
    if (!sound.ok()) return database_.error_of("trust the files", sound);
    scan(column::ledger, [this](byte_span key, byte_span value) { read_ledger_entry(key, value); });
    scan(column::records, [this](byte_span key, byte_span value) { read_record(key, value); });
    scan(column::chunks, [this](byte_span key, byte_span value) { read_chunk(key, value); });
    complete_state();
    compare_totals(promised);
    if (!health_) return failure_of(std::move(health_));
    put_in_order();
    return std::move(found_);
  }

 private:
  struct placed_record {
    std::uint64_t order = 0;
    storage_record record;
  };

  void complain(std::string what) {
    if (health_) health_ = lost_history(fmt::format("{} is damaged: {}", quoted(database_.path()), what));
  }

  template <class Visit>
  void scan(column which, const Visit& visit) {
    const auto cursor = database_.scan(which);
    for (cursor->SeekToFirst(); health_ && cursor->Valid(); cursor->Next())
      visit(bytes_of(cursor->key()), bytes_of(cursor->value()));
    if (health_ && !cursor->status().ok()) health_ = database_.error_of("read the database", cursor->status());
  }

  void read_ledger_entry(byte_span key, byte_span value) {
    if (as_text(key) == stored_keys::totals) {
      totals_ = stored_values::decode_totals(value);
      if (!totals_) complain("the totals differ from the written ones");
    } else if (as_text(key) == stored_keys::manifest) {
      manifest_ = stored_values::decode_manifest(value);
      if (!manifest_) return complain("the manifest of the stored state differs from the written one");
      found_.tracker.set_state(manifest_->check, value.size());
    } else {
      auto stored = stored_values::decode_record(value);
      const bool fits =
          stored && is_replaced(stored->head.kind) && as_text(key) == stored_keys::newest(stored->head.kind);
      if (!fits) return complain("the newest record of a kind differs from the written one");
      take(std::move(*stored));
    }
  }

  void read_record(byte_span key, byte_span value) {
    auto stored = stored_values::decode_record(value);
    const bool fits =
        stored && !is_replaced(stored->head.kind) && std::ranges::equal(key, stored_values::key_of(stored->head.order));
    if (!fits) return complain(fmt::format("the record {} differs from the written one", to_hex(key)));
    if (!totals_ || !totals_->forgotten.covers(stored->head)) take(std::move(*stored));
  }

  void take(decoded_record stored) {
    found_.tracker.add(stored.head, stored.record.bytes->size());
    records_.push_back({stored.head.order, std::move(stored.record)});
  }

  void read_chunk(byte_span key, byte_span value) {
    digest leaf;
    if (key.size() != digest::size) return complain(fmt::format("a chunk has the key {}", to_hex(key)));
    std::ranges::copy(key, leaf.bytes.begin());
    if (!is_needed(leaf)) return found_.garbage.push_back(leaf);
    if (state_chunk_digest(value) != leaf)
      return complain(fmt::format("the state chunk {} differs from the written one", to_hex(key)));
    chunks_.emplace(leaf, std::make_shared<const byte_vector>(value.begin(), value.end()));
    found_.chunks.emplace(leaf, value.size());
  }

  [[nodiscard]] bool is_needed(const digest& leaf) {
    if (manifest_ && needed_.empty()) {
      needed_ = manifest_->leaves;
      std::ranges::sort(needed_);
    }
    return std::ranges::binary_search(needed_, leaf);
  }

  void complete_state() {
    if (!health_ || !manifest_) return;
    stored_state state{manifest_->sequence, {}};
    for (const auto& leaf : manifest_->leaves) {
      const auto chunk = chunks_.find(leaf);
      if (chunk == chunks_.end()) {
        return complain(fmt::format("the state after sequence {} lacks chunk {} of {}, {}", manifest_->sequence.value,
                                    state.snapshot.size() + 1, manifest_->leaves.size(), to_hex(leaf.view())));
      }
      state.snapshot.push_back({chunk->second, leaf});
    }
    found_.history.state = std::move(state);
  }

  void compare_totals(const acknowledged_mark& promised) {
    if (!health_) return;
    if (!totals_) return complain("the totals are missing");
    const auto& last = *totals_;
    if (last.origin != promised.origin()) {
      return complain(fmt::format("the database has number {:016x}, expected {:016x}", last.origin, promised.origin()));
    }
    const auto& held = found_.tracker.totals();
    const auto has_order = [&](const placed_record& each) { return each.order < last.next_order; };
    if (held.items != last.items || held.sum != last.sum || !std::ranges::all_of(records_, has_order)) {
      return complain(fmt::format("change {} left {} records and states, but the database has {}, or other ones",
                                  last.changes, last.items, held.items));
    }
    const auto [changes, closed] = promised.last();
    if (closed ? last.changes != changes : last.changes < changes) {
      return complain(fmt::format("{} changes were acknowledged, but the database has {}", changes, last.changes));
    }
    found_.tracker.continue_from(last);
  }

  void put_in_order() {
    std::ranges::sort(records_, {}, &placed_record::order);
    found_.history.records.reserve(records_.size());
    for (auto& each : records_)
      found_.history.records.push_back(std::move(each.record));
  }

  rocksdb_database& database_;
  found_history found_;
  std::optional<storage_totals> totals_;
  std::optional<state_manifest> manifest_;
  std::vector<digest> needed_;
  std::map<digest, std::shared_ptr<const byte_vector>> chunks_;
  std::vector<placed_record> records_;
  or_error<void> health_;
};

}  // namespace

or_error<found_history> read_history(rocksdb_database& database, const acknowledged_mark& promised) {
  return history_reader{database}.read(promised);
}

}  // namespace hypermesh::storage
