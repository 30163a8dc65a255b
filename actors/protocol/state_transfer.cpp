#include "actors/protocol/state_transfer.hpp"

#include <algorithm>

#include "messages/codec.hpp"
#include "messages/limits.hpp"
#include "messages/require.hpp"

namespace hypermesh {

namespace {

/// Chunks asked for at once: 4 MiB under way keep a donor's link busy without filling its queue.
constexpr std::size_t chunks_open_max = 16;
/// Ticks after which a chunk is asked from another donor.
constexpr unsigned ticks_patience = 3;
/// Ticks without a chunk after which a transfer is given up for a newer certificate: every donor was asked, and has
/// forgotten this state.
constexpr unsigned ticks_until_stuck = 12;

merkle_tree tree_of(const state_snapshot& snapshot) {
  std::vector<digest> leaves;
  leaves.reserve(snapshot.size());
  for (const auto& chunk : snapshot)
    leaves.push_back(chunk.leaf);
  return merkle_tree{std::move(leaves)};
}

}  // namespace

// --- Donor ---------------------------------------------------------------------

void state_donor::on_taken(sequence_number sequence, std::shared_ptr<const state_snapshot> snapshot) {
  require(snapshot != nullptr && !snapshot->empty(), "a snapshot has chunks");
  if (stopped_) return;
  states_[sequence] = {std::move(snapshot), nullptr};
  while (states_.size() > states_max_)
    states_.erase(states_.begin());
}

void state_donor::stop() {
  stopped_ = true;
  states_.clear();
}

frame_ptr state_donor::answer(replica_id asker, const state_request& wanted) {
  const auto found = states_.find(wanted.sequence);
  if (found == states_.end()) return nullptr;
  auto& [snapshot, tree] = found->second;
  if (wanted.index >= snapshot->size() || given_[asker] >= chunks_per_tick_max) return nullptr;
  ++given_[asker];
  if (tree == nullptr) tree = std::make_shared<const merkle_tree>(tree_of(*snapshot));
  return encode(state_chunk_message{wanted.sequence, wanted.index, snapshot->size(), (*snapshot)[wanted.index].bytes,
                                    tree->path(wanted.index)});
}

// --- Fetcher -------------------------------------------------------------------

transfer_effects state_fetcher::on_fetch(std::shared_ptr<const checkpoint_certificate> certificate) {
  require(certificate != nullptr && !certificate->votes.empty(), "a fetch has a certificate");
  transfer_effects out;
  if (is_active() && (certificate->sequence() <= certificate_->sequence() || ticks_idle_ < ticks_until_stuck))
    return out;
  start(std::move(certificate));
  ask_more(out);
  return out;
}

void state_fetcher::start(std::shared_ptr<const checkpoint_certificate> certificate) {
  certificate_ = std::move(certificate);
  donors_.clear();
  for (const auto& vote : certificate_->votes) {
    if (vote.content.replica != self_) donors_.push_back(vote.content.replica);
  }
  require(!donors_.empty(), "a quorum holds others than this replica");
  chunk_count_ = 0;
  next_index_ = 0;
  ticks_idle_ = 0;
  open_.clear();
  chunks_.clear();
}

void state_fetcher::ask(std::uint64_t index, transfer_effects& out) {
  const auto donor = donors_.front();
  donors_.pop_front();
  donors_.push_back(donor);
  open_[index] = {donor, 0};
  out.sends.push_back({donor, encode(state_request{certificate_->sequence(), index})});
}

void state_fetcher::ask_more(transfer_effects& out) {
  // The count of chunks is known once one chunk was verified, because the root binds it.
  const auto bound = chunk_count_ == 0 ? 1 : chunk_count_;
  while (open_.size() < chunks_open_max && next_index_ < bound)
    ask(next_index_++, out);
}

transfer_effects state_fetcher::on_chunk(replica_id donor, const state_chunk_message& chunk) {
  transfer_effects out;
  const auto reject = [&](rejection reason) {
    out.observations.emplace_back(frame_rejected{principal::of(donor), reason});
    return out;
  };
  if (!is_active() || chunk.sequence != certificate_->sequence()) return reject(rejection::unsolicited);
  const auto asked = open_.find(chunk.index);
  if (asked == open_.end()) return reject(rejection::unsolicited);
  const auto leaf = state_chunk_digest(*chunk.bytes);
  if (!verify_merkle_path(root(), chunk.chunk_count, chunk.index, leaf, chunk.path)) {
    if (asked->second.donor != donor) return reject(rejection::unsolicited);
    drop_donor(donor);
    ask(chunk.index, out);
    return reject(rejection::wrong_digest);
  }
  // What the root proves is true whoever sends it: on a link slower than the patience every answer
  // comes from a donor that was given up.
  require(chunk_count_ == 0 || chunk_count_ == chunk.chunk_count, "the root binds the count of chunks");
  chunk_count_ = chunk.chunk_count;
  chunks_[chunk.index] = {chunk.bytes, leaf};
  ticks_idle_ = 0;
  open_.erase(asked);
  if (chunks_.size() < chunk_count_) {
    ask_more(out);
    return out;
  }
  auto snapshot = std::make_shared<state_snapshot>();
  for (auto& [index, each] : chunks_)
    snapshot->push_back(std::move(each));
  require(state_root(*snapshot) == root(), "verified chunks make up the certified root");
  out.install = std::make_shared<const verified_state>(verified_state{certificate_, std::move(snapshot)});
  chunks_.clear();
  return out;
}

/// A donor that lied is asked no more, but the last one is kept, so that there is somebody to ask. Several of
/// its lies may be under way at once: the later ones find it gone.
void state_fetcher::drop_donor(replica_id donor) {
  require(!donors_.empty(), "a fetch has a donor");
  if (donors_.size() > 1) std::erase(donors_, donor);
}

transfer_effects state_fetcher::on_tick() {
  transfer_effects out;
  if (!is_active()) return out;
  ++ticks_idle_;
  std::vector<std::uint64_t> late;
  for (auto& [index, request] : open_) {
    if (++request.ticks >= ticks_patience) late.push_back(index);
  }
  for (const auto index : late)
    ask(index, out);
  return out;
}

void state_fetcher::on_installed(sequence_number sequence) {
  if (!is_active() || sequence < certificate_->sequence()) return;
  certificate_ = nullptr;
  open_.clear();
  chunks_.clear();
}

}  // namespace hypermesh
