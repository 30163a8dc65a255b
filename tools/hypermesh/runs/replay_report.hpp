#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "tools/hypermesh/runs/replay_session.hpp"

namespace hypermesh::cli {

/// The report for people: the outcome of the tasks, the speed, the position of each replica, and a verdict.
[[nodiscard]] std::string text_of(const replay_result& result, const text_style& style);

/// The report for programs. tools/README.md describes the keys.
[[nodiscard]] nlohmann::ordered_json json_of(const replay_result& result);

/// The last line of the report: says that the replay succeeded, or what is wrong.
[[nodiscard]] std::string verdict_of(const replay_result& result);

[[nodiscard]] exit_code exit_code_of(const replay_result& result);

/// The options that `replay` and `demo` share.
void add_replay_options(CLI::App& command, replay_settings& into);

/// Runs the replay, prints its result as a table or as JSON, and returns the exit code.
[[nodiscard]] exit_code replay_and_print(const replay_settings& settings, bool as_json, bool quiet,
                                         std::string_view heading);

}  // namespace hypermesh::cli
