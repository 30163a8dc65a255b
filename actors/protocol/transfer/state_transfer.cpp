#include "actors/protocol/transfer/state_transfer.hpp"

#include <algorithm>
#include <utility>

#include "messages/codec.hpp"
#include "messages/limits.hpp"
#include "messages/require.hpp"

namespace hypermesh::protocol {

namespace {

/// Bytes that are asked for and have not arrived, of all donors: enough to keep the links busy, and half of what the
/// outbound queue of one link holds.
constexpr std::uint64_t bytes_open_max = 16ULL << 20U;
/// Open questions at a time, however small the chunks are.
constexpr std::uint64_t questions_open_max = 1'024;
/// Ticks without a verified part after which a transfer changes to a newer certificate. By then every donor was asked.
constexpr unsigned ticks_until_stuck = 12;
/// Within this many ticks, a donor that answers in order has answered every open question, because its window is at
/// most the number of parts that it gives in one tick fewer.
constexpr unsigned ticks_in_order = donor_roster::window_ticks + 1;
/// Ticks for which an answer may still be under way although a later one has arrived.
constexpr unsigned ticks_out_of_order = 2;

static_assert(bytes_open_max / limits::state_chunk_bytes_max >= 2 * donor_roster::window_initial);
static_assert(donor_roster::window_max <= questions_open_max);

}  // namespace

// --- One transfer ----------------------------------------------------------------

void state_fetcher::on_taken(sequence_number sequence, std::shared_ptr<const state_snapshot> snapshot) {
  require(snapshot != nullptr && !snapshot->empty(), "a snapshot has chunks");
  own_ = std::move(snapshot);
  own_sequence_ = sequence;
  if (!is_active() || sequence < certificate_->sequence()) return;
  // A replica that lagged has caught up by execution.
  if (!repairs_ || has_moved_past(certificate_->sequence())) finish();
}

/// Whether the own state cannot be wrong since `certified`, although a repair was asked for. While a state is wrong, h
/// stays below the certificate that contradicts it, and nothing above h + L is executed.
bool state_fetcher::has_moved_past(sequence_number certified) const {
  return own_sequence_ > certified.plus(cluster_.watermark_window);
}

transfer_effects state_fetcher::on_fetch(std::shared_ptr<const checkpoint_certificate> certificate, fetch_reason why) {
  require(certificate != nullptr && !certificate->votes.empty(), "a fetch has a certificate");
  transfer_effects out;
  // The chunks of this state cannot be restored, so they are not fetched again.
  if (certificate->sequence() <= unreadable_) return out;
  // `fetch_state` is repeated until the state is on disk, or until the checkpointer learns that it was installed.
  const auto at_hand = why == fetch_reason::lag ? own_sequence_ : installed_;
  if (certificate->sequence() <= at_hand) return out;
  if (why == fetch_reason::own_state_wrong) {
    if (has_moved_past(certificate->sequence())) return out;
    // A transfer to a replica that lags becomes the repair, because its state is newer or is replaced by a newer one.
    repairs_ = true;
  }
  if (!is_active()) {
    start(std::move(certificate), out);
  } else if (certificate->sequence() > (newer_ ? newer_ : certificate_)->sequence()) {
    newer_ = std::move(certificate);
    if (should_go_over()) go_over(out);
  }
  return out;
}

void state_fetcher::start(std::shared_ptr<const checkpoint_certificate> certificate, transfer_effects& out) {
  // A donor that lied is not asked again when the transfer changes to a newer certificate (attack 24).
  const auto liars = roster_.liars();
  certificate_ = std::move(certificate);
  assembly_.emplace(root());
  // The signers have the state. Throttled signers and all other replicas are asked only when the first donors have
  // failed.
  std::vector<replica_id> signers;
  for (const auto& vote : certificate_->votes) {
    const auto id = vote.content.replica;
    if (id != self_ && !std::ranges::binary_search(throttled_, id)) signers.push_back(id);
  }
  // Other replicas may have the state too, because a certificate names no more than a quorum.
  std::vector<replica_id> others;
  for (std::uint32_t number = 0; number < cluster_.replicas; ++number) {
    const replica_id id{number};
    if (id != self_ && std::ranges::find(signers, id) == signers.end()) others.push_back(id);
  }
  roster_ = donor_roster{signers, others, liars};
  // The questions of the earlier certificate are forgotten. `on_chunk` refuses their answers, because they have another
  // sequence number.
  asked_.clear();
  again_.clear();
  next_part_ = 0;
  ticks_idle_ = 0;
  stock_.clear();
  // Most of a state does not change between checkpoints, so own and carried chunks are looked up when their leaves are
  // known.
  stock_.add(own_);
  stock_.add(carried_);
  ask_more(out);
}

void state_fetcher::go_over(transfer_effects& out) {
  require(newer_ != nullptr && newer_->sequence() > certificate_->sequence(),
          "a transfer goes over to a newer certificate");
  // Before all leaves are known no chunk is fetched, so an incomplete assembly has no chunks besides those of the chunk
  // cache.
  if (assembly_->has_leaves()) carried_ = assembly_->release();
  start(std::exchange(newer_, nullptr), out);
}

bool state_fetcher::should_go_over() const {
  // A state that was handed to the executor is complete, so no newer certificate replaces it.
  if (newer_ == nullptr || handed_over_ != nullptr) return false;
  // If at most f donors are left, all of them may be faulty and could send parts so slowly that the transfer is never
  // considered stuck.
  return ticks_idle_ >= ticks_until_stuck || roster_.possible_holders() <= cluster_.group().faulty_max();
}

void state_fetcher::finish() {
  certificate_ = nullptr;
  newer_ = nullptr;
  assembly_.reset();
  // The roster is cleared, including the donors that lied. After this transfer only their local score remembers the lie
  // (`peer_trust`).
  roster_ = {};
  asked_.clear();
  again_.clear();
  carried_ = nullptr;
  stock_.clear();
  handed_over_ = nullptr;
  repairs_ = false;
}

void state_fetcher::on_installed(sequence_number sequence) {
  installed_ = std::max(installed_, sequence);
  if (is_active() && sequence >= certificate_->sequence()) finish();
}

transfer_effects state_fetcher::on_install_refused(sequence_number sequence, bool unreadable) {
  transfer_effects out;
  if (handed_over_ == nullptr || sequence != certificate_->sequence()) return out;
  // `finish` forgets everything of the transfer, and these two values are still needed.
  auto next = std::move(newer_);
  auto verified = std::move(handed_over_);
  finish();
  if (unreadable) {
    // The next state shares most chunks with this one, so a replica that can restore no state does not fetch everything
    // each time.
    unreadable_ = sequence;
    carried_ = std::move(verified);
  }
  if (next != nullptr) start(std::move(next), out);
  return out;
}

// --- Questions -------------------------------------------------------------------

bool state_fetcher::may_ask() const {
  // The average size of the chunks so far. Before the first chunk it is unknown, so the largest size is assumed.
  const auto usual = chunks_fetched_ == 0 ? limits::state_chunk_bytes_max : bytes_fetched_ / chunks_fetched_ + 1;
  const auto open_max = std::min(bytes_open_max / usual, questions_open_max);
  return roster_.open_questions() < open_max && roster_.has_room();
}

std::optional<replica_id> state_fetcher::next_donor_for(std::uint64_t part) const {
  // A donor that was asked for this part before is asked again only when no other donor serves; a donor that has still
  // to answer is not asked.
  std::vector<replica_id> asked;
  std::vector<replica_id> awaited;
  if (const auto found = asked_.find(part); found != asked_.end()) {
    for (const auto& each : found->second) {
      asked.push_back(each.donor);
      if (each.now != question::given_up) awaited.push_back(each.donor);
    }
  }
  return roster_.next(asked, awaited);
}

void state_fetcher::ask(std::uint64_t part, replica_id donor, transfer_effects& out) {
  auto& list = asked_[part];
  const asking asked{donor, roster_.on_asked(donor)};
  const auto before = std::ranges::find(list, donor, &asking::donor);
  if (before == list.end()) {
    // The first question to this donor for this part.
    list.push_back(asked);
  } else {
    require(before->now == question::given_up, "a donor is asked again only after a question was given up");
    *before = asked;
  }
  out.sends.push_back({donor, encode(state_request{certificate_->sequence(), part, assembly_->phase()})});
}

void state_fetcher::ask_more(transfer_effects& out) {
  // Parts without an open question come first: the transfer cannot end without them.
  std::deque<std::uint64_t> left;
  for (; !again_.empty() && may_ask(); again_.pop_front()) {
    const auto part = again_.front();
    if (const auto donor = next_donor_for(part)) {
      ask(part, *donor, out);
    } else {
      left.push_back(part);
    }
  }
  again_.insert(again_.begin(), left.begin(), left.end());
  for (; next_part_ < assembly_->part_count() && may_ask(); ++next_part_) {
    // `may_ask` has found a donor with room, so there is a next one.
    if (!assembly_->has(next_part_)) ask(next_part_, *roster_.next(), out);
  }
}

/// When nothing is left to ask for, a part that should have arrived is asked of a second donor, so that the last parts
/// do not wait for the slowest donor.
void state_fetcher::hedge(transfer_effects& out) {
  if (!again_.empty() || next_part_ < assembly_->part_count()) return;
  for (const auto& [part, list] : asked_) {
    if (!may_ask()) return;
    const auto open = std::ranges::find(list, question::open, &asking::now);
    const bool is_single = std::ranges::count(list, question::open, &asking::now) == 1;
    // Two open questions are enough. A third donor would only send the same bytes again.
    if (!is_single || open->ticks < (roster_.is_silent(open->donor) ? 1 : ticks_in_order)) continue;
    const auto donor = next_donor_for(part);
    // A donor that was asked for this part before does not count as a second donor.
    const bool is_new = donor && std::ranges::find(list, *donor, &asking::donor) == list.end();
    if (is_new) ask(part, *donor, out);
  }
}

// --- Answers ---------------------------------------------------------------------

transfer_effects state_fetcher::on_chunk(replica_id donor, const state_chunk_message& answer) {
  transfer_effects out;
  const auto& [sequence, part, kind] = answer.wanted;
  const auto reject = [&](rejection reason) {
    out.observations.emplace_back(frame_rejected{principal::of(donor), reason});
    return out;
  };
  // Only answers of donors that were asked are accepted. This is checked before the answer is hashed (attack 33).
  if (!is_active() || handed_over_ != nullptr || sequence != certificate_->sequence() || kind != assembly_->phase()) {
    return reject(rejection::unsolicited);
  }
  const auto asked = asked_.find(part);
  if (asked == asked_.end()) return reject(rejection::unsolicited);
  const auto from = std::ranges::find(asked->second, donor, &asking::donor);
  if (from == asked->second.end()) return reject(rejection::unsolicited);
  if (const auto* why = std::get_if<state_refusal>(&answer.content)) {
    take_refusal(part, *from, *why, out);
  } else if (const auto* page = std::get_if<leaf_page>(&answer.content)) {
    settle(answer.wanted, *from, assembly_->add(part, *page, stock_), 0, out);
  } else {
    const auto& bytes = std::get<std::shared_ptr<const byte_vector>>(answer.content);
    settle(answer.wanted, *from, assembly_->add(part, bytes), bytes->size(), out);
  }
  return out;
}

void state_fetcher::settle(const state_request& part, const asking& from, state_assembly::verdict verdict,
                           std::uint64_t bytes, transfer_effects& out) {
  const auto donor = from.donor;
  // Other donors are asked for the part. A lie delays the transfer by one round trip, and the donor that lied is not
  // asked again (attack 24).
  if (verdict == state_assembly::verdict::lie) {
    out.observations.emplace_back(frame_rejected{principal::of(donor), rejection::wrong_digest});
    // Other donors are asked all open questions of the donor that lied.
    if (roster_.on_lied(donor)) replace(donor, donor_fault::lied, out);
    return ask_more(out);
  }
  // A late answer of a donor whose question was given up counts as well: it is verified.
  roster_.on_given(donor, from.number);
  ticks_idle_ = 0;
  if (bytes > 0) {
    ++chunks_fetched_;
    bytes_fetched_ += bytes;
  }
  settle(part.index);
  if (part.part == state_part::leaves && assembly_->has_leaves()) begin_chunks();
  if (assembly_->is_whole()) {
    // `replicated_state::install` compares the root of the restored state once more.
    handed_over_ = assembly_->release();
    out.install = std::make_shared<const verified_state>(verified_state{certificate_, handed_over_});
    return;
  }
  ask_more(out);
}

/// The part is verified, so the questions to other donors are closed.
void state_fetcher::settle(std::uint64_t part) {
  const auto found = asked_.find(part);
  for (const auto& each : found->second) {
    if (each.is_open()) roster_.on_closed(each.donor);
  }
  asked_.erase(found);
  // The answer may have been late, and the part may have waited for another donor.
  std::erase(again_, part);
}

/// All leaves are verified, and the chunks that this replica has are used. From here on the missing chunks are fetched.
void state_fetcher::begin_chunks() {
  require(asked_.empty() && again_.empty(), "no page is missing");
  next_part_ = 0;
  stock_.clear();
  carried_ = nullptr;
}

void state_fetcher::take_refusal(std::uint64_t part, asking& from, state_refusal why, transfer_effects& out) {
  const auto donor = from.donor;
  close(part, from, question::given_up);
  // A busy donor has the state and serves again at the next tick. Any other refusal says that it does not hold the
  // state.
  if (why == state_refusal::busy) {
    roster_.on_busy(donor);
  } else if (roster_.on_refused(donor)) {
    replace(donor, donor_fault::refused, out);
  }
  if (should_go_over()) return go_over(out);
  ask_more(out);
}

// --- Replacing donors ------------------------------------------------------------

void state_fetcher::replace(replica_id donor, donor_fault why, transfer_effects& out) {
  for (auto& [part, list] : asked_) {
    const auto found = std::ranges::find(list, donor, &asking::donor);
    if (found != list.end()) close(part, *found, question::given_up);
  }
  out.observations.emplace_back(donor_replaced{donor, why});
}

/// Closes a question with the state `as`. A part without an open question is asked again.
void state_fetcher::close(std::uint64_t part, asking& which, question as) {
  require(as != question::open, "a question is opened by asking it");
  const bool was_open = which.is_open();
  which.now = as;
  if (!was_open) return;
  // The donor has room for another question. Its answer to this one is still accepted.
  roster_.on_closed(which.donor);
  if (std::ranges::none_of(asked_.at(part), &asking::is_open)) again_.push_back(part);
}

/// Gives up questions that a donor passed over: it answered a later question, so the answer was lost or is withheld. A
/// donor that does not answer at all is late, which `donor_roster` handles.
void state_fetcher::give_up_passed_over() {
  for (auto& [part, list] : asked_) {
    for (auto& each : list) {
      const bool is_old = ++each.ticks >= ticks_out_of_order;
      if (is_old && roster_.has_passed_over(each.donor, each.number)) close(part, each, question::given_up);
    }
  }
}

/// Takes back the newest questions beyond the window. A donor that answers in order would answer these last.
void state_fetcher::take_back_excess(replica_id donor) {
  for (auto excess = roster_.excess_of(donor); excess > 0; --excess) {
    std::uint64_t newest_part = 0;
    asking* newest = nullptr;
    for (auto& [part, list] : asked_) {
      const auto found = std::ranges::find(list, donor, &asking::donor);
      if (found == list.end() || !found->is_open() || (newest != nullptr && found->ticks > newest->ticks)) continue;
      newest = &*found;
      newest_part = part;
    }
    require(newest != nullptr, "open questions are known");
    close(newest_part, *newest, question::taken_back);
  }
}

transfer_effects state_fetcher::on_tick() {
  transfer_effects out;
  if (!is_active() || handed_over_ != nullptr) return out;
  // Each verified part resets this count, so it reaches the limit only if the transfer makes no progress (attack 26).
  ++ticks_idle_;
  for (const auto donor : roster_.on_tick())
    replace(donor, donor_fault::late, out);
  // The order of these steps matters. 1. A late donor loses all its questions. 2. Other donors lose the questions that
  // they passed over. 3. Questions beyond the window are taken back. 4. Parts without an open question are requested
  // again.
  give_up_passed_over();
  for (std::uint32_t number = 0; number < cluster_.replicas; ++number) {
    if (replica_id{number} != self_) take_back_excess(replica_id{number});
  }
  if (should_go_over()) {
    go_over(out);
  } else {
    ask_more(out);
    hedge(out);
  }
  return out;
}

}  // namespace hypermesh::protocol
