#include <deque>
#include <iostream>

#include <fmt/format.h>

#include "runtime/state_machines/registry.hpp"
#include "tools/hypermesh/console.hpp"
#include "tools/hypermesh/operations.hpp"

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
    "With '-' each line of stdin is an operation; many are under way at once, and results come in the order of the\n"
    "lines. They are executed in that order.\n"
    "\n"
    "Exit codes: 0 applied; 1 refused by the machine; 2 no operation of the machine; 3 no answer in time.\n";

/// Lines of stdin that are under way: enough to keep the cluster busy.
constexpr std::size_t lines_in_flight_max = 8'192;

struct pending_line {
  byte_vector operation;
  std::future<submit_outcome> outcome;
};

exit_code print_first(const genesis& cluster, std::deque<pending_line>& pending, bool as_json) {
  auto& first = pending.front();
  const auto code = print_outcome(cluster, first.operation, first.outcome.get(), as_json);
  pending.pop_front();
  return code;
}

bool is_answered(const pending_line& line) {
  return line.outcome.wait_for(std::chrono::seconds{0}) == std::future_status::ready;
}

/// They changed nothing, because f+1 replicas agreed on something else; but somebody should look at their sender.
void warn_of_wrong_replies(cluster_session& session) {
  const auto seen = session.client().own_report(std::chrono::seconds{1});
  if (!seen) return;
  for (const auto& [replica, count] : seen->wrong_replies) {
    say(fmt::format("replica {} gave {} other than f + 1 others did", replica.value,
                    count == 1 ? "a result" : fmt::format("{} results", count)));
  }
}

exit_code submit_lines(cluster_session& session, bool as_json) {
  const auto& cluster = session.cluster();
  auto code = exit_code::ok;
  std::deque<pending_line> pending;
  std::string line;
  std::size_t number = 0;
  while (std::getline(std::cin, line)) {
    ++number;
    const auto words = words_of(line);
    if (words.empty()) continue;
    const auto operation = parse_operation(cluster.state_machine, words);
    if (!operation) {
      code =
          worse_of(code, report_error({fmt::format("line {}: {}", number, operation.error()), ""}, exit_code::usage));
      continue;
    }
    pending.push_back({*operation, session.client().submit(*operation)});
    while (!pending.empty() && (pending.size() >= lines_in_flight_max || is_answered(pending.front()))) {
      code = worse_of(code, print_first(cluster, pending, as_json));
    }
  }
  while (!pending.empty())
    code = worse_of(code, print_first(cluster, pending, as_json));
  return code;
}

exit_code submit_words(cluster_session& session, const std::vector<std::string>& words, bool as_json) {
  const auto operation = parse_operation(session.cluster().state_machine, words);
  if (!operation) return report_error({operation.error(), ""}, exit_code::usage);
  auto outcome = session.client().submit(*operation).get();
  return print_outcome(session.cluster(), *operation, outcome, as_json);
}

exit_code run_submit(const submit_options& options) {
  auto config = read_client_of(options.client);
  if (const auto* error = std::get_if<world_error>(&config)) return report_error(*error, exit_code::usage);
  client_settings settings;
  settings.bundle_operations_max = options.bundle;
  settings.deadline_us = static_cast<microseconds_t>(options.client.timeout_seconds * 1e6);
  auto opened = cluster_session::open(std::move(std::get<client_config>(config)), settings);
  if (const auto* error = std::get_if<world_error>(&opened)) return report_error(*error, exit_code::usage);
  auto& session = *std::get<std::unique_ptr<cluster_session>>(opened);
  const bool from_stdin = options.words.size() == 1 && options.words.front() == "-";
  const auto code = from_stdin ? submit_lines(session, options.output.is_json())
                               : submit_words(session, options.words, options.output.is_json());
  warn_of_wrong_replies(session);
  return code;
}

}  // namespace

void add_submit(CLI::App& app, chosen_command& chosen) {
  auto* command = app.add_subcommand("submit", "Have an operation ordered and executed");
  auto options = std::make_shared<submit_options>();
  command->footer(examples + all_operations_usage());
  add_client_options(*command, options->client);
  command->add_option("--bundle", options->bundle, "Lines of stdin under one signature")
      ->check(CLI::Range(std::size_t{1}, limits::operations_per_request_max))
      ->capture_default_str()
      ->type_name("N");
  add_output_option(*command, options->output);
  command->add_option("WORDS", options->words, "The operation, or - for one on each line of stdin")
      ->required()
      ->type_name("");
  command->callback([options, &chosen] { chosen = [options] { return run_submit(*options); }; });
}

}  // namespace hypermesh::cli
