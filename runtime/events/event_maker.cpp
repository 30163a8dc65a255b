#include "runtime/events/event_maker.hpp"

#include <fmt/format.h>

#include "actors/protocol/base/quorum.hpp"
#include "actors/protocol/reputation/system_request.hpp"

namespace hypermesh::runtime {

namespace {

using kind = operator_event_kind;
using found = std::optional<operator_event>;

/// A window that is full for less than this time is ordinary load.
constexpr duration lag_patience = 2s;

std::string_view explain(suspicion_reason reason) {
  switch (reason) {
    case suspicion_reason::mute:
      return "requests are pending and none is executed";
    case suspicion_reason::starving:
      return "one client waits much longer than the others";
    case suspicion_reason::slow:
      return "all clients wait longer than the load explains";
    case suspicion_reason::proven:
      return "there is evidence against it";
    case suspicion_reason::behind:
      return "the times that it proposes are behind this node's clock; compare both clocks";
  }
  return "unknown";
}

std::string_view explain(hand_over_cause cause) {
  switch (cause) {
    case hand_over_cause::readmission:
      return "the group handed over to readmit a replica that had lost its disk";
    case hand_over_cause::operators:
      return "the operators of f + 1 replicas asked for a hand-over";
    case hand_over_cause::step_down:
      return "the primary stepped down";
  }
  return "unknown";
}

std::string name_of(replica_id replica) { return to_string(principal::of(replica)); }

std::uint64_t ms_between(moment from, moment to) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, (to - from).count() / 1'000));
}

std::string misbehaviour_name(std::uint8_t number) {
  const bool is_known = number >= 1 && number <= misbehaviour_kind_last;
  return std::string{is_known ? to_string(static_cast<misbehaviour_kind>(number)) : "unknown"};
}

std::string complaint_name(std::uint8_t number) {
  const bool is_known = number >= 1 && number <= complaint_reason_last;
  return std::string{is_known ? to_string(static_cast<complaint_reason>(number)) : "unknown"};
}

std::string id_of(case_name name) { return fmt::format("{:016x}", name.value); }

std::string_view word_of(standing_changed::what happened) {
  switch (happened) {
    case standing_changed::what::convicted:
      return "convicted";
    case standing_changed::what::complained:
      return "complained";
    case standing_changed::what::quarantined:
      return "quarantined";
    case standing_changed::what::released:
      return "released";
  }
  return "unknown";
}

std::string explain(const standing_changed& it, const std::string& reason, const std::string& evidence) {
  const auto limit = it.about.is_client()
                         ? fmt::format(" and limited to one pending request until sequence {}", it.until.value)
                         : std::string{};
  switch (it.happened) {
    case standing_changed::what::convicted:
      return fmt::format("is convicted of {}{}{}", reason, limit, evidence.empty() ? "" : ", evidence " + evidence);
    case standing_changed::what::complained:
      return fmt::format("has complaints of f + 1 replicas: {}", reason);
    case standing_changed::what::quarantined:
      return fmt::format("is in quarantine until sequence {} for {}", it.until.value, reason);
    case standing_changed::what::released:
      return "is released";
  }
  return {};
}

std::string explain(const probation_changed& it) {
  // The floor is two windows above a checkpoint, so a known one is never 0.
  const bool is_known = it.floor > sequence_number{0};
  if (it.over) {
    return is_known ? "probation ended, this replica is a full member again"
                    : "the group has not begun, so this replica has never voted and is a full member";
  }
  if (!is_known) {
    return "this replica lost its disk, or its data directory is new, so it does not vote before a quorum has reported";
  }
  return fmt::format(
      "this replica lost its disk, or its data directory is new although the group has begun; it is on probation, and "
      "votes only above sequence {} and commits from view {} on",
      it.floor.value, it.first_view.value);
}

operator_event about(operator_event event, principal who) {
  event.subject = subject_of(who);
  return event;
}

}  // namespace

observation_events::cause observation_events::cause_of_change() const {
  if (suspicion_) return {to_string(*suspicion_), explain(*suspicion_)};
  if (hand_over_) return {to_string(hand_over_->cause), explain(hand_over_->cause)};
  if (awaited_at_start_) return {"restart", "this replica had left it before it was restarted"};
  return {"others", "f + 1 other replicas suspect the primary"};
}

void observation_events::note_stable(sequence_number sequence) {
  stable_ = std::max(stable_, sequence);
  is_stable_known_ = true;
}

found observation_events::lag(moment now) {
  if (!is_window_full()) {
    full_since_.reset();
    if (!std::exchange(is_lagging_, false)) return std::nullopt;
    return event_of(kind::checkpoint_lag_ended, {{"stable", stable_.value}});
  }
  if (!full_since_) full_since_ = now;
  if (is_lagging_ || now - *full_since_ < lag_patience) return std::nullopt;
  is_lagging_ = true;
  return event_of(
      kind::checkpoint_lagging,
      {{"sequence", executed_.value}, {"stable", stable_.value}, {"elapsed_ms", ms_between(*full_since_, now)}});
}

std::string observation_events::evidence_against(principal who, sequence_number at) const {
  if (judged_ == nullptr || judged_at_ != at) return {};
  for (const auto& each : judged_->system_requests) {
    const auto claim = claim_in(each, cluster_);
    const auto* act = claim ? std::get_if<misbehaviour>(&*claim) : nullptr;
    if (act != nullptr && act->accused == who) return id_of(each.name);
  }
  return {};
}

/// Makes the event of one observation.
struct observation_events::maker {
  observation_events& of;
  moment now;

  found operator()(const primary_suspected& it) const {
    of.suspicion_ = it.reason;
    return event_of(kind::primary_suspected,
                    {{"view", it.view.value},
                     {"primary", name_of(of.cluster_.group().primary_of(it.view))},
                     {"reason", std::string{to_string(it.reason)}}},
                    std::string{explain(it.reason)});
  }
  found operator()(const replica_progress& it) const {
    const bool is_first = !std::exchange(of.has_progress_, true);
    if (it.active) {
      of.entered_ = it.view;
      return of.lag(now);
    }
    if (of.awaited_ == it.view) return of.lag(now);
    if (!of.awaited_) of.left_at_ = now;
    of.awaited_ = it.view;
    of.awaited_at_start_ = of.awaited_at_start_ || is_first;
    const auto cause = of.cause_of_change();
    // A replica that waits since its start has not entered a view of this run.
    const auto left = is_first ? std::uint64_t{it.view.value == 0 ? 0 : it.view.value - 1} : of.entered_.value;
    return event_of(kind::view_left, {{"view", left}, {"next_view", it.view.value}, {"cause", std::string{cause.word}}},
                    std::string{cause.why});
  }
  found operator()(const view_was_entered& it) const {
    const auto cause = of.cause_of_change();
    const auto elapsed = of.awaited_ ? ms_between(of.left_at_, now) : 0;
    auto event = event_of(kind::view_entered,
                          {{"view", it.view.value},
                           {"primary", name_of(of.cluster_.group().primary_of(it.view))},
                           {"cause", std::string{cause.word}},
                           {"elapsed_ms", elapsed}},
                          std::string{cause.why});
    of.entered_ = it.view;
    of.awaited_.reset();
    of.awaited_at_start_ = false;
    of.suspicion_.reset();
    of.hand_over_.reset();
    return event;
  }
  found operator()(const move_agreed& it) const {
    const bool is_hand_over = it.wanted.kind == message_kind::hand_over;
    // A move that the group has already made, for example in a batch that is executed again, is no cause of the next.
    if (is_hand_over && it.wanted.to > of.entered_) of.hand_over_ = it.wanted;
    return event_of(kind::move_agreed,
                    {{"request", std::string{to_string(it.wanted.kind)}},
                     {"member", name_of(it.wanted.about)},
                     {"cause", is_hand_over ? std::string{to_string(it.wanted.cause)} : "readmission"},
                     {"view", it.wanted.to.value},
                     {"sequence", it.sequence.value}});
  }
  found operator()(const fault_proven& it) const {
    const auto claim = it.proof ? claim_in(*it.proof, of.cluster_) : std::nullopt;
    return about(event_of(kind::fault_proven, {{"member", to_string(it.accused)},
                                               {"misbehaviour", misbehaviour_name(it.misbehaviour_kind)},
                                               {"evidence", claim ? id_of(case_name_of(*claim)) : std::string{}}}),
                 it.accused);
  }
  found operator()(const standing_changed& it) const {
    using what = standing_changed::what;
    const auto reason = it.happened == what::complained ? complaint_name(it.reason)
                        : it.happened == what::released ? std::string{}
                                                        : misbehaviour_name(it.reason);
    const bool is_of_evidence = it.happened == what::convicted || it.happened == what::quarantined;
    const auto evidence = is_of_evidence ? of.evidence_against(it.about, it.sequence) : std::string{};
    auto event = event_of(kind::standing_changed,
                          {{"member", to_string(it.about)},
                           {"happened", std::string{word_of(it.happened)}},
                           {"reason", reason},
                           {"sequence", it.sequence.value},
                           {"until", it.until.value},
                           {"evidence", evidence}},
                          explain(it, reason, evidence));
    if (it.happened == what::released) event.level = event_level::info;
    return about(std::move(event), it.about);
  }
  found operator()(const frame_rejected& it) const {
    const bool is_limit =
        it.reason == rejection::throttled || it.reason == rejection::client_quota || it.reason == rejection::overloaded;
    if (!is_limit) return std::nullopt;
    auto event = event_of(kind::sender_limited,
                          {{"member", to_string(it.sender)}, {"reason", std::string{to_string(it.reason)}}});
    if (it.sender.is_client()) event.level = event_level::info;
    return about(std::move(event), it.sender);
  }
  found operator()(const batch_was_executed& it) const {
    of.executed_ = std::max(of.executed_, it.sequence);
    if (it.body != nullptr && !it.body->system_requests.empty()) {
      of.judged_ = it.body;
      of.judged_at_ = it.sequence;
    }
    return std::nullopt;
  }
  found operator()(const execution_resumed& it) const {
    of.executed_ = std::max(of.executed_, it.last_executed);
    // Nothing was executed yet, so the stable checkpoint is that of the genesis.
    if (it.last_executed == sequence_number{0}) of.note_stable({});
    return std::nullopt;
  }
  found operator()(const watermarks_moved& it) const {
    of.note_stable(it.low);
    return of.lag(now);
  }
  found operator()(const checkpoint_became_stable& it) const {
    of.note_stable(it.sequence);
    return event_of(kind::checkpoint_stable, {{"sequence", it.sequence.value}, {"root", to_hex(it.root.view())}});
  }
  found operator()(const donor_replaced& it) const {
    auto event = event_of(kind::donor_replaced,
                          {{"member", name_of(it.replica)}, {"reason", std::string{to_string(it.reason)}}});
    if (it.reason == donor_fault::lied) event.level = event_level::warn;
    return about(std::move(event), principal::of(it.replica));
  }
  found operator()(const state_was_installed& it) const {
    of.executed_ = std::max(of.executed_, it.sequence);
    of.note_stable(it.sequence);
    return event_of(kind::state_installed, {{"sequence", it.sequence.value}, {"root", to_hex(it.root.view())}});
  }
  found operator()(const divergence_found& it) const {
    return event_of(kind::state_diverged, {{"sequence", it.sequence.value}});
  }
  found operator()(const probation_changed& it) const {
    const auto& last = of.probation_;
    if (last && last->over == it.over && last->floor == it.floor && last->first_view == it.first_view) {
      return std::nullopt;
    }
    of.probation_ = it;
    auto event =
        event_of(kind::probation_changed,
                 {{"over", it.over}, {"sequence", it.floor.value}, {"view", it.first_view.value}}, explain(it));
    const bool is_waiting = it.floor == sequence_number{0};
    if (it.over || is_waiting) event.level = event_level::info;
    return event;
  }
  found operator()(const query_failed& it) const { return event_of(kind::query_failed, {{"error", it.why}}); }
  found operator()(const audit_interrupted& it) const {
    return event_of(kind::audit_interrupted, {{"error", it.error.what}, {"fix", it.error.remedy}});
  }
  found operator()(const node_failed& it) const {
    return event_of(kind::node_failed, {{"error", it.error.what}, {"fix", it.error.remedy}});
  }
  template <class Other>
  found operator()(const Other&) const {
    return std::nullopt;
  }
};

found observation_events::of(const observation& what, moment now) { return std::visit(maker{*this, now}, what); }

const std::array<observation_row, std::variant_size_v<observation>>& observation_table() {
  static const std::array<observation_row, std::variant_size_v<observation>> rows = {{
      {"frame_rejected",
       {kind::sender_limited},
       "Only the rejections by a limit; metrics count the others, because strangers choose how many there are."},
      {"slot_committed", {}, "It happens with every batch; metrics and the audit trail have it."},
      {"batch_was_executed", {}, "It happens with every batch; metrics and the trace have it."},
      {"watermarks_moved",
       {kind::checkpoint_lag_ended},
       "Only if the window was full; checkpoint_stable has the rest."},
      {"checkpoint_became_stable", {kind::checkpoint_stable}, ""},
      {"snapshot_was_taken", {}, "It happens at every checkpoint; metrics have its time."},
      {"state_was_installed", {kind::state_installed}, ""},
      {"state_was_kept", {}, "It happens after every few checkpoints; metrics have the bytes on the disk."},
      {"divergence_found", {kind::state_diverged}, ""},
      {"view_was_entered", {kind::view_entered}, ""},
      {"primary_suspected", {kind::primary_suspected}, ""},
      {"donor_replaced", {kind::donor_replaced}, ""},
      {"execution_resumed", {}, "It happens once in a run, before node_started."},
      {"probation_changed", {kind::probation_changed}, "Once for each change."},
      {"move_agreed", {kind::move_agreed}, ""},
      {"replica_progress",
       {kind::view_left, kind::checkpoint_lagging, kind::checkpoint_lag_ended},
       "Only if the replica waits for a view, or if its window is or was full for two seconds."},
      {"status_was_heard", {}, "It is the claim of one other replica, several times a second; the health weighs it."},
      {"batcher_progress", {}, "It happens with every request; metrics have it."},
      {"fault_proven", {kind::fault_proven}, ""},
      {"standing_changed", {kind::standing_changed}, ""},
      {"audit_interrupted", {kind::audit_interrupted}, ""},
      {"query_failed", {kind::query_failed}, ""},
      {"node_failed", {kind::node_failed}, ""},
  }};
  return rows;
}

}  // namespace hypermesh::runtime
