#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>

#include "runtime/links/links.hpp"
#include "tests/byzantine/interposer.hpp"

namespace hypermesh::lab {

/// Places an adversary into a real node: one set of actors replaces the links for the node's actors, another one
/// replaces the node's actors for the links. Frames may arrive on any thread; the strategy sees one frame at a time.
class adversary_at_links final : public testing::adversary_world,
                                 public std::enable_shared_from_this<adversary_at_links> {
 public:
  /// `actors` are the actors of the node, which is not connected yet.
  adversary_at_links(caf::actor_system& system, const node_actors& actors, std::size_t replicas);

  /// The actors to which the links deliver instead of the node's actors.
  [[nodiscard]] replica_link_ends ends();
  /// The actors to which the node sends instead of the links. The place of the node itself is empty.
  [[nodiscard]] std::vector<peer_actor> peers(replica_id self);
  /// Begins to play once the links exist. `hands` must belong to this world.
  void play(const replica_links& links, testing::adversary_hands hands, std::unique_ptr<testing::adversary> strategy);
  /// Ends the actors in between.
  void stop();

  [[nodiscard]] microseconds_t now() const override;
  void put_on_wire(principal to, const frame_ptr& frame, microseconds_t delay_us) override;
  void take_in(principal from, const frame_ptr& frame) override;

 private:
  [[nodiscard]] peer_actor spawn_peer(principal to);
  [[nodiscard]] ingress_actor spawn_ingress(ingress_actor behind);
  [[nodiscard]] executor_actor spawn_executor();
  void spawn_clock();

  void leave(principal to, const outgoing_frame& out);
  void arrive(const ingress_actor& behind, const incoming_frame& in);
  void open(const client_link_opened& opened);
  void close(const client_link_closed& closed);
  /// The actor that represents the links of a member.
  [[nodiscard]] peer_actor stand_in_of(principal who);

  caf::actor_system& system_;
  node_actors behind_;
  std::size_t replicas_;
  std::vector<caf::actor> spawned_;

  std::recursive_mutex guard_;
  std::unique_ptr<testing::interposer> between_;
  /// The real links: one for each replica, all sessions of each client.
  std::map<principal, std::vector<peer_actor>> links_;
  std::map<principal, peer_actor> stand_ins_;
};

}  // namespace hypermesh::lab
