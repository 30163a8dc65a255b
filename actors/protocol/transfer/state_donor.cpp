#include "actors/protocol/transfer/state_donor.hpp"

#include <algorithm>
#include <vector>

#include "messages/codec.hpp"
#include "messages/limits.hpp"
#include "messages/require.hpp"

namespace hypermesh::protocol {

namespace {

std::uint64_t bytes_of(const state_snapshot& snapshot) {
  std::uint64_t total = 0;
  for (const auto& chunk : snapshot)
    total += chunk.bytes->size();
  return total;
}

/// Bytes of the chunks of `newer` that `older` shares. Only chunks at the same address count, because a copy costs
/// memory.
std::uint64_t shared_bytes(const state_snapshot& older, const state_snapshot& newer) {
  std::vector<const byte_vector*> known;
  known.reserve(older.size());
  for (const auto& chunk : older)
    known.push_back(chunk.bytes.get());
  // Addresses differ from run to run, but only membership is asked, so equal seeds still give equal runs (I15).
  std::ranges::sort(known, std::less<>{});
  std::uint64_t total = 0;
  for (const auto& chunk : newer) {
    if (std::ranges::binary_search(known, chunk.bytes.get(), std::less<>{})) total += chunk.bytes->size();
  }
  return total;
}

leaf_page page_of(const state_snapshot& snapshot, const merkle_pages& pages, std::uint64_t page) {
  leaf_page made{snapshot.size(), {}, pages.path(page)};
  const auto begin = page * limits::state_page_leaves;
  const auto count = state_page_size(snapshot.size(), page);
  made.leaves.reserve(count);
  for (std::size_t index = 0; index < count; ++index)
    made.leaves.push_back(snapshot[begin + index].leaf);
  return made;
}

std::shared_ptr<const merkle_pages> pages_of(const state_snapshot& snapshot) {
  std::vector<digest> leaves;
  leaves.reserve(snapshot.size());
  for (const auto& chunk : snapshot)
    leaves.push_back(chunk.leaf);
  return std::make_shared<const merkle_pages>(leaves, limits::state_page_leaves);
}

}  // namespace

state_donor::state_donor(const cluster_parameters& cluster, const donor_settings& settings)
    : settings_(settings),
      // With the default L = 256 and K = 128 these are four states.
      states_max_(cluster.watermark_window / cluster.checkpoint_period + 2),
      guaranteed_bytes_(settings.bytes_per_tick_max / (cluster.replicas - 1)) {
  require(cluster.is_valid(), "the cluster parameters form a group");
}

// --- What is held ----------------------------------------------------------------

void state_donor::on_taken(sequence_number sequence, std::shared_ptr<const state_snapshot> snapshot) {
  require(snapshot != nullptr && !snapshot->empty(), "a snapshot has chunks");
  const auto bytes = bytes_of(*snapshot);
  const auto [state, added] =
      states_.insert_or_assign(sequence, held_state{std::move(snapshot), sequence == stable_, bytes, 0, nullptr});
  // The bytes that a state shares with the state before it are not counted a second time. So a new state also changes
  // the count of the state after it.
  compare_with_previous(state);
  if (std::next(state) != states_.end()) compare_with_previous(std::next(state));
  trim();
}

void state_donor::on_stable(sequence_number sequence) {
  if (sequence <= stable_) return;
  stable_ = sequence;
  const auto found = states_.find(sequence);
  // This replica's execution may lag behind the certificate. In that case `on_taken` marks the state later.
  if (found != states_.end()) found->second.is_stable = true;
  trim();
}

/// A diverged replica must not give a wrong state to others (attack 27).
void state_donor::on_diverged() {
  states_.clear();
  pins_.clear();
}

std::uint64_t state_donor::bytes_held() const {
  std::uint64_t total = 0;
  for (const auto& [sequence, state] : states_)
    total += state.bytes - state.shared_bytes;
  return total;
}

void state_donor::compare_with_previous(state_map::iterator state) {
  auto& [sequence, held] = *state;
  held.shared_bytes = state == states_.begin() ? 0 : shared_bytes(*std::prev(state)->second.snapshot, *held.snapshot);
  require(held.shared_bytes <= held.bytes, "a state shares at most its own bytes");
}

bool state_donor::is_pinned(sequence_number sequence) const {
  return std::ranges::any_of(pins_, [&](const auto& each) { return each.second.sequence == sequence; });
}

state_donor::state_map::iterator state_donor::victim(bool even_pinned) {
  if (states_.empty()) return states_.end();
  // Without the newest stable state no replica could catch up, and the newest state will be the next stable one.
  const auto last_stable =
      std::find_if(states_.rbegin(), states_.rend(), [](const auto& each) { return each.second.is_stable; });
  const auto newest = states_.rbegin()->first;
  return std::ranges::find_if(states_, [&](const auto& each) {
    const bool kept = each.first == newest || (last_stable != states_.rend() && each.first == last_stable->first);
    return !kept && (even_pinned || !is_pinned(each.first));
  });
}

void state_donor::drop(state_map::iterator state) {
  const auto next = states_.erase(state);
  // The next state shared chunks with the dropped one, and now counts their bytes itself.
  if (next != states_.end()) compare_with_previous(next);
}

void state_donor::trim() {
  const auto drop_while = [this](bool even_pinned, const auto& exceeds) {
    for (auto oldest = victim(even_pinned); oldest != states_.end() && exceeds(); oldest = victim(even_pinned))
      drop(oldest);
  };
  // The number of states is reduced first, then the bytes. Pinned states are dropped only above the larger bound.
  drop_while(false, [this] {
    return static_cast<std::size_t>(std::ranges::count_if(
               states_, [this](const auto& each) { return !is_pinned(each.first); })) > states_max_;
  });
  drop_while(false, [this] { return bytes_held() > settings_.held_bytes_max; });
  drop_while(true, [this] { return bytes_held() > settings_.held_bytes_max + settings_.pinned_bytes_max; });
}

// --- What is given ---------------------------------------------------------------

frame_ptr state_donor::answer(replica_id asker, const state_request& wanted) {
  // The donor answers with a refusal, so that the other replica does not wait for a donor that does not have the part.
  const auto found = states_.find(wanted.sequence);
  if (found == states_.end()) return refuse(asker, wanted, state_refusal::not_held);
  auto& state = found->second;
  const auto parts =
      wanted.part == state_part::leaves ? state_pages_of(state.snapshot->size()) : state.snapshot->size();
  if (wanted.index >= parts) return refuse(asker, wanted, state_refusal::not_held);
  // Each replica has one pin, on the state for which it asked last. Otherwise one faulty replica could pin all states
  // (attack 26).
  pins_[asker] = {wanted.sequence, pin_ticks};
  if (!has_share(asker)) return refuse(asker, wanted, state_refusal::busy);
  return give(asker, wanted, state);
}

frame_ptr state_donor::give(replica_id asker, const state_request& wanted, held_state& from) {
  state_chunk_message given{wanted, {}};
  if (wanted.part == state_part::leaves) {
    // The tree is built once for each state, because it hashes all leaves, while a request costs its sender little
    // (attack 33).
    if (from.pages == nullptr) from.pages = pages_of(*from.snapshot);
    given.content = page_of(*from.snapshot, *from.pages, wanted.index);
  } else {
    given.content = (*from.snapshot)[wanted.index].bytes;
  }
  auto frame = encode(given);
  // The overhead counts, so that small parts do not cost more processor time than large ones.
  const auto cost = frame->size() + answer_overhead_bytes;
  given_[asker] += cost;
  given_to_all_ += cost;
  return frame;
}

/// Whether `asker` may have one more answer in this tick (attack 33). The replicas that got answers in the previous
/// tick have equal shares of the bytes of this tick, in whatever order they ask. A replica that got no answer in the
/// previous tick may use the bytes that are left, but at least the share that it would have if all other replicas asked
/// too. So f replicas that ask without end take only their own shares from the others. All askers together get at most
/// twice the bytes of a tick, and one answer each.
bool state_donor::has_share(replica_id asker) const {
  const auto found = given_.find(asker);
  // Each replica always gets one answer, so that every transfer makes progress.
  if (found == given_.end()) return true;
  const auto own = found->second;
  const auto all = settings_.bytes_per_tick_max;
  if (sharers_.contains(asker)) return own < all / sharers_.size();
  return own < guaranteed_bytes_ || (given_to_all_ < all && own < all / (sharers_.size() + 1));
}

frame_ptr state_donor::refuse(replica_id asker, const state_request& wanted, state_refusal why) {
  // Without this bound a replica that asks without end would get as many frames as it sends (attack 33).
  if (++refused_[asker] > refusals_per_tick_max) return nullptr;
  return encode(state_chunk_message{wanted, why});
}

void state_donor::on_tick() {
  // The bytes of the next tick are shared by the replicas that were given something in this one (`has_share`).
  sharers_.clear();
  for (const auto& [asker, bytes] : given_)
    sharers_.insert(asker);
  given_.clear();
  given_to_all_ = 0;
  refused_.clear();
  // A fetcher that went away must not keep a state in memory for ever (I12).
  for (auto& [asker, each] : pins_)
    --each.ticks_left;
  std::erase_if(pins_, [](const auto& each) { return each.second.ticks_left == 0; });
  trim();
}

}  // namespace hypermesh::protocol
