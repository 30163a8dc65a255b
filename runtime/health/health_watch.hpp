#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "actors/protocol/base/observations.hpp"
#include "actors/protocol/guard/peer_trust.hpp"
#include "runtime/health/assessment.hpp"

namespace hypermesh::health {

/// The time of an event. Only differences matter.
using health_time = std::chrono::steady_clock::time_point;

/// The node and group whose health is watched.
struct health_subject {
  cluster_parameters cluster;
  replica_id self;
  /// How often the replica actor makes a step.
  duration status_period = 150ms;
  /// Whether the disk of the node survives a restart.
  bool keeps_disk = true;
};

/// Collects what a node knows about itself and the others, from its observations, link events and the answers of its
/// actors. Pure: the caller gives the time. Memory: 200 bytes for each replica, whatever the peers send.
class health_watch {
 public:
  health_watch(const health_subject& subject, health_time start);

  /// The node has restored its state and takes part from now on.
  void begin(health_time now);
  void note(const observation& what, health_time now);
  /// The authenticated link to a replica went up or down. Claims from before that no longer count, because the replica
  /// may have restarted.
  void on_link(replica_id replica, bool up, health_time now);
  /// The monitor and the reputation tracker answered, and these are the agreed standings by replica number.
  void on_answers(const std::vector<reputation>& agreed, health_time now);
  /// The node takes no part any more, because of this error. The first one counts.
  void fail(const world_error& error);
  /// The host will stop the node soon.
  void drain() { own_.draining = true; }
  /// The host stopped the node.
  void stop() { own_.stopped = true; }

  /// What is known at `now`. The member `own.machine_complaint` is for the caller to fill.
  [[nodiscard]] health_input known_at(health_time now) const;

 private:
  struct noting;

  struct peer_notes {
    peer_health facts;
    /// When its last STATUS arrived on the present link.
    std::optional<health_time> heard_at;
    /// Since when the node waits for the first STATUS on the present link.
    health_time awaited_since;
    /// Since when its claim and the own view are different.
    std::optional<health_time> differs_since;
  };

  [[nodiscard]] peer_notes* peer(replica_id replica);
  [[nodiscard]] static peer_health facts_of(const peer_notes& peer, health_time now);
  void compare_views(peer_notes& peer, health_time now) const;
  void forgive_votes(peer_notes& peer, health_time now) const;
  void count_vote(replica_id replica, bool has_voted, health_time now);
  void set_committed(sequence_number sequence, health_time now);
  void set_executed(sequence_number sequence, health_time now);

  health_subject subject_;
  health_bounds bounds_;
  own_health own_;
  std::vector<peer_notes> peers_;
  health_time stepped_at_;
  health_time answered_at_;
  /// When the node left its last view; nothing if it has entered its view.
  std::optional<health_time> view_left_at_;
  /// Since when a certificate proves a state that the node does not have.
  std::optional<health_time> lacks_state_since_;
  sequence_number committed_;
  sequence_number executed_;
  /// Since when the node has committed more than it executed, without executing anything.
  std::optional<health_time> waits_since_;
};

/// Asks the watchdog of the state machine. Returns its sentence if the machine has been in one function for this time
/// or longer. Must not block.
using machine_port = std::function<std::optional<std::string>(std::chrono::milliseconds)>;

/// The one judge of a node: a `health_watch` that several threads use, those of the monitor, of the links, of HTTP and
/// of the host, and the rule of `assess`. No call waits for an actor, so a node that hangs still gets its report.
class shared_health_watch {
 public:
  /// A machine that has been in one function for this time counts as blocked.
  static constexpr std::chrono::seconds blocked_after{10};

  shared_health_watch(const health_subject& subject, health_time start, machine_port machine = {})
      : machine_(std::move(machine)), watch_(subject, start) {}

  void begin(health_time now) {
    const std::scoped_lock lock{guard_};
    watch_.begin(now);
  }
  void note(const observation& what, health_time now) {
    const std::scoped_lock lock{guard_};
    watch_.note(what, now);
  }
  void on_link(replica_id replica, bool up, health_time now) {
    const std::scoped_lock lock{guard_};
    watch_.on_link(replica, up, now);
  }
  void on_answers(const std::vector<reputation>& agreed, health_time now) {
    const std::scoped_lock lock{guard_};
    watch_.on_answers(agreed, now);
  }
  void fail(const world_error& error) {
    const std::scoped_lock lock{guard_};
    watch_.fail(error);
  }
  void drain() {
    const std::scoped_lock lock{guard_};
    watch_.drain();
  }
  void stop() {
    const std::scoped_lock lock{guard_};
    watch_.stop();
  }

  [[nodiscard]] health_report report(health_time now, std::chrono::milliseconds machine_patience = blocked_after) const;

 private:
  [[nodiscard]] health_input known_at(health_time now) const {
    const std::scoped_lock lock{guard_};
    return watch_.known_at(now);
  }

  machine_port machine_;
  mutable std::mutex guard_;
  health_watch watch_;
};

}  // namespace hypermesh::health
