#include "runtime/node_config.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "messages/limits.hpp"
#include "runtime/durable_file.hpp"
#include "runtime/toml_document.hpp"

namespace hypermesh {

namespace {

std::filesystem::path relative_to(const std::filesystem::path& file, const std::string& path) {
  return path.empty() ? std::filesystem::path{} : file.parent_path() / path;
}

/// The path under `key`, relative to the folder of `file`. An empty path is a problem.
std::filesystem::path read_path(toml_table& from, std::string_view key, const std::filesystem::path& file,
                                std::optional<std::string> fallback = std::nullopt) {
  const bool required = !fallback;
  const auto path = from.text(key, std::move(fallback));
  // A missing key was reported already.
  if (path.empty() && (!required || from.has(key))) from.complain(key, fmt::format("'{}' is empty", key));
  return relative_to(file, path);
}

/// Reads the genesis that a configuration names. The error has all problems of the genesis.
std::optional<world_error> load_genesis(toml_table& root, const std::filesystem::path& file, genesis& into) {
  const auto named = read_path(root, "genesis", file);
  if (named.empty()) return std::nullopt;
  auto read = read_genesis(named);
  if (auto* error = std::get_if<world_error>(&read)) return std::move(*error);
  into = std::move(std::get<genesis>(read));
  return std::nullopt;
}

std::chrono::microseconds microseconds_of(toml_table& from, std::string_view key, std::chrono::microseconds fallback,
                                          std::uint64_t high) {
  return std::chrono::microseconds{from.number(key, 1, high, static_cast<std::uint64_t>(fallback.count()))};
}

void read_batching(toml_table from, node_settings& into) {
  auto& batching = into.batching;
  batching.requests_per_batch_max =
      from.number("requests_per_batch_max", 1, limits::requests_per_batch_max, batching.requests_per_batch_max);
  // An operator who only lowers the maximum does not have to set the target too.
  batching.requests_per_batch_target =
      from.number("requests_per_batch_target", 1, limits::requests_per_batch_max,
                  std::min(batching.requests_per_batch_target, batching.requests_per_batch_max));
  if (batching.requests_per_batch_target > batching.requests_per_batch_max) {
    from.complain("requests_per_batch_target",
                  fmt::format("'requests_per_batch_target' is {}, above 'requests_per_batch_max', which is {}",
                              batching.requests_per_batch_target, batching.requests_per_batch_max));
  }
  batching.pipeline_depth = from.number("pipeline_depth", 1, limits::watermark_window_max, batching.pipeline_depth);
  into.batch_delay = microseconds_of(from, "delay_us", into.batch_delay, 10'000'000);
  from.expect_nothing_else();
}

void read_periods(toml_table from, node_settings& into) {
  into.status_period = microseconds_of(from, "status_us", into.status_period, 60'000'000);
  into.checkpoint_period = microseconds_of(from, "checkpoint_us", into.checkpoint_period, 60'000'000);
  into.transfer_period = microseconds_of(from, "transfer_us", into.transfer_period, 60'000'000);
  from.expect_nothing_else();
}

void read_views(toml_table from, node_settings& into) {
  constexpr std::uint64_t patience_us_max = 600'000'000;
  auto& views = into.views;
  views.request_us = from.number("request_us", 10'000, patience_us_max, views.request_us);
  views.closed_link_us = from.number("closed_link_us", 10'000, patience_us_max, views.closed_link_us);
  views.new_view_us = from.number("new_view_us", 10'000, patience_us_max, views.new_view_us);
  views.doublings_max = static_cast<unsigned>(from.number("doublings_max", 0, 10, views.doublings_max));
  into.service_period = microseconds_of(from, "service_us", into.service_period, 1'000'000);
  from.expect_nothing_else();
}

void read_storage(toml_table from, const std::filesystem::path& file, storage_settings& into) {
  const auto mode = from.text("mode", "sync");
  if (mode == "sync") {
    into.mode = durability::sync;
  } else if (mode == "async") {
    into.mode = durability::async;
  } else if (mode == "memory") {
    into.mode = durability::memory;
  } else {
    from.complain("mode", fmt::format("storage mode '{}' is unknown; known: sync, async, memory", mode));
  }
  into.directory = read_path(from, "directory", file, std::string{default_data_folder});
  into.retain_mib = static_cast<std::uint32_t>(from.number("retain_mib", 0, retain_mib_max, into.retain_mib));
  from.expect_nothing_else();
}

void read_audit(toml_table from, const std::filesystem::path& file, durability mode, audit_settings& into) {
  // In mode memory nothing is stored, so by default there is no audit trail either.
  into.enabled = from.flag("enabled", mode != durability::memory);
  into.votes = from.flag("votes", into.votes);
  into.directory = read_path(from, "directory", file, std::string{default_audit_folder});
  into.retain_mib = static_cast<std::uint32_t>(
      from.number("retain_mib", audit_retain_mib_min, audit_retain_mib_max, into.retain_mib));
  from.expect_nothing_else();
}

/// The path without symbolic links and dots; without dots only if the links cannot be resolved.
std::filesystem::path resolved(const std::filesystem::path& path) {
  std::error_code failed;
  auto out = std::filesystem::weakly_canonical(path, failed);
  if (failed) out = path.lexically_normal();
  // "a/" is "a".
  return out.has_filename() ? out : out.parent_path();
}

/// Whether `inner` is `outer` or lies below it.
bool is_inside(const std::filesystem::path& inner, const std::filesystem::path& outer) {
  const auto below = resolved(inner);
  const auto above = resolved(outer);
  return std::mismatch(above.begin(), above.end(), below.begin(), below.end()).first == above.end();
}

/// The data directory holds neither the key file nor the audit trail, and the trail does not hold the data directory. A
/// foreign file in a folder may look like damage, or may be moved away together with the folder.
void expect_own_folders(toml_table root, const node_config& config) {
  const auto& data = config.storage.directory;
  const auto& trail = config.audit.directory;
  if (data.empty()) return;
  auto storage = root.table("storage");
  if (is_inside(config.key_file, data)) {
    storage.complain("directory",
                     "the key file stands in the data directory, which is moved away when it is damaged; "
                     "'directory' needs a folder of its own");
  }
  if (!config.audit.enabled || trail.empty()) return;
  if (!is_inside(trail, data) && !is_inside(data, trail)) return;
  root.table("audit").complain(
      "directory",
      fmt::format("the folder of the audit trail {} and the data directory {} must not be the same, or one "
                  "in the other",
                  quoted(trail), quoted(data)));
}

void read_listen(toml_table& root, node_config& config) {
  const auto& replicas = config.cluster.replicas;
  const bool is_member = config.self.value < replicas.size();
  if (is_member) config.listen = replicas[config.self.value].address;
  if (!root.has("listen")) return;
  auto parsed = parse_address(root.text("listen"), address_use::listen);
  if (const auto* error = std::get_if<world_error>(&parsed)) {
    root.complain("listen", fmt::format("{}; {}", error->what, error->remedy));
  } else {
    config.listen = std::move(std::get<replica_address>(parsed));
  }
}

/// All problems of the genesis and of the file that names it.
std::optional<world_error> all_of(const std::optional<world_error>& of_genesis, const toml_document& document) {
  if (document.problems().empty()) return of_genesis;
  const auto own = error_of(document.problems());
  return of_genesis ? joined(*of_genesis, own) : own;
}

}  // namespace

std::optional<world_error> read_node_config_into(const std::filesystem::path& path, node_config& config) {
  auto read = toml_document::read(path);
  if (auto* error = std::get_if<world_error>(&read)) return std::move(*error);
  const auto& document = std::get<toml_document>(read);
  auto root = document.root();
  const auto of_genesis = load_genesis(root, path, config.cluster);
  const auto last = config.cluster.replicas.empty() ? limits::replicas_max : config.cluster.replicas.size() - 1;
  config.self = replica_id{static_cast<std::uint32_t>(root.number("replica", 0, last))};
  config.key_file = read_path(root, "key_file", path);
  read_listen(root, config);
  read_storage(root.table("storage"), path, config.storage);
  read_audit(root.table("audit"), path, config.storage.mode, config.audit);
  expect_own_folders(root, config);
  read_batching(root.table("batching"), config.settings);
  read_periods(root.table("periods"), config.settings);
  read_views(root.table("views"), config.settings);
  root.expect_nothing_else();
  return all_of(of_genesis, document);
}

or_error<node_config> read_node_config(const std::filesystem::path& path) {
  node_config config;
  if (auto error = read_node_config_into(path, config)) return std::move(*error);
  return config;
}

std::optional<world_error> read_client_config_into(const std::filesystem::path& path, client_config& config) {
  auto read = toml_document::read(path);
  if (auto* error = std::get_if<world_error>(&read)) return std::move(*error);
  const auto& document = std::get<toml_document>(read);
  auto root = document.root();
  const auto of_genesis = load_genesis(root, path, config.cluster);
  const auto last = config.cluster.clients.empty() ? limits::clients_max : config.cluster.clients.size() - 1;
  config.self = client_id{static_cast<std::uint32_t>(root.number("client", 0, last))};
  config.key_file = read_path(root, "key_file", path);
  root.expect_nothing_else();
  return all_of(of_genesis, document);
}

or_error<client_config> read_client_config(const std::filesystem::path& path) {
  client_config config;
  if (auto error = read_client_config_into(path, config)) return std::move(*error);
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
