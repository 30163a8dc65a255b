#include "actors/protocol/client_queue.hpp"

#include <algorithm>
#include <utility>

#include "messages/require.hpp"

namespace hypermesh {

namespace {

/// Names of the guard that are recognised when they come again.
constexpr std::size_t names_done_max = 256;

}  // namespace

timestamp_window::standing client_queue::standing_of(timestamp when) const {
  using standing = timestamp_window::standing;
  if (!is_of_guard_) return window_.of(when);
  return std::ranges::find(names_done_, when) == names_done_.end() ? standing::fresh : standing::done;
}

const request* client_queue::find(timestamp when) const {
  const auto found = pending_.find(when);
  return found == pending_.end() ? nullptr : &found->second.content;
}

// --- Waiting and proposed --------------------------------------------------------

void client_queue::add(const request& value, microseconds_t now) {
  const auto when = value.id.when;
  const auto [place, is_new] = pending_.emplace(when, pending_request{value, false, ++arrivals_, now});
  require(is_new, "a request is added once");
  place->second.arrived_at = now;
  waiting_.insert(turn_of(when, place->second));
  bytes_ += bytes_of(value);
}

const request* client_queue::next() const { return waiting_.empty() ? nullptr : find(waiting_.begin()->second); }

void client_queue::propose_next() {
  require(!waiting_.empty(), "only what waits is proposed");
  pending_.at(waiting_.begin()->second).proposed = true;
  waiting_.erase(waiting_.begin());
}

void client_queue::propose_again(microseconds_t now) {
  for (auto& [when, each] : pending_) {
    each.since = now;
    each.proposed = false;
    each.given_at.reset();
    each.overtaken_at.reset();
    waiting_.insert(turn_of(when, each));
  }
}

bool client_queue::note_handed_on(timestamp when, microseconds_t now) {
  auto& each = pending_.at(when);
  if (each.given_at) return false;
  each.given_at = now;
  each.since = now;
  return true;
}

void client_queue::note_overtaking(timestamp by, microseconds_t now) {
  if (is_of_guard_) return;
  const auto came = pending_.at(by).arrived_at;
  for (auto& [when, each] : pending_) {
    if (when >= by) return;
    if (each.given_at && *each.given_at < came && !each.overtaken_at) each.overtaken_at = now;
  }
}

// --- Oldest and newest -----------------------------------------------------------

std::optional<timestamp> client_queue::last_waiting() const {
  if (is_of_guard_) return std::nullopt;
  const auto found =
      std::ranges::find_if(pending_.rbegin(), pending_.rend(), [](const auto& each) { return !each.second.proposed; });
  return found == pending_.rend() ? std::nullopt : std::optional{found->first};
}

std::optional<timestamp> client_queue::oldest() const {
  if (pending_.empty()) return std::nullopt;
  if (!is_of_guard_) return pending_.begin()->first;
  return std::ranges::min_element(pending_, {}, [](const auto& each) { return each.second.arrival; })->first;
}

std::vector<const request*> client_queue::all() const {
  std::vector<const request*> out;
  for (const auto& [when, each] : pending_)
    out.push_back(&each.content);
  return out;
}

// --- Done ------------------------------------------------------------------------

bool client_queue::remove(timestamp when) {
  const auto found = pending_.find(when);
  require(found != pending_.end(), "only what is pending is removed");
  const bool waited = !found->second.proposed;
  if (waited) {
    require(waiting_.erase(turn_of(when, found->second)) == 1, "a request that was not proposed is waiting");
  }
  bytes_ -= bytes_of(found->second.content);
  pending_.erase(found);
  return waited;
}

void client_queue::on_executed(timestamp when) {
  if (!is_of_guard_) return window_.mark_done(when);
  names_done_.push_back(when);
  if (names_done_.size() > names_done_max) names_done_.pop_front();
}

void client_queue::raise_floor_to(timestamp floor) {
  if (!is_of_guard_) window_.raise_floor_to(floor);
}

std::vector<timestamp> client_queue::fallen() const {
  std::vector<timestamp> out;
  if (is_of_guard_) return out;
  for (auto place = pending_.begin(); place != pending_.end() && place->first <= window_.floor(); ++place)
    out.push_back(place->first);
  return out;
}

}  // namespace hypermesh
