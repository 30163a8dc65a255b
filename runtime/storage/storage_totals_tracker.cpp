#include "runtime/storage/storage_totals_tracker.hpp"

#include "messages/require.hpp"

namespace hypermesh::storage {

void storage_totals_tracker::gain(share& into, std::uint64_t check, std::uint64_t bytes) {
  for (auto* const each : {&into.items, &totals_.items})
    *each += 1;
  for (auto* const each : {&into.sum, &totals_.sum})
    *each += check;
  for (auto* const each : {&into.bytes, &bytes_})
    *each += bytes;
}

void storage_totals_tracker::lose(share& from) {
  require(totals_.items >= from.items && bytes_ >= from.bytes, "the whole is no less than its part");
  totals_.items -= from.items;
  totals_.sum -= from.sum;
  bytes_ -= from.bytes;
  from = {};
}

void storage_totals_tracker::add(const stored_values::record_head& head, std::uint64_t bytes) {
  if (is_replaced(head.kind)) {
    auto& newest = newest_.at(static_cast<std::size_t>(head.kind));
    lose(newest);
    return gain(newest, head.check, bytes);
  }
  const auto [place, is_first] = by_sequence_.try_emplace(head.sequence);
  if (is_first) {
    place->second.first_order = head.order;
    first_orders_.insert(head.order);
  }
  require(head.order >= place->second.first_order, "records are added in the order of writing");
  gain(place->second, head.check, bytes);
}

void storage_totals_tracker::set_state(std::uint64_t check, std::uint64_t bytes) {
  lose(state_);
  gain(state_, check, bytes);
}

bool storage_totals_tracker::forget_through(sequence_number last) {
  const auto end = by_sequence_.upper_bound(last);
  if (end == by_sequence_.begin() || last < totals_.forgotten.through) return false;
  for (auto place = by_sequence_.begin(); place != end; ++place) {
    first_orders_.erase(place->second.first_order);
    lose(place->second);
  }
  by_sequence_.erase(by_sequence_.begin(), end);
  totals_.forgotten = {last, totals_.next_order};
  return true;
}

std::uint64_t storage_totals_tracker::lowest_order() const {
  return first_orders_.empty() ? totals_.next_order : *first_orders_.begin();
}

void storage_totals_tracker::continue_from(const stored_values::storage_totals& read) {
  require(totals_.items == read.items && totals_.sum == read.sum, "what was read is what was written");
  totals_ = read;
}

}  // namespace hypermesh::storage
