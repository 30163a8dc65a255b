#pragma once

#include <optional>
#include <string_view>
#include <variant>

#include "actors/protocol/cluster.hpp"
#include "messages/values.hpp"

/// What a REQUEST of the guard says: who is accused of what, or what a weak quorum wants. Here only its form is read;
/// whether the signatures hold is for `validator::proves`.
namespace hypermesh {

/// Words that one EXHIBITS shows: two exclude each other, and who compares them verifies them.
inline constexpr std::size_t words_shown_max = 2;

/// What no correct principal ever signs (attack 39: nothing else convicts).
enum class offence : std::uint8_t {
  /// Two of PRE-PREPARE, PREPARE and COMMIT for one (v, n) with different digests.
  conflicting_votes = 1,
  /// Two CHECKPOINTs for one n with different digests.
  conflicting_checkpoints = 2,
  conflicting_view_changes = 3,
  conflicting_new_views = 4,
  /// Two REQUESTs with one timestamp.
  conflicting_requests = 5,
  /// A PRE-PREPARE of who is not the primary, a PREPARE of who is, or a CHECKPOINT where none is due.
  unlawful_vote = 6,
  /// A VIEW-CHANGE whose certificates prove nothing.
  unlawful_view_change = 7,
  /// A NEW-VIEW that is not the one that follows from its VIEW-CHANGEs.
  unlawful_new_view = 8,
  /// A COMMIT, and a later VIEW-CHANGE that conceals the prepared certificate behind it.
  hidden_certificate = 9,
};
inline constexpr std::uint8_t offence_last = 9;

[[nodiscard]] std::string_view to_string(offence what);

/// Who did what, where. Two pieces of evidence for one deed make one accusation.
struct accusation {
  principal accused;
  offence what = offence::conflicting_votes;
  /// Of the statement, or the new view; 0 for REQUESTs and CHECKPOINTs.
  view_number view;
  /// Of the statement; the timestamp of REQUESTs; 0 for other documents.
  sequence_number sequence;
  /// Of REQUESTs: timestamps begin anew in each session.
  session_id session = {};

  friend auto operator<=>(const accusation&, const accusation&) = default;
};

/// Why a replica complains; none of these can be proven to others.
enum class grievance : std::uint8_t {
  /// Bytes that no correct node sends: malformed, with bad signatures, under foreign names.
  garbage = 1,
  /// More frames than anybody may send.
  flood = 2,
  /// Parts of a state that were not under the certified root.
  bad_state = 3,
  /// As primary it did not serve the clients.
  bad_service = 4,
};
inline constexpr std::uint8_t grievance_last = 4;

[[nodiscard]] std::string_view to_string(grievance why);

/// Why all replicas leave their view together, although nobody suspects its primary.
enum class hand_over_cause : std::uint8_t {
  /// A replica that lost its disk may commit from the new view on (`probation`).
  readmission = 1,
  /// Operators of f+1 replicas want it.
  operators = 2,
  /// The operator of the primary wants it. The primary alone decides that: it could as well be mute.
  step_down = 3,
};
inline constexpr std::uint8_t hand_over_cause_last = 3;

[[nodiscard]] std::string_view to_string(hand_over_cause why);

/// f+1 replicas, so at least one correct one, say the same; or a primary that steps down, alone.
struct ballot {
  /// COMPLAINT, PARDON, READMISSION or HAND-OVER.
  message_kind kind = message_kind::complaint;
  replica_id about;
  /// Of a complaint.
  grievance why = grievance::garbage;
  /// Of a complaint: the checkpoint that ends its period. Of a pardon: where the replica was convicted. Of a
  /// readmission: the sequence above which the replica may vote.
  sequence_number sequence;
  /// Of a hand-over: all views before this one are to be left; of one that steps down, only the one before it.
  view_number to = {};
  /// Of a hand-over.
  hand_over_cause cause = hand_over_cause::readmission;

  friend auto operator<=>(const ballot&, const ballot&) = default;
};

using guard_case = std::variant<accusation, ballot>;

/// What these exhibits claim to show; nothing when they can show nothing, whatever is signed.
[[nodiscard]] std::optional<guard_case> case_of(const exhibits& shown, const cluster_parameters& cluster);

/// The same of the REQUEST of the guard; nothing also when its name is not that of the case.
[[nodiscard]] std::optional<guard_case> case_of(const request& value, const cluster_parameters& cluster);

/// The name under which a case is ordered: equal for equal cases, whatever the exhibits.
[[nodiscard]] request_id name_of(const guard_case& about);

/// The REQUEST that has these exhibits, which make `about`, ordered.
[[nodiscard]] frame_ptr guard_request(const guard_case& about, const exhibits& shown);

/// The statement that a COMPLAINT signs.
[[nodiscard]] statement complaint_of(replica_id self, replica_id about, grievance why, sequence_number period,
                                     epoch_number epoch);
/// The statement that a PARDON signs.
[[nodiscard]] statement pardon_of(replica_id self, replica_id about, sequence_number convicted_at, epoch_number epoch);

/// The statement that a READMISSION signs.
[[nodiscard]] statement readmission_of(replica_id self, replica_id about, sequence_number floor, epoch_number epoch);
/// The statement that a HAND-OVER signs.
[[nodiscard]] statement hand_over_of(replica_id self, replica_id about, view_number to, hand_over_cause why,
                                     epoch_number epoch);

/// How many replicas have to say the same.
[[nodiscard]] std::uint32_t voters_of(const ballot& wanted, group_size group);

/// Whether they say the same; signatures may differ.
[[nodiscard]] bool is_same_request(const request& one, const request& other);

/// Whether the VIEW-CHANGE lacks what its sender must have prepared to send this COMMIT.
[[nodiscard]] bool conceals(const view_change& change, const statement& said);

/// What the vote of a COMPLAINT, PARDON, READMISSION or HAND-OVER says; nothing when it is not of their form.
[[nodiscard]] std::optional<ballot> ballot_of(message_kind kind, const statement& content,
                                              const cluster_parameters& cluster);

/// The VIEW-CHANGE or NEW-VIEW in a document; nothing when it is none.
[[nodiscard]] std::optional<view_change> view_change_in(const exhibit& shown);
[[nodiscard]] std::optional<new_view> new_view_in(const exhibit& shown);

}  // namespace hypermesh
