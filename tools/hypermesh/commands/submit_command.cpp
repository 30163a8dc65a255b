#include <optional>

#include <fmt/format.h>

#include "runtime/state_machines/registry.hpp"
#include "tools/hypermesh/commands/command.hpp"
#include "tools/hypermesh/commands/operations.hpp"
#include "tools/hypermesh/commands/receipt_files.hpp"
#include "tools/hypermesh/commands/submit_lines.hpp"
#include "tools/hypermesh/commands/wrong_replies.hpp"
#include "tools/hypermesh/terminal/console.hpp"
#include "tools/hypermesh/terminal/hard_deadline.hpp"

namespace hypermesh::cli {

namespace {

struct submit_options {
  client_options client;
  output_options output;
  std::vector<std::string> words;
  std::size_t bundle = 1;
  std::string receipt;
};

constexpr auto examples =
    "Examples:\n"
    "  hypermesh submit --cluster mycluster put name value\n"
    "  hypermesh submit --cluster mycluster --receipt name.receipt put name value\n"
    "  hypermesh submit --cluster mycluster -- increment counter -5\n"
    "  printf 'put a 1\\nput b \"two words\"\\n' | hypermesh submit --cluster mycluster -\n"
    "\n"
    "With '-' each line of stdin is an operation. Many operations are in flight at once. They are executed in the\n"
    "order of the lines, and their results have the same order. Each line gives exactly one line of output as soon\n"
    "as its result is known, also if the line is not an operation ('malformed: WHY') or gets no answer ('error:\n"
    "timed_out').\n"
    "\n"
    "--receipt FILE waits until a quorum of replicas has signed the operation and its result. 'hypermesh verify'\n"
    "checks the file later with the genesis file alone.\n"
    "\n"
    "Exit codes: 0 applied; 1 refused by the machine, or the condition of a compare-and-swap or create did not\n"
    "hold; 2 not an operation of the machine; 3 no answer in time. For several lines, the highest of their codes.\n";

/// Replicas get this time for a receipt in addition to the time for the result.
constexpr std::chrono::seconds receipt_patience{1};

bool is_from_stdin(const submit_options& options) { return options.words.size() == 1 && options.words.front() == "-"; }

exit_code submit_words(cluster_session& session, const submit_options& options) {
  const auto operation = parse_operation(session.cluster().state_machine, options.words);
  if (!operation) return report_error({operation.error(), ""}, exit_code::usage);
  const bool as_json = options.output.is_json();
  if (!options.receipt.empty()) return submit_for_receipt_file(session, *operation, options.receipt, as_json);
  auto outcome = session.client().submit(*operation).get();
  return print_outcome(session.cluster(), *operation, outcome, as_json);
}

or_error<void> check_receipt_option(const submit_options& options) {
  if (options.receipt.empty()) return {};
  if (is_from_stdin(options)) {
    return tl::unexpected(world_error{"--receipt is for one operation, and stdin may have many",
                                      "give the operation as words: hypermesh submit --receipt FILE … put name value",
                                      fault_origin::configuration});
  }
  return check_new_receipt(options.receipt);
}

exit_code run_submit(const submit_options& options) {
  auto config = read_client_of(options.client);
  if (!config) return report_error(config.error(), exit_code::usage);
  if (auto done = check_limits(config->cluster); !done) {
    return report_error(done.error(), exit_code::failed);
  }
  if (auto done = check_machine(config->cluster); !done) return report_error(done.error(), exit_code::usage);
  if (auto done = check_receipt_option(options); !done) return report_error(done.error(), exit_code::usage);
  client_settings settings;
  settings.bundle_operations_max = options.bundle;
  settings.deadline = options.client.timeout();
  const bool from_stdin = is_from_stdin(options);
  const auto extra = reply_report_patience + (options.receipt.empty() ? std::chrono::seconds{0} : receipt_patience);
  // Stdin has no deadline, because lines may arrive for any length of time.
  std::optional<hard_deadline> deadline;
  if (!from_stdin) deadline.emplace(options.client.timeout_seconds + static_cast<double>(extra.count()));
  auto opened = cluster_session::open(std::move(*config), settings);
  if (!opened) return report_error(opened.error(), exit_code::usage);
  auto& session = **opened;
  const auto code =
      from_stdin ? submit_lines(session, options.bundle, options.output.is_json()) : submit_words(session, options);
  warn_of_wrong_replies(session);
  return deadline ? deadline->settle(code) : code;
}

}  // namespace

void add_submit(CLI::App& app, chosen_command& chosen) {
  auto* command = app.add_subcommand("submit", "Submit an operation for ordering and execution");
  auto options = std::make_shared<submit_options>();
  command->footer(examples + all_operations_usage());
  add_client_options(*command, options->client);
  command->add_option("--bundle", options->bundle, "Operations under one client signature, for lines of stdin")
      ->check(CLI::Range(std::size_t{1}, limits::operations_per_request_max))
      ->capture_default_str()
      ->type_name("N");
  command
      ->add_option("--receipt", options->receipt,
                   "Write a receipt, which proves the operation to others, to a new file")
      ->type_name("FILE");
  add_output_option(*command, options->output);
  command->add_option("WORDS", options->words, "The operation, or - to read one from each line of stdin")
      ->required()
      ->type_name("");
  command->callback([options, &chosen] { chosen = [options] { return run_submit(*options); }; });
}

}  // namespace hypermesh::cli
