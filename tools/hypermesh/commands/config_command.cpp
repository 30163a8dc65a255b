#include <fmt/format.h>

#include "runtime/config_check.hpp"
#include "tools/hypermesh/terminal/console.hpp"

namespace hypermesh::cli {

namespace {

constexpr auto examples =
    "Examples:\n"
    "  hypermesh config check mycluster/genesis.toml\n"
    "  hypermesh config check mycluster/*/*.toml\n"
    "\n"
    "A file is recognised by what it holds: '[[replica]]' tables make a genesis, 'replica = N' a node's file,\n"
    "'client = N' a client's. Of a node's and a client's file the genesis and the key that it names are checked too:\n"
    "whether the key has mode 0600 and is this member's. Of a node's also whether data directory and audit trail are\n"
    "there, apart from each other, its own and writable, and whether it listens where the others dial.\n"
    "All problems are said at once, each with file and line; the exit code is 2 when there is one.";

std::string_view name_of(config_kind kind) {
  switch (kind) {
    case config_kind::genesis:
      return "genesis";
    case config_kind::node:
      return "node";
    case config_kind::client:
      return "client";
  }
  return "file";
}

exit_code run_check(const std::vector<std::string>& files) {
  auto code = exit_code::ok;
  for (const auto& file : files) {
    // The kind of an unreadable file is unknown. Reading it as a genesis reports why it cannot be read.
    const auto kind = kind_of_config(file).value_or(config_kind::genesis);
    const auto problems = problems_of(file, kind);
    for (const auto& each : problems)
      code = report_error(each, exit_code::usage);
    if (problems.empty()) print_report(fmt::format("{}: {} ok\n", file, name_of(kind)));
  }
  return code;
}

}  // namespace

void add_config(CLI::App& app, chosen_command& chosen) {
  auto* command = app.add_subcommand("config", "Look at configuration files");
  command->require_subcommand(1);
  auto* check = command->add_subcommand("check", "Say everything that is wrong in configuration files");
  auto files = std::make_shared<std::vector<std::string>>();
  check->footer(examples);
  check->add_option("FILE", *files, "Genesis, node or client file")->required()->type_name("");
  check->callback([files, &chosen] { chosen = [files] { return run_check(*files); }; });
}

}  // namespace hypermesh::cli
