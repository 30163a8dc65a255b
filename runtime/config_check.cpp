#include "runtime/config_check.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include <fmt/format.h>

#include "runtime/audit/audit_files.hpp"
#include "runtime/base/private_file.hpp"
#include "runtime/base/toml_document.hpp"
#include "runtime/http/http_server.hpp"
#include "runtime/storage/node_directory.hpp"

namespace hypermesh::runtime {

namespace {

using problems = std::vector<world_error>;

void add(problems& to, or_error<void> checked) {
  if (!checked) to.push_back(std::move(checked.error()));
}

/// Returns an error if the member's secret key cannot be used, because the file cannot be read or the genesis lists
/// another key. The second check needs a readable genesis.
or_error<void> check_key(const std::filesystem::path& file, principal self, const genesis& cluster) {
  if (file.empty()) return {};
  auto read = read_secret_key(file);
  if (!read) return failure_of(read);
  if (cluster.replicas.empty()) return {};
  const auto made = ed25519_authenticator::make(self, std::move(*read), cluster.keys());
  if (!made) return failure_of(made);
  return {};
}

or_error<void> check_data(const node_config& config) {
  if (config.storage.directory.empty() || config.cluster.replicas.empty()) return {};
  auto usable = check_storage(config.storage.directory, config.owner(), config.storage.mode);
  if (!usable) return tl::unexpected(with_trail_hint(std::move(usable.error()), config));
  if (config.storage.mode == durability::memory) return {};
  if (::access(config.storage.directory.c_str(), R_OK | W_OK | X_OK) == 0) return {};
  return failed_to("write to the data directory", config.storage.directory, errno);
}

/// A missing folder is not a problem, because the node creates the folder.
or_error<void> check_trail(const node_config& config) {
  const auto& folder = config.audit.directory;
  if (!config.audit.enabled || folder.empty() || ::access(folder.c_str(), F_OK) != 0) return {};
  std::error_code failed;
  if (!std::filesystem::is_directory(folder, failed)) {
    return tl::unexpected(
        world_error{fmt::format("{}, the directory of the audit trail, is not a directory", quoted(folder)),
                    "correct 'directory' of [audit] in node.toml", fault_origin::configuration});
  }
  if (::access(folder.c_str(), R_OK | W_OK | X_OK) == 0) return {};
  return failed_to("write to the audit trail", folder, errno);
}

enum class family { unknown, ipv4, ipv6 };

/// The family is unknown for a host name. It is also unknown for "every address", which includes both families.
family family_of(const std::string& host) {
  if (host.find(':') != std::string::npos) return family::ipv6;
  in_addr ignored{};
  return ::inet_pton(AF_INET, host.c_str(), &ignored) == 1 ? family::ipv4 : family::unknown;
}

/// Whether an interface of this machine has the address.
bool is_of_this_machine(const std::string& host) {
  if (is_loopback(host)) return true;
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return false;
  bool found = false;
  for (const auto* each = all; each != nullptr && !found; each = each->ifa_next) {
    if (each->ifa_addr == nullptr) continue;
    std::array<char, INET6_ADDRSTRLEN> text{};
    const auto kind = each->ifa_addr->sa_family;
    const void* bytes = nullptr;
    if (kind == AF_INET) bytes = &reinterpret_cast<const sockaddr_in*>(each->ifa_addr)->sin_addr;
    if (kind == AF_INET6) bytes = &reinterpret_cast<const sockaddr_in6*>(each->ifa_addr)->sin6_addr;
    found = bytes != nullptr && ::inet_ntop(kind, bytes, text.data(), text.size()) != nullptr && host == text.data();
  }
  ::freeifaddrs(all);
  return found;
}

/// Returns an error if the other replicas cannot reach this replica, because it does not listen on its address in the
/// genesis. A different port or host may be correct behind address translation, unless both addresses belong to the
/// same machine.
or_error<void> check_listening(const std::filesystem::path& file, const node_config& config) {
  if (config.self.value >= config.cluster.replicas.size()) return {};
  const auto& dialed = config.cluster.replicas[config.self.value].address;
  const auto& listen = config.listen;
  std::string_view why;
  if (listen.port != dialed.port && (listen.host == dialed.host || is_of_this_machine(dialed.host))) {
    why = "another port of the same machine";
  } else if (is_loopback(listen.host) && !is_loopback(dialed.host)) {
    why = "an address that only this machine reaches";
  } else if (family_of(listen.host) != family::unknown && family_of(dialed.host) != family::unknown &&
             family_of(listen.host) != family_of(dialed.host)) {
    why = "an address of the other IP version";
  }
  if (why.empty()) return {};
  return tl::unexpected(
      world_error{fmt::format("{}: replica {} listens on {}, {}, but the others dial {}, its address in the genesis",
                              file.string(), config.self.value, to_string(listen), why, to_string(dialed)),
                  "remove 'listen' or correct it; or correct the replica's address in the genesis of every member",
                  fault_origin::configuration});
}

/// The files that the HTTP server reads when it starts.
problems check_http(const http::http_settings& settings) {
  problems found;
  if (!settings.enabled) return found;
  if (!settings.token_file.empty()) {
    if (auto read = http::bearer_token::read(settings.token_file); !read) found.push_back(std::move(read.error()));
  }
  if (settings.tls_certificate.empty() || settings.tls_key.empty()) return found;
  if (auto read = read_small_file(settings.tls_certificate, http::pem_bytes_max); !read) {
    found.push_back(std::move(read.error()));
  }
  if (auto read = read_private_file(settings.tls_key, http::pem_bytes_max); !read) {
    found.push_back(std::move(read.error()));
  }
  return found;
}

problems problems_of_node(const std::filesystem::path& file) {
  problems found;
  node_config config;
  add(found, read_node_config_into(file, config));
  add(found, check_key(config.key_file, principal::of(config.self), config.cluster));
  add(found, check_data(config));
  add(found, check_trail(config));
  add(found, check_listening(file, config));
  std::ranges::move(check_http(config.http), std::back_inserter(found));
  return found;
}

problems problems_of_client(const std::filesystem::path& file) {
  problems found;
  client_config config;
  add(found, read_client_config_into(file, config));
  add(found, check_key(config.key_file, principal::of(config.self), config.cluster));
  return found;
}

}  // namespace

std::optional<config_kind> kind_of_config(const std::filesystem::path& file) {
  auto read = toml_document::read(file);
  if (!read) return std::nullopt;
  // Problems found here are dropped, because the next check finds them again.
  auto root = read->root();
  if (!root.tables("replica").empty() || root.has("cluster")) return config_kind::genesis;
  if (root.has("replica")) return config_kind::node;
  if (root.has("client")) return config_kind::client;
  return root.has("genesis") ? config_kind::node : config_kind::genesis;
}

std::vector<world_error> problems_of(const std::filesystem::path& file, config_kind kind) {
  if (kind == config_kind::node) return problems_of_node(file);
  if (kind == config_kind::client) return problems_of_client(file);
  problems found;
  auto read = read_genesis(file);
  if (!read) found.push_back(std::move(read.error()));
  return found;
}

world_error with_trail_hint(world_error error, const node_config& config) {
  if (config.audit.directory.empty() || !is_absent(config.storage.directory)) return error;
  const auto segments = list_segments({config.audit.directory});
  if (!segments || segments->empty()) return error;
  error.what += fmt::format("; but according to the audit trail in {}, this replica has run before and held data",
                            quoted(config.audit.directory));
  return error;
}

}  // namespace hypermesh::runtime
