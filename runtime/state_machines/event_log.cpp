#include "runtime/state_machines/event_log.hpp"

#include <algorithm>

#include "messages/byte_codec.hpp"
#include "messages/require.hpp"

namespace hypermesh::machines::scheduler {

namespace {

/// Whether the scheduler makes such an event.
bool is_sound(const event& value) {
  const bool has_deadline = value.deadline != ordered_time{};
  switch (value.kind) {
    case event_kind::node_registered:
    case event_kind::node_drained:
    case event_kind::node_undrained:
    case event_kind::node_removed:
      return value.task.empty() && is_name(value.node) && value.gpus == 0 && !has_deadline;
    case event_kind::task_submitted:
    case event_kind::task_waits:
    case event_kind::task_withdrawn:
      return is_name(value.task) && value.node.empty() && value.gpus == 0 && !has_deadline;
    case event_kind::task_placed:
      return is_name(value.task) && is_name(value.node);
    case event_kind::task_released:
    case event_kind::task_expired:
    case event_kind::task_evicted:
      return is_name(value.task) && is_name(value.node) && !has_deadline;
  }
  return false;
}

}  // namespace

std::uint64_t event_log::append(const event_view& value) {
  write_event(open_, value);
  if (++next_ % events_per_page == 0) full_.push_back(open_.take());
  if (is_forgotten(page_of(first_), next_)) {
    full_.pop_front();
    first_ = first_of(page_of(first_) + 1);
  }
  return newest();
}

byte_span event_log::bytes_of(std::uint64_t page) const {
  const auto number = page - page_of(first_);
  return number < full_.size() ? byte_span{full_[number]} : open_.view();
}

events_page event_log::since(std::uint64_t since, std::size_t limit) const {
  require(since <= newest(), "a client that has seen more is told so");
  events_page page;
  page.oldest = first_;
  page.event = newest();
  page.first = since + 1;
  page.is_compacted = page.first < first_;
  if (page.is_compacted) return page;
  auto number = first_of(page_of(page.first));
  while (number < next_ && page.events.size() < limit) {
    byte_reader in{bytes_of(page_of(number))};
    while (!in.is_empty() && page.events.size() < limit) {
      auto each = read_event(in);
      if (number++ >= page.first) page.events.push_back(std::move(each));
    }
  }
  return page;
}

void event_log::store(authenticated_map& records) {
  for (; stored_page_ < page_of(first_); ++stored_page_)
    (void)records.erase(as_byte_span(key_of(stored_page_)));
  if (stored_next_ == next_) return;
  for (auto page = page_of(std::max(stored_next_, first_)); page <= page_of(newest()); ++page)
    records.put(as_byte_span(key_of(page)), bytes_of(page));
  stored_next_ = next_;
}

or_reason<void> event_log::read(std::uint64_t next, ordered_time now, const std::map<std::uint64_t, byte_span>& pages) {
  std::uint64_t page = pages.empty() ? 0 : pages.begin()->first;
  const bool is_oldest =
      page <= page_of(next) && !is_forgotten(page, next) && (page == 0 || is_forgotten(page - 1, next));
  if (!is_oldest) return invalid("the state has other events than the newest ones");
  event_log log{known_min_};
  log.first_ = first_of(page);
  log.next_ = log.first_;
  log.stored_page_ = page;
  ordered_time latest{};
  for (const auto& [number, bytes] : pages) {
    if (number != page++) return invalid("a page of events is missing");
    if (first_of(number) >= next) return invalid("a page of events follows the newest event");
    const auto end = std::min(first_of(page), next);
    byte_reader in{bytes};
    bool are_sound = true;
    for (; log.next_ < end && !in.failed(); ++log.next_) {
      const auto read = read_event(in);
      are_sound = are_sound && is_sound(read) && read.time >= latest && read.time <= now;
      latest = read.time;
    }
    if (!in.is_complete() || !are_sound) return invalid("a page of events is invalid");
    log.open_.bytes(bytes);
    if (log.next_ % events_per_page == 0) log.full_.push_back(log.open_.take());
  }
  if (log.next() != next) return invalid("the newest events are missing");
  log.stored_next_ = next;
  *this = std::move(log);
  return {};
}

std::string event_log::key_of(std::uint64_t page) {
  byte_writer out;
  out.number(std::uint8_t{'e'}).number(page);
  return std::string{as_text(out.take())};
}

std::optional<std::uint64_t> event_log::page_of_key(std::string_view key) {
  byte_reader in{as_byte_span(key)};
  const auto kind = in.number<std::uint8_t>();
  const auto page = in.number<std::uint64_t>();
  if (!in.is_complete() || kind != 'e') return std::nullopt;
  return page;
}

}  // namespace hypermesh::machines::scheduler
