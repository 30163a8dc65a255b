#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "actors/ports.hpp"
#include "messages/values.hpp"

namespace hypermesh {

/// Decides when a state goes to disk, so that the records before it can be forgotten (§4.3 on disk), and in which
/// pieces. Pure.
///
/// Stable states come often. One is written only when the records since the last one exceed the retained bytes and half
/// of the bytes that are to be written. So a large state that changes everywhere costs at most twice what the records
/// cost, and the records on disk are no more than the larger of the two bounds. Memory: the snapshots of checkpoints
/// that are not stable yet and of the one that is being written, which share their chunks with the state; 32 bytes for
/// each kept chunk.
class snapshot_writer {
 public:
  /// Bytes of one piece, which is written between two votes.
  static constexpr std::size_t piece_bytes_max = 1024 * 1024;

  /// If no more of a state is to be written than one piece, only the retained bytes count.
  static constexpr std::uint64_t small_write_bytes = piece_bytes_max;

  /// `retained_bytes` of records are kept although a stable state covers them.
  explicit snapshot_writer(std::uint64_t retained_bytes) : retained_bytes_(retained_bytes) {}

  /// The state that the disk holds from the last run, and the bytes of the records beside it.
  void restore(sequence_number kept, std::vector<digest> leaves, std::uint64_t record_bytes);

  void on_taken(sequence_number sequence, std::shared_ptr<const state_snapshot> snapshot);
  void on_written(std::uint64_t record_bytes) { bytes_since_ += record_bytes; }
  void on_stable(sequence_number sequence);
  /// A transferred state must be on disk before anything builds on it, because the batches before it have no records on
  /// this disk. It replaces a kept state of the same sequence number, which may be the one that had diverged.
  void on_installed(sequence_number sequence, std::shared_ptr<const state_snapshot> snapshot,
                    const checkpoint_certificate& proof);

  /// The next step on disk: store these chunks and, after the last piece, keep the state.
  struct piece {
    sequence_number sequence;
    std::span<const state_chunk> chunks;
    bool is_last = false;
  };
  [[nodiscard]] std::optional<piece> next();
  /// The state of the last piece is kept. Returns the record that must be durable before the promises below it are
  /// forgotten. For an installed state it is the certificate, which is h of this disk; without it a restart between the
  /// two would open the slots below h again (attack 9).
  [[nodiscard]] std::optional<storage_record> on_kept();

  [[nodiscard]] bool is_writing() const { return writing_ != nullptr; }
  [[nodiscard]] bool is_writing(sequence_number sequence) const {
    return is_writing() && writing_sequence_ == sequence;
  }
  /// The leaves of the state that is being written, in its order.
  [[nodiscard]] std::vector<digest> leaves() const;
  [[nodiscard]] sequence_number kept() const { return kept_; }

 private:
  void start(sequence_number sequence, std::shared_ptr<const state_snapshot> snapshot);
  void start_if_due();
  [[nodiscard]] bool is_due(const state_snapshot& snapshot);

  std::uint64_t retained_bytes_;
  std::uint64_t bytes_since_ = 0;
  /// No state is looked at before the records have this many bytes. The number comes from the state that was looked at
  /// last.
  std::uint64_t bytes_wanted_ = 0;
  sequence_number kept_;
  /// Sorted.
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

}  // namespace hypermesh
