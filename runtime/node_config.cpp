#include "runtime/node_config.hpp"

#include <algorithm>
#include <fstream>

#include <fmt/format.h>
#include <sodium.h>

#include "messages/limits.hpp"
#include "runtime/state_machines/registry.hpp"
#include "runtime/toml_document.hpp"

namespace hypermesh {

namespace {

std::filesystem::path relative_to(const std::filesystem::path& file, const std::string& path) {
  return path.empty() ? std::filesystem::path{} : file.parent_path() / path;
}

/// The genesis that a configuration names; its own problems are complete already.
std::optional<world_error> load_genesis(toml_table& root, const std::filesystem::path& file, genesis& into) {
  const auto named = root.text("genesis");
  if (named.empty()) return std::nullopt;
  auto read = read_genesis(relative_to(file, named));
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
  batching.requests_per_batch_target =
      from.number("requests_per_batch_target", 1, limits::requests_per_batch_max, batching.requests_per_batch_target);
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

constexpr std::string_view default_data_folder = "data";
constexpr std::string_view default_audit_folder = "audit";

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
  const auto directory = from.text("directory", std::string{default_data_folder});
  if (directory.empty()) from.complain("directory", "'directory' is empty");
  into.directory = relative_to(file, directory);
  into.retain_mib = static_cast<std::uint32_t>(from.number("retain_mib", 0, retain_mib_max, into.retain_mib));
  from.expect_nothing_else();
}

void read_audit(toml_table from, const std::filesystem::path& file, durability mode, audit_settings& into) {
  // A node that keeps nothing of what it promised keeps no trail of it either, unless it is asked to.
  into.enabled = from.flag("enabled", mode != durability::memory);
  into.votes = from.flag("votes", into.votes);
  const auto directory = from.text("directory", std::string{default_audit_folder});
  if (directory.empty()) from.complain("directory", "'directory' is empty");
  into.directory = relative_to(file, directory);
  into.retain_mib = static_cast<std::uint32_t>(
      from.number("retain_mib", audit_retain_mib_min, audit_retain_mib_max, into.retain_mib));
  from.expect_nothing_else();
}

std::optional<world_error> write_text(const std::filesystem::path& path, const std::string& text) {
  std::ofstream out{path};
  out << text;
  out.close();
  if (out) return std::nullopt;
  return world_error{fmt::format("cannot write {}", path.string()), "check free space and permissions"};
}

std::optional<world_error> make_folder(const std::filesystem::path& path) {
  std::error_code failed;
  std::filesystem::create_directories(path, failed);
  if (!failed) std::filesystem::permissions(path, std::filesystem::perms::owner_all, failed);
  if (!failed) return std::nullopt;
  return world_error{fmt::format("cannot make {}: {}", path.string(), failed.message()), "check the path"};
}

/// A member's folder: key file and configuration.
std::optional<world_error> make_member(const std::filesystem::path& folder, const secret_key& key,
                                       const std::filesystem::path& config, const std::string& text) {
  if (auto error = make_folder(folder)) return error;
  if (auto error = write_secret_key(folder / "secret.key", key)) return error;
  return write_text(config, text);
}

std::string node_text(std::uint32_t number) {
  const node_settings defaults;
  const storage_settings storage;
  const audit_settings audit;
  return fmt::format(
      "# Replica {0} of the cluster. Paths are relative to this file.\n"
      "genesis = \"../genesis.toml\"\nreplica = {0}\nkey_file = \"secret.key\"\n"
      "# listen = \"0.0.0.0:7400\"    # where it differs from the genesis address\n\n"
      "[storage]\n"
      "# sync: a vote is on the disk before it is sent. async: within 100 ms after; a crash of the machine may forget\n"
      "# it, and the replica may contradict itself. memory: nothing is kept, for trials and tests.\n"
      "mode = \"sync\"\n"
      "# What this replica has promised. If it is lost or damaged, move it away and start with --learner; never put "
      "an\n"
      "# old copy in its place.\n"
      "directory = \"{8}\"\n"
      "# The state is written when so many MiB of records have come since, 0 to {9}; a large one not before half of "
      "its\n"
      "# own size. A restart executes again what came since.\n"
      "retain_mib = {10}\n\n"
      "# The audit trail: what this replica saw and said, chained and signed; 'hypermesh audit' reads it. The oldest "
      "goes\n"
      "# when there is more than retain_mib ({16} or more). votes: signed proposals and votes too, not only "
      "decisions.\n"
      "[audit]\nenabled = true\nvotes = true\nretain_mib = {17}\ndirectory = \"{18}\"\n\n"
      "# [batching]\n# delay_us = {1}\n# pipeline_depth = {2}\n# requests_per_batch_max = {3}\n"
      "# requests_per_batch_target = {4}\n\n"
      "# [periods]\n# status_us = {5}\n# checkpoint_us = {6}\n# transfer_us = {7}\n\n"
      "# How long a request may wait, or the primary of a new view, before this replica wants another primary. Too "
      "short\n"
      "# for the network, views change without need; each change doubles the times, doublings_max times at most.\n"
      "# [views]\n# request_us = {11}\n# closed_link_us = {12}\n# new_view_us = {13}\n# doublings_max = {14}\n"
      "# service_us = {15}\n",
      number, defaults.batch_delay.count(), defaults.batching.pipeline_depth, defaults.batching.requests_per_batch_max,
      defaults.batching.requests_per_batch_target, defaults.status_period.count(), defaults.checkpoint_period.count(),
      defaults.transfer_period.count(), default_data_folder, retain_mib_max, storage.retain_mib,
      defaults.views.request_us, defaults.views.closed_link_us, defaults.views.new_view_us,
      defaults.views.doublings_max, defaults.service_period.count(), audit_retain_mib_min, audit.retain_mib,
      default_audit_folder);
}

std::string client_text(std::uint32_t number) {
  return fmt::format(
      "# Client {0} of the cluster. Paths are relative to this file.\n"
      "genesis = \"../genesis.toml\"\nclient = {0}\nkey_file = \"secret.key\"\n",
      number);
}

std::optional<world_error> objection_to(const cluster_plan& plan) {
  const auto ports = plan.ports.empty() ? plan.replicas : plan.ports.size();
  if (plan.replicas < limits::replicas_min || plan.replicas > limits::replicas_max) {
    return world_error{fmt::format("{} replicas are not possible", plan.replicas),
                       fmt::format("choose {} to {}", limits::replicas_min, limits::replicas_max)};
  }
  if (plan.clients < 1 || plan.clients > limits::clients_max) {
    return world_error{fmt::format("{} clients are not possible", plan.clients),
                       fmt::format("choose 1 to {}", limits::clients_max)};
  }
  if (plan.checkpoint_period < 1 || plan.checkpoint_period > limits::watermark_window_max / 2) {
    return world_error{fmt::format("a checkpoint period of {} is not possible", plan.checkpoint_period),
                       fmt::format("choose 1 to {}", limits::watermark_window_max / 2)};
  }
  if (ports != plan.replicas || plan.first_port + plan.replicas > 65'536U) {
    return world_error{"the replicas do not fit the ports", "choose a smaller first port"};
  }
  const auto machine = make_state_machine(plan.state_machine);
  if (!machine) return world_error{machine.error(), "choose one of them"};
  const bool plain_name = !plan.name.empty() && plan.name.find_first_of("\"\\\n") == std::string::npos;
  if (!plain_name) return world_error{"the cluster's name is empty or has quotes", "choose letters and digits"};
  return std::nullopt;
}

std::string fresh_nonce() {
  initialise_crypto();
  std::array<std::byte, 16> bytes;
  randombytes_buf(bytes.data(), bytes.size());
  return to_hex(bytes);
}

std::optional<world_error> write_cluster(const cluster_layout& layout, const cluster_plan& plan, genesis& content) {
  content.name = plan.name;
  content.nonce = fresh_nonce();
  content.state_machine = plan.state_machine;
  const auto widest = watermark_window_max_of(group_size{plan.replicas});
  content.checkpoint_period = std::min(plan.checkpoint_period, widest / 2);
  content.watermark_window = 2 * content.checkpoint_period;
  for (std::uint32_t number = 0; number < plan.replicas; ++number) {
    const auto key = secret_key::generate();
    const auto port = plan.ports.empty() ? static_cast<std::uint16_t>(plan.first_port + number) : plan.ports[number];
    content.replicas.push_back({key.public_half(), {plan.host, port}});
    auto error = make_member(layout.replica_folder(number), key, layout.node_file(number), node_text(number));
    if (error) return error;
  }
  for (std::uint32_t number = 0; number < plan.clients; ++number) {
    const auto key = secret_key::generate();
    content.clients.push_back(key.public_half());
    auto error = make_member(layout.client_folder(number), key, layout.client_file(number), client_text(number));
    if (error) return error;
  }
  for (std::uint32_t number = 0; number < plan.replicas; ++number) {
    const storage_owner owner{content.id(), content.name, replica_id{number}};
    if (auto error = initialise_storage(layout.data_folder(number), owner)) return error;
  }
  return write_genesis(layout.genesis_file(), content);
}

}  // namespace

or_error<node_config> read_node_config(const std::filesystem::path& path) {
  auto read = toml_document::read(path);
  if (auto* error = std::get_if<world_error>(&read)) return std::move(*error);
  const auto& document = std::get<toml_document>(read);
  auto root = document.root();
  node_config config;
  if (auto error = load_genesis(root, path, config.cluster)) return std::move(*error);
  const auto last = config.cluster.replicas.empty() ? limits::replicas_max : config.cluster.replicas.size() - 1;
  config.self = replica_id{static_cast<std::uint32_t>(root.number("replica", 0, last))};
  config.key_file = relative_to(path, root.text("key_file"));
  const auto listen = root.text("listen", "");
  const auto address = parse_address(listen);
  if (!listen.empty() && !address) root.complain("listen", fmt::format("'{}' is not HOST:PORT", listen));
  if (config.self.value < config.cluster.replicas.size()) {
    config.listen = address.value_or(config.cluster.replicas[config.self.value].address);
  }
  read_storage(root.table("storage"), path, config.storage);
  read_audit(root.table("audit"), path, config.storage.mode, config.audit);
  read_batching(root.table("batching"), config.settings);
  read_periods(root.table("periods"), config.settings);
  read_views(root.table("views"), config.settings);
  root.expect_nothing_else();
  if (!document.problems().empty()) return error_of(document.problems());
  return config;
}

or_error<client_config> read_client_config(const std::filesystem::path& path) {
  auto read = toml_document::read(path);
  if (auto* error = std::get_if<world_error>(&read)) return std::move(*error);
  const auto& document = std::get<toml_document>(read);
  auto root = document.root();
  client_config config;
  if (auto error = load_genesis(root, path, config.cluster)) return std::move(*error);
  const auto last = config.cluster.clients.empty() ? limits::clients_max : config.cluster.clients.size() - 1;
  config.self = client_id{static_cast<std::uint32_t>(root.number("client", 0, last))};
  config.key_file = relative_to(path, root.text("key_file"));
  root.expect_nothing_else();
  if (!document.problems().empty()) return error_of(document.problems());
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

or_error<genesis> create_cluster(const std::filesystem::path& directory, const cluster_plan& plan) {
  if (auto error = objection_to(plan)) return std::move(*error);
  std::error_code failed;
  const bool existed = std::filesystem::exists(directory, failed);
  if (existed && (!std::filesystem::is_directory(directory, failed) || !std::filesystem::is_empty(directory, failed))) {
    return world_error{fmt::format("{} exists and is not an empty directory", directory.string()),
                       "choose another directory"};
  }
  genesis content;
  if (auto error = write_cluster(cluster_layout{directory}, plan, content)) {
    if (!existed) std::filesystem::remove_all(directory, failed);
    return std::move(*error);
  }
  return content;
}

}  // namespace hypermesh
