#include <fmt/format.h>

#include "tools/hypermesh/output_options.hpp"
#include "tools/hypermesh/replay_report.hpp"

namespace hypermesh::cli {

namespace {

struct demo_options {
  replay_settings settings;
  output_options output;
};

constexpr auto examples =
    "Examples:\n"
    "  hypermesh demo\n"
    "  hypermesh demo --nodes openb_node_list_all_node.csv --pods openb_pod_list_default.csv\n"
    "  hypermesh demo --replicas 7 --bundle 64 --operations 200000\n"
    "\n"
    "Every replica is a process of its own; keys, configuration and ports are fresh. Everything is signed and "
    "encrypted.\n"
    "Nothing is left behind, also after Ctrl-C.";

exit_code run_demo(const demo_options& options) {
  const group_size group{options.settings.replicas};
  const auto heading =
      fmt::format("HyperMesh: {} replicas, of which {} may be Byzantine, agree on every placement of a GPU cluster",
                  group.replicas(), group.faulty_max());
  return replay_and_print(options.settings, options.output.is_json(), false, heading);
}

}  // namespace

void add_demo(CLI::App& app, chosen_command& chosen) {
  auto* command = app.add_subcommand("demo", "Run a whole cluster on this machine for some seconds");
  auto options = std::make_shared<demo_options>();
  command->footer(examples);
  options->settings.existing.timeout_seconds = 30;
  add_replay_options(*command, options->settings);
  command->add_option("--replicas", options->settings.replicas, "Replicas; 3f + 1 of them tolerate f faults")
      ->check(CLI::Range(limits::replicas_min, limits::replicas_max))
      ->capture_default_str()
      ->type_name("N");
  add_output_option(*command, options->output);
  command->callback([options, &chosen] { chosen = [options] { return run_demo(*options); }; });
}

}  // namespace hypermesh::cli
