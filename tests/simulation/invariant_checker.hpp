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
#include "tests/simulation/view_change_causes.hpp"

namespace hypermesh::testing {

/// An invariant that did not hold, by its number in the list of invariants, and how it broke.
struct violation {
  std::string invariant;
  std::string what;
};

/// Bounds that the run's settings imply.
struct invariant_bounds {
  /// Requests of one replica's batcher.
  std::uint64_t requests_pending_max = 0;
  /// Records of one replica's disk.
  std::uint64_t records_max = 0;
  /// Whether every node is correct, so that no frame may be refused for its form or meaning.
  bool all_correct = true;
};

/// How much of what a replica says and does is held against it.
enum class standing : std::uint8_t {
  correct,
  /// Its disk forgot what it said: it may contradict itself, but executes nothing else than the others.
  forgetful,
  /// It may do anything.
  faulty
};

/// Watches the acts and messages of correct replicas and clients, and keeps the first violation: I1 agreement, I2
/// gap-free common prefix, I3 only requests that clients signed and sent are executed, I4 exactly once, I5 clients
/// accept exactly the results of the order, I6 certificates, I7 votes are durable before they leave (attack 9), I8
/// views grow, I9 watermarks, I10 equal states at equal checkpoints, I12 bounds, I13 no correct node fails or has a
/// frame refused for form or meaning, I14 no correct replica contradicts itself (attack 8), I17 the order inside each
/// session, and I18 views are left for a cause only. Pure.
class invariant_checker {
 public:
  /// Whether the replica's disk holds this record, or one that binds it more.
  using durability = std::function<bool(replica_id, const storage_record&)>;

  /// `keys` verifies and outlives the checker; `model` executes the order once more.
  invariant_checker(const cluster_parameters& cluster, const authenticator& keys, std::unique_ptr<state_machine> model,
                    invariant_bounds bounds);

  void set_durability(durability is_durable) { is_durable_ = std::move(is_durable); }

  /// A process of a client sent a REQUEST, for the first time or again.
  void on_request_sent(client_id process, const request& value);
  /// From now on less is held against a replica.
  void distrust(replica_id replica, standing now);
  /// From now on a client may say anything.
  void distrust(client_id client) { untrusted_clients_.insert(client); }
  /// All processes of a client, or none.
  [[nodiscard]] bool trusts(client_id process) const { return !untrusted_clients_.contains(client_of(process)); }
  [[nodiscard]] standing standing_of(replica_id replica) const { return standings_.at(replica.value); }

  /// A replica said something about itself.
  void on_observed(replica_id replica, const observation& what);
  /// A replica sent a message.
  void on_message_sent(replica_id replica, const message& value, const frame_ptr& frame);
  /// The `number`-th operation that was handed to the client, counted from zero, got this outcome.
  void on_outcome(client_id client, std::size_t number, const std::variant<operation_result, std::string>& outcome);
  /// A query got this answer, which a correct replica must have had at some time.
  void on_query_outcome(client_id client, byte_span operation,
                        const std::variant<operation_result, std::string>& outcome);
  /// What the replica's core shows after a step.
  void on_marks(replica_id replica, sequence_number low, sequence_number last_executed);
  void on_records_held(replica_id replica, std::uint64_t count);
  /// A node starts with what its disk remembers: what it had in memory only, it may do again.
  void on_started(replica_id replica, const recovered_replica& past);
  void on_actor_died(principal who, const std::string& reason);

  /// Something that the run itself found.
  void report(std::string_view invariant, std::string what);

  [[nodiscard]] const std::optional<violation>& violated() const { return violated_; }
  [[nodiscard]] committed_order& order() { return order_; }
  [[nodiscard]] std::uint64_t views_opened() const { return views_opened_; }
  [[nodiscard]] std::uint64_t states_installed() const { return states_installed_; }
  [[nodiscard]] std::uint64_t checkpoints_stable() const { return roots_.size(); }
  [[nodiscard]] const std::map<rejection, std::uint64_t>& rejections() const { return rejections_; }

 private:
  /// What one replica has said so far.
  struct replica_track {
    view_number view;
    view_number entered;
    /// When the disk last forgot what a state covers, and the times before: the slots above the last one were opened
    /// since the third last.
    std::deque<view_number> views_at_kept;
    sequence_number low;
    /// Committed by the replica core, applied by the executor.
    sequence_number committed;
    sequence_number applied;
    sequence_number installed;
    sequence_number stable;
    /// As its core showed them.
    sequence_number core_low;
    sequence_number core_executed;
  };

  /// Whose key a process uses: see `processes_of`.
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
  /// Whether what the replica says may not contradict itself.
  [[nodiscard]] bool is_bound(replica_id replica) const { return standing_of(replica) == standing::correct; }
  /// Whether a frame of the sender can be refused for this without anybody being wrong.
  [[nodiscard]] bool may_refuse(principal sender, rejection reason) const;
  /// I18: reports how a cause is missing, if it is.
  void check_cause(replica_id sender, const std::optional<std::string>& wrong);
  void check_document(replica_id replica, record_kind kind, view_number view, const frame_ptr& frame);
  void check_root(sequence_number sequence, const digest& root);
  /// I14: evidence names only faulty ids.
  void on_accused(replica_id by, principal accused);
  void check_case(const system_request& value);

  /// Reports unless `holds`; the text is made only then.
  template <class Text>
  bool expect(bool holds, std::string_view invariant, Text text) {
    if (!holds && !violated_) report(invariant, text());
    return holds;
  }

  cluster_parameters cluster_;
  const authenticator* keys_;
  committed_order order_;
  invariant_bounds bounds_;
  durability is_durable_;
  std::vector<replica_track> tracks_;
  std::vector<standing> standings_;
  std::map<sequence_number, digest> roots_;
  /// Digest of each request as its client sent it: a correct one sends one.
  std::map<request_id, std::set<digest>> submitted_;
  std::set<client_id> untrusted_clients_;
  /// Where the operations of each client went, in the order in which it was given them.
  std::map<client_id, std::vector<std::pair<request_id, std::size_t>>> operations_;
  /// What each replica said of (kind, view, sequence).
  std::map<std::tuple<replica_id, message_kind, view_number, sequence_number>, digest> said_;
  /// Headers of all NEW-VIEWs: their bodies are durable under an earlier view.
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
