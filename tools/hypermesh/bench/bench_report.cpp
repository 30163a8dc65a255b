#include "tools/hypermesh/bench/bench_report.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "tools/hypermesh/bench/bench_figures.hpp"
#include "tools/hypermesh/terminal/text_table.hpp"

namespace hypermesh::cli {

namespace {

using json_value = nlohmann::ordered_json;

constexpr std::array<std::pair<const char*, double>, 6> percentiles = {
    {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}, {"p99.99", 0.9999}, {"max", 1}}};

/// The load itself may be this late without a warning: 1 ms.
constexpr std::uint64_t late_us_warning = 1'000;

double seconds_of(std::uint64_t microseconds) { return static_cast<double>(microseconds) / 1e6; }
double seconds_of(duration time) { return static_cast<double>(time.count()) / 1e6; }

std::uint64_t percentile_of(const latency_recorder& latency, double share) {
  return share < 1 ? latency.percentile(share) : latency.max();
}

std::string microseconds(double value) {
  return value < 10 ? fmt::format("{:.2f} µs", value)
                    : fmt::format("{} µs", grouped(static_cast<std::uint64_t>(value + 0.5)));
}

std::string rate_text(double rate) {
  return rate < 100 ? fmt::format("{:.1f}", rate) : grouped(static_cast<std::uint64_t>(rate + 0.5));
}

std::string load_text(const load_shape& shape) {
  const auto clients = fmt::format("{} client{}", shape.clients, shape.clients == 1 ? "" : "s");
  if (shape.is_open())
    return fmt::format("open loop, {} op/s offered ({}), {}", rate_text(shape.rate), to_string(shape.spacing), clients);
  return fmt::format("closed loop, {} in flight, {}", grouped(shape.in_flight), clients);
}

std::string operations_text(const load_shape& shape) {
  auto text = fmt::format("{} B payload", grouped(shape.payload_bytes));
  if (shape.machine == "null") text += fmt::format(", {} B reply", grouped(shape.reply_bytes));
  text += fmt::format(", bundles of {}", shape.bundle);
  if (shape.reads_percent > 0)
    text += fmt::format(", {} % {} reads", shape.reads_percent,
                        shape.reads == read_mode::committed ? "committed" : "linearizable");
  return text;
}

std::string latency_text(const latency_recorder& latency, std::size_t first, std::size_t last) {
  std::vector<std::string> parts;
  for (std::size_t index = first; index < last; ++index) {
    const auto& [name, share] = percentiles[index];
    parts.push_back(fmt::format("{} {}", name, short_duration(seconds_of(percentile_of(latency, share)))));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string failures_text(const load_result& result) {
  std::vector<std::string> parts;
  for (const auto& [name, count] : result.failures)
    parts.push_back(fmt::format("{} {}", grouped(count), name));
  return parts.empty() ? "none" : fmt::format("{}", fmt::join(parts, ", "));
}

/// Columns of the text beside the names of rows, which take 18 of 80.
constexpr std::size_t text_columns = 62;

/// Adds a row, or several if the text is too long.
void add_row(text_table& table, std::string name, const std::string& text) {
  const auto lines = lines_of(text, text_columns);
  for (std::size_t begin = 0; begin < lines.size();) {
    const auto end = std::min(lines.find('\n', begin), lines.size());
    table.add({std::exchange(name, {}), lines.substr(begin, end - begin)});
    begin = end + 1;
  }
}

void add_floor(text_table& table, const bench_figures& figures) {
  if (!figures.floor) return;
  const auto& floor = *figures.floor;
  add_row(table, "crypto floor",
          fmt::format("{} an operation: {:.2f} signatures, {:.2f} verifications", microseconds(floor.replicas_us()),
                      floor.signatures, floor.verifications));
  add_row(
      table, "",
      fmt::format("sign {}, verify {}, hash {}, seal {}", microseconds(floor.signing_us),
                  microseconds(floor.verifying_us), microseconds(floor.hashing_us), microseconds(floor.sealing_us)));
  if (figures.times_floor) add_row(table, "replicas ÷ floor", fmt::format("{:.2f}", *figures.times_floor));
}

/// The roles with the most processor time, as shares.
std::string roles_text(const bench_figures& figures) {
  std::vector<std::pair<double, std::string>> roles;
  for (const auto& [role, time] : figures.roles_us)
    roles.emplace_back(figures.replicas_us > 0 ? 100 * time / figures.replicas_us : 0, role);
  std::ranges::sort(roles, std::greater{});
  std::vector<std::string> parts;
  for (const auto& [percent, role] : roles)
    parts.push_back(fmt::format("{} {:.0f} %", role, percent));
  return fmt::format("{}", fmt::join(parts, ", "));
}

void add_use(text_table& table, const bench_run& run, const bench_figures& figures) {
  std::uint64_t most = 0;
  std::uint64_t sum = 0;
  for (const auto each : run.use.resident_bytes) {
    most = std::max(most, each);
    sum += each;
  }
  add_row(table, "memory", fmt::format("{} a replica at most, {} together", short_bytes(most), short_bytes(sum)));
  if (figures.requests_per_batch) {
    add_row(table, "batches",
            fmt::format("{:.1f} requests of {:.1f} operations", *figures.requests_per_batch,
                        figures.operations_per_request));
    add_row(table, "writes to disk",
            fmt::format("{:.2f} a batch and replica, {} each", figures.writes_per_batch.value_or(0),
                        short_duration(figures.write_us.value_or(0) / 1e6)));
  }
  if (figures.wire) {
    const auto& wire = *figures.wire;
    add_row(table, "wire bytes",
            fmt::format("{:.0f} an operation: {:.0f} payload, {:.0f} signatures, {:.0f} headers, {:.0f} links",
                        wire.total, wire.payload, wire.signatures, wire.headers, wire.framing));
  } else if (figures.wire_bytes) {
    add_row(table, "wire bytes", fmt::format("{:.0f} an operation, received and sent", *figures.wire_bytes));
  }
}

void add_settings(text_table& table, const bench_run& run, const bench_result& result) {
  const auto storage =
      result.settings.cluster.empty() ? result.settings.durability + " storage" : std::string{"joined"};
  add_row(table, "load", load_text(run.shape));
  add_row(table, "operations", operations_text(run.shape));
  add_row(table, "cluster",
          fmt::format("{} replicas, machine {}, {}", result.target.replicas, result.target.machine, storage));
  add_row(table, "measured",
          fmt::format("{} after {} warm-up, seed {}", short_duration(seconds_of(run.shape.measured)),
                      short_duration(seconds_of(run.shape.warm_up)), run.shape.seed));
}

std::string run_text(const bench_run& run, const bench_result& result, const text_style& style) {
  const auto figures = figures_of(run, result.target, result.crypto);
  text_table table{{{""}, {""}}};
  add_settings(table, run, result);
  table.add({"throughput", style.bold(rate_text(run.rate()) + " op/s")});
  const auto* const since = run.shape.is_open() ? "intended" : "sent";
  add_row(table, "latency", fmt::format("{}, since {}", latency_text(run.result.latency, 0, 3), since));
  add_row(table, "", latency_text(run.result.latency, 3, percentiles.size()));
  add_row(table, "failed", failures_text(run.result));
  if (run.shape.reads == read_mode::linearizable && run.result.reads > 0)
    add_row(table, "reads ordered",
            fmt::format("{} of {}", grouped(run.result.reads_ordered), grouped(run.result.reads)));
  add_row(table, "processor",
          fmt::format("{} an operation, all replicas; {} load", microseconds(figures.replicas_us),
                      microseconds(figures.loads_us)));
  if (!figures.roles_us.empty()) add_row(table, "", roles_text(figures));
  add_floor(table, figures);
  add_use(table, run, figures);
  if (run.use.others_cores) add_row(table, "used by others", fmt::format("{:.2f} processors", *run.use.others_cores));
  return table.text(style);
}

std::string search_text(const bench_result& result, const text_style& style) {
  using side = text_table::side;
  text_table table{{{"offered op/s", side::right},
                    {"achieved", side::right},
                    {"p50", side::right},
                    {"p99", side::right},
                    {"failed", side::right},
                    {"others", side::right},
                    {"carried"}}};
  const auto& search = *result.search;
  for (std::size_t index = 0; index < search.steps().size(); ++index) {
    const auto& step = search.steps()[index];
    const auto others = result.runs[index + 1].use.others_cores;
    table.add({rate_text(step.offered), rate_text(step.achieved), short_duration(seconds_of(step.p50_us)),
               short_duration(seconds_of(step.p99_us)), grouped(step.failed),
               others ? fmt::format("{:.2f}", *others) : std::string{},
               search.is_carried(step) ? style.good("yes") : style.warning("no")});
  }
  auto text = table.text(style) +
              fmt::format("\nA rate is carried if {:.0f} % of it is achieved and p99 is at most {}.\n",
                          100 * search.bound().achieved_min, short_duration(seconds_of(search.bound().p99_us_max)));
  const auto knee = search.knee();
  return text + (knee ? fmt::format("knee: {} op/s, p50 {}, p99 {}\n", style.bold(rate_text(knee->offered)),
                                    short_duration(seconds_of(knee->p50_us)), short_duration(seconds_of(knee->p99_us)))
                      : std::string{"knee: no rate is carried\n"});
}

/// The run with the figures that people read: the only one, or that at the knee.
const bench_run& main_run(const bench_result& result) {
  const auto knee = result.search ? result.search->knee() : std::nullopt;
  for (std::size_t index = 0; knee && index < result.search->steps().size(); ++index) {
    if (result.search->steps()[index].offered == knee->offered) return result.runs[index + 1];
  }
  return result.runs.back();
}

std::vector<std::string> warnings_of(const bench_run& run, const target_facts& target) {
  std::vector<std::string> all;
  if (run.use.others_cores.value_or(0) > others_cores_warning) {
    all.push_back(fmt::format("other processes used {:.2f} processors meanwhile; above {:.2f} the figures are doubtful",
                              *run.use.others_cores, others_cores_warning));
  }
  if (run.result.late_us_max > late_us_warning) {
    all.push_back(fmt::format("the load lacked processor time and was up to {} late, which is part of the latencies",
                              short_duration(seconds_of(run.result.late_us_max))));
  }
  if (!target.tells_kinds) {
    all.emplace_back(
        "the kinds of frames are unknown, because a replica has no HTTP server that this command may ask; set 'enabled "
        "= true' in [http] of each node.toml of the cluster's folder");
  }
  if (run.result.latency.count() < 10'000) all.emplace_back("fewer than 10,000 operations: p99.99 is the maximum");
  return all;
}

json_value json_of(const latency_recorder& latency) {
  json_value json{{"count", latency.count()}, {"mean", latency.mean()}};
  for (const auto& [name, share] : percentiles)
    json[name] = percentile_of(latency, share);
  return json;
}

json_value json_of(const load_shape& shape) {
  json_value json{{"loop", shape.is_open() ? "open" : "closed"},
                  {"latency_since", shape.is_open() ? "intended" : "sent"},
                  {"clients", shape.clients},
                  {"bundle", shape.bundle},
                  {"payload_bytes", shape.payload_bytes},
                  {"reply_bytes", shape.reply_bytes},
                  {"reads_percent", shape.reads_percent},
                  {"read_mode", shape.reads == read_mode::committed ? "committed" : "linearizable"},
                  {"warm_up_s", seconds_of(shape.warm_up)},
                  {"measured_s", seconds_of(shape.measured)},
                  {"seed", shape.seed}};
  if (shape.is_open()) {
    json["offered_per_second"] = shape.rate;
    json["arrivals"] = to_string(shape.spacing);
  } else {
    json["in_flight"] = shape.in_flight;
  }
  return json;
}

template <class Value>
json_value or_null(const std::optional<Value>& value) {
  return value ? json_value(*value) : json_value(nullptr);
}

json_value json_of(const std::optional<crypto_floor>& floor) {
  if (!floor) return nullptr;
  return {{"signatures", floor->signatures},    {"verifications", floor->verifications},
          {"signing_us", floor->signing_us},    {"verifying_us", floor->verifying_us},
          {"hashing_us", floor->hashing_us},    {"sealing_us", floor->sealing_us},
          {"replicas_us", floor->replicas_us()}};
}

json_value json_of(const std::optional<wire_split>& wire) {
  if (!wire) return nullptr;
  return {{"total", wire->total},
          {"payload", wire->payload},
          {"signatures", wire->signatures},
          {"headers", wire->headers},
          {"links", wire->framing}};
}

json_value json_of(const bench_run& run, const bench_result& result) {
  const auto figures = figures_of(run, result.target, result.crypto);
  json_value json{{"load", json_of(run.shape)},
                  {"operations_per_second", run.rate()},
                  {"answered", run.result.answered_in_time},
                  {"failed", run.result.failed()},
                  {"failures", json_value::object()},
                  {"latency_us", json_of(run.result.latency)},
                  {"load_late_us_max", run.result.late_us_max}};
  for (const auto& [name, count] : run.result.failures)
    json["failures"][name] = count;
  json["processor_us"] = {{"replicas", figures.replicas_us}, {"load", figures.loads_us}};
  auto& roles = json["processor_us"]["roles"] = json_value::object();
  for (const auto& [role, time] : figures.roles_us)
    roles[role] = time;
  json["crypto_floor"] = json_of(figures.floor);
  json["times_floor"] = or_null(figures.times_floor);
  json["replica_processor_s"] = run.use.replicas_s;
  json["resident_bytes"] = run.use.resident_bytes;
  json["operations_per_request"] = figures.operations_per_request;
  json["requests_per_batch"] = or_null(figures.requests_per_batch);
  json["writes_per_batch"] = or_null(figures.writes_per_batch);
  json["write_us"] = or_null(figures.write_us);
  json["wire_bytes"] = json_of(figures.wire);
  json["others_cores"] = or_null(run.use.others_cores);
  json["warnings"] = warnings_of(run, result.target);
  return json;
}

json_value json_of(const bench_environment& environment) {
  return {{"version", environment.version},           {"time", environment.time},
          {"processor", environment.processor},       {"cores", environment.cores},
          {"memory_bytes", environment.memory_bytes}, {"kernel", environment.kernel},
          {"file_system", environment.file_system},   {"disk_sync_us", or_null(environment.disk_sync_us)}};
}

json_value json_of(const knee_search& search) {
  json_value json{{"p99_us_max", search.bound().p99_us_max}, {"achieved_min", search.bound().achieved_min}};
  const auto knee = search.knee();
  json["offered_per_second"] = knee ? json_value(knee->offered) : json_value(nullptr);
  json["p50_us"] = knee ? json_value(knee->p50_us) : json_value(nullptr);
  json["p99_us"] = knee ? json_value(knee->p99_us) : json_value(nullptr);
  return json;
}

json_value json_of(const std::optional<overload_verdict>& overload) {
  if (!overload) return nullptr;
  return {{"knee_per_second", overload->knee},
          {"factor", overload->factor},
          {"seconds", overload->seconds},
          {"intended", overload->intended},
          {"answered", overload->answered},
          {"refused", overload->refused},
          {"unanswered", overload->unanswered},
          {"views_entered", or_null(overload->views_entered)},
          {"p99_before_us", overload->p99_before_us},
          {"p99_after_us", overload->p99_after_us},
          {"p99_max_us", overload->p99_max_us()},
          {"failed_after", overload->failed_after},
          {"ok", overload->is_right()}};
}

json_value json_of(const std::optional<cost_prediction>& prediction) {
  if (!prediction) return nullptr;
  const auto& units = prediction->units;
  const auto& parts = prediction->parts;
  json_value json{{"predicted_us", parts.total_us()},
                  {"measured_us", prediction->measured_us},
                  {"deviation_percent", prediction->deviation_percent()},
                  {"parts_us",
                   {{"cryptography", parts.crypto_us},
                    {"frames", parts.frames_us},
                    {"bytes", parts.bytes_us},
                    {"requests", parts.requests_us},
                    {"operations", parts.operations_us},
                    {"writes", parts.writes_us}}},
                  {"units_us",
                   {{"frame", units.frame_us},
                    {"kib", units.kib_us},
                    {"request", units.request_us},
                    {"operation", units.operation_us},
                    {"write", units.write_us}}}};
  json["calibration_runs"] = prediction->samples.size();
  return json;
}

std::string prediction_text(const cost_prediction& prediction, const text_style& style) {
  text_table table{{{""}, {""}}};
  const auto& parts = prediction.parts;
  const auto& units = prediction.units;
  table.add({"predicted", style.bold(microseconds(parts.total_us())) +
                              fmt::format(" an operation, {:+.0f} % of the measurement ({})",
                                          prediction.deviation_percent(), microseconds(prediction.measured_us))});
  add_row(
      table, "",
      fmt::format("cryptography {}, frames {}, bytes {}, requests {}, operations {}, writes {}",
                  microseconds(parts.crypto_us), microseconds(parts.frames_us), microseconds(parts.bytes_us),
                  microseconds(parts.requests_us), microseconds(parts.operations_us), microseconds(parts.writes_us)));
  add_row(table, "unit costs",
          fmt::format("frame {}, KiB {}, request {}, operation {}, write {}", microseconds(units.frame_us),
                      microseconds(units.kib_us), microseconds(units.request_us), microseconds(units.operation_us),
                      microseconds(units.write_us)));
  return table.text(style);
}

std::string overload_text(const overload_verdict& overload, const text_style& style) {
  const auto mark = [&style](bool is_good) { return is_good ? style.good("✓") : style.bad("✗"); };
  text_table table{{{""}, {""}, {""}}};
  const auto views = overload.views_entered ? grouped(*overload.views_entered) : std::string{"unknown"};
  table.add({mark(overload.kept_view()), "views entered", views});
  table.add({mark(overload.unanswered == 0), "operations",
             fmt::format("{} answered, {} refused, {} without an answer", grouped(overload.answered),
                         grouped(overload.refused), grouped(overload.unanswered))});
  table.add({mark(overload.has_recovered()), "p99 at half of the knee",
             fmt::format("{} before, {} after; {} failed", short_duration(seconds_of(overload.p99_before_us)),
                         short_duration(seconds_of(overload.p99_after_us)), grouped(overload.failed_after))});
  return fmt::format("{} × the knee for {}, then {} of rest:\n", overload.factor, short_duration(overload.seconds),
                     short_duration(seconds_of(overload_verdict::pause))) +
         table.text(style);
}

}  // namespace

std::string text_of(const bench_result& result, const text_style& style) {
  const auto& run = main_run(result);
  auto text = run_text(run, result, style);
  if (result.search) text = search_text(result, style) + "\n" + text;
  if (result.prediction) text += "\n" + prediction_text(*result.prediction, style);
  if (result.overload) text += "\n" + overload_text(*result.overload, style);
  for (const auto& warning : warnings_of(run, result.target))
    text += style.warning(lines_of("! " + warning, 78)) + "\n";
  return text;
}

json_value json_of(const bench_result& result) {
  json_value json{
      {"environment", json_of(result.environment)},
      {"cluster",
       {{"joined", !result.settings.cluster.empty()},
        {"replicas", result.target.replicas},
        {"quorum", result.target.quorum},
        {"machine", result.target.machine},
        {"durability", result.settings.cluster.empty() ? json_value(result.settings.durability) : json_value(nullptr)},
        {"request_authentication",
         result.settings.cluster.empty() ? json_value(result.settings.request_authentication) : json_value(nullptr)}}},
      {"load_processes", result.settings.processes},
      {"crypto_us",
       {{"sign", result.crypto.sign_us},
        {"verify", result.crypto.verify_us},
        {"seal_and_open", result.crypto.seal_us},
        {"seal_and_open_kib", result.crypto.seal_us_per_kib},
        {"hash", result.crypto.hash_us},
        {"hash_kib", result.crypto.hash_us_per_kib}}}};
  auto& runs = json["runs"] = json_value::array();
  for (const auto& run : result.runs)
    runs.push_back(json_of(run, result));
  json["knee"] = result.search ? json_of(*result.search) : json_value(nullptr);
  json["overload"] = json_of(result.overload);
  json["prediction"] = json_of(result.prediction);
  return json;
}

}  // namespace hypermesh::cli
