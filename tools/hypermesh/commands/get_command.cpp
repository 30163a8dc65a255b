#include <fmt/format.h>

#include "runtime/state_machines/registry.hpp"
#include "tools/hypermesh/commands/command.hpp"
#include "tools/hypermesh/commands/operations.hpp"
#include "tools/hypermesh/commands/receipt_files.hpp"
#include "tools/hypermesh/terminal/console.hpp"
#include "tools/hypermesh/terminal/hard_deadline.hpp"
#include "tools/hypermesh/terminal/word_option.hpp"

namespace hypermesh::cli {

namespace {

struct get_options {
  client_options client;
  output_options output;
  std::string mode = "linearizable";
  std::string proof;
  std::vector<std::string> words;
};

constexpr auto examples =
    "Examples:\n"
    "  hypermesh get --cluster mycluster name                     key-value: the value of a key\n"
    "  hypermesh get --cluster mycluster --mode committed summary\n"
    "  hypermesh get --cluster mycluster --proof name.receipt name\n"
    "  hypermesh get --cluster mycluster task openb-pod-0001\n"
    "\n"
    "Accepts only operations that read. Use 'hypermesh submit' for all others.\n"
    "Modes: linearizable - reflects every operation acknowledged before; a quorum of equal answers in one\n"
    "                      round trip, or else ordered like a write;\n"
    "       committed    - an answer of f + 1 replicas, possibly from an earlier state; one round trip.\n"
    "\n"
    "--proof FILE waits until a quorum of replicas has signed the answer. 'hypermesh verify' checks the file later\n"
    "with the genesis file alone. Such a read is always ordered, because a proof names a place in the order.\n"
    "\n"
    "Exit codes: 0 answered; 1 refused by the machine; 2 not a reading operation of the machine;\n"
    "3 no answer in time.\n";

/// Completes `hypermesh get KEY` to the operation `get KEY` of the key-value machine.
std::vector<std::string> completed(std::vector<std::string> words, const std::string& machine) {
  if (machine == "key-value" && words.size() == 1) words.insert(words.begin(), "get");
  return words;
}

exit_code run_get(const get_options& options) {
  auto config = read_client_of(options.client);
  if (!config) return report_error(config.error(), exit_code::usage);
  if (auto done = check_limits(config->cluster); !done) {
    return report_error(done.error(), exit_code::failed);
  }
  if (auto done = check_machine(config->cluster); !done) return report_error(done.error(), exit_code::usage);
  const auto machine = config->cluster.state_machine;
  const auto operation = parse_operation(machine, completed(options.words, machine));
  if (!operation) return report_error({operation.error(), ""}, exit_code::usage);
  if (!is_read(machine, *operation)) {
    return report_error({fmt::format("'{}' writes, but 'hypermesh get' only reads", options.words.front()),
                         fmt::format("submit the operation: hypermesh submit … {}", options.words.front())},
                        exit_code::usage);
  }
  const bool has_proof = !options.proof.empty();
  if (has_proof && options.mode == "committed") {
    return report_error({"a read in mode 'committed' has no proof, because it has no place in the order",
                         "leave --mode out: hypermesh get --proof FILE …"},
                        exit_code::usage);
  }
  if (has_proof) {
    if (auto done = check_new_receipt(options.proof); !done) return report_error(done.error(), exit_code::usage);
  }
  client_settings settings;
  settings.deadline = options.client.timeout();
  // Replicas get one more second to sign a proof, if the answer itself arrives just before the deadline.
  hard_deadline deadline{options.client.timeout_seconds + (has_proof ? 1 : 0)};
  auto opened = cluster_session::open(std::move(*config), settings);
  if (!opened) return report_error(opened.error(), exit_code::usage);
  auto& session = **opened;
  if (has_proof) {
    return deadline.settle(submit_for_receipt_file(session, *operation, options.proof, options.output.is_json()));
  }
  const auto mode = options.mode == "committed" ? read_mode::committed : read_mode::linearizable;
  const auto outcome = session.client().query(*operation, mode).get();
  return deadline.settle(print_outcome(session.cluster(), *operation, outcome, options.output.is_json()));
}

}  // namespace

void add_get(CLI::App& app, chosen_command& chosen) {
  auto* command = app.add_subcommand("get", "Read the replicated state");
  auto options = std::make_shared<get_options>();
  command->footer(examples + all_operations_usage());
  add_client_options(*command, options->client);
  command->add_option("--mode", options->mode, "Consistency of the answer: linearizable or committed")
      ->check(one_of({"linearizable", "committed"}))
      ->capture_default_str()
      ->type_name("MODE");
  command->add_option("--proof", options->proof, "Write a receipt, which proves the answer to others, to a new file")
      ->type_name("FILE");
  add_output_option(*command, options->output);
  command->add_option("WORDS", options->words, "A reading operation, or the key")->required()->type_name("");
  command->callback([options, &chosen] { chosen = [options] { return run_get(*options); }; });
}

}  // namespace hypermesh::cli
