#include <fmt/format.h>

#include "tools/hypermesh/client/trace_collection.hpp"
#include "tools/hypermesh/commands/command.hpp"
#include "tools/hypermesh/terminal/console.hpp"
#include "tools/hypermesh/terminal/duration_option.hpp"

namespace hypermesh::cli {

namespace {

struct trace_options {
  std::vector<std::string> configs;
  std::vector<std::string> files;
  std::string output = "-";
  double timeout_seconds = 5;
};

constexpr auto examples =
    "Examples:\n"
    "  hypermesh trace --config mycluster/replica-0/node.toml -o trace.json\n"
    "  hypermesh trace --config mycluster/replica-*/node.toml -o trace.json\n"
    "  curl -H 'Authorization: Bearer TOKEN' https://far:8400/api/v1/trace > far.json\n"
    "  hypermesh trace --config near/node.toml --from far.json -o trace.json\n"
    "\n"
    "Open the file at https://ui.perfetto.dev or chrome://tracing. Each replica is a process. Each batch and each\n"
    "request, named client-N SESSION/TIMESTAMP, is a slice with its phases: wait, pre-prepare, prepare, commit,\n"
    "execute. The nodes must have 'enabled = true' in [http] and 'batches' above 0 in [trace].\n"
    "\n"
    "The times are those of the wall clocks of the nodes. 'otherData' of the file has the offset of each clock.\n"
    "\n"
    "Exit codes: 0 written; 1 a node does not answer or has no valid trace, or the file cannot be written; 2 wrong\n"
    "configuration.";

exit_code run_trace(const trace_options& options) {
  if (options.configs.empty() && options.files.empty()) {
    return report_error({"no node is given", "add --config REPLICA/node.toml, or --from FILE"}, exit_code::usage);
  }
  const auto patience = std::chrono::duration_cast<duration>(std::chrono::duration<double>{options.timeout_seconds});
  std::vector<node_trace> traces;
  for (const auto& each : options.configs) {
    const auto config = read_node_config(each);
    if (!config) return report_error(config.error(), exit_code_of(config.error()));
    auto trace = ask_trace(*config, patience);
    if (!trace) return report_error(trace.error(), exit_code_of(trace.error()));
    traces.push_back(std::move(*trace));
  }
  for (const auto& each : options.files) {
    auto trace = read_trace_file(each);
    if (!trace) return report_error(trace.error(), exit_code_of(trace.error()));
    traces.push_back(std::move(*trace));
  }
  if (auto done = check_traces(traces); !done) return report_error(done.error(), exit_code_of(done.error()));
  if (auto done = write_chrome_trace(options.output, traces); !done)
    return report_error(done.error(), exit_code::failed);
  for (const auto& each : traces) {
    say(fmt::format("{}: {} batches, clock offset {} us", to_string(principal::of(each.replica)), each.batches.size(),
                    each.wall_minus_steady_us - traces.front().wall_minus_steady_us));
  }
  return exit_code::ok;
}

}  // namespace

void add_trace(CLI::App& app, chosen_command& chosen) {
  auto* command =
      app.add_subcommand("trace", "Write the way of the last requests through the phases as a Chrome trace");
  auto options = std::make_shared<trace_options>();
  command->footer(examples);
  command->add_option("--config", options->configs, "node.toml of a running node, which is asked over HTTP; any number")
      ->type_name("FILE");
  command->add_option("--from", options->files, "The answer of /api/v1/trace of a node, as a file; any number")
      ->type_name("FILE");
  command->add_option("-o,--output", options->output, "The file of the trace; - is stdout")
      ->capture_default_str()
      ->type_name("FILE");
  command->add_option("--timeout", options->timeout_seconds, "Time to wait for each node: 500ms, 5s")
      ->transform(duration_between(0.1, 3'600.0))
      ->capture_default_str()
      ->type_name("TIME");
  command->callback([options, &chosen] { chosen = [options] { return run_trace(*options); }; });
}

}  // namespace hypermesh::cli
