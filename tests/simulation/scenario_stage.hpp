#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/simulation/invariant_checker.hpp"
#include "tests/simulation/scenario_script.hpp"
#include "tests/simulation/scenario_transcript.hpp"
#include "tests/support/request_factory.hpp"
#include "tests/support/simulated_world.hpp"

namespace hypermesh::testing {

/// A cluster that follows a script: the simulated world without randomness. Its network delivers at once and in order,
/// and time moves only by command. Invariants are checked throughout for the replicas that still have a node.
/// tests/scenarios/README.md describes the commands.
class scenario_stage final : public world_watcher {
 public:
  scenario_stage();

  /// Executes one block of a script and returns its output.
  [[nodiscard]] std::string run(const std::vector<script_command>& commands);

  void on_observed(endpoint machine, const observation& what) override;
  void on_sent(const frame_transit& transit) override;
  void on_delivered(const frame_transit& transit) override;
  void on_start_refused(endpoint machine, const world_error& why) override;
  void on_faulty(principal who, faulty_because why) override;
  void on_actor_died(principal who, const std::string& reason) override;

 private:
  using action = void (scenario_stage::*)(const script_command&);

  /// Selects frames that the network holds or drops. An empty set matches every member.
  struct filter {
    simulated_network::verdict decided = simulated_network::verdict::pass;
    std::string kind;
    std::set<principal> from;
    std::set<principal> to;

    [[nodiscard]] bool matches(const frame_transit& transit) const;
  };

  // The commands that create the cluster and control its network and time.
  void make_cluster(const script_command& command);
  void submit(const script_command& command);
  void hold(const script_command& command) { add_filter(simulated_network::verdict::hold, command); }
  void drop(const script_command& command) { add_filter(simulated_network::verdict::drop, command); }
  void pass(const script_command& command);
  void release(const script_command& command);
  void advance(const script_command& command);
  void stabilize(const script_command& command);
  void remove(const script_command& command);
  void misbehave(const script_command& command);
  void show(const script_command& command);
  void mute(const script_command&) { transcript().mute(true); }
  void unmute(const script_command&) { transcript().mute(false); }
  void tell_status(const script_command& command);
  void tell_value(const script_command& command);

  // The commands that send messages of a faulty replica or client.
  void define_batch(const script_command& command);
  void send_pre_prepare(const script_command& command);
  void send_prepare(const script_command& command) { send_vote(message_kind::prepare, command); }
  void send_commit(const script_command& command) { send_vote(message_kind::commit, command); }
  void send_checkpoint(const script_command& command) { send_vote(message_kind::checkpoint, command); }
  void send_vote(message_kind kind, const script_command& command);
  void send_request(const script_command& command);
  void send_requests(const script_command& command);
  void send_reply(const script_command& command);
  void send_chunk(const script_command& command);
  void send_leaves(const script_command& command);
  void send_proof(const script_command& command);

  void add_filter(simulated_network::verdict decided, const script_command& command);
  [[nodiscard]] static filter filter_of(const script_command& command);
  [[nodiscard]] signed_statement statement_of(message_kind kind, const script_command& command);
  [[nodiscard]] digest digest_named(const std::string& name);
  [[nodiscard]] request request_of(const script_command& command) const;
  void send_from(principal from, const script_command& command, const frame_ptr& frame);
  [[nodiscard]] simulated_world& world();
  [[nodiscard]] scenario_transcript& transcript();

  std::map<std::string, action> actions_;
  splitmix64 chance_{0};
  digest_names names_;
  std::unique_ptr<scenario_transcript> transcript_;
  std::unique_ptr<request_factory> factory_;
  std::unique_ptr<invariant_checker> checker_;
  std::vector<filter> filters_;
  /// The requests of each batch that the script defined.
  std::map<std::string, std::vector<request>> batches_;
  /// It must be destroyed first, because its actors call this object until then.
  std::unique_ptr<simulated_world> world_;
};

/// Runs a whole script on a new stage. Returns the script with the actual output in it.
[[nodiscard]] std::string run_scenario(const std::string& script);

}  // namespace hypermesh::testing
