#include "tests/simulation/fault_plan.hpp"

#include <algorithm>
#include <array>

#include "tests/support/time_draws.hpp"

namespace hypermesh::testing {

namespace {

constexpr std::array<std::string_view, 16> names = {
    "calm",    "lossy",    "reordering", "duplicating", "partitioned", "flapping", "swizzled", "one-way",
    "pausing", "crashing", "disks",      "forgetful",   "everything",  "mixed",    "twins",    "clocks"};

/// The time is long enough for partitions that outlive several STATUS periods and for checkpoints in the meantime.
constexpr duration chaos_min = 1'500ms;
constexpr duration chaos_max = 4s;
constexpr std::uint32_t loss_permille_max = 200;
/// Faults of a machine or its disk begin after the cluster has started.
constexpr moment earliest{1us};

/// Draws the members that are cut off: any part of the replicas, and each client on either side.
std::set<endpoint> draw_side(const cluster_parameters& cluster, splitmix64& chance) {
  std::set<endpoint> side;
  // Half of the partitions cut off only one replica, so that the others continue without it.
  if (chance.below(2) == 0) {
    side.insert(principal::of(replica_id{static_cast<std::uint32_t>(chance.below(cluster.replicas))}));
    return side;
  }
  for (std::uint32_t number = 0; number < cluster.replicas; ++number) {
    if (chance.below(2) == 0) side.insert(principal::of(replica_id{number}));
  }
  for (std::uint32_t number = 0; number < cluster.clients; ++number) {
    if (chance.below(2) == 0) side.insert(principal::of(client_id{number}));
  }
  if (side.empty()) side.insert(principal::of(replica_id{0}));
  return side;
}

planned_fault draw_partition(const cluster_parameters& cluster, moment heals_at, splitmix64& chance) {
  link_partition partition{draw_side(cluster, chance)};
  const auto begin = draw_between(chance, moment{}, heals_at);
  const auto end = begin + 100ms + draw_below(chance, heals_at.time_since_epoch() / 2);
  // One in three partitions is one-way.
  const auto direction = chance.below(6);
  if (direction < 2) partition.cuts = direction == 0 ? link_cut::inbound : link_cut::outbound;
  return {begin, std::min(heals_at, end), std::move(partition)};
}

replica_id draw_replica(const cluster_parameters& cluster, splitmix64& chance) {
  return replica_id{static_cast<std::uint32_t>(chance.below(cluster.replicas))};
}

planned_fault draw_pause(const cluster_parameters& cluster, moment heals_at, splitmix64& chance) {
  const auto replica = draw_replica(cluster, chance);
  const auto begin = draw_between(chance, moment{}, heals_at);
  if (chance.below(3) == 0) {
    // The cut lasts longer than the time-outs for a primary and for a new view, up to several of them.
    const auto end = begin + 600ms + draw_below(chance, 2s);
    return {begin, std::min(heals_at, end), node_pause{replica}};
  }
  const actor_pause pause{replica, static_cast<node_part>(chance.below(node_parts_count))};
  // The pause lasts between a millisecond and several STATUS periods.
  const auto end = begin + 1ms + draw_below(chance, chance.below(2) == 0 ? 50ms : 1'500ms);
  return {begin, std::min(heals_at, end), pause};
}

/// Draws the crash of a node. More crashes happen inside a write than between writes. Sometimes all nodes crash at
/// once.
planned_fault draw_crash(const cluster_parameters& cluster, moment heals_at, splitmix64& chance) {
  const auto replica = draw_replica(cluster, chance);
  const auto begin = draw_between(chance, earliest, heals_at);
  const auto end = std::min(heals_at, begin + 1ms + draw_below(chance, chance.below(2) == 0 ? 100ms : 2'000ms));
  switch (chance.below(8)) {
    case 0:
      return {begin, end, power_cut{}};
    case 1:
    case 2:
      return {begin, end, node_crash{replica}};
    default:
      return {begin, end, write_crash{replica, static_cast<write_fate>(chance.below(3))}};
  }
}

/// Draws several replicas of a group, in random order.
std::vector<replica_id> draw_replicas(std::size_t count, const cluster_parameters& cluster, splitmix64& chance) {
  std::vector<replica_id> all;
  for (std::uint32_t number = 0; number < cluster.replicas; ++number)
    all.push_back(replica_id{number});
  for (std::size_t place = 0; place < count; ++place)
    std::swap(all[place], all[place + chance.below(all.size() - place)]);
  all.resize(count);
  return all;
}

/// Draws the faults of one plan, one kind after the other.
class fault_drawer {
 public:
  fault_drawer(fault_plan& plan, const cluster_parameters& cluster, splitmix64& chance)
      : plan_(plan), cluster_(cluster), chance_(chance) {}

  void draw();

 private:
  [[nodiscard]] bool has(fault_profile wanted) const {
    return plan_.profile == wanted || plan_.profile == fault_profile::everything;
  }
  [[nodiscard]] moment heals_at() const { return plan_.heals_at; }
  /// How long the chaos lasts.
  [[nodiscard]] duration chaos() const { return plan_.heals_at - moment{}; }
  void add(moment begin, moment end, fault_kind what) {
    plan_.faults.push_back({begin, std::min(end, heals_at()), std::move(what)});
  }
  /// Adds a fault such as a loss rate or a delay that lasts as long as the chaos. Other faults begin and end within it.
  void add_throughout(fault_kind what) { add(moment{}, heals_at(), std::move(what)); }
  template <class Draw>
  void add_some(std::uint64_t min, std::uint64_t max, Draw make) {
    const auto count = min + chance_.below(max - min + 1);
    for (std::uint64_t index = 0; index < count; ++index)
      plan_.faults.push_back(make(cluster_, heals_at(), chance_));
  }

  void draw_loss() {
    add_throughout(frame_loss{static_cast<std::uint32_t>(10 + chance_.below(loss_permille_max - 9))});
  }
  void draw_reordering();
  void draw_flapping();
  void draw_swizzle();
  void draw_one_way();
  void draw_disks();
  void draw_disk_loss(replica_id replica);
  void draw_forgotten_departure(replica_id replica);
  void draw_march_of_views(moment begin);
  void draw_lying_disk(replica_id replica);
  void draw_twins();
  void draw_clocks();
  void draw_twin_round(replica_id replica, moment begin, moment end);

  fault_plan& plan_;
  const cluster_parameters& cluster_;
  splitmix64& chance_;
};

void fault_drawer::draw_reordering() {
  add_throughout(frame_reordering{});
  const auto permille = static_cast<std::uint32_t>(20 + chance_.below(200));
  add_throughout(frame_straggling{permille, 10ms + draw_below(chance_, 400ms)});
}

/// Draws a cut that opens and closes repeatedly, sometimes faster and sometimes slower than the time-outs.
void fault_drawer::draw_flapping() {
  const auto side = draw_side(cluster_, chance_);
  const auto cuts = chance_.below(3) == 0 ? link_cut::inbound : link_cut::both;
  const auto longest = chance_.below(2) == 0 ? 60ms : 700ms;
  auto begin = moment{} + draw_below(chance_, chaos() / 4);
  for (std::uint64_t count = 4 + chance_.below(12); count > 0 && begin < heals_at(); --count) {
    const auto end = begin + 1ms + draw_below(chance_, longest);
    add(begin, end, link_partition{side, cuts});
    begin = end + 1ms + draw_below(chance_, longest);
  }
}

/// Replicas are cut off one after the other and return in another order. Each replica is cut off alone.
void fault_drawer::draw_swizzle() {
  const auto count = 1 + chance_.below(cluster_.replicas);
  const auto leaving = draw_replicas(count, cluster_, chance_);
  auto coming_back = leaving;
  for (std::size_t place = 0; place < count; ++place)
    std::swap(coming_back[place], coming_back[place + chance_.below(count - place)]);
  const duration step = chaos() / (2 * count + 1);
  for (std::size_t place = 0; place < count; ++place) {
    const auto back = std::ranges::find(coming_back, leaving[place]) - coming_back.begin();
    const moment begin = moment{} + step * place + draw_below(chance_, step);
    const moment end = moment{} + step * (count + static_cast<std::size_t>(back)) + draw_below(chance_, step);
    if (begin < end) add(begin, end, link_partition{{principal::of(leaving[place])}});
  }
}

/// Cuts single directed links between two replicas.
void fault_drawer::draw_one_way() {
  const auto count = 1 + chance_.below(cluster_.replicas * 2ULL);
  for (std::uint64_t index = 0; index < count; ++index) {
    const auto ends = draw_replicas(2, cluster_, chance_);
    const auto begin = draw_between(chance_, moment{}, heals_at());
    const auto end = begin + 100ms + draw_below(chance_, chaos());
    add(begin, end, link_break{{principal::of(ends[0])}, {principal::of(ends[1])}});
  }
}

/// At most f replicas lose their disk or the content of their disk.
void fault_drawer::draw_disks() {
  const auto count = 1 + chance_.below(cluster_.group().faulty_max());
  for (const auto replica : draw_replicas(count, cluster_, chance_)) {
    const bool may_lie = has(fault_profile::forgetful);
    const bool may_be_lost = has(fault_profile::disks);
    if (may_be_lost && (!may_lie || chance_.below(2) == 0)) {
      draw_disk_loss(replica);
    } else {
      draw_lying_disk(replica);
    }
  }
}

/// Stops one primary after the other for so long that each is replaced, so that a probation can end.
void fault_drawer::draw_march_of_views(moment begin) {
  const auto first = chance_.below(cluster_.replicas);
  for (std::uint32_t number = 0; number <= cluster_.replicas; ++number) {
    begin += 200ms + draw_below(chance_, 500ms);
    const auto end = begin + 250ms + draw_below(chance_, 250ms);
    if (end >= heals_at()) return;
    add(begin, end, node_crash{replica_id{static_cast<std::uint32_t>((first + number) % cluster_.replicas)}});
    begin = end;
  }
}

/// A partition separates f + 1 backups and all clients from the other replicas, so the f + 1 backups suspect the
/// primary. Only `replica` receives the suspicions of the other f, so it alone counts f + 1 suspicions and leaves the
/// view. Then `replica` loses its disk. The group continues in the same view, readmits `replica`, and leaves the view
/// later. At that time `replica` must not send a VIEW-CHANGE that contradicts the forgotten one.
void fault_drawer::draw_forgotten_departure(replica_id replica) {
  // Backups are drawn, because the primary of the first view does not suspect itself.
  const auto backups = static_cast<std::uint32_t>(cluster_.replicas - 1);
  const auto companions = static_cast<std::uint32_t>(cluster_.group().faulty_max());
  const auto leaving = principal::of(replica_id{replica.value == 0 ? 1 : replica.value});
  const auto first = leaving.number + static_cast<std::uint32_t>(chance_.below(backups - companions));
  std::set<endpoint> staying;
  for (std::uint32_t number = first; number < first + companions; ++number)
    staying.insert(principal::of(replica_id{1 + number % backups}));
  auto side = staying;
  side.insert(leaving);
  for (std::uint32_t number = 0; number < cluster_.clients; ++number)
    side.insert(principal::of(client_id{number}));
  const auto begin = moment{} + draw_below(chance_, chaos() / 8);
  // The partition lasts longer than the time-out for a primary.
  const auto lost = begin + 1'050ms + draw_below(chance_, 900ms);
  const auto back = lost + 1ms + draw_below(chance_, 200ms);
  if (back >= heals_at()) return;
  add(begin, lost + draw_below(chance_, 50ms), link_partition{std::move(side), link_cut::both});
  add(begin, lost, link_break{{leaving}, std::move(staying)});
  add(lost, back, disk_loss{replica_id{leaving.number}});
  draw_march_of_views(back + draw_below(chance_, 1s));
}

void fault_drawer::draw_disk_loss(replica_id replica) {
  if (plan_.profile == fault_profile::disks && chance_.below(4) == 0) return draw_forgotten_departure(replica);
  const bool marches = plan_.profile == fault_profile::disks && chance_.below(2) == 0;
  const auto begin = earliest + draw_below(chance_, marches ? chaos() / 6 : chaos() - 1us);
  const auto end = begin + 1ms + draw_below(chance_, chance_.below(2) == 0 ? 100ms : (marches ? 300ms : 1'500ms));
  add(begin, end, disk_loss{replica});
  if (marches) return draw_march_of_views(std::min(end, heals_at()));
  // The replica on probation may be killed too, and so may the other replicas.
  for (auto count = chance_.below(3); count > 0; --count) {
    const auto again = draw_between(chance_, earliest, heals_at());
    add(again, again + 1ms + draw_below(chance_, 300ms), node_crash{replica});
  }
  if (chance_.below(2) == 0) add_some(1, 2, draw_crash);
  if (chance_.below(6) == 0) {
    const auto again = draw_between(chance_, earliest, heals_at());
    add(again, again + 1ms + draw_below(chance_, 300ms), disk_loss{replica});
  }
}

void fault_drawer::draw_lying_disk(replica_id replica) {
  const auto changes = static_cast<std::uint32_t>(1 + chance_.below(chance_.below(2) == 0 ? 4 : 40));
  const auto begin = draw_between(chance_, moment{}, heals_at());
  const auto end = std::min(heals_at(), begin + 50ms + draw_below(chance_, chaos()));
  add(begin, end, lying_disk{replica, changes});
  for (auto count = chance_.below(3); count > 0 && end > begin + 1us; --count) {
    const auto killed = draw_between(chance_, begin + 1us, end);
    add(killed, killed + 1ms + draw_below(chance_, 300ms), node_crash{replica});
  }
}

/// The chaos is divided into rounds. In each round every node is linked with one or both machines of a twin. Nodes that
/// are linked with different machines may be cut off from each other.
void fault_drawer::draw_twin_round(replica_id replica, moment begin, moment end) {
  const endpoint machines[] = {{principal::of(replica)}, {principal::of(replica), true}};
  std::set<endpoint> only[2];
  const auto place = [&](endpoint who) {
    const auto chosen = chance_.below(5);
    if (chosen < 4) only[chosen % 2].insert(who);
  };
  for (std::uint32_t number = 0; number < cluster_.replicas; ++number) {
    if (number != replica.value) place(principal::of(replica_id{number}));
  }
  for (std::uint32_t number = 0; number < cluster_.clients; ++number)
    place(principal::of(client_id{number}));
  const auto cut = [&](const std::set<endpoint>& some, const std::set<endpoint>& others) {
    if (some.empty() || others.empty()) return;
    add(begin, end, link_break{some, others});
    add(begin, end, link_break{others, some});
  };
  cut({machines[0]}, only[1]);
  cut({machines[1]}, only[0]);
  if (chance_.below(2) == 0) cut(only[0], only[1]);
}

void fault_drawer::draw_twins() {
  const auto count = 1 + chance_.below(cluster_.group().faulty_max());
  for (const auto replica : draw_replicas(count, cluster_, chance_)) {
    const auto begin = chance_.below(3) == 0 ? moment{} + draw_below(chance_, chaos() / 2) : moment{};
    const auto disk = static_cast<copied_disk>(chance_.below(2));
    add(begin, heals_at(), key_copy{replica, disk, static_cast<leaving_machine>(chance_.below(3))});
    const auto rounds = 2 + chance_.below(10);
    const duration length = (heals_at() - begin) / rounds;
    for (std::uint64_t round = 0; round < rounds; ++round) {
      const moment from = begin + round * length;
      if (chance_.below(5) > 0) draw_twin_round(replica, from, from + length);
    }
  }
  if (chance_.below(4) == 0) draw_loss();
  if (chance_.below(4) == 0) draw_reordering();
  if (chance_.below(4) == 0) add_some(1, 3, draw_crash);
  if (chance_.below(4) == 0) add_some(1, 2, draw_partition);
}

/// Any number of wall clocks step, by less than the bound on clocks or by up to an hour.
void fault_drawer::draw_clocks() {
  const auto replicas = draw_replicas(1 + chance_.below(cluster_.replicas), cluster_, chance_);
  const bool all_ahead = chance_.below(3) == 0;
  for (const auto replica : replicas) {
    const auto begin = chance_.below(3) == 0 ? moment{} : draw_between(chance_, moment{}, heals_at());
    const auto by = 1ms + draw_below(chance_, chance_.below(2) == 0 ? 2s : duration{1h});
    const bool is_ahead = all_ahead || chance_.below(2) == 0;
    add(begin, begin + 100ms + draw_below(chance_, chaos()),
        clock_step{replica, is_ahead ? by : duration{}, is_ahead ? duration{} : by});
  }
  if (chance_.below(3) == 0) draw_loss();
  if (chance_.below(3) == 0) add_some(1, 3, draw_crash);
  if (chance_.below(3) == 0) add_some(1, 2, draw_partition);
}

void fault_drawer::draw() {
  // A replica needs two new views and two windows to become a full member again, so the chaos lasts longer.
  if (plan_.profile == fault_profile::disks) plan_.heals_at += draw_below(chance_, chaos_max);
  const auto delay_min = 50us + draw_below(chance_, 500us);
  add_throughout(link_delay{delay_min, delay_min + 50us + draw_below(chance_, 20ms)});
  if (has(fault_profile::lossy)) draw_loss();
  if (has(fault_profile::duplicating)) {
    add_throughout(frame_duplication{static_cast<std::uint32_t>(20 + chance_.below(300))});
  }
  if (has(fault_profile::reordering)) draw_reordering();
  if (has(fault_profile::partitioned)) add_some(1, 4, draw_partition);
  if (plan_.profile == fault_profile::everything) {
    // One of the ways in which links fail. All of them together would leave no time in which the cluster works.
    constexpr std::array<void (fault_drawer::*)(), 3> ways = {&fault_drawer::draw_flapping, &fault_drawer::draw_swizzle,
                                                              &fault_drawer::draw_one_way};
    (this->*ways[chance_.below(ways.size())])();
  }
  if (plan_.profile == fault_profile::flapping) draw_flapping();
  if (plan_.profile == fault_profile::swizzled) draw_swizzle();
  if (plan_.profile == fault_profile::one_way) draw_one_way();
  if (has(fault_profile::pausing)) add_some(2, 13, draw_pause);
  if (has(fault_profile::crashing)) add_some(1, 6, draw_crash);
  if (has(fault_profile::disks) || has(fault_profile::forgetful)) draw_disks();
  if (plan_.profile == fault_profile::twins) draw_twins();
  if (plan_.profile == fault_profile::clocks) draw_clocks();
}

}  // namespace

std::string_view to_string(fault_profile profile) { return names.at(static_cast<std::size_t>(profile)); }

std::optional<fault_profile> fault_profile_of(std::string_view name) {
  for (std::size_t index = 0; index < names.size(); ++index) {
    if (names[index] == name) return static_cast<fault_profile>(index);
  }
  return std::nullopt;
}

std::string fault_profile_names() {
  std::string all;
  for (const auto name : names)
    all += (all.empty() ? "" : ", ") + std::string{name};
  return all;
}

fault_plan make_fault_plan(fault_profile profile, const cluster_parameters& cluster, splitmix64& chance) {
  if (profile == fault_profile::mixed) {
    profile = static_cast<fault_profile>(chance.below(static_cast<std::uint64_t>(fault_profile::mixed)));
  }
  fault_plan plan;
  plan.profile = profile;
  plan.heals_at = draw_between(chance, moment{chaos_min}, moment{chaos_max});
  fault_drawer{plan, cluster, chance}.draw();
  return plan;
}

void add_disk_faults(std::vector<planned_fault>& faults, moment heals_at, const cluster_parameters& cluster,
                     splitmix64& chance) {
  if (chance.below(3) == 0) {
    const auto replica = draw_replica(cluster, chance);
    const auto begin = draw_between(chance, earliest, heals_at);
    const auto end = std::min(heals_at, begin + 1ms + draw_below(chance, 1s));
    faults.push_back({begin, end, failing_disk{replica, static_cast<disk_trouble>(1 + chance.below(3))}});
  }
  if (chance.below(4) == 0) {
    const auto replica = draw_replica(cluster, chance);
    const auto begin = draw_between(chance, earliest, heals_at);
    const auto end = std::min(heals_at, begin + 1ms + draw_below(chance, 300ms));
    auto spoiled = spoiled_by(faults);
    spoiled.insert(replica);
    if (spoiled.size() <= cluster.group().faulty_max()) faults.push_back({begin, end, damaged_disk{replica}});
  }
}

}  // namespace hypermesh::testing
