#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <sodium.h>

#include "messages/limits.hpp"
#include "runtime/base/durable_file.hpp"
#include "runtime/base/safe_text.hpp"
#include "runtime/config_text.hpp"
#include "runtime/node_config.hpp"

/// Creates the files of a new cluster.
namespace hypermesh {

using namespace runtime;

namespace {

/// All users may read the file, because a configuration file contains no secret.
constexpr mode_t config_mode = 0644;

or_error<void> make_folder(const std::filesystem::path& path) {
  std::error_code failed;
  std::filesystem::create_directories(path, failed);
  if (!failed) std::filesystem::permissions(path, std::filesystem::perms::owner_all, failed);
  if (failed) return failed_to("make", path, failed.value());
  return {};
}

/// Makes a member's folder with key file and configuration.
or_error<void> make_member(const std::filesystem::path& folder, const secret_key& key,
                           const std::filesystem::path& config, const std::string& text) {
  if (auto done = make_folder(folder); !done) return done;
  if (auto done = write_secret_key(folder / "secret.key", key); !done) return done;
  return write_durable_file(config, text, config_mode, existing_file::keep);
}

std::string fresh_nonce() {
  initialise_crypto();
  std::array<std::byte, 16> bytes;
  randombytes_buf(bytes.data(), bytes.size());
  return to_hex(bytes);
}

or_error<void> write_cluster(const cluster_layout& layout, const cluster_plan& plan, genesis& content) {
  const auto host = parse_host(plan.host, address_use::dial).value();
  content.name = plan.name;
  content.nonce = fresh_nonce();
  content.state_machine = plan.state_machine;
  content.requests_by = plan.requests_by;
  const auto widest = watermark_window_max_of(group_size{plan.replicas});
  content.checkpoint_period = std::min(plan.checkpoint_period, widest / 2);
  content.watermark_window = 2 * content.checkpoint_period;
  for (std::uint32_t number = 0; number < plan.replicas; ++number) {
    const auto key = secret_key::generate();
    const auto port = plan.ports.empty() ? static_cast<std::uint16_t>(plan.first_port + number) : plan.ports[number];
    content.replicas.push_back({key.public_half(), {host, port}});
    auto done = make_member(layout.replica_folder(number), key, layout.node_file(number), node_file_text(number));
    if (!done) return done;
  }
  for (std::uint32_t number = 0; number < plan.clients; ++number) {
    const auto key = secret_key::generate();
    content.clients.push_back(key.public_half());
    auto done = make_member(layout.client_folder(number), key, layout.client_file(number), client_file_text(number));
    if (!done) return done;
  }
  for (std::uint32_t number = 0; number < plan.replicas; ++number) {
    const storage_owner owner{content.id(), content.name, replica_id{number}};
    if (auto done = initialise_storage(layout.data_folder(number), owner); !done) return done;
  }
  return write_genesis(layout.genesis_file(), content);
}

tl::unexpected<world_error> impossible(std::string what, std::string remedy) {
  return tl::unexpected(world_error{std::move(what), std::move(remedy), fault_origin::configuration});
}

/// Returns the path to remove so that nothing of `directory` is left: `directory` itself, or its topmost parent that
/// does not exist yet.
std::filesystem::path first_to_make(const std::filesystem::path& directory) {
  std::error_code unknown;
  auto first = std::filesystem::absolute(directory, unknown).lexically_normal();
  if (!first.has_filename()) first = first.parent_path();
  while (first.has_relative_path() && !std::filesystem::exists(first.parent_path(), unknown) && !unknown)
    first = first.parent_path();
  return first;
}

void remove_content(const std::filesystem::path& directory) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator{directory, ignored})
    std::filesystem::remove_all(entry.path(), ignored);
}

/// Whether `directory` exists. If it is not an empty directory or cannot be examined, an error is returned.
or_error<bool> exists_and_is_empty(const std::filesystem::path& directory) {
  std::error_code failed;
  const auto status = std::filesystem::symlink_status(directory, failed);
  if (status.type() == std::filesystem::file_type::not_found) return false;
  if (failed) return failed_to("examine", directory, failed.value());
  const bool is_empty =
      std::filesystem::is_directory(directory, failed) && std::filesystem::is_empty(directory, failed);
  if (failed) return failed_to("examine", directory, failed.value());
  if (is_empty) return true;
  return tl::unexpected(world_error{fmt::format("{} exists and is not an empty directory", quoted(directory)),
                                    "name a new or empty directory"});
}

}  // namespace

or_error<void> check(const cluster_plan& plan) {
  const auto ports = plan.ports.empty() ? plan.replicas : plan.ports.size();
  if (plan.replicas < limits::replicas_min || plan.replicas > limits::replicas_max) {
    return impossible(fmt::format("cannot create a cluster of {} replicas", plan.replicas),
                      fmt::format("use {} to {}", limits::replicas_min, limits::replicas_max));
  }
  if (plan.clients < 1 || plan.clients > limits::clients_max) {
    return impossible(fmt::format("cannot create a cluster of {} clients", plan.clients),
                      fmt::format("use 1 to {}", limits::clients_max));
  }
  if (plan.checkpoint_period < 1 || plan.checkpoint_period > limits::watermark_window_max / 2) {
    return impossible(fmt::format("cannot create a cluster with a checkpoint period of {}", plan.checkpoint_period),
                      fmt::format("use 1 to {}", limits::watermark_window_max / 2));
  }
  if (ports != plan.replicas || plan.first_port < 1 || plan.first_port + plan.replicas > 65'536U) {
    return impossible(
        fmt::format("the ports from {1} to 65535 are too few for {0} replicas", plan.replicas, plan.first_port),
        "use a first port from 1 on with enough ports above it");
  }
  const auto host = parse_host(plan.host, address_use::dial);
  if (!host) return failure_of(host);
  if (auto flaw = flaw_of_machine_name(plan.state_machine); !flaw.empty()) {
    return impossible(std::move(flaw), "use letters, digits and dashes");
  }
  if (auto flaw = flaw_of_cluster_name(plan.name); !flaw.empty()) {
    return impossible(std::move(flaw), "use letters, digits and spaces");
  }
  return {};
}

or_error<genesis> create_cluster(const std::filesystem::path& directory, const cluster_plan& plan) {
  if (directory.empty()) {
    return impossible("the name of the directory is empty",
                      "name a directory; if a shell variable holds the name, check that it is set");
  }
  if (auto done = check(plan); !done) return failure_of(done);
  const auto existed = exists_and_is_empty(directory);
  if (!existed) return failure_of(existed);
  const auto made = first_to_make(directory);
  genesis content;
  if (auto done = write_cluster(cluster_layout{directory}, plan, content); !done) {
    std::error_code ignored;
    if (*existed) {
      remove_content(directory);
    } else {
      std::filesystem::remove_all(made, ignored);
    }
    return failure_of(done);
  }
  return content;
}

}  // namespace hypermesh
