#include <cstdio>
#include <exception>

#include <fmt/format.h>

#include "tools/hypermesh/command.hpp"
#include "tools/hypermesh/console.hpp"

namespace hypermesh::cli {

namespace {

constexpr auto about =
    "HyperMesh consensus: a replicated state machine that tolerates f Byzantine faults of n >= 3f + 1 replicas.";

constexpr auto overview =
    "First steps:\n"
    "  hypermesh demo                                      a whole cluster on this machine, for some seconds\n"
    "  hypermesh init mycluster                            keys and configuration of a cluster\n"
    "  hypermesh start --config mycluster/replica-0/node.toml\n"
    "  hypermesh submit --cluster mycluster put name value\n"
    "  hypermesh status --cluster mycluster\n"
    "\n"
    "Exit codes: 0 ok; 1 the command failed; 2 wrong usage or configuration; 3 the cluster did not answer in time;\n"
    "130 interrupted. Data goes to stdout, messages to stderr. NO_COLOR is honoured.";

/// The subcommand that was being read when parsing failed, for a pointer to its help.
std::string command_path(const CLI::App& app) {
  std::string path = "hypermesh";
  const auto* at = &app;
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().front();
    path += " " + at->get_name();
  }
  return path;
}

exit_code parse_and_run(int count, char** words) {
  CLI::App app{about, "hypermesh"};
  app.require_subcommand(1);
  app.footer(overview);
  app.get_formatter()->column_width(34);
  chosen_command chosen;
  add_demo(app, chosen);
  add_init(app, chosen);
  add_keygen(app, chosen);
  add_config(app, chosen);
  add_start(app, chosen);
  add_submit(app, chosen);
  add_get(app, chosen);
  add_status(app, chosen);
  add_release(app, chosen);
  add_hand_over(app, chosen);
  add_replay(app, chosen);
  add_audit(app, chosen);
  try {
    app.parse(count, words);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {
      app.exit(error);
      return exit_code::ok;
    }
    return report_error({error.what(), fmt::format("see '{} --help'", command_path(app))}, exit_code::usage);
  }
  return chosen();
}

}  // namespace

}  // namespace hypermesh::cli

int main(int count, char** words) {
  using hypermesh::cli::exit_code;
  auto code = exit_code::failed;
  try {
    code = hypermesh::cli::parse_and_run(count, words);
  } catch (const std::exception& error) {
    code = hypermesh::cli::report_error(
        {error.what(), "this should not happen: please report it with the command line"}, exit_code::failed);
  }
  // Output that did not reach its file is a failure, whatever the command says.
  if ((std::fflush(stdout) != 0 || std::ferror(stdout) != 0) && code == exit_code::ok) {
    code = hypermesh::cli::report_error(
        {"the output could not be written", "check the disk and the reader of the pipe"}, exit_code::failed);
  }
  return static_cast<int>(code);
}
