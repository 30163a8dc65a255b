#include <charconv>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/hypermesh/bench/bench_report.hpp"
#include "tools/hypermesh/bench/bench_session.hpp"
#include "tools/hypermesh/bench/load_process.hpp"
#include "tools/hypermesh/commands/command.hpp"
#include "tools/hypermesh/terminal/duration_option.hpp"
#include "tools/hypermesh/terminal/output_options.hpp"
#include "tools/hypermesh/terminal/word_option.hpp"

namespace hypermesh::cli {

namespace {

struct bench_options {
  bench_settings settings;
  double warm_up_seconds = 2;
  double measured_seconds = 10;
  double p99_max_seconds = 0;
  double overload_seconds = 60;
  double operation_deadline = 30;
  std::string spacing = "poisson";
  std::string reads = "linearizable";
  /// This process is a load process of another bench if the folder is not empty.
  std::string exchange;
  int parent = 0;
  output_options output;
};

constexpr auto examples =
    "Examples:\n"
    "  hypermesh bench                                       closed loop, 64 operations in flight\n"
    "  hypermesh bench --bundle 64 --in-flight 4096 --machine key-value\n"
    "  hypermesh bench --rate 1000 --duration 30s            open loop: 1,000 operations a second\n"
    "  hypermesh bench --find-knee --bundle 16 --duration 5s\n"
    "  hypermesh bench --overload 3 --duration 5s            3 times the knee for 60 s; then it must be well again\n"
    "  hypermesh bench --predict --replicas 7 --bundle 16    the formula of the cost, beside the measurement\n"
    "  hypermesh bench --cluster mycluster --machine key-value --clients 2 --rate 500\n"
    "  hypermesh bench --replicas 7 --durability memory -o json | jq '.runs[0].times_floor'\n"
    "\n"
    "Every replica and every load is a process of its own. In the open loop, operations have intended send times that\n"
    "do not depend on the answers, and latency counts from the intended time. In the closed loop a slow answer delays\n"
    "the next operation, so its latencies look better than those that users see at the same rate.\n"
    "The floor is the processor time that the necessary signatures, verifications, digests and seals take on this\n"
    "machine, measured in the same run. The bench warns if other processes used more than 0.15 processors.\n"
    "The machine 'null' does nothing, so the figures are those of the consensus. The command removes all of its\n"
    "files, also after Ctrl-C.\n"
    "\n"
    "Exit codes: 0 measured, whatever the figures; 1 not measured, or an overload had bad effects; 2 wrong options; 3 "
    "the cluster did not answer.";

exit_code run_bench_command(const bench_options& options) {
  auto settings = options.settings;
  auto& load = settings.load;
  load.warm_up = milliseconds_of(options.warm_up_seconds);
  load.measured = milliseconds_of(options.measured_seconds);
  load.spacing = options.spacing == "even" ? arrival_spacing::even : arrival_spacing::poisson;
  load.reads = options.reads == "committed" ? read_mode::committed : read_mode::linearizable;
  load.deadline = milliseconds_of(options.operation_deadline);
  settings.p99_max = milliseconds_of(options.p99_max_seconds);
  settings.overload_time = milliseconds_of(options.overload_seconds);
  if (settings.overload_factor > 0) settings.finds_knee = true;
  if (settings.p99_max > duration{0} && !settings.finds_knee) {
    return report_error({"--p99-max bounds a search", "add --find-knee or --overload"}, exit_code::usage);
  }
  if (!options.exchange.empty()) return run_load_process(load, settings.cluster, options.exchange, options.parent);
  interruption stop;
  auto outcome = [&] {
    console_narrator narrator{false};
    return run_bench(settings, stop, narrator);
  }();
  if (!outcome) return report_error(outcome.error().error, outcome.error().code);
  say("");
  if (options.output.is_json()) {
    print_json(json_of(*outcome), 2);
  } else {
    print_report(text_of(*outcome, text_style::of(STDOUT_FILENO)));
  }
  if (!outcome->overload || outcome->overload->is_right()) return exit_code::ok;
  return report_verdict({"the cluster did not bear the overload well", "read the lines with ✗ above"},
                        exit_code::failed);
}

/// A finite number of operations in a second, in decimal digits. A load process may have a small share of a rate.
CLI::Validator rate_check() {
  static constexpr double rate_min = 0.01;
  return CLI::Validator{[](std::string& text) -> std::string {
                          double rate = 0;
                          const auto* const end = text.data() + text.size();
                          const auto [last, wrong] = std::from_chars(text.data(), end, rate, std::chars_format::fixed);
                          const bool is_number = wrong == std::errc{} && last == end;
                          if (is_number && rate >= rate_min && rate <= knee_search::rate_max) return {};
                          return fmt::format("'{}' is no rate; write a number from {} to {:.0f}", text, rate_min,
                                             knee_search::rate_max);
                        },
                        ""};
}

void add_cluster_options(CLI::App& command, bench_settings& into) {
  auto* joined = command.add_option("--cluster", into.cluster, "Join the running cluster in this directory instead")
                     ->type_name("DIR");
  command.add_option("--machine", into.load.machine, "State machine of the operations")
      ->check(one_of({"null", "key-value", "redis"}))
      ->capture_default_str()
      ->type_name("NAME");
  command.add_option("--replicas", into.replicas, "Replicas; 3f + 1 of them tolerate f faults")
      ->check(CLI::Range(limits::replicas_min, limits::replicas_max))
      ->excludes(joined)
      ->capture_default_str()
      ->type_name("N");
  command.add_option("--durability", into.durability, "Storage of the replicas: synced, written, or not on the disk")
      ->check(one_of({"sync", "async", "memory"}))
      ->excludes(joined)
      ->capture_default_str()
      ->type_name("MODE");
  command
      .add_option("--request-authentication", into.request_authentication,
                  "How replicas know that a client sent a request: its signature, or the authenticator of its links")
      ->check(one_of({"signature", "authenticator"}))
      ->excludes(joined)
      ->capture_default_str()
      ->type_name("MODE");
}

void add_operation_options(CLI::App& command, bench_options& into) {
  auto& load = into.settings.load;
  command.add_option("--payload-bytes", load.payload_bytes, "Bytes of the value that a write carries")
      ->check(CLI::Range(0U, 262'000U))
      ->capture_default_str()
      ->type_name("N");
  command.add_option("--reply-bytes", load.reply_bytes, "Bytes of a reply of the machine 'null'")
      ->check(CLI::Range(0U, 262'000U))
      ->capture_default_str()
      ->type_name("N");
  command.add_option("--bundle", load.bundle, "Operations under one signature of a client, at most")
      ->check(CLI::Range(std::size_t{1}, limits::operations_per_request_max))
      ->capture_default_str()
      ->type_name("N");
  command.add_option("--reads", load.reads_percent, "Share of reads, in percent")
      ->check(CLI::Range(0, 100))
      ->capture_default_str()
      ->type_name("PERCENT");
  command.add_option("--read-mode", into.reads, "linearizable reads are ordered, committed reads take one round trip")
      ->check(one_of({"linearizable", "committed"}))
      ->capture_default_str()
      ->type_name("MODE");
  command.add_option("--seed", load.seed, "Seed of operations and arrivals")->capture_default_str()->type_name("N");
}

void add_load_options(CLI::App& command, bench_options& into) {
  auto& load = into.settings.load;
  command.add_option("--clients", load.clients, "Client identities")
      ->check(CLI::Range(1U, 1'024U))
      ->capture_default_str()
      ->type_name("N");
  command.add_option("--load-processes", into.settings.processes, "Processes that share the clients")
      ->check(CLI::Range(1U, 64U))
      ->capture_default_str()
      ->type_name("N");
  auto* in_flight = command.add_option("--in-flight", load.in_flight, "Closed loop: operations in flight")
                        ->check(CLI::Range(1, 262'144))
                        ->capture_default_str()
                        ->type_name("N");
  command.add_option("--rate", load.rate, "Open loop: operations in a second, whatever the answers are")
      ->check(rate_check())
      ->excludes(in_flight)
      ->type_name("N");
  auto* knee =
      command.add_flag("--find-knee", into.settings.finds_knee,
                       "Search the highest rate of an open loop that the cluster carries; --rate is the first");
  knee->excludes(in_flight);
  command
      .add_option("--p99-max", into.p99_max_seconds, "A carried rate has at most this p99; default: 10 × median alone")
      ->transform(duration_between(0.001, 60))
      ->type_name("TIME");
  command
      .add_flag("--predict", into.settings.predicts,
                "Measure the unit costs of this machine for half a minute, and predict the processor\n"
                "time of an operation from them")
      ->excludes(knee);
  auto* overload = command
                       .add_option("--overload", into.settings.overload_factor,
                                   "Find the knee, offer this many times the rate, and check that the cluster\n"
                                   "refuses what it cannot do, keeps its view, and is soon well again")
                       ->check(CLI::Range(1.1, 100.0))
                       ->excludes(in_flight)
                       ->excludes(command.get_option("--predict"))
                       ->type_name("FACTOR");
  command.add_option("--overload-for", into.overload_seconds, "Time of the overload")
      ->transform(duration_between(1, 90))
      ->needs(overload)
      ->capture_default_str()
      ->type_name("TIME");
  command.add_option("--arrivals", into.spacing, "Gaps of the open loop: as of independent users, or equal")
      ->check(one_of({"poisson", "even"}))
      ->capture_default_str()
      ->type_name("NAME");
}

void add_time_options(CLI::App& command, bench_options& into) {
  command.add_option("--duration", into.measured_seconds, "Time of each measurement: 10s, 500ms, 2min")
      ->transform(duration_between(0.2, 86'400))
      ->capture_default_str()
      ->type_name("TIME");
  command.add_option("--warm-up", into.warm_up_seconds, "Time of the load before each measurement")
      ->transform(duration_between(0, 3'600))
      ->capture_default_str()
      ->type_name("TIME");
}

/// The options by which the bench starts its load processes. The help does not show them.
void add_hidden_options(CLI::App& command, bench_options& into) {
  auto* exchange = command.add_option("--load-process", into.exchange, "Be a load process; the folder of its files")
                       ->type_name("DIR")
                       ->group("");
  command.add_option("--load-parent", into.parent, "The process that started this load process")
      ->check(CLI::PositiveNumber)
      ->needs(exchange)
      ->group("");
  command.add_option("--operation-deadline", into.operation_deadline, "The time after which an operation fails")
      ->transform(duration_between(0.1, 3'600))
      ->needs(exchange)
      ->group("");
  command
      .add_option("--first-client", into.settings.load.first_client, "The first client identity of this load process")
      ->check(CLI::Range(0U, limits::clients_max))
      ->needs(exchange)
      ->group("");
}

}  // namespace

void add_bench(CLI::App& app, chosen_command& chosen) {
  auto* command = app.add_subcommand("bench", "Measure throughput, latency and cost of a cluster");
  auto options = std::make_shared<bench_options>();
  command->footer(examples);
  add_cluster_options(*command, options->settings);
  add_operation_options(*command, *options);
  add_load_options(*command, *options);
  add_time_options(*command, *options);
  add_hidden_options(*command, *options);
  add_output_option(*command, options->output);
  command->callback([options, &chosen] { chosen = [options] { return run_bench_command(*options); }; });
}

}  // namespace hypermesh::cli
