#pragma once

#include <cstdint>
#include <deque>
#include <map>

#include "messages/byte_codec.hpp"
#include "messages/expected.hpp"
#include "runtime/state_machines/authenticated_map.hpp"
#include "runtime/state_machines/scheduler_results.hpp"

namespace hypermesh::machines::scheduler {

/// The newest events of the scheduler, by number.
///
/// Event numbers are 1, 2, 3 … without gaps. Page p of the state has the events 64 · p to 64 · p + 63. The log forgets
/// the oldest page as soon as `known_min` events remain without it, so it depends only on the number of events ever
/// made. `store` writes the pages that changed; a checkpoint of the state therefore costs one record for 64 events.
///
/// Memory: at most `known_min` + 64 events of at most 150 bytes, once in the log and once in the state. The log has the
/// bytes of the pages, because events are written far more often than read.
class event_log {
 public:
  static constexpr std::uint64_t events_per_page = 64;

  /// `known_min` is at least 1.
  explicit event_log(std::size_t known_min) : known_min_(known_min) {}

  /// Adds an event. Returns its number.
  std::uint64_t append(const event_view& value);

  /// The number of the next event.
  [[nodiscard]] std::uint64_t next() const { return next_; }
  /// The number of the newest event; 0 if there was none.
  [[nodiscard]] std::uint64_t newest() const { return next() - 1; }
  [[nodiscard]] std::uint64_t oldest() const { return first_; }

  /// At most `limit` events after the number `since`, which is at most `newest`.
  [[nodiscard]] events_page since(std::uint64_t since, std::size_t limit) const;

  /// Writes the pages that changed since the last call, and erases the forgotten ones.
  void store(authenticated_map& records);

  /// Reads the log with the next number `next`, which is at most 2⁶², from pages of the state. Accepts only the exact
  /// output of `store`, and only events that the scheduler makes until the ordered time `now`.
  [[nodiscard]] or_reason<void> read(std::uint64_t next, ordered_time now,
                                     const std::map<std::uint64_t, byte_span>& pages);

  /// The key of a page in the state, and its reverse; nothing for another key.
  [[nodiscard]] static std::string key_of(std::uint64_t page);
  [[nodiscard]] static std::optional<std::uint64_t> page_of_key(std::string_view key);

 private:
  [[nodiscard]] static std::uint64_t page_of(std::uint64_t number) { return number / events_per_page; }
  /// The number of the first event of a page. There is no event 0.
  [[nodiscard]] static std::uint64_t first_of(std::uint64_t page) { return page == 0 ? 1 : page * events_per_page; }
  /// Whether the page is forgotten when `next` is the next number.
  [[nodiscard]] bool is_forgotten(std::uint64_t page, std::uint64_t next) const {
    return first_of(page + 1) + known_min_ <= next;
  }

  [[nodiscard]] byte_span bytes_of(std::uint64_t page) const;

  std::size_t known_min_;
  /// The number of the first event, which begins a page, and the number of the next one.
  std::uint64_t first_ = 1;
  std::uint64_t next_ = 1;
  /// The full pages as the state has them, from the page of `first_` on, and the page that is written.
  std::deque<byte_vector> full_;
  byte_writer open_;
  /// The events that the state has: from the page `stored_page_` up to `stored_next_` - 1.
  std::uint64_t stored_page_ = 0;
  std::uint64_t stored_next_ = 1;
};

}  // namespace hypermesh::machines::scheduler
