#include "tools/hypermesh/operations.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "runtime/state_machines/printable.hpp"
#include "runtime/state_machines/registry.hpp"
#include "tools/hypermesh/console.hpp"

namespace hypermesh::cli {

namespace {

std::string_view name_of(operation_status status) {
  switch (status) {
    case operation_status::applied:
      return "applied";
    case operation_status::refused:
      return "refused";
    case operation_status::malformed:
      return "malformed";
    case operation_status::result_too_large:
      return "result_too_large";
  }
  return "unknown";
}

}  // namespace

std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words;
  bool in_word = false;
  bool quoted = false;
  for (std::size_t at = 0; at < line.size(); ++at) {
    const char letter = line[at];
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
      quoted = !quoted;
    } else {
      words.back() += letter;
    }
  }
  return words;
}

exit_code print_outcome(const genesis& cluster, byte_span operation, const submit_outcome& outcome, bool as_json) {
  if (const auto* error = std::get_if<client_error>(&outcome)) {
    if (as_json) print(nlohmann::ordered_json{{"status", to_string(*error)}, {"result", nullptr}}.dump() + "\n");
    return report_error(explain(*error), exit_code_of(*error));
  }
  const auto& result = std::get<operation_result>(outcome);
  const auto text = format_result(cluster.state_machine, operation, result);
  if (as_json) {
    print(nlohmann::ordered_json{
              {"status", name_of(result.status)}, {"result", text}, {"payload", to_hex(result.payload)}}
              .dump() +
          "\n");
  } else {
    print(text + "\n");
  }
  return result.status == operation_status::applied ? exit_code::ok : exit_code::failed;
}

exit_code worse_of(exit_code left, exit_code right) {
  return static_cast<exit_code>(std::max(static_cast<int>(left), static_cast<int>(right)));
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
