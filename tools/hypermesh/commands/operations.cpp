#include "tools/hypermesh/commands/operations.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/base/safe_text.hpp"
#include "runtime/state_machines/registry.hpp"
#include "tools/hypermesh/client/status_name.hpp"
#include "tools/hypermesh/terminal/console.hpp"

namespace hypermesh::cli {

namespace {

/// Makes the JSON object of an answer. Every answer has the same keys.
nlohmann::ordered_json outcome_json(std::string_view status, const std::optional<std::string>& text,
                                    const std::optional<byte_vector>& bytes,
                                    const std::optional<std::string>& payload) {
  nlohmann::ordered_json out = {{"status", status}, {"result", nullptr}, {"result_hex", nullptr}, {"payload", nullptr}};
  if (text) out["result"] = *text;
  if (bytes) out["result_hex"] = to_hex(*bytes);
  if (payload) out["payload"] = *payload;
  return out;
}

}  // namespace

or_reason<std::vector<std::string>> words_of(std::string_view line) {
  std::vector<std::string> words;
  bool in_word = false;
  std::size_t quoted_since = 0;
  for (std::size_t at = 0; at < line.size(); ++at) {
    const char letter = line[at];
    const bool quoted = quoted_since > 0;
    const bool escapes = quoted && letter == '\\' && at + 1 < line.size();
    if (!quoted && (letter == ' ' || letter == '\t' || letter == '\r')) {
      in_word = false;
      continue;
    }
    if (!in_word) words.emplace_back();
    in_word = true;
    if (escapes) {
      words.back() += line[++at];
    } else if (letter == '"') {
      quoted_since = quoted ? 0 : at + 1;
    } else {
      words.back() += letter;
    }
  }
  if (quoted_since > 0) {
    return invalid(
        fmt::format("the quotation mark at byte {} is not closed; write \\\" for the mark itself", quoted_since));
  }
  return words;
}

shown_outcome show_outcome(const genesis& cluster, byte_span operation, const submit_outcome& outcome) {
  if (const auto* error = std::get_if<client_error>(&outcome)) {
    const auto name = to_string(*error);
    return {exit_code_of(*error), fmt::format("error: {}", name), outcome_json(name, std::nullopt, std::nullopt, {})};
  }
  const auto& result = std::get<operation_result>(outcome);
  auto answer = interpret(cluster.state_machine, operation, result);
  auto json = outcome_json(name_of(answer.status), answer.text, answer.bytes, to_hex(result.payload));
  const auto code = answer.status == operation_status::applied ? exit_code::ok : exit_code::failed;
  return {code, std::move(answer.line), std::move(json)};
}

shown_outcome show_malformed(std::string_view why) {
  auto line = fmt::format("malformed: {}", visible_text(why));
  auto json = outcome_json(name_of(operation_status::malformed), line, std::nullopt, {});
  return {exit_code::usage, std::move(line), std::move(json)};
}

operation_kind kind_of_operation(const genesis& cluster, byte_span operation) {
  return is_read(cluster.state_machine, operation) ? operation_kind::read : operation_kind::write;
}

void print_outcome_line(const shown_outcome& shown, bool as_json) {
  if (as_json) return print_json(shown.json);
  auto line = shown.line;
  // A report of several lines is a single answer, so its line breaks are replaced.
  for (auto at = line.find('\n'); at != std::string::npos; at = line.find('\n', at))
    line.replace(at, 1, "; ");
  print(line + "\n");
}

exit_code print_outcome(const genesis& cluster, byte_span operation, const submit_outcome& outcome, bool as_json) {
  const auto shown = show_outcome(cluster, operation, outcome);
  const auto* const error = std::get_if<client_error>(&outcome);
  if (as_json) {
    print_json(shown.json);
  } else if (error == nullptr) {
    print(shown.line + "\n");
  }
  return error == nullptr ? shown.code
                          : report_error(explain(*error, kind_of_operation(cluster, operation)), shown.code);
}

exit_code worse_of(exit_code left, exit_code right) {
  return static_cast<exit_code>(std::max(static_cast<int>(left), static_cast<int>(right)));
}

or_error<void> check_machine(const genesis& cluster) {
  if (make_state_machine(cluster.state_machine)) return {};
  return tl::unexpected(world_error{fmt::format("the cluster's state machine '{}' is none of this program ({})",
                                                visible_text(cluster.state_machine), state_machine_names()),
                                    "submit and query with consensus_client in the application that brings the machine",
                                    fault_origin::configuration});
}

std::string all_operations_usage() {
  std::string text;
  for (const std::string_view machine : {"key-value", "scheduler"}) {
    text += fmt::format("\nOperations of the machine '{}':\n", machine);
    std::string_view lines = operations_usage(machine);
    while (!lines.empty()) {
      const auto line = lines.substr(0, lines.find('\n'));
      text += fmt::format("  {}\n", line);
      lines.remove_prefix(std::min(lines.size(), line.size() + 1));
    }
  }
  return text;
}

}  // namespace hypermesh::cli
