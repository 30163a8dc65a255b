#include "tests/simulation/fault_plan.hpp"

#include <algorithm>
#include <array>

namespace hypermesh::testing {

namespace {

constexpr std::array<std::string_view, 9> names = {"calm",    "lossy",    "reordering", "duplicating", "partitioned",
                                                   "pausing", "crashing", "everything", "mixed"};

/// Long enough that partitions outlive several STATUS periods and that checkpoints pass meanwhile.
constexpr microseconds_t chaos_us_min = 1'500'000;
constexpr microseconds_t chaos_us_max = 4'000'000;
constexpr std::uint32_t loss_permille_max = 200;

bool has(fault_profile profile, fault_profile wanted) {
  return profile == wanted || profile == fault_profile::everything;
}

/// Who is cut off: any part of the replicas, and each client on one side or the other.
std::set<principal> draw_side(const cluster_parameters& cluster, splitmix64& chance) {
  std::set<principal> side;
  // Half of the partitions cut off one replica, so that the others go on without it.
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

planned_fault draw_partition(const cluster_parameters& cluster, microseconds_t heals_at, splitmix64& chance) {
  link_partition partition{draw_side(cluster, chance)};
  const auto begin = chance.below(heals_at);
  const auto end = begin + 100'000 + chance.below(heals_at / 2);
  // One in three partitions is one-way.
  const auto direction = chance.below(6);
  if (direction < 2) partition.cuts = direction == 0 ? link_cut::inbound : link_cut::outbound;
  return {begin, std::min(heals_at, end), std::move(partition)};
}

planned_fault draw_pause(const cluster_parameters& cluster, microseconds_t heals_at, splitmix64& chance) {
  actor_pause pause;
  pause.replica = replica_id{static_cast<std::uint32_t>(chance.below(cluster.replicas))};
  pause.part = static_cast<node_part>(chance.below(node_parts_count));
  const auto begin = chance.below(heals_at);
  // From a hiccup to several STATUS periods.
  const auto end = begin + 1'000 + chance.below(chance.below(2) == 0 ? 50'000 : 1'500'000);
  return {begin, std::min(heals_at, end), pause};
}

/// A node that dies, more often inside a write than between two; now and then all of them at once.
planned_fault draw_crash(const cluster_parameters& cluster, microseconds_t heals_at, splitmix64& chance) {
  const replica_id replica{static_cast<std::uint32_t>(chance.below(cluster.replicas))};
  const auto begin = 1 + chance.below(heals_at - 1);
  const auto end = std::min(heals_at, begin + 1'000 + chance.below(chance.below(2) == 0 ? 100'000 : 2'000'000));
  switch (chance.below(8)) {
    case 0:
      return {begin, end, power_cut{}};
    case 1:
    case 2:
      return {begin, end, node_crash{replica}};
    default:
      return {begin, end, write_crash{replica, static_cast<write_fate>(chance.below(2))}};
  }
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
  plan.heals_at = chaos_us_min + chance.below(chaos_us_max - chaos_us_min);
  // Rates and delays last as long as the chaos; the others begin and end in it.
  const auto throughout = [&](fault_kind what) { plan.faults.push_back({0, plan.heals_at, std::move(what)}); };
  const auto delay_us_min = 50 + chance.below(500);
  throughout(link_delay{delay_us_min, delay_us_min + 50 + chance.below(20'000)});
  if (has(profile, fault_profile::lossy)) {
    throughout(frame_loss{static_cast<std::uint32_t>(10 + chance.below(loss_permille_max - 9))});
  }
  if (has(profile, fault_profile::duplicating)) {
    throughout(frame_duplication{static_cast<std::uint32_t>(20 + chance.below(300))});
  }
  if (has(profile, fault_profile::reordering)) {
    throughout(frame_reordering{});
    const auto permille = static_cast<std::uint32_t>(20 + chance.below(200));
    throughout(frame_straggling{permille, 10'000 + chance.below(400'000)});
  }
  if (has(profile, fault_profile::partitioned)) {
    const auto count = 1 + chance.below(4);
    for (std::uint64_t index = 0; index < count; ++index)
      plan.faults.push_back(draw_partition(cluster, plan.heals_at, chance));
  }
  if (has(profile, fault_profile::pausing)) {
    const auto count = 2 + chance.below(12);
    for (std::uint64_t index = 0; index < count; ++index)
      plan.faults.push_back(draw_pause(cluster, plan.heals_at, chance));
  }
  if (has(profile, fault_profile::crashing)) {
    const auto count = 1 + chance.below(6);
    for (std::uint64_t index = 0; index < count; ++index)
      plan.faults.push_back(draw_crash(cluster, plan.heals_at, chance));
  }
  return plan;
}

}  // namespace hypermesh::testing
