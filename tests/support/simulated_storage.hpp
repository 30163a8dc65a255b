#pragma once

#include <functional>
#include <map>
#include <vector>

#include "actors/ports.hpp"

namespace hypermesh::testing {

/// The storage port as a disk that a test can look into, and that outlives the node that writes it. A write is durable
/// at once and as a whole, until the test lets writes fail. Memory: the records above the kept state, and its chunks.
class simulated_storage final : public stable_storage {
 public:
  [[nodiscard]] std::variant<stored_history, world_error> read() override;
  [[nodiscard]] std::optional<world_error> write(std::span<const storage_record> records) override;
  [[nodiscard]] std::optional<world_error> forget_through(sequence_number last) override;
  [[nodiscard]] std::optional<world_error> store_chunks(std::span<const state_chunk> chunks) override;
  [[nodiscard]] std::optional<world_error> keep_state(sequence_number sequence,
                                                      std::span<const digest> leaves) override;
  [[nodiscard]] std::uint64_t bytes_held() const override { return bytes_; }

  /// Every write from now on fails and keeps nothing.
  void fail_writes(world_error error) { failure_ = std::move(error); }

  /// Asked in each write; false: the write is lost and fails.
  void on_write(std::function<bool()> becomes_durable) { on_write_ = std::move(becomes_durable); }

  /// Whether exactly these bytes are durable.
  [[nodiscard]] bool holds(record_kind kind, sequence_number sequence, byte_span bytes) const;
  [[nodiscard]] std::size_t records_held() const { return records_.size(); }
  [[nodiscard]] std::uint64_t writes() const { return writes_; }
  [[nodiscard]] sequence_number forgotten_through() const { return forgotten_through_; }
  /// In the order in which they were written.
  [[nodiscard]] std::vector<storage_record> records() const;

 private:
  struct kept_state {
    sequence_number sequence;
    std::vector<digest> leaves;
  };

  void forget_chunks();

  /// By the order of writing.
  std::map<std::uint64_t, storage_record> records_;
  std::multimap<sequence_number, std::uint64_t> by_sequence_;
  std::map<digest, std::shared_ptr<const byte_vector>> chunks_;
  std::optional<kept_state> state_;
  std::optional<world_error> failure_;
  std::function<bool()> on_write_;
  std::uint64_t bytes_ = 0;
  std::uint64_t writes_ = 0;
  std::uint64_t next_ = 0;
  sequence_number forgotten_through_;
};

}  // namespace hypermesh::testing
