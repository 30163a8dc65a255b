#include "runtime/http/node_facts.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "runtime/metrics/node_metrics.hpp"

namespace hypermesh::http {

namespace {

using json = nlohmann::ordered_json;

/// A disk with less than this part free is nearly full. The alert HypermeshDiskNearlyFull has the same bound.
constexpr std::uint64_t nearly_full_divisor = 10;

bool is_nearly_full(const std::optional<metrics::disk_facts>& disk) {
  return disk && disk->free_bytes < disk->size_bytes / nearly_full_divisor;
}

/// At less than a window the replica catches up by messages alone, as it does under load all the time.
bool lags_by_a_window(const node_report& report) {
  const auto window = report.high_watermark.value - std::min(report.low_watermark, report.high_watermark).value;
  return report.stable_checkpoint.value > report.last_executed.value + window;
}

json json_of(const std::vector<reputation>& reputations) {
  auto list = json::array();
  for (std::size_t number = 0; number < reputations.size(); ++number) {
    const auto& each = reputations[number];
    list.push_back({{"replica", number},
                    {"score", each.agreed.score},
                    {"local_score", each.local_score},
                    {"convictions", each.agreed.convictions},
                    {"quarantined_until", each.agreed.quarantined_until.value},
                    {"avoided_as_primary", each.is_avoided_as_primary}});
  }
  return list;
}

json json_of(const node_report& report) {
  auto counters = json::object();
  for (const auto& each : report.counters)
    counters[each.name] = each.value;
  return {{"view", report.view.value},
          {"low_watermark", report.low_watermark.value},
          {"high_watermark", report.high_watermark.value},
          {"last_executed", report.last_executed.value},
          {"stable_checkpoint", report.stable_checkpoint.value},
          {"counters", counters}};
}

json json_of(const metrics::host_facts& host) {
  const auto number = [](const auto& value) { return value ? json(*value) : json(nullptr); };
  auto disks = json::object();
  for (std::size_t index = 0; index < host.disks.size(); ++index) {
    if (!host.disks[index]) continue;
    disks[value_of(metrics::label_set::directory, index)] = {{"free_bytes", host.disks[index]->free_bytes},
                                                             {"size_bytes", host.disks[index]->size_bytes}};
  }
  return {{"resident_bytes", number(host.resident_bytes)},
          {"open_files", number(host.open_files)},
          {"threads", number(host.threads)},
          {"disks", disks}};
}

}  // namespace

std::uint64_t counter_in(const node_report& report, std::string_view name) {
  const auto found = std::ranges::find(report.counters, name, &named_counter::name);
  return found == report.counters.end() ? 0 : found->value;
}

health_answer assess_by_facts(const node_facts& facts) {
  health_answer out;
  out.is_live = facts.report.has_value();
  out.is_ready = out.is_live && facts.works;
  const auto object = [&out](std::string reason, bool forbids_use) {
    out.reasons.push_back(std::move(reason));
    if (forbids_use) out.is_ready = false;
  };
  if (!facts.report) object("no_answer", true);
  if (!facts.works) object("node_failed", true);
  if (facts.report) {
    if (counter_in(*facts.report, "on_probation") != 0) object("on_probation", true);
    const auto& counters = facts.report->counters;
    const auto active = std::ranges::find(counters, "view_is_active", &named_counter::name);
    if (active != counters.end() && active->value == 0) object("waits_for_new_view", true);
    if (lags_by_a_window(*facts.report)) object("lags", true);
  }
  for (std::size_t index = 0; index < facts.host.disks.size(); ++index) {
    if (!is_nearly_full(facts.host.disks[index])) continue;
    object(fmt::format("{}_disk_nearly_full", value_of(metrics::label_set::directory, index)), false);
  }
  if (facts.reputations && std::ranges::any_of(*facts.reputations, is_punished)) object("replica_convicted", false);
  if (!out.is_ready) {
    out.sentence = fmt::format("clients should not use this replica: {}", fmt::join(out.reasons, ", "));
  } else if (!out.reasons.empty()) {
    out.sentence = fmt::format("the replica works, but needs attention: {}", fmt::join(out.reasons, ", "));
  } else {
    out.sentence = "the replica works";
  }
  return out;
}

std::string probe_text(const health_answer& health, bool passes, bool is_verbose) {
  std::string text = passes ? "ok\n" : "not ok\n";
  if (!is_verbose) return text;
  text += health.sentence + "\n";
  for (const auto& each : health.reasons)
    text += "- " + each + "\n";
  return text;
}

std::string status_json(replica_id self, const node_facts& facts, const health_answer& health,
                        std::chrono::milliseconds age) {
  json out = {{"replica", self.value},
              {"age_ms", age.count()},
              {"health",
               {{"live", health.is_live},
                {"ready", health.is_ready},
                {"degraded", !health.reasons.empty()},
                {"reasons", health.reasons},
                {"sentence", health.sentence}}},
              {"node", facts.report ? json_of(*facts.report) : json(nullptr)},
              {"reputations", facts.reputations ? json_of(*facts.reputations) : json(nullptr)},
              {"host", json_of(facts.host)}};
  out["failure"] = nullptr;
  if (!facts.works) out["failure"] = {{"what", facts.works.error().what}, {"fix", facts.works.error().remedy}};
  return out.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace hypermesh::http
