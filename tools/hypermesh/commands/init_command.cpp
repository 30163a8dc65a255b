#include <optional>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "runtime/base/safe_text.hpp"
#include "runtime/node_config.hpp"
#include "runtime/state_machines/registry.hpp"
#include "tools/hypermesh/commands/command.hpp"
#include "tools/hypermesh/terminal/console.hpp"
#include "tools/hypermesh/terminal/output_options.hpp"
#include "tools/hypermesh/terminal/word_option.hpp"

namespace hypermesh::cli {

namespace {

struct init_options {
  std::string directory;
  cluster_plan plan;
  std::string request_authentication = "signature";
  /// The name of a machine that a host application brings; nothing for a machine of the product.
  std::optional<std::string> host_machine;
  output_options output;
};

constexpr auto examples =
    "Examples:\n"
    "  hypermesh init mycluster\n"
    "  hypermesh init mycluster --replicas 7 --machine scheduler --host 10.0.0.5 --first-port 7000\n"
    "  hypermesh init mycluster --host-machine bank       a machine of your own host application\n"
    "\n"
    "Makes DIRECTORY/genesis.toml, which all members share, and a directory for each replica and client with its\n"
    "configuration and its secret key (0600). For several machines, put each replica's address into genesis.toml and\n"
    "copy to each machine only the genesis and that replica's directory.\n"
    "\n"
    "Exit codes: 0 made; 1 the directory cannot be made; 2 wrong options.";

nlohmann::ordered_json json_of(const genesis& content, const cluster_layout& layout) {
  const auto group = content.parameters().group();
  auto replicas = nlohmann::ordered_json::array();
  for (std::uint32_t number = 0; number < content.replicas.size(); ++number) {
    replicas.push_back({{"replica", number},
                        {"address", to_string(content.replicas[number].address)},
                        {"public_key", to_hex(content.replicas[number].key.view())},
                        {"config", layout.node_file(number).string()}});
  }
  auto clients = nlohmann::ordered_json::array();
  for (std::uint32_t number = 0; number < content.clients.size(); ++number) {
    clients.push_back({{"client", number},
                       {"public_key", to_hex(content.clients[number].view())},
                       {"config", layout.client_file(number).string()}});
  }
  return {{"cluster",
           {{"name", content.name},
            {"id", to_hex(content.id().view())},
            {"machine", content.state_machine},
            {"replicas", group.replicas()},
            {"faulty_max", group.faulty_max()},
            {"quorum", group.quorum()}}},
          {"genesis", layout.genesis_file().string()},
          {"replicas", replicas},
          {"clients", clients}};
}

exit_code run_init(const init_options& options) {
  auto plan = options.plan;
  plan.requests_by = protocol::request_authentication_of(options.request_authentication).value();
  if (options.host_machine) {
    plan.state_machine = *options.host_machine;
  } else if (const auto machine = make_state_machine(plan.state_machine); !machine) {
    return report_error(
        {machine.error(), "use one of them, or name the machine of a host application with --host-machine"},
        exit_code::usage);
  }
  if (auto done = check(plan); !done) return report_error(done.error(), exit_code::usage);
  auto created = create_cluster(options.directory, plan);
  if (!created) {
    return report_error(created.error(), options.directory.empty() ? exit_code::usage : exit_code::failed);
  }
  const auto& content = *created;
  const cluster_layout layout{options.directory};
  const auto group = content.parameters().group();
  if (options.output.is_json()) {
    print_json(json_of(content, layout), 2);
  } else {
    print_report(visible_text(layout.genesis_file().string()) + "\n");
  }
  say(fmt::format("cluster '{}' ({}): {} replicas, of which {} may be faulty; {} clients; machine '{}'", content.name,
                  to_hex(content.id().view(), 8), group.replicas(), group.faulty_max(), content.clients.size(),
                  content.state_machine));
  if (!options.host_machine) {
    say("start each replica:");
    say(fmt::format("  hypermesh start --config {}", layout.node_file(0).string()));
  } else {
    say("in each host application, pass its machine and its file to consensus_manager::start:");
    say(fmt::format("  {}", visible_text(layout.node_file(0).string())));
  }
  return exit_code::ok;
}

}  // namespace

void add_init(CLI::App& app, chosen_command& chosen) {
  auto* command = app.add_subcommand("init", "Make keys and configuration of a new cluster");
  auto options = std::make_shared<init_options>();
  auto& plan = options->plan;
  command->footer(examples);
  command->add_option("DIRECTORY", options->directory, "New or empty directory")->required()->type_name("");
  command->add_option("--replicas", plan.replicas, "Replicas; 3f + 1 of them tolerate f faults")
      ->check(CLI::Range(limits::replicas_min, limits::replicas_max))
      ->capture_default_str()
      ->type_name("N");
  command->add_option("--clients", plan.clients, "Client identities")
      ->check(CLI::Range(1U, limits::clients_max))
      ->capture_default_str()
      ->type_name("N");
  command->add_option("--machine", plan.state_machine, "State machine: " + state_machine_names())
      ->capture_default_str()
      ->type_name("NAME");
  command
      ->add_option("--host-machine", options->host_machine,
                   "State machine that a host application brings; 'hypermesh start' does not run it")
      ->excludes("--machine")
      ->type_name("NAME");
  command
      ->add_option("--request-authentication", options->request_authentication,
                   "How replicas know that a client sent a request: its signature, or the authenticator of its links")
      ->check(one_of({"signature", "authenticator"}))
      ->capture_default_str()
      ->type_name("MODE");
  command->add_option("--host", plan.host, "Host of the replicas: an address or a name, IPv6 also without brackets")
      ->capture_default_str()
      ->type_name("HOST");
  command->add_option("--first-port", plan.first_port, "Port of replica 0; the other replicas use the ports after it")
      ->check(CLI::Range(1, 65'535))
      ->capture_default_str()
      ->type_name("PORT");
  command->add_option("--checkpoint-period", plan.checkpoint_period, "Batches between checkpoints")
      ->check(CLI::Range(1U, limits::watermark_window_max / 2))
      ->capture_default_str()
      ->type_name("N");
  command->add_option("--name", plan.name, "Name of the cluster")->capture_default_str()->type_name("NAME");
  add_output_option(*command, options->output);
  command->callback([options, &chosen] { chosen = [options] { return run_init(*options); }; });
}

}  // namespace hypermesh::cli
