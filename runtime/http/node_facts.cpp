#include "runtime/http/node_facts.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "runtime/http/report_json.hpp"
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

json json_of(const health_answer& health) {
  auto shown = json::parse(json_of(health.report));
  shown["live"] = health.is_live;
  shown["ready"] = health.is_ready;
  shown["degraded"] = health.is_degraded();
  shown["attention"] = health.attention;
  return shown;
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

health_answer answer_of(health::health_report report, const node_facts& facts, std::chrono::milliseconds age) {
  const bool hangs = age > sample_age_max;
  health_answer out{std::move(report), {}, false, false};
  out.is_live = out.report.live && !hangs;
  out.is_ready = out.report.ready && !hangs;
  if (hangs) out.attention.emplace_back("no_answer");
  if (facts.report && lags_by_a_window(*facts.report)) out.attention.emplace_back("lags");
  for (std::size_t index = 0; index < facts.host.disks.size(); ++index) {
    if (!is_nearly_full(facts.host.disks[index])) continue;
    out.attention.push_back(fmt::format("{}_disk_nearly_full", value_of(metrics::label_set::directory, index)));
  }
  if (facts.reputations && std::ranges::any_of(*facts.reputations, is_punished)) {
    out.attention.emplace_back("replica_convicted");
  }
  return out;
}

std::string probe_text(const health_answer& health, bool passes, bool is_verbose) {
  std::string text = passes ? "ok\n" : "not ok\n";
  if (!is_verbose) return text;
  text += sentence_of(health.report) + "\n";
  for (const auto& each : health.report.reasons)
    text += fmt::format("- {}: {}\n", to_string(each.condition), text_of(each));
  for (const auto& each : health.attention)
    text += fmt::format("- {}\n", each);
  return text;
}

std::string status_json(replica_id self, const node_facts& facts, const health_answer& health,
                        std::chrono::milliseconds age) {
  json out = {{"replica", self.value},
              {"age_ms", age.count()},
              {"health", json_of(health)},
              {"node", facts.report ? json_of_report(*facts.report) : json(nullptr)},
              {"reputations", facts.reputations ? json_of(*facts.reputations) : json(nullptr)},
              {"host", json_of(facts.host)}};
  out["failure"] = nullptr;
  if (!facts.works) out["failure"] = {{"what", facts.works.error().what}, {"fix", facts.works.error().remedy}};
  return out.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace hypermesh::http
