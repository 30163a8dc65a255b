#include "tests/simulation/planned_fault.hpp"

#include <algorithm>
#include <functional>
#include <limits>

#include <fmt/format.h>

#include "tests/byzantine/strategy.hpp"

namespace hypermesh::testing {

namespace {

/// The shrinker does not make faults shorter than this.
constexpr duration shortest = 1ms;

template <class Kind>
std::vector<Kind> with_half_the_rate(Kind kind) {
  if (kind.permille <= 1) return {};
  kind.permille /= 2;
  return {kind};
}

/// All sets that lack exactly one of the members.
std::vector<std::set<endpoint>> without_one(const std::set<endpoint>& members) {
  std::vector<std::set<endpoint>> smaller;
  if (members.size() < 2) return smaller;
  for (const auto& each : members) {
    smaller.push_back(members);
    smaller.back().erase(each);
  }
  return smaller;
}

void for_each_replica(const simulated_world& world, const std::function<void(replica_id)>& visit) {
  for (std::uint32_t number = 0; number < world.settings().cluster.replicas; ++number)
    visit(replica_id{number});
}

/// Calls `use` with a value of the kind that `word` names. Returns false if no kind has that name.
template <std::size_t Index = 0, class Use>
bool with_kind(std::string_view word, Use use) {
  if constexpr (Index == std::variant_size_v<fault_kind>) {
    return false;
  } else {
    using kind = std::variant_alternative_t<Index, fault_kind>;
    if (kind::word != word) return with_kind<Index + 1>(word, use);
    use(kind{});
    return true;
  }
}

}  // namespace

// --- What each kind does ----------------------------------------------------------

void link_delay::apply_to(network_faults& network) const {
  network.delay_min = min;
  network.delay_max = max;
}

void frame_loss::apply_to(network_faults& network) const {
  network.loss_permille = std::max(network.loss_permille, permille);
}

std::vector<frame_loss> frame_loss::weaker() const { return with_half_the_rate(*this); }

void frame_duplication::apply_to(network_faults& network) const {
  network.duplicate_permille = std::max(network.duplicate_permille, permille);
}

std::vector<frame_duplication> frame_duplication::weaker() const { return with_half_the_rate(*this); }

void frame_straggling::apply_to(network_faults& network) const {
  network.straggle_permille = std::max(network.straggle_permille, permille);
  network.straggle_max = std::max(network.straggle_max, longer);
}

std::vector<frame_straggling> frame_straggling::weaker() const { return with_half_the_rate(*this); }

void link_partition::apply_to(network_faults& network) const {
  // The driver removes this partition when the fault ends.
  network.partitions.push_back({moment{}, moment::max(), side, cuts != link_cut::inbound, cuts != link_cut::outbound});
}

std::vector<link_partition> link_partition::weaker() const {
  std::vector<link_partition> smaller;
  for (auto& each : without_one(side))
    smaller.push_back({std::move(each), cuts});
  return smaller;
}

std::vector<link_break> link_break::weaker() const {
  std::vector<link_break> smaller;
  for (auto& each : without_one(from))
    smaller.push_back({std::move(each), to});
  for (auto& each : without_one(to))
    smaller.push_back({from, std::move(each)});
  return smaller;
}

void node_pause::begin(simulated_world& world) const {
  for (std::size_t part = 0; part < node_parts_count; ++part)
    world.pause(replica, static_cast<node_part>(part));
}

void node_pause::end(simulated_world& world) const {
  for (std::size_t part = 0; part < node_parts_count; ++part)
    world.resume(replica, static_cast<node_part>(part));
}

void power_cut::begin(simulated_world& world) const {
  for_each_replica(world, [&](replica_id id) { world.lose_power(id); });
}

void power_cut::end(simulated_world& world) const {
  for_each_replica(world, [&](replica_id id) { world.restart(id); });
}

void lying_disk::end(simulated_world& world) const {
  world.crash(replica);
  world.let_disk_lie(replica, 0);
  world.restart(replica);
}

void failing_disk::end(simulated_world& world) const {
  world.trouble_disk(replica, disk_trouble::none);
  // The system may have discarded the writes that it could not write, so they are lost as in a power failure.
  world.lose_power(replica);
  world.restart(replica);
}

std::vector<lying_disk> lying_disk::weaker() const {
  if (changes <= 1) return {};
  return {{replica, changes / 2}, {replica, changes - 1}};
}

std::vector<clock_step> clock_step::weaker() const {
  if (ahead + back <= shortest) return {};
  return {{replica, ahead / 2, back / 2}};
}

void key_copy::end(simulated_world& world) const {
  if (leaves == leaving_machine::none) return;
  world.remove_machine({principal::of(replica), leaves == leaving_machine::second});
}

bool adversarial_play::is_possible(const cluster_parameters& cluster) const {
  // Client 0 must stay correct, because the run gives it operations when the other clients wait for nothing.
  const bool is_member =
      who.is_replica() ? who.number < cluster.replicas : who.number > 0 && who.number < cluster.clients;
  return is_member && make_adversary(plays.text) != nullptr;
}

void adversarial_play::end(simulated_world& world) const {
  if (end_means == adversary_end::leaves) world.behave(who);
}

std::vector<adversarial_play> adversarial_play::weaker() const {
  std::vector<adversarial_play> smaller;
  if (end_means == adversary_end::stays) smaller.push_back({who, plays, adversary_end::leaves});
  // The weaker faults are the single strategies of a combination.
  const auto names = strategies_in(plays.text);
  for (const auto* each : names) {
    if (names.size() > 1) smaller.push_back({who, {std::string{each->name}}, end_means});
  }
  return smaller;
}

// --- All kinds --------------------------------------------------------------------

std::string text_of(const planned_fault& fault) {
  return std::visit(
      [&](const auto& kind) {
        field_writer fields;
        kind.visit_fields(kind, fields);
        return text_of(fault.begin) + " " + text_of(fault.end) + " " + std::string{kind.word} + fields.text();
      },
      fault.what);
}

or_reason<planned_fault> fault_of(std::span<const std::string> words) {
  planned_fault fault;
  if (words.size() < 3 || !read(words[0], fault.begin) || !read(words[1], fault.end)) {
    return invalid("a fault is BEGIN END KIND FIELD=VALUE…, with times like 12.000ms");
  }
  or_reason<void> sound;
  const bool is_known = with_kind(words[2], [&](auto kind) {
    field_reader fields{words.subspan(3)};
    kind.visit_fields(kind, fields);
    sound = fields.outcome();
    fault.what = std::move(kind);
  });
  if (!is_known) return invalid("no kind of fault is named \"" + words[2] + "\"");
  if (!sound) return invalid("the fault \"" + words[2] + "\" " + sound.error());
  return fault;
}

bool is_possible(const planned_fault& fault, const cluster_parameters& cluster) {
  return fault.begin < fault.end && std::visit([&](const auto& kind) { return kind.is_possible(cluster); }, fault.what);
}

std::vector<planned_fault> weaker(const planned_fault& fault) {
  std::vector<planned_fault> all;
  std::visit(
      [&](const auto& kind) {
        if constexpr (requires { kind.weaker(); }) {
          for (auto& each : kind.weaker())
            all.push_back({fault.begin, fault.end, std::move(each)});
        }
      },
      fault.what);
  if (fault.end - fault.begin > shortest) {
    const auto middle = fault.begin + (fault.end - fault.begin) / 2;
    all.push_back({fault.begin, middle, fault.what});
    all.push_back({middle, fault.end, fault.what});
  }
  return all;
}

std::set<replica_id> spoiled_by(const std::vector<planned_fault>& faults) {
  std::set<replica_id> all;
  for (const auto& fault : faults) {
    std::visit(
        [&](const auto& kind) {
          if constexpr (requires { kind.spoils(); }) {
            if (const std::optional<replica_id> spoiled = kind.spoils()) all.insert(*spoiled);
          }
        },
        fault.what);
  }
  return all;
}

std::set<client_id> misbehaving_clients(const std::vector<planned_fault>& faults) {
  std::set<client_id> all;
  for (const auto& fault : faults) {
    const auto* kind = std::get_if<adversarial_play>(&fault.what);
    if (kind != nullptr && kind->who.is_client()) all.insert(client_id{kind->who.number});
  }
  return all;
}

void begin_in(simulated_world& world, const fault_kind& kind) {
  std::visit(
      [&](const auto& each) {
        if constexpr (requires { each.begin(world); }) each.begin(world);
      },
      kind);
}

void end_in(simulated_world& world, const fault_kind& kind) {
  std::visit(
      [&](const auto& each) {
        if constexpr (requires { each.end(world); }) each.end(world);
      },
      kind);
}

network_faults network_under(const std::vector<planned_fault>& faults) {
  network_faults network;
  for (const auto& fault : faults) {
    std::visit(
        [&](const auto& kind) {
          if constexpr (requires { kind.apply_to(network); }) kind.apply_to(network);
        },
        fault.what);
  }
  return network;
}

}  // namespace hypermesh::testing
