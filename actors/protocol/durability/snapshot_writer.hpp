#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "actors/ports.hpp"
#include "messages/values.hpp"

namespace hypermesh::protocol {

/// Decides when a state is written to disk, and in which pieces. Once a state is on disk, the records before it can be
/// forgotten; this is the garbage collection of §4.3, on disk. Pure.
///
/// Checkpoints become stable often. A state is written only when the records since the last kept state exceed the
/// retained bytes and also half of the bytes that are to be written. So even if all chunks of a large state change, at
/// most twice as many bytes are written for states as for records. The records on disk are never more than the larger
/// of the two bounds. Memory: the snapshots of checkpoints that are not stable yet and of the one that is being
/// written, which share their chunks with the state; 32 bytes for each kept chunk.
class snapshot_writer {
 public:
  /// Bytes of one piece. Votes can be written between two pieces.
  static constexpr std::size_t piece_bytes_max = 1024 * 1024;

  /// If at most one piece of a state has to be written, only the bound of the retained bytes applies.
  static constexpr std::uint64_t small_write_bytes = piece_bytes_max;

  /// `retained_bytes` of records are kept although a stable state covers them.
  explicit snapshot_writer(std::uint64_t retained_bytes) : retained_bytes_(retained_bytes) {}

  /// The state that the last run kept on disk, and the bytes of the records on disk.
  void restore(sequence_number kept, std::vector<digest> leaves, std::uint64_t record_bytes);

  void on_taken(sequence_number sequence, std::shared_ptr<const state_snapshot> snapshot);
  void on_written(std::uint64_t record_bytes) { bytes_since_ += record_bytes; }
  void on_stable(sequence_number sequence);
  /// A transferred state must be on disk before the replica votes for later sequence numbers, because this disk has no
  /// records of the batches before it. The transferred state also replaces a kept state of the same sequence number,
  /// because that state may have diverged.
  void on_installed(sequence_number sequence, std::shared_ptr<const state_snapshot> snapshot,
                    const checkpoint_certificate& proof);

  /// The next piece to write: store these chunks and, after the last piece, keep the state.
  struct piece {
    sequence_number sequence;
    std::span<const state_chunk> chunks;
    bool is_last = false;
  };
  [[nodiscard]] std::optional<piece> next();
  /// The state of the last piece is kept. Returns the record that must be durable before the promises below it are
  /// forgotten. For an installed state this record is the certificate, which proves h. If the node restarted without it
  /// after the promises were forgotten, the slots below h would be open again, and the replica could vote twice in them
  /// (attack 9).
  [[nodiscard]] std::optional<storage_record> on_kept();

  [[nodiscard]] bool is_writing() const { return writing_ != nullptr; }
  [[nodiscard]] bool is_writing(sequence_number sequence) const {
    return is_writing() && writing_sequence_ == sequence;
  }
  /// The leaves of the state that is being written, in the order of its chunks.
  [[nodiscard]] std::vector<digest> leaves() const;
  [[nodiscard]] sequence_number kept() const { return kept_; }

 private:
  void start(sequence_number sequence, std::shared_ptr<const state_snapshot> snapshot);
  void start_if_due();
  [[nodiscard]] bool is_due(const state_snapshot& snapshot);

  std::uint64_t retained_bytes_;
  std::uint64_t bytes_since_ = 0;
  /// No state is examined before the records have this many bytes. The number was computed when a state was last
  /// examined.
  std::uint64_t bytes_wanted_ = 0;
  sequence_number kept_;
  /// The leaves of the kept state, sorted.
  std::vector<digest> kept_leaves_;
  sequence_number stable_;
  std::map<sequence_number, std::shared_ptr<const state_snapshot>> taken_;
  std::shared_ptr<const state_snapshot> writing_;
  sequence_number writing_sequence_;
  std::size_t next_chunk_ = 0;
  std::uint64_t bytes_at_start_ = 0;
  /// The certificate of the installed state that is being written.
  std::optional<storage_record> proof_;
};

}  // namespace hypermesh::protocol
