#include <optional>

#include <fmt/format.h>

#include "runtime/state_machines/registry.hpp"
#include "tools/hypermesh/commands/command.hpp"
#include "tools/hypermesh/commands/operations.hpp"
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
};

constexpr auto examples =
    "Examples:\n"
    "  hypermesh submit --cluster mycluster put name value\n"
    "  hypermesh submit --cluster mycluster -- increment counter -5\n"
    "  printf 'put a 1\\nput b \"two words\"\\n' | hypermesh submit --cluster mycluster -\n"
    "\n"
    "With '-' each line of stdin is an operation. Many operations are in flight at once. They are executed in the\n"
    "order of the lines, and their results have the same order. Each line gives exactly one line of output as soon\n"
    "as its result is known, also if the line is not an operation ('malformed: WHY') or gets no answer ('error:\n"
    "timed_out').\n"
    "\n"
    "Exit codes: 0 applied; 1 refused by the machine, or the condition of a compare-and-swap or create did not\n"
    "hold; 2 not an operation of the machine; 3 no answer in time. For several lines, the highest of their codes.\n";

exit_code submit_words(cluster_session& session, const std::vector<std::string>& words, bool as_json) {
  const auto operation = parse_operation(session.cluster().state_machine, words);
  if (!operation) return report_error({operation.error(), ""}, exit_code::usage);
  auto outcome = session.client().submit(*operation).get();
  return print_outcome(session.cluster(), *operation, outcome, as_json);
}

exit_code run_submit(const submit_options& options) {
  auto config = read_client_of(options.client);
  if (!config) return report_error(config.error(), exit_code::usage);
  if (auto done = check_limits(config->cluster); !done) {
    return report_error(done.error(), exit_code::failed);
  }
  if (auto done = check_machine(config->cluster); !done) return report_error(done.error(), exit_code::usage);
  client_settings settings;
  settings.bundle_operations_max = options.bundle;
  settings.deadline = options.client.timeout();
  const bool from_stdin = options.words.size() == 1 && options.words.front() == "-";
  // Stdin has no deadline, because lines may arrive for any length of time.
  std::optional<hard_deadline> deadline;
  if (!from_stdin) deadline.emplace(options.client.timeout_seconds + reply_report_patience.count());
  auto opened = cluster_session::open(std::move(*config), settings);
  if (!opened) return report_error(opened.error(), exit_code::usage);
  auto& session = **opened;
  const auto code = from_stdin ? submit_lines(session, options.bundle, options.output.is_json())
                               : submit_words(session, options.words, options.output.is_json());
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
  add_output_option(*command, options->output);
  command->add_option("WORDS", options->words, "The operation, or - to read one from each line of stdin")
      ->required()
      ->type_name("");
  command->callback([options, &chosen] { chosen = [options] { return run_submit(*options); }; });
}

}  // namespace hypermesh::cli
