#include "runtime/http/page_text.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "messages/signing.hpp"

namespace hypermesh::http {

namespace {

using json = nlohmann::ordered_json;

std::string dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

std::int64_t ms_of(wall_time time) { return time.time_since_epoch().count(); }

std::uint64_t counter_in(const node_report& report, std::string_view name) {
  const auto found = std::ranges::find(report.counters, name, &named_counter::name);
  return found == report.counters.end() ? 0 : found->value;
}

/// The counters that the page shows. A report has up to some hundred of them.
constexpr std::array<std::string_view, 7> shown_counters = {"view_is_active",         "slots_in_use", "last_proposed",
                                                            "requests_pending",       "on_probation", "disk_bytes",
                                                            "requests_executed_total"};

json json_of(const node_report& report) {
  json out = {{"view", report.view.value},
              {"low_watermark", report.low_watermark.value},
              {"high_watermark", report.high_watermark.value},
              {"last_executed", report.last_executed.value},
              {"stable_checkpoint", report.stable_checkpoint.value}};
  for (const auto name : shown_counters)
    out[std::string{name}] = counter_in(report, name);
  return out;
}

json json_of(const runtime::taped_event& event) {
  return {{"time_ms", ms_of(event.at)}, {"name", event.name}, {"level", event.level}, {"text", event.text}};
}

json json_of(const runtime::activity_sample& sample) {
  return json::array({ms_of(sample.at), sample.requests, sample.batches, sample.latency_p50_us, sample.latency_p99_us,
                      sample.latency_max_us});
}

/// The row of one replica: its claim, its condition, its reputation.
json json_of_replica(std::uint32_t number, const node_facts& facts, const health_answer& health,
                     const runtime::dashboard_hub::present& present, moment now) {
  const auto& claim = present.claims[number];
  json out = {{"replica", number}, {"linked", claim.is_linked}};
  if (claim.heard != moment{}) {
    out["heard_ms"] = std::chrono::duration_cast<std::chrono::milliseconds>(now - claim.heard).count();
    out["view"] = claim.view.value;
    out["decided"] = claim.last_decided.value;
    out["stable"] = claim.low_watermark.value;
  }
  const auto& reasons = health.report.reasons;
  const auto reason = std::ranges::find(reasons, replica_id{number}, &health::health_reason::replica);
  const bool votes = reason == reasons.end();
  out["condition"] = to_string(votes ? health::replica_condition::voting : reason->condition);
  out["why"] = votes ? std::string{} : text_of(*reason);
  if (!facts.reputations || number >= facts.reputations->size()) return out;
  const auto& standing = (*facts.reputations)[number];
  out["score"] = standing.agreed.score;
  out["local_score"] = standing.local_score;
  out["convictions"] = standing.agreed.convictions;
  out["quarantined_until"] = standing.agreed.quarantined_until.value;
  return out;
}

/// Adds the votes of one kind, and the own vote at the moment at which this replica sent it.
std::string votes_of(const runtime::shown_batch& batch, message_kind kind, replica_id self, moment own,
                     replica_id primary, moment begin) {
  std::string text;
  const auto add = [&](replica_id who, moment when) {
    if (when == moment{}) return;
    text += fmt::format("{}[{},{}]", text.empty() ? "" : ",", who.value, (when - begin).count());
  };
  const bool is_prepare = kind == message_kind::prepare;
  if (is_prepare) add(primary, batch.times.proposed);
  if (!is_prepare || primary != self) add(self, own);
  for (const auto& each : batch.votes) {
    if (each.kind == kind) add(each.replica, each.arrived);
  }
  return text;
}

std::string text_of(const runtime::shown_batch& batch, replica_id self, group_size group, clock_pair now) {
  const auto begin = batch.begin();
  const auto ago = std::chrono::duration_cast<std::chrono::milliseconds>(now.steady - begin);
  auto text = fmt::format("{{\"sequence\":{},\"view\":{},\"begin_ms\":{},\"requests\":{}", batch.sequence.value,
                          batch.view.value, ms_of(now.wall) - ago.count(), batch.requests);
  const auto add = [&](std::string_view name, moment when) {
    if (when != moment{}) text += fmt::format(",\"{}\":{}", name, (when - begin).count());
  };
  add("requested", batch.times.requested);
  add("proposed", batch.times.proposed);
  add("prepared", batch.times.prepared);
  add("committed", batch.times.committed);
  add("executed", batch.executed);
  add("replied", batch.replied);
  const auto primary = group.primary_of(batch.view);
  const auto& times = batch.times;
  return text + fmt::format(",\"prepares\":[{}],\"commits\":[{}]}}",
                            votes_of(batch, message_kind::prepare, self, times.proposed, primary, begin),
                            votes_of(batch, message_kind::commit, self, times.prepared, primary, begin));
}

/// The newest batches in the order of their sequence numbers, as far as they fit.
std::string list_of(replica_id self, group_size group, const std::vector<runtime::shown_batch>& batches, clock_pair now,
                    std::size_t bytes_max) {
  std::string list;
  for (auto each = batches.rbegin(); each != batches.rend(); ++each) {
    const auto text = text_of(*each, self, group, now);
    if (list.size() + text.size() + 1 > bytes_max) break;
    list = list.empty() ? text : text + "," + list;
  }
  return list;
}

json json_of(const runtime::shown_item& item, const std::vector<public_key>& keys) {
  json out = {{"kind", static_cast<unsigned>(item.kind)},
              {"name", to_string(item.kind)},
              {"signer", item.signer.value},
              {"bytes", item.content_bytes},
              {"content", to_hex(item.content)},
              {"signature", to_hex(item.by.view())}};
  if (item.signer.value < keys.size()) out["public_key"] = to_hex(keys[item.signer.value].view());
  return out;
}

}  // namespace

std::string snapshot_text(const page_subject& of, const node_facts& facts, const health_answer& health,
                          const runtime::dashboard_hub::present& present, clock_pair now) {
  const auto group = of.cluster.group();
  auto replicas = json::array();
  for (std::uint32_t number = 0; number < present.claims.size(); ++number)
    replicas.push_back(json_of_replica(number, facts, health, present, now.steady));
  json out = {{"replica", of.self.value},
              {"time_ms", ms_of(now.wall)},
              {"uptime_s", of.uptime.count()},
              {"cluster", to_hex(of.cluster.signing.cluster.view())},
              {"quorum", group.quorum()},
              {"checkpoint_period", of.cluster.checkpoint_period},
              {"node", facts.report ? json_of(*facts.report) : json(nullptr)},
              {"replicas", replicas},
              {"second", present.last_second ? json_of(*present.last_second) : json(nullptr)},
              {"proofs", present.proofs},
              {"proofs_turn", present.proofs_turn},
              {"failure", facts.works ? json(nullptr) : json(facts.works.error().what)}};
  // The reasons are in the rows of the replicas.
  out["health"] = {{"sentence", sentence_of(health.report)},
                   {"live", health.is_live},
                   {"ready", health.is_ready},
                   {"degraded", health.is_degraded()},
                   {"attention", health.attention}};
  auto text = dump(out);
  text.pop_back();
  text += ",\"batches\":[";
  const auto left = snapshot_bytes_max - std::min(snapshot_bytes_max, text.size() + 2);
  return text + list_of(of.self, group, present.batches, now, left) + "]}";
}

std::string history_text(const runtime::dashboard_hub::past& past) {
  auto samples = json::array();
  for (const auto& each : past.samples)
    samples.push_back(json_of(each));
  auto standings = json::array();
  for (const auto& each : past.standings) {
    standings.push_back({ms_of(each.at), each.replica.value, each.score, each.local_score, each.convictions,
                         each.quarantined_until.value});
  }
  auto events = json::array();
  for (const auto& each : past.events)
    events.push_back(json_of(each));
  return dump({{"samples", samples}, {"standings", standings}, {"events", events}}) + "\n";
}

std::string batches_text(replica_id self, group_size group, const std::vector<runtime::shown_batch>& batches,
                         clock_pair now) {
  constexpr std::size_t bytes_max = std::size_t{256} * 1024;
  return fmt::format("{{\"replica\":{},\"batches\":[{}]}}\n", self.value,
                     list_of(self, group, batches, now, bytes_max));
}

std::string evidence_text(const signing_context& signing, const std::deque<runtime::shown_proof>& proofs,
                          const std::vector<public_key>& keys) {
  // Without the kind, which is its last byte.
  auto prefix = signing_input(signing, message_kind::request, {});
  prefix.pop_back();
  auto list = json::array();
  for (const auto& each : proofs) {
    auto items = json::array();
    for (const auto& item : each.items)
      items.push_back(json_of(item, keys));
    list.push_back({{"replica", each.about.accused.number},
                    {"misbehaviour", to_string(each.about.what)},
                    {"view", each.about.view.value},
                    {"sequence", each.about.sequence.value},
                    {"seen_ms", ms_of(each.seen)},
                    {"ordered_at", each.ordered_at.value},
                    {"items", items}});
  }
  return dump({{"signing_prefix", to_hex(prefix)}, {"proofs", list}}) + "\n";
}

std::string tape_text(const runtime::taped_event& event) { return dump(json_of(event)); }

}  // namespace hypermesh::http
