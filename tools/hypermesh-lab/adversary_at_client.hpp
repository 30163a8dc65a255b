#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>

#include "runtime/links/links.hpp"
#include "tests/byzantine/interposer.hpp"

namespace hypermesh::lab {

/// Places an adversary into a real client: one set of actors replaces the links for the client's actor, another one
/// replaces the client's actor for the links. It also keeps the client submitting operations, so that the strategy has
/// something to abuse.
class adversary_at_client final : public testing::adversary_world,
                                  public std::enable_shared_from_this<adversary_at_client> {
 public:
  /// Operations of the client that are under way. Each tick begins at most this many.
  static constexpr std::size_t operations_in_flight = 8;

  adversary_at_client(caf::actor_system& system, client_actor client, std::size_t replicas);

  /// The actor to which the links deliver instead of the client's actor.
  [[nodiscard]] client_actor end();
  /// Begins to play. `hands` must belong to this world.
  void play(testing::adversary_hands hands, std::unique_ptr<testing::adversary> strategy);
  /// Ends the actors in between.
  void stop();

  [[nodiscard]] microseconds_t now() const override;
  void put_on_wire(principal to, const frame_ptr& frame, microseconds_t delay_us) override;
  void take_in(principal from, const frame_ptr& frame) override;

 private:
  void open(const client_links& links);
  void leave(principal to, const outgoing_frame& out);
  void arrive(const incoming_frame& in);
  void keep_asking();
  void spawn_clock();

  caf::actor_system& system_;
  client_actor client_;
  std::vector<caf::actor> spawned_;

  std::recursive_mutex guard_;
  std::unique_ptr<testing::interposer> between_;
  /// By replica number: the real links, and the actors that replace them for the client.
  std::vector<peer_actor> links_;
  std::vector<peer_actor> stand_ins_;
  std::uint64_t asked_ = 0;
  std::shared_ptr<std::atomic<std::size_t>> under_way_ = std::make_shared<std::atomic<std::size_t>>(0);
};

}  // namespace hypermesh::lab
