#include "runtime/health/cluster_health.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "messages/require.hpp"

namespace hypermesh::health {

namespace {

constexpr std::string_view live_counter = "health_live";
constexpr std::string_view ready_counter = "health_ready";
constexpr std::string_view condition_counter = "health_condition";
constexpr std::string_view number_counter = "health_condition_number";
constexpr std::string_view disk_counter = "health_keeps_disk";

std::string peer_counter(std::uint32_t replica) {
  return fmt::format("health_peer_condition{{replica=\"{}\"}}", replica);
}

/// The counters of one report by name.
using counter_map = std::map<std::string, std::uint64_t, std::less<>>;

std::uint64_t value_of(const counter_map& counters, std::string_view name, std::uint64_t otherwise) {
  const auto found = counters.find(name);
  return found == counters.end() ? otherwise : found->second;
}

/// A number that no node reports is a condition that this client does not know.
replica_condition condition_from(std::uint64_t number) {
  if (number > static_cast<std::uint64_t>(replica_condition_last)) return replica_condition::disputed;
  return static_cast<replica_condition>(number);
}

/// Collects what replicas that say of themselves that they take part say against each other.
class contradictions {
 public:
  explicit contradictions(std::size_t replicas) : accusers_(replicas), accusations_(replicas) {}

  void add(std::uint32_t accuser, std::uint32_t accused, replica_condition condition) {
    accusers_[accused].emplace(accuser, condition);
    accusations_[accuser].insert(accused);
  }

  /// Removes the replicas that at least `weak_quorum` others accuse, with all that was said by them or against them.
  /// Returns their conditions.
  [[nodiscard]] std::vector<health_reason> remove_convicted(std::uint32_t weak_quorum) {
    std::vector<health_reason> convicted;
    for (std::uint32_t number = 0; number < accusers_.size(); ++number) {
      if (accusers_[number].size() >= weak_quorum) {
        convicted.push_back({replica_id{number}, condition_of(number, weak_quorum), 0});
      }
    }
    for (const auto& each : convicted)
      remove(each.replica.value);
    return convicted;
  }

  [[nodiscard]] bool is_disputed(std::uint32_t replica) const {
    return !accusers_[replica].empty() || !accusations_[replica].empty();
  }

  /// Removes replicas until no contradiction is left: repeatedly the one with the most. Returns their number. It may be
  /// above the smallest such number, so it never makes the group look better.
  [[nodiscard]] std::uint32_t remove_until_consistent() {
    for (std::uint32_t count = 0;; ++count) {
      std::uint32_t most = 0;
      for (std::uint32_t number = 1; number < accusers_.size(); ++number) {
        if (contradictions_of(number) > contradictions_of(most)) most = number;
      }
      if (contradictions_of(most) == 0) return count;
      remove(most);
    }
  }

 private:
  [[nodiscard]] std::size_t contradictions_of(std::uint32_t replica) const {
    return accusers_[replica].size() + accusations_[replica].size();
  }

  /// The condition in which `supporters` others see this replica, if its text needs no number.
  [[nodiscard]] replica_condition condition_of(std::uint32_t replica, std::uint32_t supporters) const {
    for (const auto condition :
         {replica_condition::silent, replica_condition::unlinked, replica_condition::not_voting,
          replica_condition::unreported, replica_condition::on_probation, replica_condition::quarantined}) {
      const auto count = std::ranges::count(accusers_[replica], condition, &condition_by::value_type::second);
      if (count >= static_cast<std::ptrdiff_t>(supporters)) return condition;
    }
    return replica_condition::disputed;
  }

  void remove(std::uint32_t replica) {
    for (const auto& [accuser, condition] : std::exchange(accusers_[replica], {}))
      accusations_[accuser].erase(replica);
    for (const auto accused : std::exchange(accusations_[replica], {}))
      accusers_[accused].erase(replica);
  }

  using condition_by = std::map<std::uint32_t, replica_condition>;
  /// For each replica, those that accuse it.
  std::vector<condition_by> accusers_;
  /// For each replica, those that it accuses.
  std::vector<std::set<std::uint32_t>> accusations_;
};

/// The (f+1)-th highest number of executed batches: a correct replica has executed as much.
sequence_number executed_by_group(const cluster_observations& seen) {
  std::vector<sequence_number> all;
  for (const auto& each : seen.reports) {
    if (each) all.push_back(each->last_executed);
  }
  const auto group = seen.cluster.group();
  if (all.size() < group.weak_quorum()) return {};
  std::ranges::sort(all, std::greater{});
  return all.at(group.faulty_max());
}

/// What speaks against a replica without the word of another single replica.
health_reason own_reason(std::uint32_t number, const cluster_observations& seen, const counter_map& counters,
                         sequence_number executed) {
  const replica_id replica{number};
  const auto& report = seen.reports[number];
  if (!report || report->replica != replica) return {replica, replica_condition::silent, 0};
  const auto agreed = std::ranges::find(seen.quarantined, replica, &health_reason::replica);
  if (agreed != seen.quarantined.end()) return *agreed;
  const auto own = condition_from(value_of(counters, condition_counter, 0));
  if (own != replica_condition::voting) return {replica, own, value_of(counters, number_counter, 0)};
  if (value_of(counters, ready_counter, 1) == 0) return {replica, replica_condition::stuck, 0};
  if (value_of(counters, "view_is_active", 1) == 0) {
    return {replica, replica_condition::changing_view, report->view.value};
  }
  if (seen.view && report->view != *seen.view) return {replica, replica_condition::other_view, report->view.value};
  // The reports are not made at one time, so a replica counts as behind only beyond a window.
  if (report->last_executed.plus(seen.cluster.watermark_window) < executed) {
    return {replica, replica_condition::behind, executed.value - report->last_executed.value};
  }
  return {replica, replica_condition::voting, 0};
}

}  // namespace

std::vector<named_counter> counters_of(const health_report& report, bool keeps_disk, std::set<replica_id>& shown) {
  require(report.self.has_value(), "a node reports its own health");
  health_reason own{*report.self};
  std::map<replica_id, replica_condition> others;
  for (const auto replica : shown)
    others[replica] = replica_condition::voting;
  for (const auto& each : report.reasons) {
    if (each.replica == *report.self) {
      own = each;
    } else {
      others[each.replica] = each.condition;
      shown.insert(each.replica);
    }
  }
  std::vector<named_counter> counters;
  const auto add = [&counters](std::string name, std::uint64_t value) { counters.push_back({std::move(name), value}); };
  add(std::string{live_counter}, report.live ? 1 : 0);
  add(std::string{ready_counter}, report.ready ? 1 : 0);
  add(std::string{condition_counter}, static_cast<std::uint64_t>(own.condition));
  add(std::string{number_counter}, own.number);
  add(std::string{disk_counter}, keeps_disk ? 1 : 0);
  for (const auto& [replica, condition] : others)
    add(peer_counter(replica.value), static_cast<std::uint64_t>(condition));
  return counters;
}

health_report assess_cluster(const cluster_observations& seen) {
  const auto group = seen.cluster.group();
  const auto replicas = group.replicas();
  require(seen.reports.size() == replicas, "one entry for each replica");
  health_findings found;
  found.group = group;
  if (seen.view) found.primary = group.primary_of(*seen.view);
  const auto executed = executed_by_group(seen);
  std::vector<counter_map> counters(replicas);
  std::set<std::uint32_t> left;
  for (std::uint32_t number = 0; number < replicas; ++number) {
    if (const auto& report = seen.reports[number]) {
      for (const auto& each : report->counters)
        counters[number].emplace(each.name, each.value);
    }
    const auto reason = own_reason(number, seen, counters[number], executed);
    if (reason.condition == replica_condition::voting) {
      left.insert(number);
    } else {
      found.faults.push_back(reason);
    }
    if (value_of(counters[number], disk_counter, 1) == 0) found.not_restartable.insert(replica_id{number});
  }
  contradictions disputes{replicas};
  for (const auto speaker : left) {
    for (const auto about : left) {
      const auto condition = condition_from(value_of(counters[speaker], peer_counter(about), 0));
      if (about != speaker && condition != replica_condition::voting) disputes.add(speaker, about, condition);
    }
  }
  for (const auto& each : disputes.remove_convicted(group.weak_quorum())) {
    left.erase(each.replica.value);
    found.faults.push_back(each);
  }
  for (const auto number : left) {
    const replica_id replica{number};
    if (disputes.is_disputed(number)) {
      found.disputed.push_back({replica, replica_condition::disputed, 0});
    } else if (!counters[number].contains(condition_counter)) {
      found.disputed.push_back({replica, replica_condition::unreported, 0});
    }
  }
  found.disputed_faults = disputes.remove_until_consistent();
  return conclude(found);
}

}  // namespace hypermesh::health
