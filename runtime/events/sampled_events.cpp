#include "runtime/events/sampled_events.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/events/event_table.hpp"

namespace hypermesh::runtime {

namespace {

using kind = operator_event_kind;

constexpr std::string_view trusted = "trusted";

std::string_view trust_in(const reputation& each) {
  if (each.is_throttled && each.is_avoided_as_primary) return "throttled and avoided as primary";
  if (each.is_throttled) return "throttled";
  return each.is_avoided_as_primary ? "avoided as primary" : trusted;
}

}  // namespace

std::vector<operator_event> sampled_events::of_trust(const std::vector<reputation>& now) {
  std::vector<operator_event> changes;
  for (std::size_t number = 0; number < now.size(); ++number) {
    if (number == self_.value) continue;
    const auto before = distrusted_.contains(number) ? distrusted_[number] : trusted;
    const auto after = trust_in(now[number]);
    if (before == after) continue;
    if (after == trusted) {
      distrusted_.erase(number);
    } else {
      distrusted_[number] = after;
    }
    const auto who = principal::of(replica_id{static_cast<std::uint32_t>(number)});
    auto event = event_of(
        kind::trust_changed,
        {{"member", to_string(who)}, {"trust", std::string{after}}, {"score", std::uint64_t{now[number].local_score}}});
    if (after == trusted) event.level = event_level::info;
    event.subject = subject_of(who);
    changes.push_back(std::move(event));
  }
  return changes;
}

std::optional<operator_event> sampled_events::of_transfer(const node_report& now) {
  const auto counter = std::ranges::find(now.counters, "transfer_is_active", &named_counter::name);
  const bool is_active = counter != now.counters.end() && counter->value > 0;
  if (std::exchange(is_transferring_, is_active) || !is_active) return std::nullopt;
  return event_of(kind::transfer_began, {{"sequence", now.last_executed.value}});
}

std::vector<operator_event> sampled_events::of_disks(const disk_facts_list& now) {
  std::vector<operator_event> changes;
  for (std::size_t index = 0; index < now.size(); ++index) {
    const auto& disk = now[index];
    if (!disk) continue;
    const bool was_full = is_full_[index];
    const auto divisor = was_full ? room_divisor : full_divisor;
    is_full_[index] = disk->free_bytes < disk->size_bytes / divisor;
    if (is_full_[index] == was_full) continue;
    constexpr std::uint64_t mib = 1'024 * 1'024;
    auto event = event_of(is_full_[index] ? kind::disk_nearly_full : kind::disk_has_room,
                          {{"directory", std::string{value_of(label_set::directory, index)}},
                           {"free_mib", disk->free_bytes / mib},
                           {"size_mib", disk->size_bytes / mib}});
    event.subject = static_cast<std::uint32_t>(index);
    changes.push_back(std::move(event));
  }
  return changes;
}

std::vector<event_field> health_fields(const health::health_report& report) {
  std::vector<std::string> safe;
  for (const auto each : report.safe_to_restart)
    safe.push_back(std::to_string(each.value));
  std::vector<std::string> reasons;
  for (const auto& each : report.reasons)
    reasons.push_back(fmt::format("replica_{}_{}", each.replica.value, to_string(each.condition)));
  return {{"live", report.live},
          {"ready", report.ready},
          {"faults_tolerated", std::uint64_t{report.faults_tolerated}},
          {"safe_to_restart", std::move(safe)},
          {"reasons", std::move(reasons)}};
}

operator_event health_event(const health::health_report& report, bool works, std::vector<std::string> attention,
                            bool was_degraded) {
  auto fields = health_fields(report);
  std::string why = was_degraded ? "recovered: all replicas take part" : "all replicas take part";
  if (report.degraded()) why = "degraded: " + text_of(fields.back().value);
  fields.push_back({"attention", std::move(attention)});
  auto event = event_of(operator_event_kind::health_changed, std::move(fields), std::move(why));
  const bool is_whole = report.faults_tolerated == report.group.faulty_max();
  event.level = works && is_whole ? event_level::info : event_level::warn;
  return event;
}

}  // namespace hypermesh::runtime
