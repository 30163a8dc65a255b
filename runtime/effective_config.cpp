#include "runtime/effective_config.hpp"

#include <algorithm>

#include "messages/require.hpp"
#include "runtime/base/toml_document.hpp"
#include "runtime/config_rows.hpp"

namespace hypermesh::runtime {

namespace {

using values = std::vector<effective_value>;

const documented_key& documented(std::string_view file_name, const config_key& key) {
  const auto& all = documented_keys();
  const auto found = std::ranges::find_if(
      all, [&](const auto& each) { return each.file == file_name && full_name(each.key) == full_name(key); });
  require(found != all.end(), "every row is documented");
  return *found;
}

/// Adds the values of `config`, which was read from `file`. The function parses the file again to find the lines.
template <class Config>
or_error<void> add_values(std::string_view file_name, std::span<const config_row<Config>> rows, const Config& config,
                          const std::filesystem::path& file, values& into) {
  auto read = toml_document::read(file);
  if (!read) return failure_of(read);
  auto root = read->root();
  for (const auto& row : rows) {
    auto table = row.key.table.empty() ? root : root.table(row.key.table);
    into.push_back({documented(file_name, row.key), row.get(config), file, table.line(row.key.name)});
  }
  return {};
}

/// The values of a member: the values of its own file, and the agreed values of the genesis.
template <class Config>
or_error<values> values_of_member(std::string_view file_name, std::span<const config_row<Config>> rows,
                                  const or_error<Config>& read, const std::filesystem::path& file) {
  if (!read) return failure_of(read);
  const auto& config = *read;
  values all;
  if (auto done = add_values(file_name, rows, config, file, all); !done) return failure_of(done);
  if (auto done = add_values("genesis.toml", cluster_rows(), config.cluster, config.genesis_file, all); !done) {
    return failure_of(done);
  }
  return all;
}

}  // namespace

or_error<values> effective_values(const std::filesystem::path& file, config_kind kind) {
  if (kind == config_kind::node) return values_of_member("node.toml", node_rows(), read_node_config(file), file);
  if (kind == config_kind::client)
    return values_of_member("client.toml", client_rows(), read_client_config(file), file);
  const auto read = read_genesis(file);
  if (!read) return failure_of(read);
  values all;
  if (auto done = add_values("genesis.toml", cluster_rows(), *read, file, all); !done) return failure_of(done);
  return all;
}

}  // namespace hypermesh::runtime
