#pragma once

#include <deque>
#include <functional>
#include <map>
#include <vector>

#include "tests/support/inspected_storage.hpp"

namespace hypermesh::testing {

/// The storage port as a disk that a test can inspect and that outlives the node that writes it. A write is durable at
/// once and as a whole, until the test makes writes fail. Memory: the records above the kept state, and the chunks of
/// this state. A lying disk has one more copy of this for each change that it can lose.
class simulated_storage final : public inspected_storage {
 public:
  [[nodiscard]] or_error<stored_history> read() override;
  [[nodiscard]] or_error<void> write(std::span<const storage_record> records) override;
  [[nodiscard]] or_error<void> forget_through(sequence_number last) override;
  [[nodiscard]] or_error<void> store_chunks(std::span<const state_chunk> chunks) override;
  [[nodiscard]] or_error<void> keep_state(sequence_number sequence, std::span<const digest> leaves) override;
  [[nodiscard]] std::uint64_t bytes_held() const override { return held_.bytes; }

  /// From now on every write fails and stores nothing.
  void fail_writes(world_error error) { health_ = tl::unexpected(std::move(error)); }

  /// A part of a change is a record or a chunk. Every other change is one part.
  void on_write(write_judge how_many) override { on_write_ = std::move(how_many); }
  /// The call has no effect, because writes are durable at once.
  void on_killed(bool) override {}
  void lie_about(std::size_t count) override;
  [[nodiscard]] std::size_t lose_lies() override;
  void set_trouble(disk_trouble trouble) override;
  /// The disk is a model without bytes, so it cannot be damaged.
  bool damage(std::uint64_t) override { return false; }
  [[nodiscard]] bool was_refused_for_damage() const override { return false; }
  [[nodiscard]] std::shared_ptr<inspected_storage> copy() const override;

  /// Whether exactly these bytes are durable.
  [[nodiscard]] bool holds(record_kind kind, sequence_number sequence, byte_span bytes) const;
  [[nodiscard]] bool binds(const storage_record& record) const override;
  [[nodiscard]] std::size_t records_held() const override { return held_.records.size(); }
  [[nodiscard]] std::string summary() const override;
  [[nodiscard]] std::uint64_t writes() const { return writes_; }
  [[nodiscard]] sequence_number forgotten_through() const { return held_.forgotten_through; }
  /// The records in the order in which they were written.
  [[nodiscard]] std::vector<storage_record> records() const;

 private:
  struct kept_state {
    sequence_number sequence;
    std::vector<digest> leaves;
  };

  struct contents {
    /// The records by the order of writing.
    std::map<std::uint64_t, storage_record> records;
    std::multimap<sequence_number, std::uint64_t> by_sequence;
    std::map<digest, std::shared_ptr<const byte_vector>> chunks;
    std::optional<kept_state> state;
    std::uint64_t bytes = 0;
    std::uint64_t next = 0;
    sequence_number forgotten_through;
  };

  /// Begins a change of `count` items. Returns how many of them become durable.
  [[nodiscard]] std::size_t begin_change(std::size_t count);
  void put(const storage_record& record);
  void forget_chunks();

  contents held_;
  /// The content of the disk before each of the changes that were falsely reported as durable.
  std::deque<contents> before_;
  std::size_t lies_max_ = 0;
  or_error<void> health_;
  write_judge on_write_;
  std::uint64_t writes_ = 0;
};

}  // namespace hypermesh::testing
