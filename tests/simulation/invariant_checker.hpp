#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "actors/ports.hpp"
#include "actors/protocol/base/cluster.hpp"
#include "actors/protocol/base/effects.hpp"
#include "actors/protocol/base/observations.hpp"
#include "actors/protocol/durability/recovery.hpp"
#include "tests/simulation/committed_order.hpp"
#include "tests/simulation/proposed_times.hpp"
#include "tests/simulation/view_change_causes.hpp"

namespace hypermesh::testing {

/// A violated invariant: its number in the list of invariants, and a description of the violation.
struct violation {
  std::string invariant;
  std::string what;
};

/// Bounds that the run's settings imply.
struct invariant_bounds {
  /// The largest number of requests in one replica's batcher.
  std::uint64_t requests_pending_max = 0;
  /// The largest number of records on one replica's disk.
  std::uint64_t records_max = 0;
  /// Whether every node is correct, so that no frame may be refused for its form or meaning.
  bool all_correct = true;
};

/// Says how strictly the messages and acts of a replica are checked.
enum class standing : std::uint8_t {
  correct,
  /// Its disk forgot its messages. The replica may contradict itself, but it must execute the same batches as the
  /// others.
  forgetful,
  /// The replica may do anything.
  faulty
};

/// Watches the acts and messages of correct replicas and clients, and keeps the first violation. The invariants are: I1
/// agreement, I2 gap-free common prefix, I3 only requests that clients signed and sent are executed, I4 exactly once,
/// I5 clients accept exactly the results of the order, I6 certificates, I7 votes are durable before they leave (attack
/// 9), I8 views grow, I9 watermarks, I10 equal states at equal checkpoints, I12 bounds, I13 no correct node fails or
/// has a frame refused for form or meaning, I14 no correct replica contradicts itself (attack 8), I17 the order inside
/// each session, I18 views are left for a cause only, and I19 the ordered time. Pure.
class invariant_checker {
 public:
  /// Whether the replica's disk has this record, or a record that binds the replica more strongly.
  using durability = std::function<bool(replica_id, const storage_record&)>;

  /// `keys` verifies signatures and must outlive the checker. `model` executes the order a second time.
  invariant_checker(const cluster_parameters& cluster, const authenticator& keys, std::unique_ptr<state_machine> model,
                    invariant_bounds bounds);

  void set_durability(durability is_durable) { is_durable_ = std::move(is_durable); }
  /// Without it, the time of a batch is not compared with clocks.
  void set_latest_reading(proposed_times::latest_reading read) { times_.set_latest_reading(std::move(read)); }

  /// Called when a process of a client sends a REQUEST, for the first time or again.
  /// `carried` is the same as in `client_history`.
  void on_request_sent(client_id process, const request& value,
                       const std::vector<std::optional<std::size_t>>& carried = {});
  /// From now on, the replica is checked less strictly.
  void distrust(replica_id replica, standing now);
  /// From now on, the messages of this client are not checked.
  void distrust(client_id client) { untrusted_clients_.insert(client); }
  /// Whether the client is trusted. All processes of a client are trusted, or none of them.
  [[nodiscard]] bool trusts(client_id process) const { return !untrusted_clients_.contains(client_of(process)); }
  [[nodiscard]] standing standing_of(replica_id replica) const { return standings_.at(replica.value); }

  /// Called when a replica reports an observation.
  void on_observed(replica_id replica, const observation& what);
  /// Called when a replica sends a message.
  void on_message_sent(replica_id replica, const message& value, const frame_ptr& frame);
  /// Called when the client's operation with this number, counted from zero, has this outcome.
  void on_outcome(client_id client, std::size_t number, const std::variant<operation_result, std::string>& outcome);
  /// Called when a query has this answer. A correct replica must have had this answer at some time.
  void on_query_outcome(client_id client, byte_span operation,
                        const std::variant<operation_result, std::string>& outcome);
  /// The last sequence number that a client has seen so far, in the result of an operation or of a linearizable read.
  [[nodiscard]] sequence_number seen() const { return seen_; }
  /// Called when a linearizable read has this outcome. `seen` was `seen()` when the read began.
  void on_read_outcome(client_id client, byte_span operation, sequence_number seen,
                       const std::variant<operation_result, std::string>& outcome);
  /// The marks of the replica's core after a step.
  void on_marks(replica_id replica, sequence_number low, sequence_number last_executed);
  void on_records_held(replica_id replica, std::uint64_t count);
  /// A node starts with the content of its disk. It may repeat acts that were only in its memory.
  void on_started(replica_id replica, const recovered_replica& past);
  void on_actor_died(principal who, const std::string& reason);

  /// Reports a violation that the run itself found.
  void report(std::string_view invariant, std::string what);

  [[nodiscard]] const std::optional<violation>& violated() const { return violated_; }
  [[nodiscard]] committed_order& order() { return order_; }
  [[nodiscard]] std::uint64_t views_opened() const { return views_opened_; }
  [[nodiscard]] std::uint64_t states_installed() const { return states_installed_; }
  [[nodiscard]] std::uint64_t checkpoints_stable() const { return roots_.size(); }
  [[nodiscard]] const std::map<rejection, std::uint64_t>& rejections() const { return rejections_; }

 private:
  /// The statements of one replica so far.
  struct replica_track {
    view_number view;
    view_number entered;
    /// The views in which the disk last forgot the records that a state covers. Slots above the last such state were
    /// opened since the third last of these times.
    std::deque<view_number> views_at_kept;
    sequence_number low;
    /// The sequence number that the replica core has committed, and the sequence number that the executor has applied.
    sequence_number committed;
    sequence_number applied;
    sequence_number installed;
    sequence_number stable;
    /// The marks that the core showed last.
    sequence_number core_low;
    sequence_number core_executed;
  };

  /// The client whose key a process uses: see `processes_of`.
  [[nodiscard]] client_id client_of(client_id process) const { return client_id{process.value % cluster_.clients}; }

  struct watching;
  using signed_statement_place = std::pair<view_number, sequence_number>;

  void on_committed(replica_id replica, const committed_batch& content);
  void on_executed(replica_id replica, const batch_was_executed& executed);
  void on_watermarks(replica_id replica, const watermarks_moved& moved);
  void on_stable(replica_id replica, const checkpoint_became_stable& stable);
  void on_installed(replica_id replica, const state_was_installed& installed);
  void on_rejected(replica_id replica, const frame_rejected& rejected);
  void check_certificate(replica_id replica, const committed_batch& content);
  void check_body(const committed_batch& content);
  void check_statement(replica_id replica, message_kind kind, const signed_statement& said, const frame_ptr& frame);
  void check_new_view(const new_view& opened, const frame_ptr& frame, replica_id sender);
  void check_view_change(const view_change& change, const frame_ptr& frame, replica_id sender);
  /// Whether the messages of the replica must not contradict each other.
  [[nodiscard]] bool is_bound(replica_id replica) const { return standing_of(replica) == standing::correct; }
  /// Whether a frame of the sender may be refused for this reason although no node is wrong.
  [[nodiscard]] bool may_refuse(principal sender, rejection reason) const;
  /// I18: reports a missing cause, if there is one.
  void check_cause(replica_id sender, const std::optional<std::string>& wrong);
  /// I19: reports a wrong time, if there is one.
  void check_time(const std::optional<std::string>& wrong);
  [[nodiscard]] static digest submitted_digest_of(const request& value);
  void check_document(replica_id replica, record_kind kind, view_number view, const frame_ptr& frame);
  void check_root(sequence_number sequence, const digest& root);
  /// I14: evidence accuses only faulty members.
  void on_accused(replica_id by, principal accused);
  void check_case(const system_request& value);

  /// Reports a violation unless `holds` is true. The text is made only in that case.
  template <class Text>
  bool expect(bool holds, std::string_view invariant, Text text) {
    if (!holds && !violated_) report(invariant, text());
    return holds;
  }

  cluster_parameters cluster_;
  const authenticator* keys_;
  committed_order order_;
  sequence_number seen_;
  proposed_times times_;
  invariant_bounds bounds_;
  durability is_durable_;
  std::vector<replica_track> tracks_;
  std::vector<standing> standings_;
  std::map<sequence_number, digest> roots_;
  /// The digests of each request that its client sent. A correct client sends only one.
  std::map<request_id, std::set<digest>> submitted_;
  std::set<client_id> untrusted_clients_;
  /// The request and index of each operation of a client, in the order in which the client received the operations.
  std::map<client_id, std::vector<std::pair<request_id, std::size_t>>> operations_;
  /// The digest that each replica signed for (kind, view, sequence).
  std::map<std::tuple<replica_id, message_kind, view_number, sequence_number>, digest> said_;
  /// The places of the reproposals in all NEW-VIEWs. Their bodies are durable under an earlier view.
  std::set<signed_statement_place> reproposed_;
  /// The view in which each sequence of the order was committed first.
  std::vector<view_number> committed_in_;
  view_change_causes causes_;
  std::uint64_t views_opened_ = 0;
  std::map<rejection, std::uint64_t> rejections_;
  std::uint64_t states_installed_ = 0;
  std::optional<violation> violated_;
};

}  // namespace hypermesh::testing
