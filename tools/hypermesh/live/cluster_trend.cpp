#include "tools/hypermesh/live/cluster_trend.hpp"

#include <algorithm>
#include <functional>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace hypermesh::cli {

namespace {

using json = nlohmann::ordered_json;

/// The growth of a counter; nothing if a report lacks it, or if it fell, because the replica restarted.
std::optional<double> growth_of(const node_report& before, const node_report& now, std::string_view name) {
  const auto old_value = find_counter(before, name);
  const auto new_value = find_counter(now, name);
  if (!old_value || !new_value || *new_value < *old_value) return std::nullopt;
  return static_cast<double>(*new_value - *old_value);
}

/// Counters of events appear at the first event.
std::optional<double> growth_from_zero(const node_report& before, const node_report& now, std::string_view name) {
  const auto old_value = counter_of(before, name);
  const auto new_value = counter_of(now, name);
  if (new_value < old_value) return std::nullopt;
  return static_cast<double>(new_value - old_value);
}

std::optional<double> per(std::optional<double> amount, double seconds) {
  if (!amount || seconds <= 0) return std::nullopt;
  return *amount / seconds;
}

/// The mean in milliseconds of the events between two reports.
std::optional<double> mean_ms(std::optional<double> microseconds, std::optional<double> events) {
  if (!microseconds || !events || *events == 0) return std::nullopt;
  return *microseconds / *events / 1'000;
}

/// The value with the given rank, from 0, in descending order; nothing if there are not so many values.
std::optional<double> ranked(std::vector<double> values, std::size_t rank) {
  if (values.size() <= rank) return std::nullopt;
  std::ranges::sort(values, std::greater{});
  return values[rank];
}

/// The values of one member of all trends, if they are known.
template <class Member>
std::vector<double> known_values(const cluster_view& view, Member of) {
  std::vector<double> values;
  for (const auto& each : view.replicas) {
    if (const auto value = of(each)) values.push_back(*value);
  }
  return values;
}

replica_view replica_view_of(const cluster_status& now, std::uint32_t number) {
  replica_view out;
  out.number = number;
  const auto& report = now.reports[number];
  if (!report) return out;
  out.is_reachable = true;
  out.is_primary = now.is_primary(number);
  out.view = report->view.value;
  out.executed = report->last_executed.value;
  out.stable = report->stable_checkpoint.value;
  out.requests_pending = counter_of(*report, "requests_pending");
  out.slots_in_use = counter_of(*report, "slots_in_use");
  out.resident_bytes = find_counter(*report, "process_resident_bytes");
  return out;
}

/// The (f+1)-th highest position, which a correct replica has reached; 0 if fewer replicas answered.
template <class Member>
std::uint64_t position_of(const cluster_view& view, std::size_t faulty_max, Member of) {
  std::vector<std::uint64_t> all;
  for (const auto& each : view.replicas) {
    if (each.is_reachable) all.push_back(each.*of);
  }
  if (all.size() <= faulty_max) return 0;
  std::ranges::sort(all, std::greater{});
  return all[faulty_max];
}

void add_group(const cluster_status& now, cluster_view& view) {
  const auto faulty_max = now.group().faulty_max();
  const auto rate = [](auto of) { return [of](const replica_view& each) { return each.trend.*of; }; };
  view.requests_per_second = ranked(known_values(view, rate(&replica_trend::requests_per_second)), faulty_max);
  view.batches_per_second = ranked(known_values(view, rate(&replica_trend::batches_per_second)), faulty_max);
  view.executed = position_of(view, faulty_max, &replica_view::executed);
  view.stable = position_of(view, faulty_max, &replica_view::stable);
  const auto primary = std::ranges::find_if(view.replicas, &replica_view::is_primary);
  for (std::size_t phase = 0; phase < trend_phases.size(); ++phase) {
    if (primary != view.replicas.end()) {
      view.phase_ms[phase] = primary->trend.phase_ms[phase];
      continue;
    }
    auto known = known_values(view, [phase](const replica_view& each) { return each.trend.phase_ms[phase]; });
    if (known.size() > faulty_max) view.phase_ms[phase] = ranked(known, known.size() - 1 - faulty_max);
  }
}

json json_of(std::optional<double> value) { return value ? json(*value) : json(nullptr); }

json json_of_phases(const std::array<std::optional<double>, trend_phases.size()>& phases) {
  json out = json::object();
  for (std::size_t phase = 0; phase < phases.size(); ++phase)
    out[std::string{trend_phases[phase]}] = json_of(phases[phase]);
  return out;
}

/// The value by which a replica is sorted; nothing if it is unknown.
std::optional<double> value_of(const replica_view& replica, sort_key key) {
  const auto number = [&replica](std::uint64_t value) {
    return replica.is_reachable ? std::optional{static_cast<double>(value)} : std::nullopt;
  };
  switch (key) {
    case sort_key::number:
      return -static_cast<double>(replica.number);
    case sort_key::requests:
      return replica.trend.requests_per_second;
    case sort_key::lag:
      return number(replica.lag);
    case sort_key::pending:
      return number(replica.requests_pending);
    case sort_key::cpu:
      return replica.trend.cpu_percent;
    case sort_key::memory:
      if (!replica.resident_bytes) return std::nullopt;
      return number(*replica.resident_bytes);
    case sort_key::bytes_out:
      return replica.trend.bytes_out_per_second;
  }
  return std::nullopt;
}

}  // namespace

replica_trend trend_between(const node_report& before, const node_report& now, double seconds) {
  replica_trend out;
  out.requests_per_second = per(growth_from_zero(before, now, "requests_executed_total"), seconds);
  out.batches_per_second = per(growth_from_zero(before, now, "batches_committed_total"), seconds);
  out.bytes_in_per_second = per(growth_of(before, now, "link_wire_bytes_in"), seconds);
  out.bytes_out_per_second = per(growth_of(before, now, "link_wire_bytes_out"), seconds);
  const auto rejected_before = rejected_by(before);
  const auto rejected_now = rejected_by(now);
  if (rejected_now >= rejected_before) {
    out.rejected_per_second = per(static_cast<double>(rejected_now - rejected_before), seconds);
  }
  // The node reads its processor time at its own interval, so its own clock counts.
  const auto own_us = growth_of(before, now, "self_report_at_us");
  const auto cpu_us = growth_of(before, now, "process_cpu_us_total");
  if (own_us && cpu_us && *own_us > 0) out.cpu_percent = 100 * *cpu_us / *own_us;
  for (std::size_t phase = 0; phase < trend_phases.size(); ++phase) {
    const auto label = fmt::format("{{phase=\"{}\"}}", trend_phases[phase]);
    out.phase_ms[phase] = mean_ms(growth_of(before, now, "phase_us_total" + label),
                                  growth_of(before, now, "phase_batches_total" + label));
  }
  out.write_ms =
      mean_ms(growth_of(before, now, "storage_write_us_total"), growth_of(before, now, "storage_writes_total"));
  return out;
}

cluster_view view_of(const cluster_status* before, const cluster_status& now, double seconds) {
  cluster_view view;
  for (std::uint32_t number = 0; number < now.reports.size(); ++number) {
    view.replicas.push_back(replica_view_of(now, number));
    const bool has_both =
        before != nullptr && number < before->reports.size() && before->reports[number] && now.reports[number];
    if (has_both) {
      view.replicas.back().trend = trend_between(*before->reports[number], *now.reports[number], seconds);
    }
  }
  add_group(now, view);
  for (auto& each : view.replicas)
    each.lag = each.is_reachable && each.executed < view.executed ? view.executed - each.executed : 0;
  return view;
}

std::string_view to_string(sort_key key) {
  switch (key) {
    case sort_key::number:
      return "number";
    case sort_key::requests:
      return "requests";
    case sort_key::lag:
      return "lag";
    case sort_key::pending:
      return "pending";
    case sort_key::cpu:
      return "cpu";
    case sort_key::memory:
      return "memory";
    case sort_key::bytes_out:
      return "bytes_out";
  }
  return "number";
}

sort_key next_of(sort_key key) {
  return key == sort_key_last ? sort_key::number : static_cast<sort_key>(static_cast<std::uint8_t>(key) + 1);
}

void sort_by(sort_key key, std::vector<replica_view>& replicas) {
  std::ranges::stable_sort(replicas, [key](const replica_view& left, const replica_view& right) {
    const auto left_value = value_of(left, key);
    const auto right_value = value_of(right, key);
    if (left_value && right_value && *left_value != *right_value) return *left_value > *right_value;
    if (left_value.has_value() != right_value.has_value()) return left_value.has_value();
    return left.number < right.number;
  });
}

json json_of(const cluster_view& view) {
  auto replicas = json::array();
  for (const auto& each : view.replicas) {
    json one = {{"replica", each.number}, {"reachable", each.is_reachable}};
    if (each.is_reachable) {
      one.update({{"primary", each.is_primary},
                  {"view", each.view},
                  {"last_executed", each.executed},
                  {"stable_checkpoint", each.stable},
                  {"lag", each.lag},
                  {"requests_pending", each.requests_pending},
                  {"slots_in_use", each.slots_in_use},
                  {"resident_bytes", each.resident_bytes ? json(*each.resident_bytes) : json(nullptr)},
                  {"requests_per_second", json_of(each.trend.requests_per_second)},
                  {"batches_per_second", json_of(each.trend.batches_per_second)},
                  {"cpu_percent", json_of(each.trend.cpu_percent)},
                  {"bytes_in_per_second", json_of(each.trend.bytes_in_per_second)},
                  {"bytes_out_per_second", json_of(each.trend.bytes_out_per_second)},
                  {"rejected_per_second", json_of(each.trend.rejected_per_second)},
                  {"phase_ms", json_of_phases(each.trend.phase_ms)},
                  {"write_ms", json_of(each.trend.write_ms)}});
    }
    replicas.push_back(one);
  }
  return {{"requests_per_second", json_of(view.requests_per_second)},
          {"batches_per_second", json_of(view.batches_per_second)},
          {"last_executed", view.executed},
          {"stable_checkpoint", view.stable},
          {"phase_ms", json_of_phases(view.phase_ms)},
          {"replicas", replicas}};
}

}  // namespace hypermesh::cli
