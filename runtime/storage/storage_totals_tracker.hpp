#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>

#include "runtime/storage/stored_values.hpp"

namespace hypermesh::storage {

/// The totals of the database's content. They are kept in memory, so each change can write the new totals, and
/// forgetting reads nothing from the disk. Pure. Memory: 150 bytes for each sequence that has records.
class storage_totals_tracker {
 public:
  [[nodiscard]] const stored_values::storage_totals& totals() const { return totals_; }
  /// The number of bytes of the records and the manifest.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

  /// Returns the order for the next record and counts this record.
  [[nodiscard]] std::uint64_t take_order() { return totals_.next_order++; }

  /// Counts a change that is about to be written.
  void count_change() { ++totals_.changes; }

  /// Adds a record. A record of a kind that `is_replaced` replaces the previous record of its kind.
  void add(const stored_values::record_head& head, std::uint64_t bytes);

  /// Replaces the manifest by a manifest with this checksum.
  void set_state(std::uint64_t check, std::uint64_t bytes);

  /// Forgets the records of sequences up to and including `last`. Returns false when there is none, or when an earlier
  /// call had a higher `last`. A record that is written later for a forgotten sequence stays until the next call that
  /// forgets this sequence.
  [[nodiscard]] bool forget_through(sequence_number last);

  /// Every record below this order is forgotten, except the records of a kind that `is_replaced`.
  [[nodiscard]] std::uint64_t lowest_order() const;

  /// Continues from totals that were read from the disk, after comparing their items and sum with the tracked values.
  void continue_from(const stored_values::storage_totals& read);

 private:
  /// A set of records that are forgotten together.
  struct share {
    std::uint64_t items = 0;
    std::uint64_t sum = 0;
    std::uint64_t bytes = 0;
    std::uint64_t first_order = 0;
  };

  void gain(share& into, std::uint64_t check, std::uint64_t bytes);
  void lose(share& from);

  static constexpr std::size_t kinds = static_cast<std::size_t>(record_kind_last) + 1;

  std::map<sequence_number, share> by_sequence_;
  /// The first order of each share.
  std::set<std::uint64_t> first_orders_;
  /// The newest record of each kind that `is_replaced`, by kind.
  std::array<share, kinds> newest_;
  share state_;
  stored_values::storage_totals totals_;
  std::uint64_t bytes_ = 0;
};

}  // namespace hypermesh::storage
