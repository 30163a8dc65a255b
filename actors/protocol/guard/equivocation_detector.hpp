#pragma once

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "actors/protocol/base/replica_position.hpp"
#include "actors/protocol/reputation/system_request.hpp"
#include "actors/protocol/verification/validator.hpp"

namespace hypermesh {

/// Remembers what each replica signed, and finds two conflicting signed messages, or one message that no correct
/// replica signs (attacks 8, 13, 39). Pure; the only owner of the record of signed messages.
///
/// The detector sees a replica's message before its signature is verified, also a message that comes too late for the
/// replica. It does not see a frame that the frame rate limit or the verification budget refuses, nor a VIEW-CHANGE
/// that the pre-verification filter refuses as a duplicate, nor a VIEW-CHANGE or NEW-VIEW beyond the costly-message
/// limit.
///
/// To remember a vote costs no signature check; only conflicting messages are verified. An unverified vote is
/// remembered only if it comes on its signer's own link, so that no replica fills the place of another. If a remembered
/// signature turns out to be forged, a genuine message replaces it. The signatures of VIEW-CHANGEs and NEW-VIEWs are
/// verified before the detector sees them, because they are few (`costly_message_limit`) and a forged one must not hide
/// a genuine one. A signature that was verified comes as an `authentic_item` and is not verified again.
///
/// An equivocating primary sends one proposal to each replica, so no replica receives two of them. A replica that sees
/// a vote for another digest than that of its own proposal therefore sends its proposal to the voter.
///
/// Memory: for each replica that sent anything, two views of a window of votes, a window of CHECKPOINTs, one
/// VIEW-CHANGE and one NEW-VIEW: about 91 KiB with L = 256, and two decoded documents, each of up to three times
/// `limits::evidence_item_bytes_max`: its bytes, those of its parts, and their values. For all replicas together, two
/// views of a window of proposals. No message of a replica replaces one that the same replica signed for the present
/// view and window.
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
    /// Each of them proves a misbehaviour.
    std::vector<evidence> proofs;
    std::vector<showing> shows;

    [[nodiscard]] bool empty() const { return proofs.empty() && shows.empty(); }
  };

  /// A decoded message arrived on the link of `sender`. It may still be refused. A VIEW-CHANGE or NEW-VIEW comes by
  /// `on_document`.
  [[nodiscard]] findings on_message(replica_id sender, const message& value);
  /// Whether the detector has a use for this VIEW-CHANGE or NEW-VIEW. If not, its signature need not be verified for
  /// it.
  [[nodiscard]] bool compares(const evidence_item& document) const;
  /// A VIEW-CHANGE or NEW-VIEW arrived, and its signature was verified. It may still be refused.
  [[nodiscard]] findings on_document(const authentic_item& document);
  /// The validator accepted the message, so the statements that it quotes are genuine. They are compared as well.
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
  /// Replicas in quarantine or with unordered evidence against them, in ascending order. No further misbehaviour of
  /// these replicas is searched for, because it would convict nobody and would cost checks.
  void on_avoided_as_primary(std::vector<replica_id> avoided_as_primary) {
    avoided_as_primary_ = std::move(avoided_as_primary);
  }

 private:
  /// The votes of one replica for one (v, n): the digest, and a signature each for PREPARE and COMMIT.
  struct vote_claim {
    view_number view;
    digest value;
    std::array<signature, 2> by;
    std::array<bool, 2> said{};
    /// A misbehaviour at this place is proven already, so no more checks are spent on it.
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
    /// For each replica whether the proposal was sent to it.
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
  void note_certificates(const hypermesh::view_change& value, findings& out);
  void note_document(const authentic_item& said, findings& out);
  void note_document(document_claim& known, view_number view, const authentic_item& said, findings& out);
  void look_for_hidden(const hypermesh::view_change& value, const authentic_item& document, findings& out);
  void show_proposal(const statement& vote, findings& out);
  /// Whether the statement has a place in the record: inside the window, and not beyond the next view.
  [[nodiscard]] bool is_near(const statement& content) const;
  [[nodiscard]] bool is_avoided_as_primary(replica_id replica) const;
  void show_to_voters(const statement& proposed, findings& out);
  [[nodiscard]] bool prove_against(const vote_claim& claim, const signed_statement& said, const authentic_item& genuine,
                                   findings& out);
  [[nodiscard]] static bool is_other_copy(const signature& known, const signed_statement& said);
  /// Verifies one signature, and counts it.
  [[nodiscard]] std::optional<authentic_item> authenticate(evidence_item claimed);
  [[nodiscard]] replica_record* record_of(replica_id replica);
  [[nodiscard]] vote_claim* claim_of(const statement& content);
  [[nodiscard]] proposal_claim* proposal_of(view_number view, sequence_number sequence);
  [[nodiscard]] bool is_worth_proving(const evidence& shown) const;
  /// Each of these adds evidence to the proofs if it proves a misbehaviour of a replica that is not avoided as primary,
  /// and verifies only the signatures that were not verified before.
  void prove_alone(evidence_item claimed, findings& out);
  bool prove(const evidence_item& remembered, const authentic_item& said, findings& out);
  bool prove(const authentic_item& before, const authentic_item& said, findings& out) const;

  cluster_parameters cluster_;
  const validator* checks_;
  replica_position at_;
  std::uint64_t checks_made_ = 0;
  std::vector<replica_id> avoided_as_primary_;
  std::vector<std::unique_ptr<replica_record>> replicas_;
  /// By sequence, two views each. Only the primary of a view has proposals.
  std::vector<std::array<proposal_claim, 2>> proposals_;
};

}  // namespace hypermesh
