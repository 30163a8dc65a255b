#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "tools/hypermesh/runs/replay_session.hpp"
#include "tools/hypermesh/terminal/progress_bar.hpp"

namespace hypermesh::cli {

/// The result of a replay for people: the outcome of the tasks, the speed, the position of each replica, and a verdict.
[[nodiscard]] std::string text_of(const replay_result& result, const text_style& style);

/// The same for programs. Keys: tools/README.md.
[[nodiscard]] nlohmann::ordered_json json_of(const replay_result& result);

/// The last line: whether the replay succeeded, or else what is wrong.
[[nodiscard]] std::string verdict_of(const replay_result& result);

[[nodiscard]] exit_code exit_code_of(const replay_result& result);

/// Numbered steps and a progress bar on stderr.
class console_narrator final : public replay_narrator {
 public:
  explicit console_narrator(bool quiet);

  void step(const std::string& what, double seconds) override;
  void progress(std::size_t answered, std::size_t total) override;

 private:
  bool quiet_;
  text_style style_;
  std::size_t steps_ = 0;
  std::optional<progress_bar> bar_;
};

/// The options that `replay` and `demo` share.
void add_replay_options(CLI::App& command, replay_settings& into);

/// Runs the replay, prints its result as a table or as JSON, and returns the exit code.
[[nodiscard]] exit_code replay_and_print(const replay_settings& settings, bool as_json, bool quiet,
                                         std::string_view heading);

}  // namespace hypermesh::cli
