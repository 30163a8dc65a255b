#include "tests/support/core_node.hpp"

#include <utility>

#include "messages/codec.hpp"
#include "messages/require.hpp"

namespace hypermesh::testing {

core_node::core_node(const cluster_parameters& cluster, replica_id self, const authenticator& keys,
                     const batch_settings& batching, const view_change_settings& views,
                     std::unique_ptr<counting_machine> machine, order_checker& checker)
    : cluster_(cluster),
      self_(self),
      checker_(&checker),
      validator_(cluster, keys),
      replica_(cluster, self, keys),
      views_(cluster, self, keys, views),
      checkpoints_(cluster, self, keys),
      machine_(machine.get()),
      state_(std::move(machine), cluster),
      donor_(cluster),
      fetcher_(cluster, self),
      batcher_(batching),
      intake_(cluster, self, keys, batcher_),
      evidence_pool_(cluster, self, keys) {}

void core_node::start_on_probation(bool may_be_new) {
  recovered_replica past;
  past.on_probation = true;
  past.may_be_new = may_be_new;
  replica_.restore(past);
  checkpoints_.abstain();
  views_.abstain();
}

/// The wall clock begins on 12 January 1970, so that an error of days does not make a time negative.
wall_time core_node::wall_clock() const {
  constexpr wall_time begin{std::chrono::milliseconds{1'000'000'000}};
  return std::chrono::floor<std::chrono::milliseconds>(begin + now_.time_since_epoch() + clock_error_);
}

// --- Events --------------------------------------------------------------------

void core_node::on_frame(principal sender, const frame_ptr& frame) {
  const auto decoded = decode(frame);
  if (decoded && kind_of(*decoded) == message_kind::new_view) {
    return on_new_view(sender, std::make_shared<const new_view>(std::get<new_view>(*decoded)));
  }
  if (!decoded || validator_.check(sender, *decoded)) {
    ++rejections_;
    return;
  }
  route(sender, *decoded);
}

void core_node::on_new_view(principal sender, std::shared_ptr<const new_view> value) {
  const auto own = validator_.authenticate(item_of(value));
  const auto verified = validator_.verify_new_view(sender, std::move(value), own);
  replica_.on_wall_clock(wall_clock());
  if (verified) return carry_out(replica_.on_new_view(sender, *verified));
  ++rejections_;
}

void core_node::route(principal sender, const message& value) {
  if (const auto* it = std::get_if<request>(&value)) {
    return cluster_.requests_by == request_authentication::signature ? admit(*it) : admit_unsigned(sender, *it);
  }
  if (const auto* it = std::get_if<vouch>(&value)) return take_vouch(replica_id{sender.number}, *it);
  if (const auto* it = std::get_if<system_request>(&value)) return carry_out(evidence_pool_.on_request(*it, now_));
  if (const auto* it = std::get_if<readmission>(&value))
    return carry_out(evidence_pool_.on_readmission(it->vote, now_));
  if (const auto* it = std::get_if<hand_over>(&value)) return carry_out(evidence_pool_.on_hand_over(it->vote, now_));
  if (const auto* it = std::get_if<checkpoint>(&value)) return carry_out(checkpoints_.on_vote(it->vote));
  if (const auto* it = std::get_if<checkpoint_proof>(&value)) {
    return carry_out(checkpoints_.on_proof(std::make_shared<const checkpoint_certificate>(it->certificate)));
  }
  if (const auto* it = std::get_if<state_request>(&value))
    return send_to(sender, donor_.answer(replica_id{sender.number}, *it));
  if (const auto* it = std::get_if<state_chunk_message>(&value)) {
    return carry_out(fetcher_.on_chunk(replica_id{sender.number}, *it));
  }
  if (const auto* it = std::get_if<suspicion>(&value)) return carry_out(views_.on_suspicion(it->vote, now_));
  if (const auto* it = std::get_if<view_change>(&value)) {
    return carry_out(views_.on_view_change(std::make_shared<const view_change>(*it), now_));
  }
  const auto kind = kind_of(value);
  if (kind == message_kind::pre_prepare || kind == message_kind::prepare || kind == message_kind::commit ||
      kind == message_kind::status) {
    replica_.on_wall_clock(wall_clock());
    carry_out(replica_.on_message(sender, value));
  }
}

void core_node::admit(const request& value) {
  switch (batcher_.admit(value, now_)) {
    case request_pool::admission::accepted:
    case request_pool::admission::already_pending:
      // §4.1: a backup relays the request to the primary.
      if (!replica_.is_primary()) {
        batcher_.on_forwarded(value.id, now_);
        send_to(principal::of(replica_.primary()), reframe(value));
      }
      break;
    case request_pool::admission::contradicting:
      // The first request is kept, and the contradicting request is dropped.
      break;
    case request_pool::admission::done:
    case request_pool::admission::past:
      reply_to(value.id, state_.answer_to(reference_of(value)));
      break;
    case request_pool::admission::client_quota:
    case request_pool::admission::overloaded: {
      auto refused = std::make_shared<request_outcome>();
      refused->status = reply_status::overloaded;
      reply_to(value.id, {digest_of_request(value), std::move(refused)});
      break;
    }
  }
  cut(false);
}

void core_node::admit_unsigned(principal sender, const request& value) {
  carry_out(value, intake_.on_request(sender, value, now_));
  cut(false);
  send_vouches();
}

void core_node::take_vouch(replica_id from, const vouch& value) {
  for (const auto& each : intake_.on_vouch(from, value, now_))
    carry_out(each.value, each.effects);
  cut(false);
  send_vouches();
}

void core_node::carry_out(const request& value, const intake_effects& effects) {
  if (effects.refused) ++rejections_;
  if (effects.answer == immediate_answer::earlier_reply) reply_to(value.id, state_.answer_to(reference_of(value)));
  // As with signed requests, a backup relays the request at once.
  if (!batcher_.is_pending(value.id) || replica_.is_primary()) return;
  batcher_.on_forwarded(value.id, now_);
  send_to(principal::of(replica_.primary()), reframe(value));
}

void core_node::send_vouches() {
  auto all = intake_.take_vouches();
  if (!all.empty()) send({{std::nullopt, encode(vouch{std::move(all)})}});
  for (const auto& each : intake_.take_proven())
    carry_out(replica_.on_authentic(each.view, each.sequence, each.value));
}

void core_node::admit(const system_request& value) {
  const auto admitted = batcher_.admit(value, now_);
  if (admitted != request_pool::admission::done && !replica_.is_primary()) {
    batcher_.on_forwarded(value.name, now_);
    send_to(principal::of(replica_.primary()), reframe(value));
  }
  cut(false);
}

void core_node::cut(bool delay_passed) {
  while (auto next = intake_.cut(delay_passed, wall_clock(), now_)) {
    replica_.on_wall_clock(wall_clock());
    carry_out(replica_.on_batch(intake_.view(), std::make_shared<const batch>(std::move(next->content))));
  }
}

void core_node::on_tick() {
  cut(true);
  replica_.on_wall_clock(wall_clock());
  carry_out(replica_.on_tick());
  carry_out(checkpoints_.on_tick());
  donor_.on_tick();
  carry_out(fetcher_.on_tick());
  carry_out(views_.on_tick(now_));
  auto service = batcher_.service(now_);
  service.executed_through = state_.last_executed();
  carry_out(views_.on_service(service, now_));
  carry_out(evidence_pool_.on_tick(now_));
}

void core_node::on_hand_over(const statement& wanted, const signature& by) {
  carry_out(evidence_pool_.on_hand_over({wanted, by}, now_));
}

// --- Execution -------------------------------------------------------------------

bool core_node::run_executor() {
  if (inbox_.empty()) return false;
  const auto item = std::move(inbox_.front());
  inbox_.pop_front();
  if (const auto* batch = std::get_if<committed_batch>(&item)) {
    execute(*batch);
  } else {
    install(std::get<verified_state>(item));
  }
  return true;
}

void core_node::execute(const committed_batch& batch) {
  if (!state_.awaits(batch.sequence)) return;
  const auto answers = state_.execute(batch.sequence, *batch.body);
  checker_->on_executed(self_, batch, answers);
  std::vector<executed_request> done;
  for (const auto& [request, answer] : answers) {
    done.push_back(request);
    reply_to(request.id, answer);
  }
  auto settled = cases_in(*batch.body);
  intake_.on_executed({batch.view, done, settled, batch.lateness}, now_);
  if (!settled.empty() || cluster_.is_checkpoint(batch.sequence)) tell_agreed(std::move(settled), false);
  if (cluster_.is_checkpoint(batch.sequence)) take_checkpoint(false);
  cut(false);
}

void core_node::install(const verified_state& fetched) {
  const auto sequence = fetched.certificate->sequence();
  const auto& root = fetched.certificate->votes.front().content.value;
  const auto outcome = state_.install(sequence, root, *fetched.snapshot);
  require(outcome.what != installation::unreadable, "a certified state of a correct group installs");
  if (outcome.what != installation::installed) return carry_out(fetcher_.on_install_refused(sequence, false));
  ++installs_;
  checker_->on_installed(self_, sequence);
  fetcher_.on_installed(sequence);
  carry_out(replica_.on_installed(sequence, fetched.certificate));
  batcher_.on_installed(state_.sessions(), now_);
  take_checkpoint(true);
  tell_agreed({}, true);
  cut(false);
}

void core_node::tell_agreed(std::vector<case_name> settled, bool is_transferred) {
  agreed_reputation agreed;
  agreed.after = state_.last_executed();
  agreed.replicas = state_.ledger().replicas();
  agreed.settled = std::move(settled);
  agreed.clients = state_.ledger().clients();
  agreed.moves = state_.moves();
  agreed.is_transferred = is_transferred;
  carry_out(evidence_pool_.on_agreed(agreed));
  std::vector<view_number> stepped_down;
  for (const auto& each : state_.take_move_events()) {
    if (each.wanted.cause == hand_over_cause::step_down) stepped_down.emplace_back(each.wanted.to.value - 1);
  }
  carry_out(replica_.on_moves(agreed.moves, stepped_down, agreed.after));
  carry_out(views_.on_moves(agreed.moves, stepped_down, agreed.after, now_));
}

void core_node::take_checkpoint(bool installed) {
  const auto sequence = state_.last_executed();
  const auto snapshot = std::make_shared<const state_snapshot>(state_.snapshot());
  const auto root = state_root(*snapshot);
  checker_->on_root(self_, sequence, root);
  donor_.on_taken(sequence, snapshot);
  fetcher_.on_taken(sequence, snapshot);
  if (installed) return carry_out(checkpoints_.on_installed(sequence, root));
  auto effects = checkpoints_.on_taken(sequence, root);
  if (effects.keeps_taken) carry_out(replica_.on_taken(sequence));
  carry_out(std::move(effects));
}

// --- Effects -----------------------------------------------------------------------

void core_node::carry_out(replica_effects effects) {
  persist(effects.records);
  send(effects.sends);
  for (auto& batch : effects.committed) {
    checker_->on_committed(self_, batch);
    inbox_.emplace_back(std::move(batch));
  }
  if (effects.fetch != nullptr) carry_out(fetcher_.on_fetch(effects.fetch, fetch_reason::lag));
  for (auto& each : effects.unproven)
    intake_.on_unproven(std::move(each));
  if (!effects.unproven.empty()) send_vouches();
  count(effects.observations);
  checker_->on_marks(self_, replica_.marks(), replica_.last_executed());
  if (effects.voting_above) checkpoints_.on_voting_allowed(*effects.voting_above);
  if (effects.learned != nullptr) carry_out(checkpoints_.on_proof(effects.learned));
  if (effects.view_left != nullptr) carry_out(views_.on_left(effects.view_left, now_));
  if (effects.forget_through) carry_out(views_.on_low_watermark(*effects.forget_through, now_));
  if (effects.wish) carry_out(evidence_pool_.on_readmission_wanted(*effects.wish, now_));
  if (effects.readmitted) views_.on_readmitted();
  if (effects.view_entered) enter(*effects.view_entered);
}

void core_node::carry_out(evidence_pool_effects effects) {
  send(effects.sends);
  count(effects.observations);
  batcher_.on_dropped(effects.dropped, now_);
  for (const auto& asked : effects.requests)
    admit(asked);
}

void core_node::carry_out(view_change_effects effects) {
  send(effects.sends);
  count(effects.observations);
  if (effects.change_to) carry_out(replica_.on_change_view(*effects.change_to));
  if (effects.opened != nullptr) carry_out(replica_.on_new_view_built(*effects.opened));
}

void core_node::enter(view_number view) {
  carry_out(views_.on_entered(view, now_));
  carry_out(evidence_pool_.on_view(view));
  const auto pending = intake_.on_view(view, now_);
  for (const auto& each : pending.requests)
    send_to(principal::of(replica_.primary()), reframe(each));
  for (const auto& each : pending.system_requests)
    send_to(principal::of(replica_.primary()), reframe(each));
  cut(false);
}

void core_node::carry_out(checkpoint_effects effects) {
  persist(effects.records);
  send(effects.sends);
  count(effects.observations);
  if (effects.disproven && state_.on_disproven(*effects.disproven)) {
    diverged_ = true;
    replica_.on_diverged(*effects.disproven);
    donor_.on_diverged();
  }
  if (effects.fetch != nullptr) carry_out(fetcher_.on_fetch(effects.fetch, fetch_reason::own_state_wrong));
  if (effects.stable != nullptr) {
    donor_.on_stable(effects.stable->sequence());
    carry_out(replica_.on_stable(effects.stable));
  }
}

void core_node::carry_out(transfer_effects effects) {
  send(effects.sends);
  count(effects.observations);
  if (effects.install != nullptr) inbox_.emplace_back(*effects.install);
}

void core_node::persist(const std::vector<storage_record>& records) {
  for (const auto& each : records) {
    checker_->on_record(self_, each);
    readmitted_ = readmitted_ || each.kind == record_kind::readmission;
  }
}

void core_node::send(const std::vector<outgoing_message>& messages) {
  for (const auto& each : messages) {
    for (std::uint32_t number = 0; number < cluster_.replicas; ++number) {
      const bool meant = each.to ? each.to->value == number : number != self_.value;
      if (meant) send_to(principal::of(replica_id{number}), each.frame);
    }
  }
}

void core_node::send_to(principal to, frame_ptr frame) {
  if (frame != nullptr) sends_.push_back({to, std::move(frame)});
}

void core_node::count(const std::vector<observation>& observations) {
  for (const auto& each : observations) {
    if (std::holds_alternative<frame_rejected>(each)) ++rejections_;
    if (const auto* it = std::get_if<primary_suspected>(&each)) suspicions_.push_back(it->reason);
  }
}

void core_node::reply_to(request_id id, const client_table::answered& what) {
  if (what.outcome == nullptr) return;
  send_to(principal::of(id.client), encode_reply(id, replica_.view(), *what.outcome, what.request));
}

std::vector<sent_frame> core_node::take_sends() { return std::exchange(sends_, {}); }

}  // namespace hypermesh::testing
