#include "actors/protocol/donor_roster.hpp"

#include <algorithm>

#include "messages/require.hpp"

namespace hypermesh {

donor_roster::donor_roster(const std::vector<replica_id>& first, const std::vector<replica_id>& others,
                           const std::set<replica_id>& liars) {
  for (const auto id : first)
    donors_[id].now = standing::serving;
  for (const auto id : others)
    donors_[id].now = standing::in_reserve;
  require(!donors_.empty() && donors_.size() == first.size() + others.size(),
          "donors are distinct, and there are some");
  for (const auto id : liars) {
    if (const auto found = donors_.find(id); found != donors_.end()) found->second.now = standing::dropped;
  }
  call_reserve();
}

// --- Who is asked ----------------------------------------------------------------

bool donor_roster::serves_anybody() const {
  return std::ranges::any_of(donors_, [](const auto& each) { return each.second.now == standing::serving; });
}

bool donor_roster::has_room() const {
  return std::ranges::any_of(donors_, [](const auto& each) {
    const auto& it = each.second;
    return it.now == standing::serving && !it.busy && it.open < it.window;
  });
}

std::optional<replica_id> donor_roster::next(const std::vector<replica_id>& asked,
                                             const std::vector<replica_id>& awaited) const {
  const auto was_asked = [&](replica_id id) { return std::ranges::find(asked, id) != asked.end(); };
  const bool others_serve = std::ranges::any_of(
      donors_, [&](const auto& each) { return each.second.now == standing::serving && !was_asked(each.first); });
  std::optional<replica_id> best;
  for (const auto& [id, it] : donors_) {
    if (it.now != standing::serving || it.busy || it.open >= it.window) continue;
    if ((others_serve && was_asked(id)) || std::ranges::find(awaited, id) != awaited.end()) continue;
    if (best) {
      const auto& rival = donors_.at(*best);
      const auto room = it.window - it.open;
      const auto rival_room = rival.window - rival.open;
      if (room < rival_room || (room == rival_room && it.last_asked >= rival.last_asked)) continue;
    }
    best = id;
  }
  return best;
}

unsigned donor_roster::open_questions() const {
  unsigned open = 0;
  for (const auto& [id, it] : donors_)
    open += it.open;
  return open;
}

unsigned donor_roster::excess_of(replica_id id) const {
  const auto& it = donors_.at(id);
  return it.open > 2 * it.window ? it.open - it.window : 0;
}

unsigned donor_roster::possible_holders() const {
  return static_cast<unsigned>(std::ranges::count_if(
      donors_, [](const auto& each) { return !each.second.refused && each.second.now != standing::dropped; }));
}

std::set<replica_id> donor_roster::liars() const {
  std::set<replica_id> dropped;
  for (const auto& [id, it] : donors_) {
    if (it.now == standing::dropped) dropped.insert(id);
  }
  return dropped;
}

// --- What they do ----------------------------------------------------------------

std::uint64_t donor_roster::on_asked(replica_id id) {
  auto& it = donors_.at(id);
  require(it.now == standing::serving && it.open < it.window, "only a donor with room is asked");
  ++it.open;
  it.last_asked = ++questions_;
  return questions_;
}

void donor_roster::on_closed(replica_id id) {
  auto& it = donors_.at(id);
  require(it.open > 0, "a question is closed once");
  --it.open;
}

void donor_roster::on_given(replica_id id, std::uint64_t question) {
  auto& it = donors_.at(id);
  require(question <= questions_, "only what was asked is answered");
  ++it.given;
  it.last_answered = std::max(it.last_answered, question);
  it.silent_ticks = 0;
  it.refused = false;
  // No further than to what it shrinks at the next tick: more would have to be taken back, and be sent twice.
  const auto sure = std::clamp(window_ticks * rate_of(it), window_initial, window_max);
  if (it.window < sure) ++it.window;
  // Late, but not in vain: on a link slower than the patience every answer is late.
  if (it.now == standing::aside) serve_again(it);
}

void donor_roster::on_busy(replica_id id) {
  auto& it = donors_.at(id);
  it.busy = true;
  it.window = std::max(it.window / 2, 1U);
}

void donor_roster::serve_again(donor& it) {
  it.now = standing::serving;
  it.window = 1;
  it.silent_ticks = 0;
  it.busy = false;
}

bool donor_roster::set_aside(replica_id id, donor_fault why) {
  auto& it = donors_.at(id);
  const bool was_serving = it.now == standing::serving;
  if (why == donor_fault::refused) it.refused = true;
  if (why == donor_fault::lied) {
    it.now = standing::dropped;
  } else if (was_serving) {
    it.now = standing::aside;
    it.pause_left = it.pause;
    it.pause = std::min(2 * it.pause, pause_max);
    if (why == donor_fault::late) it.patience = std::min(2 * it.patience, patience_max);
  }
  call_reserve();
  return was_serving;
}

void donor_roster::call_reserve() {
  if (serves_anybody()) return;
  for (auto& [id, it] : donors_) {
    if (it.now == standing::in_reserve) it.now = standing::serving;
  }
}

/// The last donor is kept: when all have failed, the one whose pause ends first is asked again, one in a tick, so that
/// refusals are not answered by questions at the speed of the network. Liars only when there is nobody else.
void donor_roster::call_somebody() {
  if (serves_anybody()) return;
  donor* best = nullptr;
  for (const auto wanted : {standing::aside, standing::dropped}) {
    for (auto& [id, it] : donors_) {
      if (it.now != wanted) continue;
      const bool sooner = best == nullptr || it.pause_left < best->pause_left ||
                          (it.pause_left == best->pause_left && it.last_asked < best->last_asked);
      if (sooner) best = &it;
    }
    if (best != nullptr) return serve_again(*best);
  }
}

/// Answers in one tick; the better of two, because a round trip may be longer than one.
unsigned donor_roster::rate_of(const donor& it) { return std::max(it.given, it.given_before); }

unsigned donor_roster::window_after(const donor& it) {
  // With nothing open a donor has done all it was asked for, and was not what the fetch waited for.
  if (it.open == 0) return it.window;
  const auto rate = rate_of(it);
  return rate == 0 ? std::max(it.window / 2, 1U) : std::min(it.window, window_ticks * rate);
}

std::vector<replica_id> donor_roster::on_tick() {
  std::vector<replica_id> late;
  for (auto& [id, it] : donors_) {
    if (it.now == standing::aside && --it.pause_left == 0) {
      serve_again(it);
    } else if (it.now == standing::serving && (it.open > 0 || it.busy)) {
      it.window = window_after(it);
      it.silent_ticks = it.given > 0 ? 0 : it.silent_ticks + 1;
      if (it.silent_ticks >= it.patience) late.push_back(id);
    }
    it.given_before = it.given;
    it.given = 0;
    it.busy = false;
  }
  for (const auto id : late)
    require(set_aside(id, donor_fault::late), "only a serving donor is late");
  call_somebody();
  return late;
}

}  // namespace hypermesh
