#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "actors/protocol/client/client_core.hpp"
#include "tests/support/core_node.hpp"
#include "tests/support/message_samples.hpp"
#include "tests/support/order_checker.hpp"
#include "tests/support/request_factory.hpp"

namespace hypermesh::testing {

/// The faults of the network. All random choices come from the cluster's seed.
struct delivery_faults {
  std::uint64_t drop_percent = 0;
  std::uint64_t duplicate_percent = 0;
  /// Each frame takes 1 … `delay_max` moments. So frames overtake each other when `delay_max` exceeds 1.
  std::uint64_t delay_max = 1;
  /// The number of moments that the transmission of one STATE-CHUNK takes, while the next one waits. With 0 there is no
  /// limit.
  std::uint64_t moments_per_chunk = 0;
};

struct core_cluster_options {
  cluster_parameters cluster = small_cluster(4);
  std::uint64_t seed = 1;
  delivery_faults faults;
  batch_settings batching;
  view_change_settings views = {120ms, 20ms, 80ms, 4};
  client_settings clients = {1, 3ms, session_mode::ordered, 16, 4'096, 40ms, 200ms, 1'000s};
  /// The number of extra bytes of each chunk of state, and of extra chunks that never change.
  std::size_t state_padding = 0;
  std::size_t state_ballast = 0;
  /// All replicas start with new directories, as `init` makes them.
  bool new_directories = false;
};

/// A cluster of pure cores and clients over a seeded network that drops, delays, duplicates and partitions. There are
/// no actors, threads or clocks: one moment follows the other, and equal seeds give equal histories. After each event
/// an `order_checker` checks all correct replicas.
class core_cluster {
 public:
  /// Replaces a frame of a Byzantine replica to `to` by other frames. If the list is empty, no frame is sent.
  using intercept = std::function<std::vector<frame_ptr>(principal to, const frame_ptr& frame)>;

  explicit core_cluster(const core_cluster_options& options);

  /// Submits an operation of a client at once.
  void submit(client_id client, std::string_view operation);

  /// From now on, `lie` decides the frames of this replica, and the replica does not count as correct any more.
  void corrupt(replica_id replica, intercept lie);

  /// Puts `through` between a correct replica and the network. `through` may lose or repeat frames.
  void filter(replica_id replica, intercept through) { filters_[replica] = std::move(through); }

  /// The replica loses its disk and restarts on probation.
  void lose_disk(replica_id replica) { replace_disk(replica, false); }
  /// The replica restarts with a second copy of the directory that `init` made for it.
  void deploy_again(replica_id replica) { replace_disk(replica, true); }

  /// Frames from `from` to `to` are lost until `heal`.
  void cut_link(principal from, principal to) { cut_links_.emplace(from, to); }
  /// Frames in both directions between `replica` and all other nodes are lost until `heal`.
  void isolate(replica_id replica);
  void heal() { cut_links_.clear(); }
  void set_faults(const delivery_faults& faults) { faults_ = faults; }

  /// Runs for this number of moments, or stops at a violation.
  void run(std::uint64_t moments);
  /// Runs until every operation has its result and every correct replica has executed everything. Returns false when
  /// this takes longer than `moments_max` or an invariant is violated.
  bool settle(std::uint64_t moments_max);

  [[nodiscard]] bool is_settled() const;
  [[nodiscard]] const std::optional<std::string>& violation() const { return checker_.violation(); }
  [[nodiscard]] core_node& node(std::uint32_t number) { return *nodes_.at(number); }
  [[nodiscard]] const core_node& node(std::uint32_t number) const { return *nodes_.at(number); }
  [[nodiscard]] const order_checker& checker() const { return checker_; }
  [[nodiscard]] const request_factory& factory() const { return factory_; }
  [[nodiscard]] const std::vector<submit_outcome>& outcomes() const { return outcomes_; }
  [[nodiscard]] std::uint64_t now() const { return now_; }
  /// The number of STATE-CHUNKs that the network has carried.
  [[nodiscard]] std::uint64_t chunks_carried() const { return chunks_carried_; }
  /// A line for failing tests: seed, moment, the sequence number that each replica executed, and the violation.
  [[nodiscard]] std::string describe() const;

 private:
  struct frame_on_its_way {
    principal from;
    principal to;
    frame_ptr frame;
  };

  [[nodiscard]] std::unique_ptr<core_node> make_node(replica_id id, order_checker& checker) const;
  void replace_disk(replica_id replica, bool looks_new);
  void pass_moment();
  /// The present moment as the cores know it.
  [[nodiscard]] moment time() const;
  void deliver(const frame_on_its_way& event);
  void send(principal from, principal to, const frame_ptr& frame);
  void send_of(core_node& node);
  void send_of(std::uint32_t client, client_effects effects);
  void run_executors();

  core_cluster_options options_;
  request_factory factory_;
  delivery_faults faults_;
  sample_source random_;
  order_checker checker_;
  /// The checker of Byzantine replicas, whose findings are ignored.
  order_checker ignored_;
  std::vector<std::unique_ptr<core_node>> nodes_;
  std::vector<std::unique_ptr<client_core>> clients_;
  std::set<replica_id> corrupt_;
  std::map<replica_id, intercept> filters_;
  std::set<std::pair<principal, principal>> cut_links_;
  std::multimap<std::uint64_t, frame_on_its_way> network_;
  std::vector<submit_outcome> outcomes_;
  std::uint64_t submitted_ = 0;
  std::uint64_t chunks_carried_ = 0;
  /// The moment at which the network will have delivered all STATE-CHUNKs that were sent so far.
  std::uint64_t chunks_done_at_ = 0;
  std::uint64_t now_ = 0;
};

}  // namespace hypermesh::testing
