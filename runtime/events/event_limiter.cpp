#include "runtime/events/event_limiter.hpp"

namespace hypermesh::runtime {

event_limiter::entry& event_limiter::entry_of(const operator_event& event, moment now) {
  // No member has this number (`subject_of`).
  constexpr std::uint32_t all_others = 0xffff'ffff;
  auto key = std::pair{event.kind, event.subject};
  if (entries_.size() >= entries_max && !entries_.contains(key)) key.second = all_others;
  return entries_.try_emplace(key, entry{token_bucket{burst, now}, 0, {}}).first->second;
}

event_limiter::verdict event_limiter::admit(const operator_event& event, moment now) {
  auto& own = entry_of(event, now);
  if (!own.tokens.take(burst, 1, period, now)) {
    if (own.left_out++ == 0) own.first_left_out = now;
    return {};
  }
  const auto count = std::exchange(own.left_out, 0);
  if (count == 0) return {true, {}};
  return {true, {event.kind, count, now - own.first_left_out}};
}

std::vector<omission> event_limiter::overdue(moment now) {
  std::vector<omission> all;
  for (auto& [key, own] : entries_) {
    if (own.left_out == 0 || now - own.first_left_out < silence) continue;
    // While the flood goes on, its next event uses the token and says the count.
    if (!own.tokens.take(burst, 1, period, now)) continue;
    all.push_back({key.first, std::exchange(own.left_out, 0), now - own.first_left_out});
  }
  return all;
}

}  // namespace hypermesh::runtime
