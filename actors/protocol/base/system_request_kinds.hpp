#pragma once

#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "messages/values.hpp"

/// The possible claims of a system request: a misbehaviour that evidence proves, or a group request.
namespace hypermesh::protocol {

/// Acts that no correct principal commits and that signed messages prove. Nothing else convicts (attack 39).
enum class misbehaviour_kind : std::uint8_t {
  /// Two of PRE-PREPARE, PREPARE and COMMIT for one (v, n) with different digests.
  conflicting_votes = 1,
  /// Two CHECKPOINTs for one n with different digests.
  conflicting_checkpoints = 2,
  conflicting_view_changes = 3,
  conflicting_new_views = 4,
  /// Two REQUESTs of one session with one timestamp and different contents.
  conflicting_requests = 5,
  /// A PRE-PREPARE of a backup, a PREPARE of the primary, or a CHECKPOINT with a view or at a sequence where no
  /// checkpoint period ends.
  unlawful_vote = 6,
  /// A VIEW-CHANGE that is invalid by itself, for example because a certificate in it proves nothing.
  unlawful_view_change = 7,
  /// A NEW-VIEW that is invalid by itself, for example because it does not follow from its VIEW-CHANGEs.
  unlawful_new_view = 8,
  /// A COMMIT, and a VIEW-CHANGE for a later view that lacks the prepared certificate behind the COMMIT.
  hidden_certificate = 9,
};
inline constexpr std::uint8_t misbehaviour_kind_last = 9;

[[nodiscard]] std::string_view to_string(misbehaviour_kind what);

/// A misbehaviour: the accused, the kind and the place. All evidence for one act gives an equal value.
struct misbehaviour {
  principal accused;
  misbehaviour_kind what = misbehaviour_kind::conflicting_votes;
  /// The view of the votes, or the new view of the VIEW-CHANGE or NEW-VIEW. 0 for REQUESTs and conflicting CHECKPOINTs.
  view_number view;
  /// The sequence of the votes; the timestamp of REQUESTs; 0 if the evidence has documents only.
  sequence_number sequence;
  /// Used for REQUESTs only, because each session counts its own timestamps.
  session_id session = {};

  friend auto operator<=>(const misbehaviour&, const misbehaviour&) = default;
};

/// The reason of a COMPLAINT. None of these acts can be proven to others.
enum class complaint_reason : std::uint8_t {
  /// The replica sent bytes that no correct node sends: malformed, with bad signatures, or in the name of another node.
  garbage = 1,
  /// The replica sent more frames than a node may send.
  flood = 2,
  /// The replica sent parts of a state that do not match the certified root.
  bad_state = 3,
  /// As primary, the replica did not serve the clients.
  bad_service = 4,
};
inline constexpr std::uint8_t complaint_reason_last = 4;

[[nodiscard]] std::string_view to_string(complaint_reason why);

/// Why all replicas leave their view together, although no replica suspects its primary.
enum class hand_over_cause : std::uint8_t {
  /// A replica that lost its disk may commit from the new view on (`probation`).
  readmission = 1,
  /// The operators of f+1 replicas ask for it.
  operators = 2,
  /// The operator of the primary asks for it. The primary may decide this alone, because it can stop its view anyway by
  /// sending nothing.
  step_down = 3,
};
inline constexpr std::uint8_t hand_over_cause_last = 3;

[[nodiscard]] std::string_view to_string(hand_over_cause why);

/// A request that f+1 replicas signed, of which at least one is correct; or the request of one primary to step down.
struct group_request {
  /// COMPLAINT, RELEASE, READMISSION or HAND-OVER.
  message_kind kind = message_kind::complaint;
  replica_id about;
  /// For complaints only.
  complaint_reason why = complaint_reason::garbage;
  /// For a complaint, the checkpoint that ends its period. For a release, the sequence of the conviction. For a
  /// readmission, the floor, above which the replica may vote.
  sequence_number sequence;
  /// For a hand-over: the group leaves all views before this one. For a step-down: the group leaves only the view
  /// before this one.
  view_number to = {};
  /// For hand-overs only.
  hand_over_cause cause = hand_over_cause::readmission;

  friend auto operator<=>(const group_request&, const group_request&) = default;
};

using system_claim = std::variant<misbehaviour, group_request>;

/// The names of the system requests of a batch.
[[nodiscard]] std::vector<case_name> cases_in(const batch& content);

}  // namespace hypermesh::protocol
