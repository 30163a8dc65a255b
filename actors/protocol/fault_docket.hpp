#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "actors/ports.hpp"
#include "actors/protocol/statement_watch.hpp"
#include "actors/protocol/trust_book.hpp"

namespace hypermesh {

/// What one step of `fault_docket` wants.
struct docket_effects {
  std::vector<outgoing_message> sends;
  /// REQUESTs of the guard for this node's own batcher.
  std::vector<frame_ptr> requests;
  std::vector<proven_case> proven;
  /// Cases that nobody needs any more: the batcher forgets them, so that no primary is blamed for not ordering them.
  std::vector<request_id> dropped;
  std::vector<observation> observations;
};

/// The fault detector's cases, open until the total order has them (R12). Two classes, never mixed: proofs, which are
/// ordered and convict; and complaints, which need f+1 replicas and throttle. Pure; what it is given was verified.
///
/// Whoever finds a proof tells all others, so that each of them suspects an accused primary and holds the next one to
/// ordering it. Memory: `open_max` cases of at most `limits::request_bytes_max`, few of them for each accused, and the
/// votes of each replica for each other one.
class fault_docket {
 public:
  static constexpr std::size_t open_max = 32;
  static constexpr std::size_t open_per_accused_max = 2;
  /// Clients are many, and must not take the places of cases against replicas.
  static constexpr std::size_t open_of_clients_max = 8;
  /// A case that was not ordered is told again so often, at first this far apart, then twice as far each time: for a
  /// minute, which a partition may last.
  static constexpr unsigned repeats_max = 8;
  static constexpr microseconds_t repeat_us = 500'000;
  static constexpr microseconds_t repeat_us_max = 16'000'000;
  /// Misbehaviours within `grievance_window_us` that are worth a complaint.
  static constexpr std::array<std::uint32_t, grievance_last + 1> grievances_until = {0, 32, 4'096, 2, 3};
  static_assert(grievances_until.back() > 0, "a number for each grievance");
  static constexpr microseconds_t grievance_window_us = 30'000'000;
  /// What a replica asks for is looked at once in this time: it costs everybody a signature and a broadcast.
  static constexpr microseconds_t support_pause_us = 250'000;

  /// `keys` signs as `self` and outlives the docket.
  fault_docket(const cluster_parameters& cluster, replica_id self, const authenticator& keys);

  /// The watch found this proof.
  [[nodiscard]] docket_effects on_found(const exhibits& proof, microseconds_t now);
  /// A REQUEST of the guard that another replica, or anybody, sent.
  [[nodiscard]] docket_effects on_request(const request& value, microseconds_t now);
  [[nodiscard]] docket_effects on_complaint(const signed_statement& vote, microseconds_t now);
  [[nodiscard]] docket_effects on_pardon(const signed_statement& vote, microseconds_t now);
  /// The operator of this node wants a replica released.
  [[nodiscard]] docket_effects on_pardon_wanted(replica_id replica, microseconds_t now);

  /// This replica lost its disk and asks the others to bring it back; called again until it is back.
  [[nodiscard]] docket_effects on_readmission_wanted(const readmission_wish& wish, microseconds_t now);
  /// Another replica asks for itself, or supports one that does.
  [[nodiscard]] docket_effects on_readmission(const signed_statement& vote, microseconds_t now);
  [[nodiscard]] docket_effects on_hand_over(const signed_statement& vote, microseconds_t now);
  /// The view that this replica is in, or waits for.
  [[nodiscard]] docket_effects on_view(view_number view);

  [[nodiscard]] docket_effects on_misbehaved(const misdeed& seen, microseconds_t now);
  [[nodiscard]] docket_effects on_agreed(const agreed_reputation& agreed);
  [[nodiscard]] docket_effects on_tick(microseconds_t now);

  [[nodiscard]] std::size_t open_cases() const { return open_.size(); }

 private:
  struct open_case {
    guard_case about;
    frame_ptr frame;
    microseconds_t told_at = 0;
    unsigned repeats = 0;
  };
  struct tally {
    std::uint32_t seen = 0;
    microseconds_t since = 0;
  };
  using ballot_place = std::pair<message_kind, std::pair<replica_id, std::uint8_t>>;

  /// Whether it is a new one.
  [[nodiscard]] bool is_news(const guard_case& about, docket_effects& out) const;
  void open(const guard_case& about, frame_ptr frame, bool tell, microseconds_t now, docket_effects& out);
  void support(message_kind kind, const signed_statement& asked, microseconds_t now, docket_effects& out);
  [[nodiscard]] bool is_sensible(const ballot& wanted) const;
  [[nodiscard]] static ballot_place place_of(const ballot& wanted);
  void vote(message_kind kind, const statement& content, microseconds_t now, docket_effects& out);
  void count_vote(message_kind kind, const signed_statement& said, microseconds_t now, docket_effects& out);
  [[nodiscard]] sequence_number period_for(replica_id about, grievance why) const;
  [[nodiscard]] bool is_settled(const guard_case& about) const;
  [[nodiscard]] bool is_over(const ballot& wanted) const;
  [[nodiscard]] bool has_room(const std::optional<principal>& accused) const;
  void drop_if(const std::function<bool(const open_case&)>& is_over, docket_effects& out);

  cluster_parameters cluster_;
  replica_id self_;
  const authenticator* keys_;
  agreed_reputation agreed_;
  std::map<request_id, open_case> open_;
  /// Names of cases that were ordered, the newest last.
  std::deque<request_id> settled_;
  std::map<std::pair<replica_id, grievance>, tally> tallies_;
  view_number view_;
  /// When this replica last supported what each other one asked for.
  std::map<ballot_place, microseconds_t> supported_at_;
  /// The last word of each replica in each ballot.
  std::map<ballot_place, std::map<replica_id, signed_statement>> votes_;
};

}  // namespace hypermesh
