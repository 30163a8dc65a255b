#pragma once

#include <map>
#include <vector>

#include "actors/ports.hpp"

namespace hypermesh::testing {

/// The storage port as a disk that a test can look into. A write is durable at once and as a whole, until the
/// test lets writes fail. Memory: the records above the stable checkpoint.
class simulated_storage final : public stable_storage {
 public:
  [[nodiscard]] std::optional<world_error> write(std::span<const storage_record> records) override;
  [[nodiscard]] std::optional<world_error> forget_through(sequence_number stable) override;
  [[nodiscard]] std::uint64_t bytes_held() const override { return bytes_; }

  /// Every write from now on fails and keeps nothing.
  void fail_writes(world_error error) { failure_ = std::move(error); }

  /// Whether exactly these bytes are durable.
  [[nodiscard]] bool holds(record_kind kind, sequence_number sequence, byte_span bytes) const;
  [[nodiscard]] std::size_t records_held() const { return records_.size(); }
  [[nodiscard]] std::uint64_t writes() const { return writes_; }
  [[nodiscard]] sequence_number forgotten_through() const { return forgotten_through_; }
  /// In the order of sequences, and as written within one.
  [[nodiscard]] std::vector<storage_record> records() const;

 private:
  std::multimap<sequence_number, storage_record> records_;
  std::optional<world_error> failure_;
  std::uint64_t bytes_ = 0;
  std::uint64_t writes_ = 0;
  sequence_number forgotten_through_;
};

}  // namespace hypermesh::testing
