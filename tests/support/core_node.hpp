#pragma once

#include <algorithm>
#include <deque>
#include <memory>
#include <variant>
#include <vector>

#include "actors/protocol/admission/request_intake.hpp"
#include "actors/protocol/execution/checkpoint_votes.hpp"
#include "actors/protocol/execution/replicated_state.hpp"
#include "actors/protocol/guard/evidence_pool.hpp"
#include "actors/protocol/ordering/replica_core.hpp"
#include "actors/protocol/transfer/state_donor.hpp"
#include "actors/protocol/transfer/state_transfer.hpp"
#include "actors/protocol/verification/validator.hpp"
#include "actors/protocol/views/view_changer.hpp"
#include "tests/support/counting_machine.hpp"
#include "tests/support/order_checker.hpp"

namespace hypermesh::testing {

/// A frame on its way.
struct sent_frame {
  principal to;
  frame_ptr frame;
};

/// The pure cores of one replica, connected as the actors of a node connect them but without any actor. The executor
/// has its own inbox, so execution may lag behind ordering as it does between actors.
class core_node {
 public:
  /// `keys` and `checker` must outlive the node.
  core_node(const cluster_parameters& cluster, replica_id self, const authenticator& keys,
            const batch_settings& batching, const view_change_settings& views,
            std::unique_ptr<counting_machine> machine, order_checker& checker);

  /// Sets the time of all later events.
  void advance_to(moment now) { now_ = now; }
  /// From now on the wall clock of the node is wrong by this.
  void set_clock_error(duration error) { clock_error_ = error; }
  /// The present reading of the wall clock of the node.
  [[nodiscard]] wall_time wall_clock() const;

  /// Handles a frame that arrived on the link of `sender`.
  void on_frame(principal sender, const frame_ptr& frame);
  void on_tick();
  /// Handles the message with which the operators' tool asks all replicas for a hand-over.
  void on_hand_over(const statement& wanted, const signature& by);
  /// Handles one item of the executor's inbox. Returns false when the inbox is empty.
  bool run_executor();

  /// Starts the node as a replica that lost its disk. Must be called before all other functions.
  void start_on_probation(bool may_be_new = false);

  /// Makes the machine execute an operation that was not ordered. From now on its state differs from that of the
  /// others.
  void spoil() { static_cast<void>(machine_->apply({}, as_byte_span("a bit that flipped"))); }

  /// Returns the frames to send since the last call.
  [[nodiscard]] std::vector<sent_frame> take_sends();

  [[nodiscard]] replica_id self() const { return self_; }
  [[nodiscard]] const replica_core& replica() const { return replica_; }
  [[nodiscard]] const view_changer& views() const { return views_; }
  [[nodiscard]] const request_pool& batcher() const { return batcher_; }
  [[nodiscard]] const replicated_state& state() const { return state_; }
  [[nodiscard]] digest root() { return state_.root(); }
  [[nodiscard]] bool executor_has_work() const { return !inbox_.empty(); }
  [[nodiscard]] std::size_t installs() const { return installs_; }
  [[nodiscard]] std::size_t rejections() const { return rejections_; }
  /// Whether the replica is a full member again. It may then send every message, despite the messages that it forgot.
  [[nodiscard]] bool is_readmitted() const { return readmitted_; }
  /// The number of SUSPICIONs that the replica has sent.
  [[nodiscard]] std::size_t suspicions() const { return suspicions_.size(); }
  [[nodiscard]] bool has_suspected_for(suspicion_reason why) const {
    return std::ranges::find(suspicions_, why) != suspicions_.end();
  }
  [[nodiscard]] bool has_diverged() const { return diverged_; }

 private:
  using executor_item = std::variant<committed_batch, verified_state>;

  void on_new_view(principal sender, std::shared_ptr<const new_view> value);
  void route(principal sender, const message& value);
  void admit(const request& value);
  void admit_unsigned(principal sender, const request& value);
  void take_vouch(replica_id from, const vouch& value);
  void carry_out(const request& value, const intake_effects& effects);
  void send_vouches();
  void admit(const system_request& value);
  void cut(bool delay_passed);
  void execute(const committed_batch& batch);
  void install(const verified_state& fetched);
  void take_checkpoint(bool installed);

  void carry_out(replica_effects effects);
  void carry_out(checkpoint_effects effects);
  void carry_out(transfer_effects effects);
  void carry_out(view_change_effects effects);
  void carry_out(evidence_pool_effects effects);
  void tell_agreed(std::vector<case_name> settled, bool is_transferred);
  void enter(view_number view);
  void persist(const std::vector<storage_record>& records);
  void send(const std::vector<outgoing_message>& messages);
  void send_to(principal to, frame_ptr frame);
  void count(const std::vector<observation>& observations);
  void reply_to(request_id id, const client_table::answered& what);

  cluster_parameters cluster_;
  replica_id self_;
  order_checker* checker_;
  validator validator_;
  replica_core replica_;
  view_changer views_;
  bool readmitted_ = false;
  checkpoint_votes checkpoints_;
  /// The machine, which `state_` owns.
  counting_machine* machine_;
  replicated_state state_;
  state_donor donor_;
  state_fetcher fetcher_;
  request_pool batcher_;
  request_intake intake_;
  evidence_pool evidence_pool_;
  moment now_;
  duration clock_error_{};
  std::deque<executor_item> inbox_;
  std::vector<sent_frame> sends_;
  std::size_t installs_ = 0;
  std::size_t rejections_ = 0;
  std::vector<suspicion_reason> suspicions_;
  bool diverged_ = false;
};

}  // namespace hypermesh::testing
