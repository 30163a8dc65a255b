#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "actors/ports.hpp"
#include "actors/protocol/guard/equivocation_detector.hpp"
#include "actors/protocol/guard/peer_trust.hpp"

namespace hypermesh::protocol {

/// The result of one step of `evidence_pool`.
struct evidence_pool_effects {
  std::vector<outgoing_message> sends;
  /// System requests for the request pool of this node.
  std::vector<system_request> requests;
  /// Evidence against replicas that was verified in this step, including evidence for which the pool has no room.
  std::vector<proven_misbehaviour> proven;
  /// Names of cases that no longer need to be ordered. The request pool forgets them, so that no primary is blamed for
  /// not ordering them.
  std::vector<case_name> dropped;
  std::vector<observation> observations;
};

/// The open cases of this node, until the total order has them (R12). There are two separate classes of cases: evidence
/// of a misbehaviour, which convicts once it is ordered, and group requests, which never convict. Pure. Every input was
/// verified before.
///
/// A replica that finds evidence sends it to all others. If the accused is the primary, each replica then suspects it
/// at once. A later primary that does not order the evidence is suspected too. A group request is opened by each
/// replica that has enough votes.
///
/// Memory: `open_max` cases of at most `limits::request_bytes_max`, and their decoded evidence, at most three times as
/// much; `open_per_accused_max` of them for each accused;
/// one vote of each replica for each place of a group request; 256 names of settled cases.
class evidence_pool {
 public:
  /// Open cases in all, and against one principal.
  static constexpr std::size_t open_max = 32;
  static constexpr std::size_t open_per_accused_max = 2;
  /// Open cases against clients. This bound is separate, because many clients together could otherwise use up the
  /// places of cases against replicas.
  static constexpr std::size_t open_of_clients_max = 8;
  /// A case that is not ordered is submitted again up to 8 times: after 0.5 s, then after twice the time before, at
  /// most 16 s. That is about one minute, so a case survives a network partition of that length.
  static constexpr unsigned repeats_max = 8;
  static constexpr duration repeat_period = 500ms;
  static constexpr duration repeat_max = 16s;
  /// By complaint reason: the number of misbehaviours of one replica within `complaint_reason_window` that lead to a
  /// complaint. Index 0 is unused.
  static constexpr std::array<std::uint32_t, complaint_reason_last + 1> complaint_reasons_until = {0, 32, 4'096, 2, 3};
  static_assert(complaint_reasons_until.back() > 0, "a number for each complaint reason");
  static constexpr duration complaint_reason_window = 30s;
  /// A replica supports the same wish of another replica at most once in this time, because support costs a signature
  /// and a broadcast.
  static constexpr duration support_pause = 250ms;

  /// `keys` signs as `self` and outlives the pool.
  evidence_pool(const cluster_parameters& cluster, replica_id self, const authenticator& keys);

  /// The equivocation detector found this evidence, or the request pool did if it is evidence against a client.
  [[nodiscard]] evidence_pool_effects on_found(const evidence& proof, moment now);
  /// A system request of another replica. The validator refuses system requests of clients.
  [[nodiscard]] evidence_pool_effects on_request(const system_request& value, moment now);
  [[nodiscard]] evidence_pool_effects on_complaint(const signed_statement& vote, moment now);
  [[nodiscard]] evidence_pool_effects on_release(const signed_statement& vote, moment now);
  /// The operator of this node wants `replica` released from quarantine.
  [[nodiscard]] evidence_pool_effects on_release_wanted(replica_id replica, moment now);

  /// This replica lost its disk and asks the others for its readmission. The caller repeats this call until the
  /// readmission is over.
  [[nodiscard]] evidence_pool_effects on_readmission_wanted(const readmission_wish& wish, moment now);
  /// A READMISSION of another replica: for itself, or in support of a third replica.
  [[nodiscard]] evidence_pool_effects on_readmission(const signed_statement& vote, moment now);
  [[nodiscard]] evidence_pool_effects on_hand_over(const signed_statement& vote, moment now);
  /// This replica has entered `view`, or waits for its NEW-VIEW.
  [[nodiscard]] evidence_pool_effects on_view(view_number view);

  /// This node observed a misbehaviour that it cannot prove to others.
  [[nodiscard]] evidence_pool_effects on_misbehaved(const observed_misbehaviour& seen, moment now);
  /// The agreed reputation after the execution of a batch, or after the installation of a state.
  [[nodiscard]] evidence_pool_effects on_agreed(const agreed_reputation& agreed);
  [[nodiscard]] evidence_pool_effects on_tick(moment now);

  /// The number of open cases, for tests and measurements.
  [[nodiscard]] std::size_t open_cases() const { return open_.size(); }

 private:
  struct open_case {
    system_claim about;
    /// The system request with its decoded evidence, so that the case can be submitted again without decoding it again.
    system_request asked;
    /// When the case was submitted last, and the number of intervals so far. The count starts with 1 for a case that
    /// this node did not send to all replicas.
    moment told_at{};
    unsigned repeats = 0;
  };
  struct tally {
    std::uint32_t seen = 0;
    moment since{};
  };
  /// Kind, replica, and complaint reason or hand-over cause. For each place, one vote of each replica is kept: the
  /// newest.
  using group_request_place = std::pair<message_kind, std::pair<replica_id, std::uint8_t>>;

  /// Whether the case is neither open nor settled, and the pool has room for it. Verified evidence against a replica is
  /// reported in `out` even if there is no room.
  [[nodiscard]] bool is_news(const system_claim& about, evidence_pool_effects& out) const;
  void open(const system_claim& about, system_request asked, bool tell, moment now, evidence_pool_effects& out);
  /// Signs the same request as `asked`, if `asked` was signed by the replica that needs it and its numbers are
  /// plausible.
  void support(message_kind kind, const signed_statement& asked, moment now, evidence_pool_effects& out);
  [[nodiscard]] bool is_sensible(const group_request& wanted) const;
  [[nodiscard]] static group_request_place place_of(const group_request& wanted);
  void vote(message_kind kind, const statement& content, moment now, evidence_pool_effects& out);
  void count_vote(message_kind kind, const signed_statement& said, moment now, evidence_pool_effects& out);
  [[nodiscard]] sequence_number period_for(replica_id about, complaint_reason why) const;
  [[nodiscard]] bool is_settled(const system_claim& about) const;
  [[nodiscard]] bool is_over(const group_request& wanted) const;
  [[nodiscard]] bool has_room(const std::optional<principal>& accused) const;
  void drop_if(const std::function<bool(const open_case&)>& is_over, evidence_pool_effects& out);

  cluster_parameters cluster_;
  replica_id self_;
  const authenticator* keys_;
  agreed_reputation agreed_;
  std::map<case_name, open_case> open_;
  /// Names of the cases that were settled most recently, the newest last.
  std::deque<case_name> settled_;
  std::map<std::pair<replica_id, complaint_reason>, tally> tallies_;
  view_number view_;
  /// When this replica last supported a request at this place.
  std::map<group_request_place, moment> supported_at_;
  /// The newest vote of each replica at each place.
  std::map<group_request_place, std::map<replica_id, signed_statement>> votes_;
};

}  // namespace hypermesh::protocol
