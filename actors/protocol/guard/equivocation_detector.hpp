#pragma once

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "actors/protocol/base/replica_position.hpp"
#include "actors/protocol/reputation/system_request.hpp"
#include "actors/protocol/verification/validator.hpp"

namespace hypermesh::protocol {

/// Remembers what each replica signed, and finds two conflicting signed messages, or one message that no correct
/// replica signs (attacks 8, 13, 39). Pure. No other class keeps a record of signed messages.
///
/// The detector sees the messages of replicas before their signatures are verified, including messages that come too
/// late for this replica. It does not see a frame that the frame rate limit or the verification budget refuses. It also
/// does not see a VIEW-CHANGE that the pre-verification filter refuses as a duplicate, nor a VIEW-CHANGE or NEW-VIEW
/// beyond the costly-message limit.
///
/// The detector remembers a vote without a signature check, and verifies only messages that conflict. An unverified
/// vote is remembered only if it comes on the link of its signer, so that no replica can use up the place of another
/// one. If a remembered signature turns out to be forged, a genuine message replaces it. The signatures of VIEW-CHANGEs
/// and NEW-VIEWs are verified before the detector sees them, because they are few (`costly_message_limit`) and a forged
/// one must not hide a genuine one. A document whose signature was verified is passed as an `authentic_item`, and its
/// signature is not verified again.
///
/// A primary that equivocates may send only one proposal to each replica, so no replica receives two. Therefore, when a
/// replica sees a vote for a digest other than that of its own proposal, it sends its proposal to the voter.
///
/// Memory: for each replica that sent anything, two views of a window of votes, a window of CHECKPOINTs, one
/// VIEW-CHANGE and one NEW-VIEW: about 91 KiB with L = 256, and two decoded documents. A decoded document takes up to
/// three times `limits::evidence_item_bytes_max`: its bytes, the bytes of its parts, and their values. For all replicas
/// together, two views of a window of proposals. A message that a replica signed for the present view and window is
/// never replaced by a later message of that replica.
class equivocation_detector {
 public:
  /// `checks` outlives the detector.
  equivocation_detector(const cluster_parameters& cluster, const validator& checks);

  /// A proposal to send to one replica, as EVIDENCE.
  struct showing {
    replica_id to;
    evidence what;
  };
  struct findings {
    /// Evidence that proves a misbehaviour.
    std::vector<evidence> proofs;
    std::vector<showing> shows;

    [[nodiscard]] bool empty() const { return proofs.empty() && shows.empty(); }
  };

  /// A decoded message arrived on the link of `sender`. The message may still be refused later. VIEW-CHANGEs and
  /// NEW-VIEWs must be passed to `on_document` instead.
  [[nodiscard]] findings on_message(replica_id sender, const message& value);
  /// Whether the detector needs this VIEW-CHANGE or NEW-VIEW. If not, the signature need not be verified for the
  /// detector.
  [[nodiscard]] bool compares(const evidence_item& document) const;
  /// A VIEW-CHANGE or NEW-VIEW arrived, and its signature was verified. The message may still be refused later.
  [[nodiscard]] findings on_document(const authentic_item& document);
  /// The validator accepted the message, so all signed statements inside it are genuine. The detector compares these
  /// statements as well.
  [[nodiscard]] findings on_verified(const message& value);
  /// The same for a NEW-VIEW.
  [[nodiscard]] findings on_opened(const planned_new_view& verified);
  /// The validator refused the message for the reason `why`. Some reasons are misbehaviour of the signer.
  [[nodiscard]] findings on_refused(const message& value, rejection why);
  /// The validator refused a VIEW-CHANGE or NEW-VIEW although its signature is genuine.
  [[nodiscard]] findings on_refused(const authentic_item& document, rejection why);
  void on_position(const replica_position& at) { at_ = at; }
  /// Number of signatures that the detector has verified since the start.
  [[nodiscard]] std::uint64_t checks_made() const { return checks_made_; }
  /// Replicas in quarantine or with unordered evidence against them, in ascending order. The detector does not search
  /// for further misbehaviour of these replicas, because it would cost signature checks and change nothing.
  void on_avoided_as_primary(std::vector<replica_id> avoided_as_primary) {
    avoided_as_primary_ = std::move(avoided_as_primary);
  }

 private:
  /// The votes of one replica for one (v, n): the digest, and one signature for the PREPARE and one for the COMMIT.
  struct vote_claim {
    view_number view;
    digest value;
    std::array<signature, 2> by;
    std::array<bool, 2> said{};
    /// Whether a misbehaviour at this place is proven already, so that no more signature checks are spent on it.
    bool is_closed = false;
  };
  /// The votes of one replica for one sequence, in the present view and in the one before or after it.
  struct vote_slot {
    sequence_number sequence;
    std::array<vote_claim, 2> of_view;
  };
  struct proposal_claim {
    view_number view;
    sequence_number sequence;
    std::optional<signed_statement> header;
    bool is_closed = false;
    /// For each replica, whether this replica has sent it the proposal.
    std::vector<bool> shown_to;
  };
  struct checkpoint_claim {
    std::optional<signed_statement> said;
    bool is_closed = false;
  };
  struct document_claim {
    view_number view;
    std::optional<authentic_item> said;
    bool is_closed = false;
  };
  struct replica_record {
    std::vector<vote_slot> votes;
    std::vector<checkpoint_claim> checkpoints;
    document_claim view_change;
    document_claim new_view;
  };

  void note_vote(message_kind kind, const signed_statement& said, findings& out);
  void note_proposal(const signed_statement& header, findings& out);
  void note_checkpoint(const signed_statement& said, findings& out);
  void note_certificates(const messages::view_change& value, findings& out);
  void note_document(const authentic_item& said, findings& out);
  void note_document(document_claim& known, view_number view, const authentic_item& said, findings& out);
  void look_for_hidden(const messages::view_change& value, const authentic_item& document, findings& out);
  void show_proposal(const statement& vote, findings& out);
  /// Whether the record has a place for this statement: the statement must be inside the window and not beyond the next
  /// view.
  [[nodiscard]] bool is_near(const statement& content) const;
  [[nodiscard]] bool is_avoided_as_primary(replica_id replica) const;
  void show_to_voters(const statement& proposed, findings& out);
  [[nodiscard]] bool prove_against(const vote_claim& claim, const signed_statement& said, const authentic_item& genuine,
                                   findings& out);
  [[nodiscard]] static bool is_other_copy(const signature& known, const signed_statement& said);
  /// Verifies one signature, and counts the check. Returns nothing if the signature is forged.
  [[nodiscard]] std::optional<authentic_item> authenticate(evidence_item claimed);
  [[nodiscard]] replica_record* record_of(replica_id replica);
  [[nodiscard]] vote_claim* claim_of(const statement& content);
  [[nodiscard]] proposal_claim* proposal_of(view_number view, sequence_number sequence);
  [[nodiscard]] bool is_worth_proving(const evidence& shown) const;
  /// Each of these functions adds evidence to `out` if the evidence proves a misbehaviour of a replica that is not
  /// avoided as primary. It verifies only signatures that were not verified before.
  void prove_alone(evidence_item claimed, findings& out);
  bool prove(const evidence_item& remembered, const authentic_item& said, findings& out);
  bool prove(const authentic_item& before, const authentic_item& said, findings& out) const;

  cluster_parameters cluster_;
  const validator* checks_;
  replica_position at_;
  std::uint64_t checks_made_ = 0;
  std::vector<replica_id> avoided_as_primary_;
  std::vector<std::unique_ptr<replica_record>> replicas_;
  /// The proposals by sequence, for two views each. Only the primary of a view makes proposals.
  std::vector<std::array<proposal_claim, 2>> proposals_;
};

}  // namespace hypermesh::protocol
