#include "tools/hypermesh/runs/replay_report.hpp"

#include <unistd.h>

#include <fmt/format.h>

#include "tools/hypermesh/terminal/duration_option.hpp"
#include "tools/hypermesh/terminal/output_options.hpp"
#include "tools/hypermesh/terminal/text_table.hpp"

namespace hypermesh::cli {

namespace {

/// The number of digest bytes that suffice to see whether two digests are equal.
constexpr std::size_t short_digest_bytes = 8;

double percent(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

std::string use_text(const cluster_use& used, const cluster_use& capacity) {
  return fmt::format("{} tasks; cpu {:.1f} %, memory {:.1f} %, gpu {:.1f} %", grouped(used.tasks),
                     percent(used.cpu_milli, capacity.cpu_milli), percent(used.memory_mib, capacity.memory_mib),
                     percent(used.gpu_milli, capacity.gpu_milli));
}

std::string models_text(const placement_tally& tally) {
  std::string text;
  for (const auto& [model, count] : tally.by_gpu_model()) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", model.empty() ? "no GPU" : model, grouped(count));
  }
  return text.empty() ? "none" : text;
}

/// The bytes that framing and encryption add to the frames, as a fraction of the frames' bytes.
double link_overhead(const replay_result& result) {
  const auto frames = result.sum_of("link_frame_bytes_out");
  return frames == 0 ? 0 : static_cast<double>(result.sum_of("link_wire_bytes_out")) / static_cast<double>(frames) - 1;
}

void add_outcome_rows(text_table& table, const replay_result& result) {
  const auto& tally = *result.tally;
  const auto& totals = tally.totals();
  table.add({"operations", fmt::format("{} answered, {} refused, {} failed", grouped(result.submitted - result.failed),
                                       grouped(totals.refused), grouped(result.failed))});
  if (!tally.first_refusal().empty()) table.add({"", "first refusal: " + tally.first_refusal()});
  table.add({"machines", fmt::format("{} registered", grouped(totals.nodes_registered))});
  table.add(
      {"tasks", fmt::format("{} submitted, {} placed, {} queued, {} released, {} withdrawn",
                            grouped(totals.tasks_submitted), grouped(totals.tasks_placed), grouped(totals.tasks_waited),
                            grouped(totals.tasks_released), grouped(totals.tasks_withdrawn))});
  table.add({"placed on", models_text(tally)});
  table.add({"at the peak", use_text(tally.peak(), tally.capacity())});
  table.add({"at the end",
             use_text(tally.now(), tally.capacity()) + fmt::format("; {} waiting", grouped(tally.waiting_now()))});
  table.add({"placements", "digest " + to_hex(tally.placements_digest().view(), short_digest_bytes)});
}

void add_speed_rows(text_table& table, const replay_result& result, const text_style& style) {
  const auto micro = [&](double share) {
    return short_duration(static_cast<double>(result.latency.percentile(share)) * 1e-6);
  };
  const auto bundle = result.settings.operations_in_bundle();
  const auto signing =
      bundle == 1 ? std::string{"each with its own signature"} : fmt::format("up to {} under one signature", bundle);
  table.add(
      {"throughput", style.bold(grouped(static_cast<std::uint64_t>(result.operations_per_second)) + " operations/s") +
                         ", " + signing});
  table.add({"latency", fmt::format("p50 {}, p90 {}, p99 {}, max {} with {} in flight", micro(0.5), micro(0.9),
                                    micro(0.99), short_duration(static_cast<double>(result.latency.max()) * 1e-6),
                                    grouped(result.settings.operations_in_flight()))});
  if (result.settings.kill_primary_every_seconds > 0) {
    table.add({"killed", fmt::format("the primary, {} times, with SIGKILL", result.kills)});
  }
  table.add({"first commit", short_duration(result.first_commit_seconds) + " after the start"});
  const auto wire = result.sum_of("link_wire_bytes_out");
  if (wire > 0 && result.submitted > 0) {
    table.add({"network", fmt::format("{} sent by the replicas, {} B an operation; framing and encryption {:.1f} %",
                                      short_bytes(wire), wire / result.submitted, 100 * link_overhead(result))});
  }
}

std::string replica_rows(const replay_result& result, const text_style& style) {
  using side = text_table::side;
  const bool own = result.settings.has_own_cluster();
  std::vector<text_table::column> columns = {
      {"replica", side::right}, {"view", side::right}, {"executed", side::right}, {"state root"}};
  if (own) columns.insert(columns.end(), {{"memory", side::right}, {"cpu", side::right}});
  text_table table{columns};
  for (std::size_t number = 0; number < result.replicas.size(); ++number) {
    const auto& each = result.replicas[number];
    std::vector<std::string> row = {std::to_string(number)};
    if (each.report) {
      row.insert(row.end(), {std::to_string(each.report->view.value), grouped(each.report->last_executed.value),
                             to_hex(each.report->state_root.view(), 2 * short_digest_bytes)});
    } else {
      row.insert(row.end(), {"-", "-", style.bad("not reachable")});
    }
    if (own)
      row.insert(row.end(),
                 {short_bytes(each.usage.resident_bytes_max), fmt::format("{:.1f} s", each.usage.cpu_seconds)});
    table.add(row);
  }
  return table.text(style);
}

nlohmann::ordered_json json_of(const cluster_use& used, const cluster_use& capacity) {
  return {{"tasks", used.tasks},
          {"cpu_percent", percent(used.cpu_milli, capacity.cpu_milli)},
          {"memory_percent", percent(used.memory_mib, capacity.memory_mib)},
          {"gpu_percent", percent(used.gpu_milli, capacity.gpu_milli)}};
}

nlohmann::ordered_json tally_json(const replay_result& result) {
  const auto& tally = *result.tally;
  const auto& totals = tally.totals();
  nlohmann::ordered_json models = nlohmann::ordered_json::object();
  for (const auto& [model, count] : tally.by_gpu_model())
    models[model.empty() ? "none" : model] = count;
  auto peak = json_of(tally.peak(), tally.capacity());
  peak["time_seconds"] = tally.peak_time();
  return {{"answered", result.submitted - result.failed},
          {"applied", totals.applied},
          {"refused", totals.refused},
          {"first_refusal", tally.first_refusal()},
          {"malformed", totals.malformed},
          {"failed", result.failed},
          {"wrong_results", result.wrong_results},
          {"nodes_registered", totals.nodes_registered},
          {"tasks_submitted", totals.tasks_submitted},
          {"tasks_placed", totals.tasks_placed},
          {"tasks_waited", totals.tasks_waited},
          {"tasks_released", totals.tasks_released},
          {"tasks_withdrawn", totals.tasks_withdrawn},
          {"waiting_at_end", tally.waiting_now()},
          {"placements_digest", to_hex(tally.placements_digest().view())},
          {"placed_by_gpu_model", models},
          {"peak", peak},
          {"end", json_of(tally.now(), tally.capacity())}};
}

nlohmann::ordered_json speed_json(const replay_result& result) {
  const auto& latency = result.latency;
  return {{"elapsed_seconds", result.elapsed_seconds},
          {"operations_per_second", result.operations_per_second},
          {"first_commit_seconds", result.first_commit_seconds},
          {"latency_us",
           {{"p50", latency.percentile(0.5)},
            {"p90", latency.percentile(0.9)},
            {"p99", latency.percentile(0.99)},
            {"max", latency.max()},
            {"mean", latency.mean()}}},
          {"wire_bytes_out", result.sum_of("link_wire_bytes_out")},
          {"frame_bytes_out", result.sum_of("link_frame_bytes_out")},
          {"link_overhead_percent", 100 * link_overhead(result)}};
}

nlohmann::ordered_json replicas_json(const replay_result& result) {
  auto all = nlohmann::ordered_json::array();
  for (std::size_t number = 0; number < result.replicas.size(); ++number) {
    const auto& each = result.replicas[number];
    nlohmann::ordered_json one = {{"replica", number}, {"reachable", each.report.has_value()}};
    if (each.report) {
      one["view"] = each.report->view.value;
      one["last_executed"] = each.report->last_executed.value;
      one["state_root"] = to_hex(each.report->state_root.view());
    }
    if (result.settings.has_own_cluster()) {
      one["resident_bytes_max"] = each.usage.resident_bytes_max;
      one["cpu_seconds"] = each.usage.cpu_seconds;
    }
    all.push_back(one);
  }
  return all;
}

}  // namespace

std::string verdict_of(const replay_result& result) {
  if (result.failed > 0) {
    return fmt::format("{} operations got no result; the first error: {}", grouped(result.failed),
                       explain(*result.first_failure).what);
  }
  if (!result.replicas_agree()) return "the replicas report different states after the same sequence number";
  if (result.wrong_results > 0) {
    return fmt::format("{} results differ from those of a single scheduler", grouped(result.wrong_results));
  }
  if (result.was_refused()) {
    return fmt::format(
        "{} of {} operations were refused, the first: {}; the cluster's scheduler was not empty, so replay "
        "into a new cluster",
        grouped(result.tally->totals().refused), grouped(result.submitted - result.failed),
        result.tally->first_refusal());
  }
  if (result.lacks_totals()) {
    return "the replicas agree, but no f + 1 of them answered the read of the totals, so these were not compared with "
           "a "
           "single scheduler";
  }
  if (!result.equals_reference()) {
    return "the replicas agree, but nodes, tasks or resources in use differ from those of a single scheduler";
  }
  if (!result.tally->flaw().empty()) return "a placement exceeds a limit: " + result.tally->flaw();
  if (result.tally->totals().malformed > 0) return "some results are not results of the scheduler";
  if (!result.ended_cleanly) return "a replica did not stop cleanly";
  const auto reachable = std::count_if(result.replicas.begin(), result.replicas.end(),
                                       [](const auto& each) { return each.report.has_value(); });
  return fmt::format("{} of {} replicas hold the same state{}", reachable, result.replicas.size(),
                     result.reference_totals ? ", with the totals of a single scheduler" : "");
}

std::string text_of(const replay_result& result, const text_style& style) {
  text_table table{{{""}, {""}}};
  add_outcome_rows(table, result);
  add_speed_rows(table, result, style);
  const auto verdict = result.is_right() ? style.good("✓ " + verdict_of(result)) : style.bad("✗ " + verdict_of(result));
  return table.text(style) + "\n" + replica_rows(result, style) + "\n" + verdict + "\n";
}

nlohmann::ordered_json json_of(const replay_result& result) {
  const auto group = result.cluster.parameters().group();
  const auto root = result.common_root();
  return {{"workload",
           {{"made_up", result.work.made_up},
            {"nodes", result.work.trace.nodes.size()},
            {"tasks", result.work.trace.tasks.size()},
            {"operations", result.work.events.size()},
            {"submitted", result.submitted}}},
          {"cluster", {{"replicas", group.replicas()}, {"faulty_max", group.faulty_max()}, {"quorum", group.quorum()}}},
          {"client",
           {{"bundle", result.settings.operations_in_bundle()}, {"in_flight", result.settings.operations_in_flight()}}},
          {"results", tally_json(result)},
          {"performance", speed_json(result)},
          {"primaries_killed", result.kills},
          {"replicas", replicas_json(result)},
          {"verdict",
           {{"right", result.is_right()},
            {"replicas_agree", result.replicas_agree()},
            {"state_root", root ? nlohmann::ordered_json(to_hex(root->view())) : nlohmann::ordered_json()},
            {"equals_single_scheduler", result.reference_totals && !result.lacks_totals()
                                            ? nlohmann::ordered_json(result.equals_reference())
                                            : nlohmann::ordered_json()},
            {"text", verdict_of(result)}}}};
}

exit_code exit_code_of(const replay_result& result) {
  if (result.first_failure) return exit_code_of(*result.first_failure);
  return result.is_right() ? exit_code::ok : exit_code::failed;
}

void add_replay_options(CLI::App& command, replay_settings& into) {
  auto* nodes = command.add_option("--nodes", into.source.nodes_file, "Machines of the trace, CSV")
                    ->check(CLI::ExistingFile)
                    ->type_name("FILE");
  auto* pods = command.add_option("--pods", into.source.pods_file, "Tasks of the trace, CSV")
                   ->check(CLI::ExistingFile)
                   ->type_name("FILE");
  nodes->needs(pods);
  pods->needs(nodes);
  command
      .add_option("--operations", into.source.operations,
                  "Limit of the replayed operations; without files, the size of the synthetic workload")
      ->check(CLI::Range(1, 100'000'000))
      ->type_name("N");
  command.add_option("--seed", into.source.seed, "Seed of a synthetic workload")->capture_default_str()->type_name("N");
  command
      .add_option("--bundle", into.bundle, "Operations under one client signature; default 64, for runs under load 1")
      ->check(CLI::Range(std::size_t{1}, limits::operations_per_request_max))
      ->type_name("N");
  command
      .add_option("--in-flight", into.in_flight,
                  "Operations in flight; default one bundle, for runs under load 64 bundles. They are\n"
                  "executed in their order")
      ->check(CLI::Range(1, 262'144))
      ->type_name("N");
  command
      .add_option("--duration", into.duration_seconds,
                  "Submit no operation after this time: 90s, 2min; 0 means no limit")
      ->transform(duration_between(0.0, 86'400.0))
      ->capture_default_str()
      ->type_name("TIME");
}

exit_code replay_and_print(const replay_settings& settings, bool as_json, bool quiet, std::string_view heading) {
  interruption stop;
  const auto style = text_style::of(STDERR_FILENO);
  if (!quiet && !heading.empty()) say_styled(style.bold(heading) + "\n");
  const auto outcome = [&] {
    // The destructor removes the progress bar.
    console_narrator narrator{quiet};
    return run_replay(settings, stop, narrator);
  }();
  if (!outcome) return report_error(outcome.error().error, outcome.error().code);
  const auto& result = *outcome;
  if (!quiet) say("");
  if (as_json) {
    print_json(json_of(result), 2);
  } else {
    print_report(text_of(result, text_style::of(STDOUT_FILENO)));
  }
  const auto code = exit_code_of(result);
  if (code == exit_code::ok) return code;
  const auto remedy = result.first_failure ? explain(*result.first_failure).remedy : std::string{};
  return report_verdict({verdict_of(result), remedy}, code);
}

}  // namespace hypermesh::cli
