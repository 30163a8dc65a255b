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

/// An adversary's place in a real client: actors that stand for the links at the client's actor, and for the client's
/// actor at the links. It also has the client ask for something all the time, so that there is something to abuse.
class adversary_at_client final : public testing::adversary_world,
                                  public std::enable_shared_from_this<adversary_at_client> {
 public:
  /// Operations of the client that are under way, and that are begun with each tick at most.
  static constexpr std::size_t operations_in_flight = 8;

  adversary_at_client(caf::actor_system& system, client_actor client, std::size_t replicas);

  /// What the links deliver to instead of the client's actor.
  [[nodiscard]] client_actor end();
  /// Begins; `hands` are of this world.
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
  /// By replica number: the links, and what stands for them at the client.
  std::vector<peer_actor> links_;
  std::vector<peer_actor> stand_ins_;
  std::uint64_t asked_ = 0;
  std::shared_ptr<std::atomic<std::size_t>> under_way_ = std::make_shared<std::atomic<std::size_t>>(0);
};

}  // namespace hypermesh::lab
