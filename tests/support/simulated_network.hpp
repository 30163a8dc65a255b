#pragma once

#include <functional>
#include <map>
#include <optional>
#include <queue>
#include <set>
#include <vector>

#include "actors/interfaces.hpp"
#include "runtime/state_machines/splitmix64.hpp"
#include "tests/support/virtual_scheduler.hpp"

namespace hypermesh::testing {

/// A frame between two principals.
struct frame_transit {
  principal from;
  principal to;
  frame_ptr frame;
};

/// Between `begin` and `end` nothing passes between `side` and the others in the cut directions.
struct network_partition {
  microseconds_t begin = 0;
  microseconds_t end = 0;
  std::set<principal> side;
  bool cuts_outbound = true;
  bool cuts_inbound = true;

  [[nodiscard]] bool separates(principal from, principal to, microseconds_t now) const;
};

/// How bad the network is. Rates are in thousandths of all frames.
struct network_faults {
  microseconds_t delay_us_min = 200;
  microseconds_t delay_us_max = 1'000;
  std::uint32_t loss_permille = 0;
  std::uint32_t duplicate_permille = 0;
  /// Frames that take up to `straggle_us_max` longer than others.
  std::uint32_t straggle_permille = 0;
  microseconds_t straggle_us_max = 0;
  /// Whether a frame may overtake an earlier one of its link. A real link is a stream and keeps the order;
  /// frames that overtake stand for links that were closed and opened again.
  bool reorders = false;
  std::vector<network_partition> partitions;
};

struct network_counters {
  std::uint64_t sent = 0;
  std::uint64_t delivered = 0;
  std::uint64_t lost = 0;
  std::uint64_t duplicated = 0;
  /// Lost to a partition.
  std::uint64_t cut = 0;
};

/// Carries frames between the principals of one cluster in virtual time. All chance comes from the one source
/// that it is given. Memory: the frames under way.
class simulated_network {
 public:
  using receiver = std::function<void(const incoming_frame&)>;
  using watcher = std::function<void(const frame_transit&)>;
  /// What a test decides about a frame that was sent.
  enum class verdict { pass, drop, hold };
  using judge = std::function<verdict(const frame_transit&)>;

  simulated_network(virtual_scheduler& scheduler, splitmix64& chance);

  /// The peer actor over which `from` sends to `to`. One for each pair.
  [[nodiscard]] peer_actor link(principal from, principal to);
  /// Gives `who` the frames that are sent to it; without a receiver they end there.
  void attach(principal who, receiver into);

  void set_faults(network_faults faults) { faults_ = std::move(faults); }
  /// Nothing that `who` sends leaves, although it is still there.
  void silence(principal who, bool silent);
  /// Asked about each frame before any fault; empty: every frame passes.
  void set_judge(judge decide) { judge_ = std::move(decide); }
  void on_sent(watcher call) { on_sent_ = std::move(call); }
  void on_delivered(watcher call) { on_delivered_ = std::move(call); }

  /// Sends as `from`, like its actors do.
  void send(const frame_transit& transit);
  /// Sends the frames that the judge held and that `which` takes, in the order they were held.
  std::size_t release(const std::function<bool(const frame_transit&)>& which);

  /// When the next frame arrives.
  [[nodiscard]] std::optional<microseconds_t> next_arrival() const;
  /// Delivers the next frame, which is due.
  void deliver_next();

  [[nodiscard]] const network_counters& counters() const { return counters_; }
  [[nodiscard]] std::size_t under_way() const { return under_way_.size(); }
  [[nodiscard]] std::size_t held() const { return held_.size(); }

 private:
  struct arrival {
    microseconds_t due = 0;
    std::uint64_t order = 0;
    frame_transit transit;

    /// The queue's top is the earliest.
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
  std::map<principal, receiver> receivers_;
  std::set<principal> silent_;
  std::map<std::pair<principal, principal>, peer_actor> links_;
  /// When the last frame of a link arrives.
  std::map<std::pair<principal, principal>, microseconds_t> last_due_;
  std::priority_queue<arrival> under_way_;
  std::vector<frame_transit> held_;
  network_counters counters_;
  std::uint64_t next_order_ = 0;
};

}  // namespace hypermesh::testing
