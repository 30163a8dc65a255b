#pragma once

#include <set>
#include <span>
#include <variant>
#include <vector>

#include "tests/simulation/item_text.hpp"
#include "tests/support/simulated_world.hpp"

namespace hypermesh::testing {

// Each kind of fault is a struct that contains everything about this kind:
//
// word            the name of the fault in the text of a plan
// visit_fields    its fields, for writing and reading this text
// is_possible     whether the fault is meaningful in this cluster
// apply_to        its effect on the network while it lasts; faults that overlap are applied one after the other
// begin, end      or its effect on the world. They are not called while an equal fault is active, but perhaps while
//                 another fault of the same kind is. The end of an instantaneous fault does nothing
// weaker          optional: weaker versions of the fault, for the shrinker
// spoils          optional: the replica that the fault makes one of the f faulty ones, for a while or for good; or
//                 an optional of this replica
//
// A new kind needs one more struct and its name in `fault_kind`. The plan's text, the driver and the shrinker need no
// change. `make_fault_plan` draws the faults.

/// Every frame takes a time between `min` and `max`.
struct link_delay {
  static constexpr std::string_view word = "delay";
  duration min{};
  duration max{};

  template <class Self, class Visitor>
  static void visit_fields(Self& self, Visitor& visit) {
    visit("min", self.min);
    visit("max", self.max);
  }
  [[nodiscard]] bool is_possible(const cluster_parameters&) const { return min <= max; }
  void apply_to(network_faults& network) const;
  friend bool operator==(const link_delay&, const link_delay&) = default;
};

/// The network loses this many of a thousand frames.
struct frame_loss {
  static constexpr std::string_view word = "loss";
  std::uint32_t permille = 0;

  template <class Self, class Visitor>
  static void visit_fields(Self& self, Visitor& visit) {
    visit("permille", self.permille);
  }
  [[nodiscard]] bool is_possible(const cluster_parameters&) const { return permille <= 1'000; }
  void apply_to(network_faults& network) const;
  [[nodiscard]] std::vector<frame_loss> weaker() const;
  friend bool operator==(const frame_loss&, const frame_loss&) = default;
};

/// The network delivers this many of a thousand frames twice.
struct frame_duplication {
  static constexpr std::string_view word = "duplication";
  std::uint32_t permille = 0;

  template <class Self, class Visitor>
  static void visit_fields(Self& self, Visitor& visit) {
    visit("permille", self.permille);
  }
  [[nodiscard]] bool is_possible(const cluster_parameters&) const { return permille <= 1'000; }
  void apply_to(network_faults& network) const;
  [[nodiscard]] std::vector<frame_duplication> weaker() const;
  friend bool operator==(const frame_duplication&, const frame_duplication&) = default;
};

/// Frames may overtake each other on a link.
struct frame_reordering {
  static constexpr std::string_view word = "reordering";

  template <class Self, class Visitor>
  static void visit_fields(Self&, Visitor&) {}
  [[nodiscard]] bool is_possible(const cluster_parameters&) const { return true; }
  void apply_to(network_faults& network) const { network.reorders = true; }
  friend bool operator==(const frame_reordering&, const frame_reordering&) = default;
};

/// This many of a thousand frames take up to `longer` longer than the others.
struct frame_straggling {
  static constexpr std::string_view word = "straggling";
  std::uint32_t permille = 0;
  duration longer{};

  template <class Self, class Visitor>
  static void visit_fields(Self& self, Visitor& visit) {
    visit("permille", self.permille);
    visit("longer", self.longer);
  }
  [[nodiscard]] bool is_possible(const cluster_parameters&) const { return permille <= 1'000; }
  void apply_to(network_faults& network) const;
  [[nodiscard]] std::vector<frame_straggling> weaker() const;
  friend bool operator==(const frame_straggling&, const frame_straggling&) = default;
};

/// No frame passes between `side` and the others. The side may name members that the cluster does not have.
struct link_partition {
  static constexpr std::string_view word = "partition";
  std::set<endpoint> side;
  link_cut cuts = link_cut::both;

  template <class Self, class Visitor>
  static void visit_fields(Self& self, Visitor& visit) {
    visit("side", self.side);
    visit("cuts", self.cuts);
  }
  [[nodiscard]] bool is_possible(const cluster_parameters&) const { return !side.empty(); }
  void apply_to(network_faults& network) const;
  [[nodiscard]] std::vector<link_partition> weaker() const;
  friend bool operator==(const link_partition&, const link_partition&) = default;
};

/// No frame passes from any of `from` to any of `to`, while the other direction is open. So reachability is not
/// transitive.
struct link_break {
  static constexpr std::string_view word = "link-break";
  std::set<endpoint> from;
  std::set<endpoint> to;

  template <class Self, class Visitor>
  static void visit_fields(Self& self, Visitor& visit) {
    visit("from", self.from);
    visit("to", self.to);
  }
  [[nodiscard]] bool is_possible(const cluster_parameters&) const { return !from.empty() && !to.empty(); }
  void apply_to(network_faults& network) const { network.broken.push_back({from, to}); }
  [[nodiscard]] std::vector<link_break> weaker() const;
  friend bool operator==(const link_break&, const link_break&) = default;
};

/// One actor of a node stops while its messages accumulate.
struct actor_pause {
  static constexpr std::string_view word = "pause";
  replica_id replica;
  node_part part = node_part::journal;

  template <class Self, class Visitor>
  static void visit_fields(Self& self, Visitor& visit) {
    visit("replica", self.replica);
    visit("part", self.part);
  }
  [[nodiscard]] bool is_possible(const cluster_parameters& cluster) const { return replica.value < cluster.replicas; }
  void begin(simulated_world& world) const { world.pause(replica, part); }
  void end(simulated_world& world) const { world.resume(replica, part); }
  friend bool operator==(const actor_pause&, const actor_pause&) = default;
};

/// All actors of a node stop, like a suspended virtual machine. When they continue, the clock of the node has jumped.
struct node_pause {
  static constexpr std::string_view word = "node-pause";
  replica_id replica;

  template <class Self, class Visitor>
  static void visit_fields(Self& self, Visitor& visit) {
    visit("replica", self.replica);
  }
  [[nodiscard]] bool is_possible(const cluster_parameters& cluster) const { return replica.value < cluster.replicas; }
  void begin(simulated_world& world) const;
  void end(simulated_world& world) const;
  friend bool operator==(const node_pause&, const node_pause&) = default;
};

/// The node of a replica is killed. It starts again from its disk when the fault ends.
struct node_crash {
  static constexpr std::string_view word = "crash";
  replica_id replica;

  template <class Self, class Visitor>
  static void visit_fields(Self& self, Visitor& visit) {
    visit("replica", self.replica);
  }
  [[nodiscard]] bool is_possible(const cluster_parameters& cluster) const { return replica.value < cluster.replicas; }
  void begin(simulated_world& world) const { world.crash(replica); }
  void end(simulated_world& world) const { world.restart(replica); }
  friend bool operator==(const node_crash&, const node_crash&) = default;
};

/// The node is killed inside its next write to the disk. It starts again from its disk when the fault ends.
struct write_crash {
  static constexpr std::string_view word = "write-crash";
  replica_id replica;
  write_fate fate = write_fate::lost;

  template <class Self, class Visitor>
  static void visit_fields(Self& self, Visitor& visit) {
    visit("replica", self.replica);
    visit("fate", self.fate);
  }
  [[nodiscard]] bool is_possible(const cluster_parameters& cluster) const { return replica.value < cluster.replicas; }
  void begin(simulated_world& world) const { world.crash_in_write(replica, fate); }
  void end(simulated_world& world) const { world.restart(replica); }
  friend bool operator==(const write_crash&, const write_crash&) = default;
};

/// All nodes are killed at the same moment.
struct power_cut {
  static constexpr std::string_view word = "power-cut";

  template <class Self, class Visitor>
  static void visit_fields(Self&, Visitor&) {}
  [[nodiscard]] bool is_possible(const cluster_parameters&) const { return true; }
  void begin(simulated_world& world) const;
  void end(simulated_world& world) const;
  friend bool operator==(const power_cut&, const power_cut&) = default;
};

/// The node of a replica is killed and its disk is lost. At the end the node starts with an empty disk in the way its
/// operator would start it: on probation, even after later crashes, until the replica is a full member again.
struct disk_loss {
  static constexpr std::string_view word = "disk-loss";
  replica_id replica;

  template <class Self, class Visitor>
  static void visit_fields(Self& self, Visitor& visit) {
    visit("replica", self.replica);
  }
  [[nodiscard]] bool is_possible(const cluster_parameters& cluster) const { return replica.value < cluster.replicas; }
  void begin(simulated_world& world) const { world.lose_disk(replica); }
  void end(simulated_world& world) const { world.restart(replica); }
  [[nodiscard]] replica_id spoils() const { return replica; }
  friend bool operator==(const disk_loss&, const disk_loss&) = default;
};

/// The disk of a replica reports a write as durable too early. Whenever the node is killed, and it is killed when the
/// fault ends, the last `changes` are lost without notice.
struct lying_disk {
  static constexpr std::string_view word = "forgetful";
  replica_id replica;
  std::uint32_t changes = 1;

  template <class Self, class Visitor>
  static void visit_fields(Self& self, Visitor& visit) {
    visit("replica", self.replica);
    visit("changes", self.changes);
  }
  [[nodiscard]] bool is_possible(const cluster_parameters& cluster) const {
    return replica.value < cluster.replicas && changes > 0 && changes <= 1'000;
  }
  void begin(simulated_world& world) const { world.let_disk_lie(replica, changes); }
  void end(simulated_world& world) const;
  [[nodiscard]] std::vector<lying_disk> weaker() const;
  [[nodiscard]] replica_id spoils() const { return replica; }
  friend bool operator==(const lying_disk&, const lying_disk&) = default;
};

/// The disk of a replica fails or is full, so the node stops at its next write. At the end the disk works again, with
/// all changes that it had reported as durable, and the node starts.
struct failing_disk {
  static constexpr std::string_view word = "disk-trouble";
  replica_id replica;
  disk_trouble trouble = disk_trouble::write_errors;

  template <class Self, class Visitor>
  static void visit_fields(Self& self, Visitor& visit) {
    visit("replica", self.replica);
    visit("trouble", self.trouble);
  }
  [[nodiscard]] bool is_possible(const cluster_parameters& cluster) const {
    return replica.value < cluster.replicas && trouble != disk_trouble::none;
  }
  void begin(simulated_world& world) const { world.trouble_disk(replica, trouble); }
  void end(simulated_world& world) const;
  friend bool operator==(const failing_disk&, const failing_disk&) = default;
};

/// A replica is killed, and some bytes of its disk change before it starts again. It must start with all its promises,
/// or detect the damage and refuse to start. Only a disk with bytes can be damaged.
struct damaged_disk {
  static constexpr std::string_view word = "disk-damage";
  replica_id replica;

  template <class Self, class Visitor>
  static void visit_fields(Self& self, Visitor& visit) {
    visit("replica", self.replica);
  }
  [[nodiscard]] bool is_possible(const cluster_parameters& cluster) const { return replica.value < cluster.replicas; }
  void begin(simulated_world& world) const { world.damage_disk(replica); }
  void end(simulated_world& world) const { world.restart(replica); }
  [[nodiscard]] replica_id spoils() const { return replica; }
  friend bool operator==(const damaged_disk&, const damaged_disk&) = default;
};

/// A second machine starts with the key of a replica. At the end one of the two machines leaves for good, or both stay.
/// The fault follows "Twins: BFT Systems Made Robust" (arXiv 2004.10617): a faulty replica is modelled as two machines
/// that run the product, and the network decides which machine receives a frame. Other faults name the second machine
/// of replica 2 as 2b.
struct key_copy {
  static constexpr std::string_view word = "twin";
  replica_id replica;
  copied_disk disk = copied_disk::empty;
  leaving_machine leaves = leaving_machine::none;

  template <class Self, class Visitor>
  static void visit_fields(Self& self, Visitor& visit) {
    visit("replica", self.replica);
    visit("disk", self.disk);
    visit("leaves", self.leaves);
  }
  [[nodiscard]] bool is_possible(const cluster_parameters& cluster) const { return replica.value < cluster.replicas; }
  void begin(simulated_world& world) const { world.add_copy(replica, disk == copied_disk::same); }
  void end(simulated_world& world) const;
  [[nodiscard]] replica_id spoils() const { return replica; }
  friend bool operator==(const key_copy&, const key_copy&) = default;
};

/// An adversary stands between a member and its links, and runs `plays`: the name of a strategy of tests/byzantine, or
/// several strategies as a+b (at once) or a/b (in turns). At the end the adversary leaves, or stays for the rest of the
/// run.
struct adversarial_play {
  static constexpr std::string_view word = "adversary";
  principal who;
  strategy_names plays;
  adversary_end end_means = adversary_end::leaves;

  template <class Self, class Visitor>
  static void visit_fields(Self& self, Visitor& visit) {
    visit("who", self.who);
    visit("plays", self.plays);
    visit("then", self.end_means);
  }
  [[nodiscard]] bool is_possible(const cluster_parameters& cluster) const;
  void begin(simulated_world& world) const { world.misbehave(who, plays.text); }
  void end(simulated_world& world) const;
  [[nodiscard]] std::vector<adversarial_play> weaker() const;
  [[nodiscard]] std::optional<replica_id> spoils() const {
    return who.is_replica() ? std::optional{replica_id{who.number}} : std::nullopt;
  }
  friend bool operator==(const adversarial_play&, const adversarial_play&) = default;
};

/// The wall clock of a replica steps by `ahead` minus `back`, and back again when the fault ends. The replica stays
/// correct. Any number of clocks may be wrong, because neither the order nor the progress depends on them.
struct clock_step {
  static constexpr std::string_view word = "clock-step";
  replica_id replica;
  duration ahead{};
  duration back{};

  template <class Self, class Visitor>
  static void visit_fields(Self& self, Visitor& visit) {
    visit("replica", self.replica);
    visit("ahead", self.ahead);
    visit("back", self.back);
  }
  [[nodiscard]] bool is_possible(const cluster_parameters& cluster) const { return replica.value < cluster.replicas; }
  void begin(simulated_world& world) const { world.step_wall_clock(replica, ahead - back); }
  void end(simulated_world& world) const { world.step_wall_clock(replica, back - ahead); }
  [[nodiscard]] std::vector<clock_step> weaker() const;
  friend bool operator==(const clock_step&, const clock_step&) = default;
};

using fault_kind =
    std::variant<link_delay, frame_loss, frame_duplication, frame_reordering, frame_straggling, link_partition,
                 link_break, actor_pause, node_pause, node_crash, write_crash, power_cut, disk_loss, lying_disk,
                 failing_disk, damaged_disk, key_copy, adversarial_play, clock_step>;

/// A fault that lasts from one time to another.
struct planned_fault {
  moment begin;
  moment end;
  fault_kind what;

  friend bool operator==(const planned_fault&, const planned_fault&) = default;
};

/// Returns for example "12.000ms 300.000ms partition side=0,c1 cuts=both".
[[nodiscard]] std::string text_of(const planned_fault& fault);
[[nodiscard]] or_reason<planned_fault> fault_of(std::span<const std::string> words);

[[nodiscard]] bool is_possible(const planned_fault& fault, const cluster_parameters& cluster);
/// Weaker and shorter versions of the fault.
[[nodiscard]] std::vector<planned_fault> weaker(const planned_fault& fault);

/// The replicas that these faults make some of the f faulty ones.
[[nodiscard]] std::set<replica_id> spoiled_by(const std::vector<planned_fault>& faults);
/// The clients that these faults make faulty.
[[nodiscard]] std::set<client_id> misbehaving_clients(const std::vector<planned_fault>& faults);

/// Begins or ends the effect of the fault on the world, apart from its network.
void begin_in(simulated_world& world, const fault_kind& kind);
void end_in(simulated_world& world, const fault_kind& kind);
/// The settings of the network while these faults are active.
[[nodiscard]] network_faults network_under(const std::vector<planned_fault>& faults);

}  // namespace hypermesh::testing
