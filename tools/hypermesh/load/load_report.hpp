#pragma once

#include <unistd.h>

#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "tools/hypermesh/load/cluster_under_load.hpp"
#include "tools/hypermesh/terminal/console.hpp"
#include "tools/hypermesh/terminal/interruption.hpp"
#include "tools/hypermesh/terminal/narrator.hpp"
#include "tools/hypermesh/terminal/text_table.hpp"

/// Common code of the reports of all runs under load.
namespace hypermesh::cli {

/// Adds the numbers of lost and doubled operations and the states as rows of a table with two columns.
void add_rows(text_table& table, const load_verdict& verdict);

/// The verdict as one sentence for people.
[[nodiscard]] std::string sentence_of(const load_verdict& verdict);

/// Adds the verdict to a JSON object, for programs.
void add_keys(nlohmann::ordered_json& json, const load_verdict& verdict);

/// The last line of a report.
[[nodiscard]] inline std::string verdict_line(const std::string& sentence, bool is_right, const text_style& style) {
  return (is_right ? style.good("✓ " + sentence) : style.bad("✗ " + sentence)) + "\n";
}

/// Calls `run(stop, narrator)`, prints its result or its failure, and returns the exit code. The result has `text_of`,
/// `json_of` and `is_right`.
template <class Run>
[[nodiscard]] exit_code run_and_print(bool as_json, Run run) {
  interruption stop;
  auto outcome = [&stop, &run] {
    // The destructor removes the progress bar.
    console_narrator narrator{false};
    return run(stop, narrator);
  }();
  if (!outcome) return report_error(outcome.error().error, outcome.error().code);
  const auto& result = *outcome;
  say("");
  if (as_json) {
    print_json(json_of(result), 2);
  } else {
    print_report(text_of(result, text_style::of(STDOUT_FILENO)));
  }
  if (result.is_right()) return exit_code::ok;
  return report_verdict({"the result of the run is wrong", "read the report of the run"}, exit_code::failed);
}

}  // namespace hypermesh::cli
