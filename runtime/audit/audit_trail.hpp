#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "runtime/audit/audit_chain.hpp"
#include "runtime/audit/audit_sink.hpp"

namespace hypermesh::audit {

/// The size in bytes at which a segment is full.
inline constexpr std::uint64_t audit_segment_bytes = 8 * 1024 * 1024;
/// Longest segment that a reader accepts: the last entry may begin below `audit_segment_bytes`, and a seal follows it.
inline constexpr std::uint64_t segment_file_bytes_max = audit_segment_bytes + 2 * record_bytes_max;

struct trail_settings {
  std::uint64_t segment_bytes = audit_segment_bytes;
  /// If all segments together exceed this size, the oldest segments are deleted. The newest segment is never deleted.
  std::uint64_t retained_bytes = 256 * 1024 * 1024;
};

/// The place at which a trail continues after a restart.
struct trail_place {
  chain_position at;
  trail_head head;
  /// Size in bytes of each existing segment. The last one is the newest.
  std::map<std::uint64_t, std::uint64_t> segments;
};

/// Progress of a trail, for metrics.
struct trail_progress {
  std::uint64_t entries = 0;
  std::uint64_t sealed = 0;
  std::uint64_t bytes = 0;
  /// The number of entries that were lost since the start of this run, for any reason.
  std::uint64_t lost = 0;
};

/// The single writer of one node's audit trail. It chains entries, seals them, begins new segments and deletes the
/// oldest segments. Entries are durable only after the next seal. An error of the sink loses only the entries that are
/// being written. Before the next entry, the writer records how many entries are missing. Memory: the entries added
/// since the last `flush`.
class audit_trail {
 public:
  /// `keys` sign as the owner. Call `begin_run` first, because the head of `place` is not written yet.
  audit_trail(trail_owner owner, std::shared_ptr<const authenticator> keys, std::unique_ptr<audit_sink> sink,
              trail_settings settings, trail_place place);

  /// Records in the head that a node is writing the trail again.
  [[nodiscard]] or_error<void> begin_run();

  /// Adds an entry that the next `flush` writes.
  void add(std::uint64_t time_us, const audit_event& event);
  /// Records that `entries` entries were lost before `add` was called for them.
  void note_lost(loss_reason reason, std::uint64_t entries, std::uint64_t time_us);

  /// Passes the added entries to the operating system. After an error, all of them are lost and counted as lost.
  [[nodiscard]] or_error<void> flush(std::uint64_t time_us);

  /// Flushes, signs the chain and makes all entries durable. `closed` means that no entry follows in this run.
  [[nodiscard]] or_error<void> seal(std::uint64_t time_us, sequence_number checkpoint, bool closed = false);

  [[nodiscard]] trail_progress progress() const;
  [[nodiscard]] const chain_position& position() const { return at_; }

 private:
  struct waiting_entry {
    std::uint64_t time_us = 0;
    audit_kind kind = audit_kind::started;
    byte_vector payload;
  };
  /// Records that are chained but not written. `at_` advances only when they are written.
  struct draft {
    byte_vector bytes;
    chain_position at;
    std::uint64_t entries = 0;
  };

  [[nodiscard]] draft new_draft() const { return {{}, at_, 0}; }
  [[nodiscard]] std::uint64_t segment() const { return segments_.rbegin()->first; }
  [[nodiscard]] std::uint64_t segment_size() const { return segments_.rbegin()->second; }
  [[nodiscard]] bool is_room_for(const draft& written, std::size_t record_bytes) const;
  [[nodiscard]] or_error<void> write(draft& records);
  [[nodiscard]] or_error<void> write_losses(std::uint64_t time_us);
  [[nodiscard]] or_error<void> write_seal(std::uint64_t time_us, bool closed);
  [[nodiscard]] or_error<void> rotate(std::uint64_t time_us);
  [[nodiscard]] or_error<void> forget_oldest();
  [[nodiscard]] or_error<void> write_head(trail_head next, bool durable);

  trail_owner owner_;
  std::shared_ptr<const authenticator> keys_;
  std::unique_ptr<audit_sink> sink_;
  trail_settings settings_;
  chain_position at_;
  trail_head head_;
  std::map<std::uint64_t, std::uint64_t> segments_;
  sequence_number checkpoint_;
  std::vector<waiting_entry> waiting_;
  /// The file may have bytes of a failed write after the known end of the newest segment.
  bool is_end_dirty_ = false;
  /// The losses by reason that no entry has recorded yet.
  std::map<loss_reason, entries_were_lost> losses_;
  std::uint64_t lost_ = 0;
};

}  // namespace hypermesh::audit
