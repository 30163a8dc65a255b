#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <optional>
#include <thread>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "runtime/base/durable_file.hpp"
#include "runtime/base/safe_text.hpp"
#include "runtime/base/toml_document.hpp"
#include "tools/hypermesh/bundle/machine_facts.hpp"
#include "tools/hypermesh/commands/bundle_nodes.hpp"
#include "tools/hypermesh/commands/command.hpp"
#include "tools/hypermesh/live/cluster_trend.hpp"
#include "tools/hypermesh/terminal/duration_option.hpp"
#include "tools/hypermesh/terminal/hard_deadline.hpp"
#include "tools/hypermesh/terminal/text_table.hpp"
#include "tools/hypermesh/terminal/word_option.hpp"

namespace hypermesh::cli {

namespace {

namespace fs = std::filesystem;

struct bundle_options {
  client_options client;
  std::string output;
  std::vector<std::string> nodes;
  std::vector<std::string> logs;
  std::string report = "table";
};

constexpr auto examples =
    "Examples:\n"
    "  hypermesh bundle --cluster mycluster -o problem.tar.gz\n"
    "  hypermesh bundle --config client.toml --node replica-2/node.toml --log node-2.log -o problem.tar.gz\n"
    "  journalctl -u hypermesh@2 > node-2.log               the log of a systemd unit, for --log\n"
    "\n"
    "Collects what a maintainer needs: versions, facts about this machine, the genesis, the status and rates of all\n"
    "replicas that answer, and for each node of this machine (all nodes in --cluster, or those of --node) the\n"
    "effective configuration, the names and sizes of its files, the end of its audit trail and its metrics.\n"
    "Keys, tokens and passwords are left out. Operations and the replicated state are never read. The file has mode\n"
    "0600; look into it before you send it.\n"
    "\n"
    "Exit codes: 0 written, and the table says what could not be collected; 1 the file exists or cannot be written;\n"
    "2 wrong options.";

/// The most bytes of one log.
constexpr std::size_t log_bytes_max = std::size_t{1} << 20U;
/// The time between the two looks at the cluster, from which rates follow.
constexpr std::chrono::milliseconds rate_interval{1'000};

/// The node files that the options select.
std::vector<fs::path> node_files_of(const bundle_options& options) {
  std::vector<fs::path> files{options.nodes.begin(), options.nodes.end()};
  if (!files.empty() || options.client.cluster.empty()) return files;
  const cluster_layout layout{options.client.cluster};
  for (std::uint32_t number = 0; number < limits::replicas_max; ++number) {
    std::error_code ignored;
    if (fs::exists(layout.node_file(number), ignored)) files.push_back(layout.node_file(number));
  }
  return files;
}

/// The client's file; nothing if the options name none.
std::optional<fs::path> client_file_of(const bundle_options& options) {
  if (!options.client.config.empty()) return options.client.config;
  if (options.client.cluster.empty()) return std::nullopt;
  return cluster_layout{options.client.cluster}.client_file(options.client.client);
}

/// The secrets of every member whose files are here, also of those that the bundle does not read.
secret_filter filter_for(const bundle_options& options) {
  secret_filter filter;
  for (const auto& each : node_files_of(options))
    add_secrets_of_node(each, filter);
  if (const auto file = client_file_of(options)) add_secrets_of_client(*file, filter);
  if (options.client.cluster.empty()) return filter;
  // The keys of more clients are recognized by the genesis only, because each form of each key costs time.
  constexpr std::uint32_t client_keys_max = 64;
  const cluster_layout layout{options.client.cluster};
  for (std::uint32_t number = 0; number < client_keys_max; ++number)
    filter.add_file(layout.client_folder(number) / "secret.key");
  return filter;
}

void add_reports(const cluster_status& status, bundle_content& into) {
  for (std::uint32_t number = 0; number < status.reports.size(); ++number) {
    const auto name = fmt::format("cluster/report-{}.txt", number);
    const auto what = fmt::format("counters of replica {}, as it reports them", number);
    if (!status.reports[number]) {
      into.miss(name, what, fmt::format("{} did not answer", to_string(status.cluster.replicas[number].address)));
      continue;
    }
    std::string text;
    for (const auto& each : status.reports[number]->counters)
      text += fmt::format("{} {}\n", visible_text(each.name), each.value);
    into.add(name, what, text);
  }
}

/// What the replicas tell this client.
void add_cluster(const bundle_options& options, bundle_content& into) {
  constexpr auto what = "status of the cluster";
  constexpr auto name = "cluster/status.json";
  if (!client_file_of(options)) return into.miss(name, what, "no client was given (--cluster or --config)");
  auto config = read_client_of(options.client);
  if (!config) return into.miss(name, what, config.error().what);
  if (const auto text = read_small_file(config->genesis_file, config_bytes_max)) {
    into.add("cluster/genesis.toml", "genesis", *text);
  } else {
    into.miss("cluster/genesis.toml", "genesis", text.error().what);
  }
  if (auto done = check_limits(config->cluster); !done) return into.miss(name, what, done.error().what);
  auto opened = cluster_session::open(std::move(*config), {});
  if (!opened) return into.miss(name, what, opened.error().what);
  const auto patience = milliseconds_of(options.client.timeout_seconds);
  const auto before = look_at(**opened, patience, [] { return true; });
  const auto started = std::chrono::steady_clock::now();
  if (reachable_count(before.reports) > 0) std::this_thread::sleep_for(rate_interval);
  const auto now = look_at(**opened, patience, [] { return true; });
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - started;
  const auto text_of_json = [](const nlohmann::ordered_json& value) {
    return value.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  };
  into.add(name, what, text_of_json(json_of(now)));
  into.add("cluster/status.txt", "status of the cluster, for people",
           page_of(now, status_form::wide, text_style::plain()) + "\n" + summary_of(now) + "\n");
  into.add("cluster/rates.json", "rates and latencies of one second",
           text_of_json(json_of(view_of(&before, now, seconds.count()))));
  add_reports(now, into);
}

void add_logs(const bundle_options& options, bundle_content& into) {
  std::size_t number = 0;
  for (const auto& each : options.logs) {
    into.add(fmt::format("logs/{}-{}", ++number, archive_name_of(each)), "end of the log " + each,
             end_of_file(each, log_bytes_max));
  }
  if (options.logs.empty()) into.miss("logs/", "logs of the nodes", "none was given (--log FILE)");
}

std::string table_of(const std::vector<bundle_row>& rows, const text_style& style) {
  text_table table{{{"file"}, {"bytes", text_table::side::right}, {"content"}}};
  for (const auto& each : rows) {
    if (each.missing.empty()) table.add({each.name, grouped(each.bytes), each.what});
  }
  auto text = table.text(style);
  for (const auto& each : rows) {
    if (!each.missing.empty()) text += style.warning(fmt::format("missing: {}: {}", each.what, each.missing)) + "\n";
  }
  return text;
}

exit_code run_bundle(const bundle_options& options) {
  if (client_file_of(options) == std::nullopt && options.nodes.empty()) {
    return report_error({"nothing to collect",
                         "name the cluster's directory with --cluster, a client's file with --config, or node files "
                         "with --node"},
                        exit_code::usage);
  }
  if (options.output.empty())
    return report_error({"the name of the bundle is empty", "use -o FILE.tar.gz"}, exit_code::usage);
  std::error_code ignored;
  if (fs::exists(options.output, ignored)) {
    return report_error({fmt::format("{} exists already", quoted(fs::path{options.output})), "choose another name"},
                        exit_code::failed);
  }
  // Each of the two looks may take the whole time, and files and HTTP pages take some seconds more.
  constexpr double seconds_for_files = 60;
  hard_deadline deadline{2 * options.client.timeout_seconds + seconds_for_files};
  bundle_content content{filter_for(options)};
  content.add("build.txt", "versions and build", build_text());
  content.add("machine.txt", "facts about this machine", machine_text());
  add_cluster(options, content);
  for (const auto& each : node_files_of(options))
    add_node(each, content);
  add_logs(options, content);
  const auto now = std::time(nullptr);
  const auto folder = fmt::format("hypermesh-bundle-{:%Y%m%dT%H%M%SZ}", fmt::gmtime(now));
  const auto packed = content.packed(folder, static_cast<std::uint64_t>(now));
  if (!packed) return report_error({packed.error(), "free memory, and run the command again"}, exit_code::failed);
  constexpr mode_t private_mode = 0600;
  if (auto done = write_durable_file(options.output, *packed, private_mode, existing_file::keep); !done) {
    return report_error(done.error(), exit_code::failed);
  }
  if (options.report == "json") {
    auto report = json_of(content.rows());
    report["file"] = options.output;
    report["bytes"] = packed->size();
    print_json(report, 2);
  } else {
    print_report(table_of(content.rows(), text_style::of(STDOUT_FILENO)));
  }
  say(fmt::format("{}: {}", options.output, short_bytes(packed->size())));
  return deadline.settle(exit_code::ok);
}

}  // namespace

void add_bundle(CLI::App& app, chosen_command& chosen) {
  auto* command = app.add_subcommand("bundle", "Collect what a maintainer needs to examine a problem, without keys");
  auto options = std::make_shared<bundle_options>();
  options->client.timeout_seconds = 2;
  command->footer(examples);
  command->add_option("-o,--output", options->output, "The new file, usually NAME.tar.gz")
      ->required()
      ->type_name("FILE");
  add_client_options(*command, options->client);
  command->add_option("--node", options->nodes, "node.toml of a node on this machine, instead of those in --cluster")
      ->type_name("FILE");
  command->add_option("--log", options->logs, "A log of which the last MiB is added; may be repeated")
      ->type_name("FILE");
  command->add_option("--report", options->report, "What is printed about the bundle: table or json")
      ->check(one_of({"table", "json"}))
      ->capture_default_str()
      ->type_name("FORMAT");
  command->callback([options, &chosen] { chosen = [options] { return run_bundle(*options); }; });
}

}  // namespace hypermesh::cli
