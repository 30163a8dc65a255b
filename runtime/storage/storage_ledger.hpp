#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>

#include "runtime/storage/stored_values.hpp"

namespace hypermesh {

/// What the database must hold, kept in memory, so that each change can write the new totals with it and forgetting
/// needs no look at the disk. Pure. Memory: 150 bytes for each sequence that has records.
class storage_ledger {
 public:
  [[nodiscard]] const stored_values::storage_totals& totals() const { return totals_; }
  /// Bytes of records and manifest.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

  /// The place of the next record in the order of writing.
  [[nodiscard]] std::uint64_t take_order() { return totals_.next_order++; }

  /// One more change is about to be written.
  void count_change() { ++totals_.changes; }

  /// A record is held from now on; one of a kind that `is_replaced` takes the place of the one before.
  void add(const stored_values::record_head& head, std::uint64_t bytes);

  /// The manifest with this checksum takes the place of the one before.
  void set_state(std::uint64_t check, std::uint64_t bytes);

  /// Forgets the records of sequences up to and including `last`; false when there is none. What was written late for a
  /// sequence that is forgotten already goes with the next higher one.
  [[nodiscard]] bool forget_through(sequence_number last);

  /// Below this order everything is forgotten.
  [[nodiscard]] std::uint64_t lowest_order() const;

  /// Goes on counting from what was read, once items and sum have been compared.
  void continue_from(const stored_values::storage_totals& read);

 private:
  /// Records that are forgotten together.
  struct share {
    std::uint64_t items = 0;
    std::uint64_t sum = 0;
    std::uint64_t bytes = 0;
    std::uint64_t first_order = 0;
  };

  void gain(share& into, std::uint64_t check, std::uint64_t bytes);
  void lose(share& from);

  static constexpr std::size_t kinds = static_cast<std::size_t>(record_kind::readmission) + 1;

  std::map<sequence_number, share> by_sequence_;
  /// Of those shares.
  std::set<std::uint64_t> first_orders_;
  std::array<share, kinds> newest_;
  share state_;
  stored_values::storage_totals totals_;
  std::uint64_t bytes_ = 0;
};

}  // namespace hypermesh
