#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>

#include "actors/interfaces.hpp"
#include "tests/byzantine/interposer.hpp"

namespace hypermesh::lab {

/// The place of an adversary in a real member: actors between the member's actors and its links. A derived class knows
/// the member and its links. Frames may arrive on any thread, but the strategy sees only one frame at a time.
class adversary_at_member : public testing::adversary_world, public std::enable_shared_from_this<adversary_at_member> {
 public:
  /// Ends the actors in between and releases all handles.
  void stop();

  [[nodiscard]] moment now() const override;

 protected:
  explicit adversary_at_member(caf::actor_system& system) : system_(system) {}

  /// Begins to play. `hands` must belong to this world.
  void begin(testing::adversary_hands hands, std::unique_ptr<testing::adversary> strategy);

  /// Whether the strategy plays: between `begin` and `stop`.
  [[nodiscard]] bool is_playing() const { return between_ != nullptr; }
  /// The frame that the member receives in place of `in`; null if it receives none. Call this only while the strategy
  /// plays.
  [[nodiscard]] frame_ptr received(const incoming_frame& in) { return between_->on_receive(in.sender, in.frame); }

  /// Spawns an actor between the member and its links. `stop` ends the actor. Its behaviour must refer to this object
  /// by `weak_from_this`, because this object may be destroyed first.
  template <class Behaviour>
  caf::actor spawn(Behaviour behaviour) {
    return spawned_.emplace_back(system_.spawn(std::move(behaviour)));
  }
  /// Spawns an actor that represents the link to `to` for the member's actors.
  [[nodiscard]] peer_actor spawn_stand_in(principal to);

  /// Sends a frame on a real link.
  static void send_on(const peer_actor& link, const frame_ptr& frame, duration delay);

  /// Locked in every call from an actor or a link.
  std::recursive_mutex guard_;

 private:
  /// Called at each tick, in addition to the strategy.
  virtual void on_tick() {}
  /// Releases the handles of the member's actors, its links and their stand-ins.
  virtual void release() = 0;

  void leave(principal to, const outgoing_frame& out);
  void spawn_clock();

  caf::actor_system& system_;
  std::vector<caf::actor> spawned_;
  std::unique_ptr<testing::interposer> between_;
};

}  // namespace hypermesh::lab
