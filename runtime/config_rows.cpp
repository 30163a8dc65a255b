#include "runtime/config_rows.hpp"

#include <array>
#include <limits>

#include "runtime/config_row_makers.hpp"

namespace hypermesh::runtime {

namespace {

using namespace config_row_makers;

// --- client.toml -------------------------------------------------------------------

constexpr std::array client_keys = {
    text<client_config>(
        value_kind::path,
        {.name = "genesis",
         .unit = "path",
         .is_required = true,
         .about = "The genesis file of the cluster, equal at every member."},
        [](auto& of) -> auto& { return of.genesis_file; }),
    bounded_by(
        number<client_config>(
            {.name = "client",
             .unit = "number",
             .high = limits::clients_max - 1,
             .is_required = true,
             .about = "The number of this client in the genesis."},
            [](auto& of) -> auto& { return of.self; }),
        +[](const client_config& from) {
          const auto clients = from.cluster.clients.size();
          return (clients == 0 ? std::uint64_t{limits::clients_max} : clients) - 1;
        }),
    text<client_config>(
        value_kind::path,
        {.name = "key_file",
         .unit = "path",
         .is_required = true,
         .about = "The secret key of this client, a file of mode 0600."},
        [](auto& of) -> auto& { return of.key_file; }),
};

// --- [cluster] of genesis.toml -------------------------------------------------------

constexpr config_row<genesis> requests_by_row(config_key key) {
  config_row<genesis> row;
  row.key = key;
  row.key.kind = value_kind::word;
  row.key.words = protocol::request_authentication_names;
  row.get = [](const genesis& from) -> config_value { return std::string{to_string(from.requests_by)}; };
  row.set = [](genesis& into, const config_value& value) {
    // The reader has compared the word with the names.
    into.requests_by = protocol::request_authentication_of(std::get<std::string>(value)).value();
  };
  return row;
}

constexpr std::array cluster_keys = {
    text<genesis>(
        value_kind::text,
        {.table = "cluster",
         .name = "name",
         .unit = "text",
         .is_required = true,
         .about = "The name of the cluster, for people: 1 to 128 bytes without control characters."},
        [](auto& of) -> auto& { return of.name; }),
    text<genesis>(
        value_kind::text,
        {.table = "cluster",
         .name = "nonce",
         .unit = "text",
         .is_required = true,
         .about = "Random text, so that two clusters with equal settings have different identities."},
        [](auto& of) -> auto& { return of.nonce; }),
    text<genesis>(
        value_kind::text,
        {.table = "cluster",
         .name = "state_machine",
         .unit = "text",
         .about =
             "The state machine that the replicas execute: key-value, scheduler, redis, null, or one of the host."},
        [](auto& of) -> auto& { return of.state_machine; }),
    number<genesis>(
        {.table = "cluster",
         .name = "epoch",
         .unit = "number",
         .high = std::numeric_limits<std::uint32_t>::max(),
         .about = "The number of the membership. Every signature is bound to it."},
        [](auto& of) -> auto& { return of.epoch; }),
    number<genesis>(
        {.table = "cluster",
         .name = "checkpoint_period",
         .unit = "batches",
         .low = 1,
         .high = limits::watermark_window_max / 2,
         .about = "K: a checkpoint follows every K batches."},
        [](auto& of) -> auto& { return of.checkpoint_period; }),
    assuming(
        number<genesis>(
            {.table = "cluster",
             .name = "watermark_window",
             .unit = "batches",
             .low = 2,
             .high = limits::watermark_window_max,
             .default_rule = "2 K",
             .about = "L: the batches that may be in agreement at once, at least 2 K. It is at most 4,096, and less "
                      "with many replicas, because a view change must fit a frame."},
            [](auto& of) -> auto& { return of.watermark_window; }),
        +[](genesis& into) { into.watermark_window = 2 * into.checkpoint_period; }),
    number<genesis>(
        {.table = "cluster",
         .name = "clock_skew_max_ms",
         .unit = "ms",
         .low = 100,
         .high = std::chrono::milliseconds{limits::clock_skew_max}.count(),
         .about = "How far the time that a primary proposes may be ahead of the clock of a backup, or behind it for "
                  "long when the proposal arrives. It must exceed the differences between the clocks of the replicas "
                  "plus the time in which a proposal reaches a backup under load; otherwise backups suspect correct "
                  "primaries. Leases must be longer."},
        [](auto& of) -> auto& { return of.clock_skew_max_ms; }),
    requests_by_row(
        {.table = "cluster",
         .name = "request_authentication",
         .unit = "word",
         .about = "How replicas know that a client sent a request. With signature, each replica verifies the signature "
                  "of the client. With authenticator, the client sends each request to all replicas on its encrypted "
                  "links, and the replicas vouch for it to each other: many single requests cost less, but no request "
                  "can be proven to others."}),
};

// --- Sections and old names ----------------------------------------------------------

constexpr std::array sections = {
    config_section{"node.toml", "", "The replica and its files. Paths are relative to the file."},
    config_section{"node.toml", "storage", "The storage of the replica's votes and state."},
    config_section{"node.toml", "audit", "The audit trail: what this replica received, sent and observed."},
    config_section{"node.toml", "batching", "The batches that a primary forms."},
    config_section{"node.toml", "pending", "The limits of the requests that wait at this replica."},
    config_section{"node.toml", "periods",
                   "The intervals of repeated tasks. K, the checkpoint period, is in the genesis."},
    config_section{"node.toml", "views",
                   "The time that a request, or the primary of a new view, may take before this replica suspects the "
                   "primary. If these times are too short for the network, views change needlessly."},
    config_section{"node.toml", "transfer", "The limits of the state that this replica sends to others."},
    config_section{"node.toml", "links", "The links to replicas and clients. Each link has its own queues."},
    config_section{"node.toml", "http", "The HTTP server for probes, metrics and events. It never changes anything."},
    config_section{"node.toml", "log", "The log on stderr. EVENTS.md lists everything that it can contain."},
    config_section{"node.toml", "trace", "The way of the last requests through the phases, for 'hypermesh trace'."},
    config_section{"client.toml", "", "A client and its files. Paths are relative to the file."},
    config_section{
        "genesis.toml", "cluster",
        "The parameters that all members share. A change makes another cluster, which cannot use this one's data."},
};

constexpr std::array old_names = {
    renamed_key{"periods.checkpoint_us", "periods.checkpoint_resend_us"},
    renamed_key{"periods.transfer_us", "periods.transfer_tick_us"},
    renamed_key{"views.service_us", "periods.service_check_us"},
    renamed_key{"views.request_us", "views.request_timeout_us"},
    renamed_key{"views.closed_link_us", "views.closed_link_timeout_us"},
    renamed_key{"views.new_view_us", "views.new_view_timeout_us"},
    renamed_key{"views.doublings_max", "views.timeout_doublings_max"},
};

/// The default that applies if the file does not set the key. Defaults that depend on other files are left out.
template <class Owner>
std::optional<config_value> default_of(const config_row<Owner>& row) {
  if (row.key.is_required || row.key.kind == value_kind::address) return std::nullopt;
  if (row.key.kind == value_kind::path && row.key.default_path.empty()) return std::nullopt;
  if (row.key.kind == value_kind::path) return std::string{row.key.default_path};
  Owner fresh;
  if (row.assume != nullptr) row.assume(fresh);
  return row.get(fresh);
}

template <class Owner>
void add_documented(std::string_view file, std::span<const config_row<Owner>> rows, std::vector<documented_key>& into) {
  for (const auto& row : rows)
    into.push_back({file, row.key, default_of(row)});
}

}  // namespace

std::span<const config_row<client_config>> client_rows() { return client_keys; }

std::span<const config_row<genesis>> cluster_rows() { return cluster_keys; }

std::span<const config_section> config_sections() { return sections; }

std::span<const renamed_key> renamed_keys() { return old_names; }

const std::vector<documented_key>& documented_keys() {
  static const std::vector<documented_key> all = [] {
    std::vector<documented_key> keys;
    add_documented("node.toml", node_rows(), keys);
    add_documented("client.toml", client_rows(), keys);
    add_documented("genesis.toml", cluster_rows(), keys);
    return keys;
  }();
  return all;
}

}  // namespace hypermesh::runtime
