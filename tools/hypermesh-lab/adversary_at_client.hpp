#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/links/links.hpp"
#include "tools/hypermesh-lab/adversary_at_member.hpp"

namespace hypermesh::lab {

/// Places an adversary into a real client. One set of actors replaces the links for the client's actor, and another set
/// replaces the client's actor for the links. The object also keeps the client submitting operations, because the
/// strategy needs operations to abuse.
class adversary_at_client final : public adversary_at_member {
 public:
  /// The number of operations of the client in progress. Each tick begins at most this many.
  static constexpr std::size_t operations_in_flight = 8;

  adversary_at_client(caf::actor_system& system, client_actor client, std::size_t replicas);

  /// The actor to which the links deliver instead of the client's actor.
  [[nodiscard]] client_actor end();
  /// Begins to play. `hands` must belong to this world.
  void play(testing::adversary_hands hands, std::unique_ptr<testing::adversary> strategy);

  void put_on_wire(principal to, const frame_ptr& frame, duration delay) override;
  void take_in(principal from, const frame_ptr& frame) override;
  void step_wall_clock(duration) override {}

 private:
  void open(const client_links& links);
  void arrive(const incoming_frame& in);
  void change_link(const link_changed& changed);
  /// Keeps the client submitting operations.
  void on_tick() override;
  void release() override;

  client_actor client_;
  /// The real links and the actors that replace them for the client, by replica number.
  std::vector<peer_actor> links_;
  std::vector<peer_actor> stand_ins_;
  std::uint64_t asked_ = 0;
  std::shared_ptr<std::atomic<std::size_t>> under_way_ = std::make_shared<std::atomic<std::size_t>>(0);
};

}  // namespace hypermesh::lab
