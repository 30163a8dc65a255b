#include "actors/protocol/transfer/donor_roster.hpp"

#include <algorithm>

#include "messages/require.hpp"

namespace hypermesh::protocol {

donor_roster::donor_roster(const std::vector<replica_id>& first, const std::vector<replica_id>& others,
                           const std::set<replica_id>& liars) {
  for (const auto id : first)
    donors_[id].now = standing::serving;
  for (const auto id : others)
    donors_[id].now = standing::in_reserve;
  require(!donors_.empty() && donors_.size() == first.size() + others.size(),
          "donors are distinct, and there are some");
  for (const auto id : liars) {
    // A donor that lied in this transfer is not asked again after the certificate changes.
    if (const auto found = donors_.find(id); found != donors_.end()) found->second.now = standing::dropped;
  }
  // All signers may be throttled or known to have lied. In that case the donors in reserve are asked from the
  // beginning.
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
    // A part is requested again from a different donor, because the first donor may withhold this part.
    if ((others_serve && was_asked(id)) || std::ranges::find(awaited, id) != awaited.end()) continue;
    if (best) {
      const auto& rival = donors_.at(*best);
      const auto room = it.window - it.open;
      // The donor with the most room comes first, so that faster donors get more questions. Among equals, the donor
      // that was asked least recently comes first.
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
  // Example: a window that fell from 12 to 3 leaves 12 questions open, so the 9 newest are taken back.
  return it.open > 2 * it.window ? it.open - it.window : 0;
}

unsigned donor_roster::possible_holders() const {
  // A late donor still counts, because its link may be slow and it may hold the state.
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
  require(question <= questions_, "only an asked question is answered");
  ++it.given;
  it.last_answered = std::max(it.last_answered, question);
  it.silent_ticks = 0;
  // The donor has the state now; it may have refused before it took the checkpoint.
  it.refused = false;
  // The window grows to the bound that the next tick shrinks it to, and no further. More questions would have to be
  // taken back, and their parts would be sent twice.
  const auto sure = std::clamp(window_ticks * rate_of(it), window_initial, window_max);
  if (it.window < sure) ++it.window;
  // If the round trip of a link is longer than the limit of its donor, every answer is late. So a donor is asked again
  // after a late answer that was verified.
  if (it.now == standing::aside) serve_again(it);
}

void donor_roster::on_busy(replica_id id) {
  auto& it = donors_.at(id);
  it.busy = true;
  // A busy donor gives less than it is asked for, so it gets half of the questions.
  it.window = std::max(it.window / 2, 1U);
}

void donor_roster::serve_again(donor& it) {
  it.now = standing::serving;
  // The donor gets one question at a time until it answers again.
  it.window = 1;
  it.silent_ticks = 0;
  it.busy = false;
}

bool donor_roster::set_aside(replica_id id, donor_fault why) {
  auto& it = donors_.at(id);
  const bool was_serving = it.now == standing::serving;
  // Refusals count in the decision to change to a newer certificate (`state_fetcher::should_go_over`).
  if (why == donor_fault::refused) it.refused = true;
  if (why == donor_fault::lied) {
    it.now = standing::dropped;
  } else if (was_serving) {
    it.now = standing::aside;
    it.pause_left = it.pause;
    // The pauses of a donor that fails repeatedly become longer (attack 24).
    it.pause = std::min(2 * it.pause, pause_max);
    // Only the limit of a late donor grows, because a refusal is not a sign of a slow link.
    if (why == donor_fault::late) it.patience = std::min(2 * it.patience, patience_max);
  }
  call_reserve();
  return was_serving;
}

/// If no donor serves, the donors in reserve are asked too.
void donor_roster::call_reserve() {
  if (serves_anybody()) return;
  for (auto& [id, it] : donors_) {
    if (it.now == standing::in_reserve) it.now = standing::serving;
  }
}

/// At least one donor is always asked. When all donors have failed, the donor whose pause ends first is asked again.
/// Only one donor is called back in each tick, because otherwise refusals and new questions would follow each other at
/// the speed of the network. Donors that lied are called back only if there is no other donor.
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

/// Answers in one tick. The better one of two ticks counts, because a round trip may be longer than one.
unsigned donor_roster::rate_of(const donor& it) { return std::max(it.given, it.given_before); }

unsigned donor_roster::window_after(const donor& it) {
  // A donor without an open question has answered everything, so the transfer did not wait for it.
  if (it.open == 0) return it.window;
  // A silent donor loses half of its window. At 3 parts a tick the window is at most 9.
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
      // A donor that is always busy counts as silent, so it cannot stop the transfer with refusals.
      it.silent_ticks = it.given > 0 ? 0 : it.silent_ticks + 1;
      // Late donors are handled after the loop, because this may change other donors.
      if (it.silent_ticks >= it.patience) late.push_back(id);
    }
    it.given_before = it.given;
    it.given = 0;
    // A donor is busy for one tick only, because it has a new share of bytes in the next one (`state_donor`).
    it.busy = false;
  }
  for (const auto id : late)
    require(set_aside(id, donor_fault::late), "only a serving donor is late");
  call_somebody();
  return late;
}

}  // namespace hypermesh::protocol
