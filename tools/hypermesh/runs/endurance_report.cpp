#include "tools/hypermesh/runs/endurance_report.hpp"

#include <fmt/format.h>

#include "tools/hypermesh/load/load_report.hpp"

namespace hypermesh::cli {

namespace {

/// A value that grew by at most this factor counts as flat, because the use of allocators and compactions varies.
constexpr double flat_growth_max = 1.25;
constexpr std::size_t first_tenth = 0;
constexpr std::size_t fifth_tenth = 4;

constexpr double seconds_of(std::uint64_t microseconds) { return static_cast<double>(microseconds) / 1e6; }

std::string judgement_of(const endurance_result& result, std::uint64_t replica_burden::*what, const text_style& style) {
  if (result.growth_of(what, first_tenth) <= flat_growth_max) return style.good("flat");
  return result.was_cut_back(what) ? "grows and shrinks again" : style.warning("growing");
}

std::string growth_text(const endurance_result& result, std::uint64_t replica_burden::*what, const text_style& style) {
  const auto growth = result.growth_of(what, first_tenth);
  return fmt::format("{}: at the end {:.2f} × the first tenth, {:.2f} × the fifth tenth; maximum {}",
                     judgement_of(result, what, style), growth, result.growth_of(what, fifth_tenth),
                     short_bytes(result.most_of(what)));
}

std::string pauses_text(const checkpoint_pauses& pauses) {
  return fmt::format("longest {}, mean {}, of {}", short_duration(seconds_of(pauses.longest_us)),
                     short_duration(pauses.mean_us() / 1e6), grouped(pauses.count));
}

/// The rate of a slow load is shown with decimals.
std::string rate_text(double rate) {
  return rate < 10 ? fmt::format("{:.2f}", rate) : grouped(static_cast<std::uint64_t>(rate + 0.5));
}

std::string rows_of(const endurance_result& result, const text_style& style) {
  using side = text_table::side;
  text_table table{{{"operations", side::right},
                    {"time", side::right},
                    {"op/s", side::right},
                    {"p50", side::right},
                    {"p99", side::right},
                    {"memory", side::right},
                    {"disk", side::right},
                    {"audit trail", side::right},
                    {"pending", side::right},
                    {"slots", side::right}}};
  for (const auto& each : result.tenths) {
    table.add(
        {grouped(each.answered), short_duration(each.load.seconds), rate_text(each.load.rate()),
         short_duration(seconds_of(each.latency_p50)), short_duration(seconds_of(each.latency_p99)),
         short_bytes(each.sum_of(&replica_burden::resident_bytes)),
         short_bytes(each.sum_of(&replica_burden::disk_bytes)), short_bytes(each.sum_of(&replica_burden::audit_bytes)),
         grouped(each.max_of(&replica_burden::requests_pending)), grouped(each.max_of(&replica_burden::slots_in_use))});
  }
  return table.text(style);
}

nlohmann::ordered_json growth_json(const endurance_result& result, std::uint64_t replica_burden::*what) {
  const auto growth = result.growth_of(what, first_tenth);
  return {{"since_first_tenth", growth},
          {"since_fifth_tenth", result.growth_of(what, fifth_tenth)},
          {"bytes_max", result.most_of(what)},
          {"cut_back", result.was_cut_back(what)},
          {"flat", growth <= flat_growth_max}};
}

nlohmann::ordered_json json_of(const endurance_tenth& tenth) {
  nlohmann::ordered_json json;
  json["answered"] = tenth.answered;
  json["elapsed_s"] = tenth.load.seconds;
  json["operations_per_second"] = tenth.load.rate();
  json["latency_us"] = {{"p50", tenth.latency_p50}, {"p99", tenth.latency_p99}};
  auto& replicas = json["replicas"] = nlohmann::ordered_json::array();
  for (const auto& each : tenth.replicas) {
    replicas.push_back({{"resident_bytes", each.resident_bytes},
                        {"disk_bytes", each.disk_bytes},
                        {"audit_bytes", each.audit_bytes},
                        {"requests_pending", each.requests_pending},
                        {"slots_in_use", each.slots_in_use}});
  }
  return json;
}

}  // namespace

std::string text_of(const endurance_result& result, const text_style& style) {
  text_table summary{{{""}, {""}}};
  summary.add({"memory", growth_text(result, &replica_burden::resident_bytes, style)});
  summary.add({"disk", growth_text(result, &replica_burden::disk_bytes, style)});
  summary.add({"pause for a checkpoint", pauses_text(result.pauses())});
  add_rows(summary, result.end);
  return rows_of(result, style) + "\n" +
         style.dim(
             "Memory, disk and audit trails are sums of all replicas; pending requests and slots in use are the\n"
             "maximum of one replica. A trail grows up to its size limit in the configuration ([audit]).") +
         "\n\n" + summary.text(style) + "\n" + verdict_line(sentence_of(result.end), result.is_right(), style);
}

nlohmann::ordered_json json_of(const endurance_result& result) {
  nlohmann::ordered_json json;
  json["replicas"] = result.settings.load.replicas;
  json["operations"] = result.settings.operations;
  auto& tenths = json["tenths"] = nlohmann::ordered_json::array();
  for (const auto& each : result.tenths)
    tenths.push_back(json_of(each));
  json["growth"] = {{"memory", growth_json(result, &replica_burden::resident_bytes)},
                    {"disk", growth_json(result, &replica_burden::disk_bytes)}};
  const auto pauses = result.pauses();
  json["checkpoint_pause_us"] = {{"max", pauses.longest_us}, {"mean", pauses.mean_us()}, {"count", pauses.count}};
  add_keys(json, result.end);
  json["ok"] = result.is_right();
  return json;
}

}  // namespace hypermesh::cli
