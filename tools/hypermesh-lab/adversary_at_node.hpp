#pragma once

#include <map>
#include <memory>
#include <vector>

#include "runtime/links/links.hpp"
#include "tools/hypermesh-lab/adversary_at_member.hpp"
#include "tools/hypermesh-lab/stepped_wall_clock.hpp"

namespace hypermesh::lab {

/// Places an adversary into a real node. One set of actors replaces the links for the node's actors, and another set
/// replaces the node's actors for the links.
class adversary_at_node final : public adversary_at_member {
 public:
  /// `actors` are the actors of the node, which is not connected yet and reads `clock`.
  adversary_at_node(caf::actor_system& system, const node_actors& actors, std::size_t replicas,
                    std::shared_ptr<stepped_wall_clock> clock);

  /// The actors to which the links deliver instead of the node's actors.
  [[nodiscard]] replica_link_ends ends();
  /// The actors to which the node sends instead of the links. The place of the node itself is empty.
  [[nodiscard]] std::vector<peer_actor> peers(replica_id self);
  /// Begins to play once the links exist. `hands` must belong to this world.
  void play(const replica_links& links, testing::adversary_hands hands, std::unique_ptr<testing::adversary> strategy);

  void put_on_wire(principal to, const frame_ptr& frame, duration delay) override;
  void take_in(principal from, const frame_ptr& frame) override;
  void step_wall_clock(duration by) override { clock_->step(by); }

 private:
  [[nodiscard]] ingress_actor spawn_ingress(ingress_actor behind);
  [[nodiscard]] executor_actor spawn_executor();

  void arrive(const ingress_actor& behind, const incoming_frame& in);
  void open(const client_link_opened& opened);
  void close(const client_link_closed& closed);
  /// The actor that represents the links of a member.
  [[nodiscard]] peer_actor stand_in_of(principal who);
  /// This place as a pointer that does not keep it alive.
  [[nodiscard]] std::weak_ptr<adversary_at_node> weak_place();
  void release() override;

  node_actors behind_;
  std::size_t replicas_;
  std::shared_ptr<stepped_wall_clock> clock_;
  /// The real links: one link for each replica, and all sessions of each client.
  std::map<principal, std::vector<peer_actor>> links_;
  std::map<principal, peer_actor> stand_ins_;
};

}  // namespace hypermesh::lab
