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

/// When a state goes to disk so that the records before it can be forgotten (§4.3 on disk), and in which pieces. Pure.
/// Stable states come often; one is written only when the records since the last one exceed what is retained, and half
/// of what is to be written: so a large state that changes everywhere costs at most twice what the records do. The
/// records on disk are thus no more than the larger of both. Memory: the snapshots of checkpoints that are not stable
/// yet and of the one that is being written, which share their chunks with the state; 32 bytes for each kept chunk.
class state_keeper {
 public:
  /// Chunks of one piece: what is written between two votes.
  static constexpr std::size_t piece_bytes_max = 1024 * 1024;

  /// So much of a state is written without counting: one piece.
  static constexpr std::uint64_t small_write_bytes = piece_bytes_max;

  /// `retained_bytes`: records that are kept although a stable state covers them.
  explicit state_keeper(std::uint64_t retained_bytes) : retained_bytes_(retained_bytes) {}

  /// The state that the disk holds from the last run, and the bytes of the records beside it.
  void restore(sequence_number kept, std::vector<digest> leaves, std::uint64_t record_bytes);

  void on_taken(sequence_number sequence, std::shared_ptr<const state_snapshot> snapshot);
  void on_written(std::uint64_t record_bytes) { bytes_since_ += record_bytes; }
  void on_stable(sequence_number sequence);
  /// A transferred state must be on disk before anything builds on it: the records behind it are of others. When it
  /// replaces a state that had diverged, the kept one of the same sequence may be that.
  void on_installed(sequence_number sequence, std::shared_ptr<const state_snapshot> snapshot,
                    const checkpoint_certificate& proof);

  /// What to do next with the disk: store these chunks; when there are none left, keep the state.
  struct piece {
    sequence_number sequence;
    std::span<const state_chunk> chunks;
    bool is_last = false;
  };
  [[nodiscard]] std::optional<piece> next();
  /// The state of the last piece is kept. What must be durable before the promises below it are forgotten: with an
  /// installed state its proof, which is h of this disk; a restart between the two would open their slots again
  /// (attack 9).
  [[nodiscard]] std::optional<storage_record> on_kept();

  [[nodiscard]] bool is_writing() const { return writing_ != nullptr; }
  [[nodiscard]] bool is_writing(sequence_number sequence) const {
    return is_writing() && writing_sequence_ == sequence;
  }
  /// Of the state that is written, in its order.
  [[nodiscard]] std::vector<digest> leaves() const;
  [[nodiscard]] sequence_number kept() const { return kept_; }

 private:
  void start(sequence_number sequence, std::shared_ptr<const state_snapshot> snapshot);
  void start_if_due();
  [[nodiscard]] bool is_due(const state_snapshot& snapshot);

  std::uint64_t retained_bytes_;
  std::uint64_t bytes_since_ = 0;
  /// So many records are waited for because of what was to be written when it was looked at last.
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
  /// Of the installed state that is written.
  std::optional<storage_record> proof_;
};

}  // namespace hypermesh
