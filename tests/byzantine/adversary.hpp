#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <vector>

#include "actors/ports.hpp"
#include "actors/protocol/base/cluster.hpp"
#include "messages/values.hpp"
#include "tests/byzantine/overheard.hpp"
#include "tools/hypermesh/traces/splitmix64.hpp"

/// A Byzantine member is a correct member, with the product's own actors, plus an `adversary` between the member and
/// its links. The adversary sees each frame that leaves or arrives. This code knows no actors, so the same strategy
/// runs in the simulator, in a script and in a real process.
namespace hypermesh::testing {

/// A frame on its way between the member and one of its peers.
struct passing_frame {
  /// The receiver of an outgoing frame, or the sender of an incoming one.
  principal peer;
  frame_ptr frame;
  /// The decoded message; null if the frame is malformed.
  std::shared_ptr<const message> value;

  passing_frame(principal with, frame_ptr bytes);

  /// Replaces this frame by another frame to or from the same peer.
  void become(frame_ptr other) { *this = passing_frame{peer, std::move(other)}; }

  template <class Value>
  [[nodiscard]] const Value* as() const {
    return value == nullptr ? nullptr : std::get_if<Value>(value.get());
  }
};

/// Whether a frame continues to its receiver.
enum class fate : std::uint8_t { passes, stopped };

/// The environment of an adversary: the simulator, or the links of a real node.
class adversary_world {
 public:
  virtual ~adversary_world() = default;

  [[nodiscard]] virtual moment now() const = 0;
  /// Sends the frame over the link to `to` after `delay`. No strategy sees the frame any more.
  virtual void put_on_wire(principal to, const frame_ptr& frame, duration delay) = 0;
  /// Delivers the frame to the member's own node as if `from` had sent it.
  virtual void take_in(principal from, const frame_ptr& frame) = 0;
  /// Steps the wall clock of the member's own node. A client has none.
  virtual void step_wall_clock(duration by) = 0;
};

/// The means of an adversary: everything that its member can do with its own key, and nothing that needs another key.
class adversary_hands {
 public:
  /// The member and its cluster. `accomplices` are the replicas that cooperate, including this replica; more may be
  /// added later. `world` must outlive this object.
  adversary_hands(adversary_world& world, const cluster_parameters& cluster, std::shared_ptr<const authenticator> keys,
                  std::shared_ptr<const std::set<replica_id>> accomplices, std::uint64_t seed);

  [[nodiscard]] principal self() const { return keys_->self(); }
  /// The number of the replica. The member must be a replica.
  [[nodiscard]] replica_id replica() const;
  [[nodiscard]] const cluster_parameters& cluster() const { return cluster_; }
  [[nodiscard]] const authenticator& keys() const { return *keys_; }
  [[nodiscard]] moment now() const { return world_.now(); }
  [[nodiscard]] splitmix64& chance() { return chance_; }
  [[nodiscard]] const overheard& known() const { return known_; }
  [[nodiscard]] overheard& memory() { return known_; }

  /// All other replicas, in the order of their numbers.
  [[nodiscard]] const std::vector<principal>& others() const { return others_; }
  /// Whether the peer is in the second half of the other replicas. The second half is the larger half.
  [[nodiscard]] bool in_second_half(principal peer) const;
  [[nodiscard]] bool is_accomplice(principal peer) const;
  /// Whether this replica is the primary of its current view.
  [[nodiscard]] bool leads() const;

  void send(principal to, const frame_ptr& frame) { world_.put_on_wire(to, frame, 0us); }
  void send_later(duration delay, principal to, const frame_ptr& frame) { world_.put_on_wire(to, frame, delay); }
  void send_to_all(const frame_ptr& frame);
  void take_in(principal from, const frame_ptr& frame) { world_.take_in(from, frame); }
  void step_wall_clock(duration by) { world_.step_wall_clock(by); }

 private:
  adversary_world& world_;
  cluster_parameters cluster_;
  std::shared_ptr<const authenticator> keys_;
  std::shared_ptr<const std::set<replica_id>> accomplices_;
  splitmix64 chance_;
  std::vector<principal> others_;
  overheard known_;
};

/// The interval between two ticks of an adversary's clock.
inline constexpr duration adversary_tick = 20ms;

/// One strategy of one member, with its memory. Equal calls and equal seeds give equal behaviour.
class adversary {
 public:
  virtual ~adversary() = default;

  /// Decides whether a frame that the node sends continues. Frames that the strategy sends during the call leave before
  /// this frame.
  virtual fate on_send(passing_frame&, adversary_hands&) { return fate::passes; }
  /// Decides whether a frame that arrives continues to the node.
  virtual fate on_receive(passing_frame&, adversary_hands&) { return fate::passes; }
  virtual void on_tick(adversary_hands&) {}
};

}  // namespace hypermesh::testing
