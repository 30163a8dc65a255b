#include "runtime/node_config.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "messages/require.hpp"
#include "runtime/base/durable_file.hpp"
#include "runtime/config_reader.hpp"
#include "runtime/http/bearer_token.hpp"

namespace hypermesh {

using namespace runtime;

namespace {

/// Reads the genesis that a configuration names, if it names one. The error lists all problems of the genesis.
or_error<void> load_genesis(const std::filesystem::path& file, genesis& into) {
  if (file.empty()) return {};
  auto read = read_genesis(file);
  if (!read) return failure_of(read);
  into = std::move(*read);
  return {};
}

/// The path without symbolic links and dots. If the links cannot be resolved, only the dots are removed.
std::filesystem::path resolved(const std::filesystem::path& path) {
  std::error_code failed;
  auto out = std::filesystem::weakly_canonical(path, failed);
  if (failed) out = path.lexically_normal();
  // Removes the slash at the end, so "a/" becomes "a".
  return out.has_filename() ? out : out.parent_path();
}

/// Whether `inner` is `outer` or is below it.
bool is_inside(const std::filesystem::path& inner, const std::filesystem::path& outer) {
  const auto below = resolved(inner);
  const auto above = resolved(outer);
  return std::mismatch(above.begin(), above.end(), below.begin(), below.end()).first == above.end();
}

/// The data directory must contain neither the key file nor the audit trail, and the trail must not contain the data
/// directory. A foreign file in a folder may look like damage, or somebody may move it away together with the folder.
void expect_own_folders(config_tables& tables, const node_config& config) {
  const auto& data = config.storage.directory;
  const auto& trail = config.audit.directory;
  if (is_inside(config.key_file, data)) {
    tables.complain({.table = "storage", .name = "directory"},
                    "the key file is in the data directory, which is moved away when it is damaged; "
                    "set 'directory' to another directory");
  }
  if (!config.audit.enabled) return;
  if (!is_inside(trail, data) && !is_inside(data, trail)) return;
  tables.complain(
      {.table = "audit", .name = "directory"},
      fmt::format("the directory of the audit trail {} and the data directory {} must not be the same, nor one "
                  "inside the other",
                  quoted(trail), quoted(data)));
}

/// What [http] needs as a whole.
void expect_safe_http(config_tables& tables, const node_config& config) {
  const auto& http = config.http;
  const auto complain = [&tables](std::string_view name, std::string what) {
    tables.complain({.table = "http", .name = name}, std::move(what));
  };
  if (http.tls_certificate.empty() != http.tls_key.empty()) {
    complain(http.tls_key.empty() ? "tls_certificate" : "tls_key",
             "tls_certificate and tls_key belong together; set both, or none of them");
  }
  if (!http.enabled) return;
  if (is_exposed(http)) {
    complain("listen", fmt::format("other machines reach {}, so 'token_file' must be set; or listen on 127.0.0.1",
                                   to_string(http.listen)));
  }
  if (http.listen.port == config.listen.port && http.listen.port != 0) {
    complain("listen", fmt::format("port {} is the port of the links; use another one", http.listen.port));
  }
}

/// All problems of the genesis and of the file that names the genesis.
or_error<void> all_of(const or_error<void>& of_genesis, const toml_document& document) {
  if (document.problems().empty()) return of_genesis;
  const auto own = error_of(document.problems());
  return tl::unexpected(of_genesis ? own : joined(of_genesis.error(), own));
}

/// Sets the values of the host as if the file had them, so that all checks of the file apply to them. An unknown name
/// becomes an unknown key.
template <class Config>
void apply_overrides(const config_overrides& overrides, std::span<const config_row<Config>> rows,
                     toml_document& document) {
  for (const auto& [name, value] : overrides) {
    const auto row = std::ranges::find_if(rows, [&](const auto& each) { return full_name(each.key) == name; });
    const auto is_text = row != rows.end() && row->key.kind != value_kind::number && row->key.kind != value_kind::flag;
    const auto dot = name.find('.');
    const std::string_view whole{name};
    if (dot == std::string::npos) {
      document.set({}, whole, value, is_text);
    } else {
      document.set(whole.substr(0, dot), whole.substr(dot + 1), value, is_text);
    }
  }
}

/// Reads `path` by its rows. The first row names the genesis. The genesis is read before the other rows, because their
/// bounds and defaults depend on it. `check` finds problems that no single row can have.
template <class Config, class Check>
or_error<void> read_into(const std::filesystem::path& path, std::string_view file_name,
                         std::span<const config_row<Config>> rows, Config& config, const config_overrides& overrides,
                         Check check) {
  auto read = toml_document::read(path);
  if (!read) return failure_of(read);
  auto& document = *read;
  apply_overrides(overrides, rows, document);
  config_tables tables{document.root(), path};
  config_reader<Config> reader{tables, config};
  require(rows.front().key.name == "genesis", "the genesis is read first");
  reader.read(rows.first(1));
  const auto of_genesis = load_genesis(config.genesis_file, config.cluster);
  reader.read(rows.subspan(1));
  reader.compare(rows);
  check(tables);
  tables.expect_nothing_else(file_name);
  return all_of(of_genesis, document);
}

}  // namespace

or_error<void> read_node_config_into(const std::filesystem::path& path, node_config& config,
                                     const config_overrides& overrides) {
  return read_into(path, "node.toml", node_rows(), config, overrides, [&config](config_tables& tables) {
    expect_own_folders(tables, config);
    expect_safe_http(tables, config);
  });
}

or_error<node_config> read_node_config(const std::filesystem::path& path, const config_overrides& overrides) {
  node_config config;
  if (auto done = read_node_config_into(path, config, overrides); !done) return failure_of(done);
  return config;
}

or_error<void> read_client_config_into(const std::filesystem::path& path, client_config& config,
                                       const config_overrides& overrides) {
  return read_into(path, "client.toml", client_rows(), config, overrides, [](const config_tables&) {});
}

or_error<client_config> read_client_config(const std::filesystem::path& path, const config_overrides& overrides) {
  client_config config;
  if (auto done = read_client_config_into(path, config, overrides); !done) return failure_of(done);
  return config;
}

std::filesystem::path cluster_layout::replica_folder(std::uint32_t number) const {
  return root / fmt::format("replica-{}", number);
}

std::filesystem::path cluster_layout::client_folder(std::uint32_t number) const {
  return root / fmt::format("client-{}", number);
}

std::filesystem::path cluster_layout::node_file(std::uint32_t number) const {
  return replica_folder(number) / "node.toml";
}

std::filesystem::path cluster_layout::data_folder(std::uint32_t number) const {
  return replica_folder(number) / default_data_folder;
}

std::filesystem::path cluster_layout::audit_folder(std::uint32_t number) const {
  return replica_folder(number) / default_audit_folder;
}

std::filesystem::path cluster_layout::client_file(std::uint32_t number) const {
  return client_folder(number) / "client.toml";
}

}  // namespace hypermesh
