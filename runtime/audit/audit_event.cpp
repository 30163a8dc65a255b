#include "runtime/audit/audit_event.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "actors/protocol/reputation/system_request.hpp"
#include "messages/codec.hpp"

namespace hypermesh::audit {

namespace {

struct kind_name {
  audit_kind kind;
  std::string_view name;
};

constexpr std::array kind_names = {
    kind_name{audit_kind::started, "started"},
    kind_name{audit_kind::stopped, "stopped"},
    kind_name{audit_kind::seal, "seal"},
    kind_name{audit_kind::tail_cut, "tail_cut"},
    kind_name{audit_kind::lost, "lost"},
    kind_name{audit_kind::proposal, "proposal"},
    kind_name{audit_kind::vote, "vote"},
    kind_name{audit_kind::prepared, "prepared"},
    kind_name{audit_kind::committed, "committed"},
    kind_name{audit_kind::checkpoint_stable, "checkpoint_stable"},
    kind_name{audit_kind::view_change, "view_change"},
    kind_name{audit_kind::view_entered, "view_entered"},
    kind_name{audit_kind::suspicion, "suspicion"},
    kind_name{audit_kind::donor_replaced, "donor_replaced"},
    kind_name{audit_kind::state_installed, "state_installed"},
    kind_name{audit_kind::divergence, "divergence"},
    kind_name{audit_kind::probation, "probation"},
    kind_name{audit_kind::failure, "failure"},
    kind_name{audit_kind::evidence, "evidence"},
    kind_name{audit_kind::complaint, "complaint"},
    kind_name{audit_kind::conviction, "conviction"},
    kind_name{audit_kind::quarantine, "quarantine"},
    kind_name{audit_kind::release, "release"},
};

struct kind_finder {
  audit_kind operator()(const run_started&) const { return audit_kind::started; }
  audit_kind operator()(const run_stopped&) const { return audit_kind::stopped; }
  audit_kind operator()(const trail_seal&) const { return audit_kind::seal; }
  audit_kind operator()(const tail_was_cut&) const { return audit_kind::tail_cut; }
  audit_kind operator()(const entries_were_lost&) const { return audit_kind::lost; }
  audit_kind operator()(const proposal_noted&) const { return audit_kind::proposal; }
  audit_kind operator()(const vote_noted&) const { return audit_kind::vote; }
  audit_kind operator()(const batch_was_prepared&) const { return audit_kind::prepared; }
  audit_kind operator()(const batch_was_committed&) const { return audit_kind::committed; }
  audit_kind operator()(const proof_noted& it) const { return it.kind; }
  audit_kind operator()(const primary_suspected&) const { return audit_kind::suspicion; }
  audit_kind operator()(const donor_replaced&) const { return audit_kind::donor_replaced; }
  audit_kind operator()(const state_was_installed&) const { return audit_kind::state_installed; }
  audit_kind operator()(const divergence_found&) const { return audit_kind::divergence; }
  audit_kind operator()(const probation_changed&) const { return audit_kind::probation; }
  audit_kind operator()(const node_failed&) const { return audit_kind::failure; }
  audit_kind operator()(const guard_noted& it) const { return it.kind; }
};

std::optional<audit_event> event_of_vote(const storage_record& record) {
  const auto decoded = decode(record.bytes);
  if (!decoded) return std::nullopt;
  const auto& value = *decoded;
  if (const auto* it = std::get_if<prepare>(&value)) return vote_noted{message_kind::prepare, it->vote};
  if (const auto* it = std::get_if<commit>(&value)) return vote_noted{message_kind::commit, it->vote};
  if (const auto* it = std::get_if<checkpoint>(&value)) return vote_noted{message_kind::checkpoint, it->vote};
  return std::nullopt;
}

/// Whether all statements have the same content. A certificate requires this, so an entry stores the content only once.
bool is_unanimous(const std::vector<signed_statement>& statements) {
  const auto agrees = [&first = statements.front().content](const signed_statement& each) {
    auto content = each.content;
    content.replica = first.replica;
    return content == first;
  };
  return std::ranges::all_of(statements, agrees);
}

std::optional<audit_event> event_of_certificate(const storage_record& record) {
  auto statements = decode_statements(*record.bytes);
  if (!statements || statements->empty() || !is_unanimous(*statements)) return std::nullopt;
  prepared_certificate certificate{statements->front(), {}};
  certificate.prepares.assign(statements->begin() + 1, statements->end());
  return batch_was_prepared{std::move(certificate)};
}

std::string misbehaviour_kind_name(std::uint8_t number) {
  return std::string{to_string(static_cast<misbehaviour_kind>(number))};
}

/// Translates a decision of the agreed ledger about a member into an entry.
guard_noted guard_event_of(const standing_changed& it) {
  guard_noted noted{audit_kind::conviction, it.about, it.sequence, it.until, {}, {}};
  switch (it.happened) {
    case standing_changed::what::convicted:
      noted.misbehaviour_kind = misbehaviour_kind_name(it.reason);
      break;
    case standing_changed::what::complained:
      noted.kind = audit_kind::complaint;
      noted.misbehaviour_kind = to_string(static_cast<complaint_reason>(it.reason));
      break;
    case standing_changed::what::quarantined:
      noted.kind = audit_kind::quarantine;
      noted.misbehaviour_kind = misbehaviour_kind_name(it.reason);
      break;
    case standing_changed::what::released:
      noted.kind = audit_kind::release;
      break;
  }
  return noted;
}

/// Makes entries of the observations that are not stored in any record of the disk.
struct observation_reader {
  std::optional<audit_event> operator()(const fault_proven& it) const {
    guard_noted noted{audit_kind::evidence, it.accused, {}, {}, misbehaviour_kind_name(it.misbehaviour_kind), {}};
    if (it.proof) noted.proof = evidence_buffer(*it.proof);
    return noted;
  }
  std::optional<audit_event> operator()(const standing_changed& it) const { return guard_event_of(it); }
  std::optional<audit_event> operator()(const slot_committed& it) const {
    const auto& certificate = *it.content.certificate;
    if (certificate.commits.empty() || !is_unanimous(certificate.commits)) return std::nullopt;
    return batch_was_committed{certificate};
  }
  template <class Kind>
  std::optional<audit_event> operator()(const Kind& it) const {
    if constexpr (std::is_constructible_v<audit_event, std::in_place_type_t<Kind>, const Kind&>) {
      return audit_event{std::in_place_type<Kind>, it};
    } else {
      return std::nullopt;
    }
  }
};

}  // namespace

std::string_view to_string(audit_kind kind) {
  const auto found = std::ranges::find(kind_names, kind, &kind_name::kind);
  return found == kind_names.end() ? std::string_view{} : found->name;
}

std::optional<audit_kind> audit_kind_of(std::string_view name) {
  const auto found = std::ranges::find(kind_names, name, &kind_name::name);
  return found == kind_names.end() ? std::nullopt : std::optional{found->kind};
}

audit_kind kind_of(const audit_event& event) { return std::visit(kind_finder{}, event); }

std::optional<audit_event> audit_event_of(const storage_record& record) {
  switch (record.kind) {
    case record_kind::pre_prepare:
      if (const auto header = header_of_pre_prepare(*record.bytes)) return proposal_noted{*header};
      return std::nullopt;
    case record_kind::prepare:
    case record_kind::commit:
    case record_kind::checkpoint:
      return event_of_vote(record);
    case record_kind::prepared:
      return event_of_certificate(record);
    case record_kind::stable_checkpoint:
      return proof_noted{audit_kind::checkpoint_stable, record.bytes};
    case record_kind::view_change:
      return proof_noted{audit_kind::view_change, record.bytes};
    case record_kind::new_view:
      return proof_noted{audit_kind::view_entered, record.bytes};
    case record_kind::committed:
      // The entry is made from the observation, which comes earlier. The record waits for the next vote, and the last
      // record of a run is never written.
    case record_kind::readmission:
      // The observation that ends the probation already makes this entry.
      return std::nullopt;
  }
  return std::nullopt;
}

std::optional<audit_event> audit_event_of(const observation& what) { return std::visit(observation_reader{}, what); }

}  // namespace hypermesh::audit
