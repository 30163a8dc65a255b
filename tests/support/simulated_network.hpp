#pragma once

#include <functional>
#include <map>
#include <optional>
#include <queue>
#include <set>
#include <vector>

#include "actors/interfaces.hpp"
#include "tests/support/virtual_scheduler.hpp"
#include "tools/hypermesh/traces/splitmix64.hpp"

namespace hypermesh::testing {

/// A machine in the network: the machine of a principal, or the second machine of a replica whose key was copied.
struct endpoint {
  principal who;
  bool is_copy = false;

  constexpr endpoint() = default;
  /// The constructor is implicit, because nearly every principal has only one machine.
  constexpr endpoint(principal of, bool copy = false) : who(of), is_copy(copy) {}

  friend constexpr auto operator<=>(const endpoint&, const endpoint&) = default;
};

/// A frame between two principals. The two machines of a copied replica are distinguished.
struct frame_transit {
  principal from;
  principal to;
  frame_ptr frame;
  bool from_copy = false;
  bool to_copy = false;

  [[nodiscard]] endpoint source() const { return {from, from_copy}; }
  [[nodiscard]] endpoint target() const { return {to, to_copy}; }
};

/// Stands between a machine and its links and decides the fate of each frame.
class frame_meddler {
 public:
  virtual ~frame_meddler() = default;

  /// Called when the machine sends. Returns the frame that leaves in its place, or null.
  [[nodiscard]] virtual frame_ptr on_leaving(principal to, const frame_ptr& frame) = 0;
  /// Called when a frame arrives. Returns the frame for the machine, or null.
  [[nodiscard]] virtual frame_ptr on_arriving(principal from, const frame_ptr& frame) = 0;
};

/// Between `begin` and `end`, no frame passes between `side` and the others in the cut directions.
struct network_partition {
  moment begin;
  moment end;
  std::set<endpoint> side;
  bool cuts_outbound = true;
  bool cuts_inbound = true;

  [[nodiscard]] bool separates(endpoint from, endpoint to, moment now) const;
};

/// No frame passes from any of `from` to any of `to`. The other direction is open.
struct broken_links {
  std::set<endpoint> from;
  std::set<endpoint> to;

  [[nodiscard]] bool separates(endpoint sender, endpoint receiver) const {
    return from.contains(sender) && to.contains(receiver);
  }
};

/// The error rates of the network, in thousandths of all frames.
struct network_faults {
  duration delay_min = 200us;
  duration delay_max = 1ms;
  std::uint32_t loss_permille = 0;
  std::uint32_t duplicate_permille = 0;
  /// The rate of frames that take up to `straggle_max` longer than others.
  std::uint32_t straggle_permille = 0;
  duration straggle_max{};
  /// Whether a frame may overtake an earlier frame on its link. A real link is a stream and keeps the order. Overtaking
  /// frames simulate links that were closed and opened again.
  bool reorders = false;
  std::vector<network_partition> partitions;
  std::vector<broken_links> broken;

  [[nodiscard]] bool separate(endpoint from, endpoint to, moment now) const;
};

struct network_counters {
  std::uint64_t sent = 0;
  std::uint64_t delivered = 0;
  std::uint64_t lost = 0;
  std::uint64_t duplicated = 0;
  /// The number of frames that were lost to a partition or a broken link.
  std::uint64_t cut = 0;
};

/// Carries frames between the principals of one cluster in virtual time. A frame to a replica with two machines goes to
/// both machines; each process of a client has its own link. All randomness comes from one source. Memory: the frames
/// in flight.
class simulated_network {
 public:
  using receiver = std::function<void(const incoming_frame&)>;
  using watcher = std::function<void(const frame_transit&)>;
  /// A test's decision about a frame that was sent.
  enum class verdict { pass, drop, hold };
  using judge = std::function<verdict(const frame_transit&)>;

  simulated_network(virtual_scheduler& scheduler, splitmix64& chance);

  /// The peer actor over which `from` sends to `to`. There is one peer for each pair.
  [[nodiscard]] peer_actor link(endpoint from, endpoint to);
  /// Sets the receiver of the frames that are sent to a machine. Without a receiver, these frames are dropped.
  void attach(endpoint machine, receiver into);

  void set_faults(network_faults faults) { faults_ = std::move(faults); }
  /// While this is set, all frames that the machine sends are dropped, although the machine still runs.
  void silence(endpoint machine, bool silent);
  /// From now on the machine's frames go through this object; null removes it.
  void meddle(endpoint machine, frame_meddler* who);
  /// Sets the function that decides about each frame and receiving machine before any fault. If the function is empty,
  /// every frame passes.
  void set_judge(judge decide) { judge_ = std::move(decide); }
  void on_sent(watcher call) { on_sent_ = std::move(call); }
  void on_delivered(watcher call) { on_delivered_ = std::move(call); }

  /// Sends a frame as the machine's actors do.
  void send(const frame_transit& transit);
  /// Sends a frame without showing it to the machine's `frame_meddler`.
  void put_on_wire(const frame_transit& transit);
  /// Delivers a frame to the machine as if it had arrived.
  void hand_in(endpoint machine, endpoint from, const frame_ptr& frame);
  /// Sends the held frames for which `which` is true, in the order in which they were held.
  std::size_t release(const std::function<bool(const frame_transit&)>& which);

  /// The time when the next frame arrives.
  [[nodiscard]] std::optional<moment> next_arrival() const;
  /// Delivers the next frame. Its time must have come.
  void deliver_next();

  [[nodiscard]] const network_counters& counters() const { return counters_; }
  [[nodiscard]] std::size_t under_way() const { return under_way_.size(); }
  [[nodiscard]] std::size_t held() const { return held_.size(); }

 private:
  struct arrival {
    moment due;
    std::uint64_t order = 0;
    frame_transit transit;

    /// The order puts the earliest arrival on top of the queue.
    friend bool operator<(const arrival& left, const arrival& right) {
      return left.due != right.due ? left.due > right.due : left.order > right.order;
    }
  };

  [[nodiscard]] bool happens(std::uint32_t permille) { return permille > 0 && chance_.below(1'000) < permille; }
  void dispatch(const frame_transit& transit, verdict decided);
  void schedule(const frame_transit& transit);

  virtual_scheduler& scheduler_;
  splitmix64& chance_;
  network_faults faults_;
  judge judge_;
  watcher on_sent_;
  watcher on_delivered_;
  std::map<endpoint, receiver> receivers_;
  std::set<endpoint> silent_;
  std::map<endpoint, frame_meddler*> meddlers_;
  std::map<std::pair<endpoint, endpoint>, peer_actor> links_;
  /// The time when the last frame of each link arrives.
  std::map<std::pair<endpoint, endpoint>, moment> last_due_;
  std::priority_queue<arrival> under_way_;
  std::vector<frame_transit> held_;
  network_counters counters_;
  std::uint64_t next_order_ = 0;
};

}  // namespace hypermesh::testing
