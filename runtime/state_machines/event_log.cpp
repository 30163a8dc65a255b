#include "runtime/state_machines/event_log.hpp"

#include <algorithm>

#include "messages/byte_codec.hpp"
#include "messages/require.hpp"

namespace hypermesh::machines::scheduler {

std::uint64_t event_log::append(event value) {
  events_.push_back(std::move(value));
  if (is_forgotten(page_of(first_), next())) {
    const auto following = first_of(page_of(first_) + 1);
    events_.erase(events_.begin(), events_.begin() + static_cast<std::ptrdiff_t>(following - first_));
    first_ = following;
  }
  return newest();
}

events_page event_log::since(std::uint64_t since, std::size_t limit) const {
  require(since <= newest(), "a client that has seen more is told so");
  events_page page;
  page.oldest = first_;
  page.newest = newest();
  page.first = since + 1;
  page.is_compacted = page.first < first_;
  if (page.is_compacted) return page;
  const auto begin = events_.begin() + static_cast<std::ptrdiff_t>(page.first - first_);
  const auto count = std::min<std::uint64_t>(limit, next() - page.first);
  page.events.assign(begin, begin + static_cast<std::ptrdiff_t>(count));
  return page;
}

void event_log::store(authenticated_map& records) {
  for (; stored_page_ < page_of(first_); ++stored_page_)
    (void)records.erase(as_byte_span(key_of(stored_page_)));
  auto number = first_of(page_of(std::max(stored_next_, first_)));
  if (stored_next_ == next()) return;
  while (number < next()) {
    const auto page = page_of(number);
    const auto end = std::min(first_of(page + 1), next());
    byte_writer out{64 * events_per_page};
    for (; number < end; ++number)
      write_event(out, events_[number - first_]);
    records.put(as_byte_span(key_of(page)), out.take());
  }
  stored_next_ = next();
}

or_reason<void> event_log::read(std::uint64_t next, const std::map<std::uint64_t, byte_span>& pages) {
  std::uint64_t page = pages.empty() ? 0 : pages.begin()->first;
  const bool is_oldest =
      page <= page_of(next) && !is_forgotten(page, next) && (page == 0 || is_forgotten(page - 1, next));
  if (!is_oldest) return invalid("the state has other events than the newest ones");
  event_log log{known_min_};
  log.first_ = first_of(page);
  log.stored_page_ = page;
  for (const auto& [number, bytes] : pages) {
    if (number != page++) return invalid("a page of events is missing");
    const auto end = std::min(first_of(page), next);
    byte_reader in{bytes};
    while (log.next() < end && !in.failed())
      log.events_.push_back(read_event(in));
    if (!in.is_complete()) return invalid("a page of events is invalid");
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
