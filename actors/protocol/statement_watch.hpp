#pragma once

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "actors/protocol/accusation.hpp"
#include "actors/protocol/early_filter.hpp"
#include "actors/protocol/validator.hpp"

namespace hypermesh {

/// Remembers what each replica signed and finds two words that exclude each other, or one that nobody may say (attacks
/// 8, 13, 39). Pure; the single writer of the signed statements that were seen.
///
/// It sees every message before anybody checks its signature, also those that come too late to matter: remembering
/// costs a look, and only words that exclude each other are verified. Votes are remembered unverified only from the
/// link of who casts them, so that nobody fills the place of another. Of what turns out to be nobody's word the new one
/// takes the place. VIEW-CHANGEs and NEW-VIEWs are verified before they are remembered: they are few (`costly_quota`),
/// and a forged one must not hide a true one. An equivocating primary tells each replica one thing; so a replica that
/// sees votes for another digest than that of its own proposal shows the proposal to the voter.
///
/// Memory: for each replica that spoke, two views of a window of votes, a window of CHECKPOINTs, one VIEW-CHANGE and
/// one NEW-VIEW; 88 KiB with L = 256 and documents of up to `limits::exhibit_bytes_max`. Nothing that a replica says
/// takes the place of what it said in the present view and window.
class statement_watch {
 public:
  /// `checks` outlives the watch.
  statement_watch(const cluster_parameters& cluster, const validator& checks);

  /// For the eyes of one replica.
  struct showing {
    replica_id to;
    exhibits what;
  };
  struct findings {
    /// Each of them convicts.
    std::vector<exhibits> proofs;
    std::vector<showing> shows;

    [[nodiscard]] bool empty() const { return proofs.empty() && shows.empty(); }
  };

  /// A decoded message on the link of `sender`, whatever will become of it.
  [[nodiscard]] findings on_message(replica_id sender, const message& value);
  /// The validator let it pass: what it quotes was said.
  [[nodiscard]] findings on_verified(const message& value);
  /// The validator refused it.
  [[nodiscard]] findings on_refused(const message& value, rejection why);
  void on_position(const replica_position& at) { at_ = at; }
  /// Signatures that were verified here, and documents, since the start.
  [[nodiscard]] std::uint64_t checks_made() const { return checks_made_; }
  /// Who is convicted, or proven faulty: what else they contradict themselves in convicts nobody, and costs checks. In
  /// ascending order.
  void on_shunned(std::vector<replica_id> shunned) { shunned_ = std::move(shunned); }

 private:
  /// What a replica said of one (v, n): the digest, and a signature for PREPARE and COMMIT.
  struct vote_claim {
    view_number view;
    digest value;
    std::array<signature, 2> by;
    std::array<bool, 2> said{};
    /// What it contradicts itself in is known.
    bool is_closed = false;
  };
  /// Of one sequence: this view and the one before or after.
  struct vote_slot {
    sequence_number sequence;
    std::array<vote_claim, 2> of_view;
  };
  struct proposal_claim {
    view_number view;
    sequence_number sequence;
    std::optional<signed_statement> header;
    bool is_closed = false;
    /// To whom it was shown.
    std::vector<bool> shown_to;
  };
  struct checkpoint_claim {
    std::optional<signed_statement> said;
    bool is_closed = false;
  };
  struct document_claim {
    view_number view;
    std::optional<exhibit> said;
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
  void note_view_change(const hypermesh::view_change& value, bool is_verified, findings& out);
  void note_certificates(const hypermesh::view_change& value, findings& out);
  void note_document(document_claim& known, view_number view, exhibit shown, findings& out);
  void look_for_hidden(const hypermesh::view_change& value, const exhibit& shown, findings& out);
  void show_proposal(const statement& vote, findings& out);
  /// Whether the vote stands where it can be remembered.
  [[nodiscard]] bool is_near(const statement& content) const;
  [[nodiscard]] bool is_shunned(replica_id replica) const;
  void show_to_voters(const statement& proposed, findings& out);
  [[nodiscard]] bool prove_against(const vote_claim& claim, message_kind kind, const signed_statement& said,
                                   findings& out);
  [[nodiscard]] bool is_better_word(message_kind kind, const signature& known, const signed_statement& said);
  [[nodiscard]] bool is_known_word(message_kind kind, const signed_statement& said);
  [[nodiscard]] replica_record* record_of(replica_id replica);
  [[nodiscard]] vote_claim* claim_of(const statement& content);
  [[nodiscard]] proposal_claim* proposal_of(view_number view, sequence_number sequence);
  /// Adds the proof when it is one.
  bool prove(exhibits shown, findings& out);

  cluster_parameters cluster_;
  const validator* checks_;
  replica_position at_;
  std::uint64_t checks_made_ = 0;
  std::vector<replica_id> shunned_;
  std::vector<std::unique_ptr<replica_record>> replicas_;
  /// By sequence, two views each: only the primary of a view has any.
  std::vector<std::array<proposal_claim, 2>> proposals_;
};

}  // namespace hypermesh
