#include <fmt/format.h>

#include "runtime/ed25519_authenticator.hpp"
#include "runtime/node_config.hpp"
#include "runtime/toml_document.hpp"
#include "tools/hypermesh/console.hpp"

namespace hypermesh::cli {

namespace {

constexpr auto examples =
    "Examples:\n"
    "  hypermesh config check mycluster/genesis.toml\n"
    "  hypermesh config check mycluster/*/*.toml\n"
    "\n"
    "A file is recognised by what it holds: '[[replica]]' tables make a genesis, 'replica = N' a node's file,\n"
    "'client = N' a client's. Of a node's and a client's file the genesis and the key that it names are checked too,\n"
    "and of a node's whether the data directory is there and its own.\n"
    "All problems are said at once, each with file and line; the exit code is 2 when there is one.";

enum class file_kind { genesis, node, client };

/// What the keys of the file make it; read apart from the real reading, whose problems are the ones that count.
or_error<file_kind> kind_of_file(const std::filesystem::path& file) {
  auto read = toml_document::read(file);
  if (auto* error = std::get_if<world_error>(&read)) return std::move(*error);
  auto root = std::get<toml_document>(read).root();
  if (!root.tables("replica").empty()) return file_kind::genesis;
  constexpr std::uint64_t absent = 1ULL << 40U;
  if (root.number("replica", 0, absent, absent) != absent) return file_kind::node;
  if (root.number("client", 0, absent, absent) != absent) return file_kind::client;
  return root.text("genesis", "").empty() ? file_kind::genesis : file_kind::node;
}

/// Whether the member's secret key can be read and is the one that the genesis lists.
std::optional<world_error> objection_to_key(const std::filesystem::path& file, principal self, const genesis& cluster) {
  auto read = read_secret_key(file);
  if (auto* error = std::get_if<world_error>(&read)) return std::move(*error);
  auto made = ed25519_authenticator::make(self, std::move(std::get<secret_key>(read)), cluster.keys());
  if (auto* error = std::get_if<world_error>(&made)) return std::move(*error);
  return std::nullopt;
}

struct finding {
  std::string_view kind;
  std::optional<world_error> error;
};

std::optional<world_error> objection_to_files(const node_config& config) {
  if (auto error = objection_to_key(config.key_file, principal::of(config.self), config.cluster)) return error;
  return objection_to_storage(config.storage.directory, config.owner(), config.storage.mode);
}

std::optional<world_error> objection_to_files(const client_config& config) {
  return objection_to_key(config.key_file, principal::of(config.self), config.cluster);
}

template <class Config>
finding check_member(std::string_view kind, or_error<Config> read) {
  if (auto* error = std::get_if<world_error>(&read)) return {kind, std::move(*error)};
  return {kind, objection_to_files(std::get<Config>(read))};
}

finding check_file(const std::filesystem::path& file) {
  const auto kind = kind_of_file(file);
  if (const auto* error = std::get_if<world_error>(&kind)) return {"file", *error};
  switch (std::get<file_kind>(kind)) {
    case file_kind::node:
      return check_member("node", read_node_config(file));
    case file_kind::client:
      return check_member("client", read_client_config(file));
    case file_kind::genesis:
      break;
  }
  auto read = read_genesis(file);
  if (auto* error = std::get_if<world_error>(&read)) return {"genesis", std::move(*error)};
  return {"genesis", std::nullopt};
}

exit_code run_check(const std::vector<std::string>& files) {
  auto code = exit_code::ok;
  for (const auto& file : files) {
    const auto found = check_file(file);
    if (found.error) {
      code = report_error(*found.error, exit_code::usage);
    } else {
      print_report(fmt::format("{}: {} ok\n", file, found.kind));
    }
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
