#include "runtime/genesis.hpp"

#include <map>
#include <utility>

#include <fmt/format.h>

#include "messages/digest.hpp"
#include "messages/limits.hpp"
#include "runtime/base/durable_file.hpp"
#include "runtime/base/safe_text.hpp"
#include "runtime/config_reader.hpp"
#include "runtime/config_text.hpp"

namespace hypermesh {

using namespace runtime;

namespace {

/// The keys and addresses that were read so far, with their owners. Members must not share a key or an address.
struct seen_members {
  std::map<public_key, std::string> keys;
  std::map<std::pair<std::string, std::uint16_t>, std::uint32_t> addresses;
};

public_key read_key(toml_table& from, std::string owner, seen_members& seen) {
  const auto text = from.text("key");
  if (!from.has("key")) return {};
  auto parsed = parse_public_key(text);
  if (!parsed) {
    from.complain("key", parsed.error().what);
    return {};
  }
  const auto [first, is_new] = seen.keys.emplace(*parsed, std::move(owner));
  if (!is_new) {
    from.complain("key", fmt::format("{} already has this key; make a key for each member: hypermesh keygen FILE",
                                     first->second));
  }
  return *parsed;
}

replica_address read_address(toml_table& from, std::uint32_t owner, seen_members& seen) {
  const auto text = from.text("address");
  // If the address is missing, `text` has already reported this.
  if (!from.has("address")) return {};
  auto parsed = parse_address(text, address_use::dial);
  if (!parsed) {
    from.complain("address", fmt::format("{}; {}", parsed.error().what, parsed.error().remedy));
    return {};
  }
  auto& address = *parsed;
  const auto [first, is_new] = seen.addresses.emplace(std::pair{address.host, address.port}, owner);
  if (!is_new) {
    from.complain("address", fmt::format("replica {} already has the address {}; write another one", first->second,
                                         to_string(address)));
  }
  return std::move(address);
}

/// Members are listed in the order of their numbers. So no number can appear twice or be left out.
void expect_number(toml_table& from, std::size_t expected) {
  const auto number = from.number("number", 0, limits::clients_max);
  if (number != expected)
    from.complain("number",
                  fmt::format("expected number {1}, found {0} (members are listed in order)", number, expected));
}

void read_cluster(config_tables& tables, genesis& into) {
  config_reader{tables, into}.read(cluster_rows());
  const auto complain = [&tables](std::string_view key, std::string what) {
    tables.complain({.table = "cluster", .name = key}, std::move(what));
  };
  const auto flaw = flaw_of_cluster_name(into.name);
  if (tables.has({.table = "cluster", .name = "name"}) && !flaw.empty()) complain("name", flaw);
  if (into.watermark_window < 2 * into.checkpoint_period) {
    complain("watermark_window", "'watermark_window' must be at least twice 'checkpoint_period'");
  }
  // The name may also be unknown here, because a host application can bring its own machine
  // (`consensus_manager::start`).
  const auto machine_flaw = flaw_of_machine_name(into.state_machine);
  if (!machine_flaw.empty()) complain("state_machine", machine_flaw);
}

void read_replicas(toml_table& root, genesis& into, seen_members& seen) {
  for (auto& each : root.tables("replica")) {
    const auto number = static_cast<std::uint32_t>(into.replicas.size());
    expect_number(each, number);
    auto address = read_address(each, number, seen);
    into.replicas.push_back({read_key(each, fmt::format("replica {}", number), seen), std::move(address)});
    each.expect_nothing_else();
  }
  if (into.replicas.size() < limits::replicas_min || into.replicas.size() > limits::replicas_max) {
    root.complain("replica", fmt::format("the genesis lists {} replicas; use {} to {}", into.replicas.size(),
                                         limits::replicas_min, limits::replicas_max));
  }
}

/// This check comes last, because the widest window depends on the number of replicas, which comes later in the file.
void expect_fitting_window(config_tables& tables, const genesis& content) {
  if (content.replicas.size() < limits::replicas_min || content.replicas.size() > limits::replicas_max) return;
  const auto widest = watermark_window_max_of(group_size{static_cast<std::uint32_t>(content.replicas.size())});
  if (content.watermark_window <= widest) return;
  tables.complain(
      {.table = "cluster", .name = "watermark_window"},
      fmt::format("with {} replicas 'watermark_window' can be at most {}, and 'checkpoint_period' half of it: "
                  "a view change must fit a frame",
                  content.replicas.size(), widest));
}

void read_clients(toml_table& root, genesis& into, seen_members& seen) {
  for (auto& each : root.tables("client")) {
    expect_number(each, into.clients.size());
    into.clients.push_back(read_key(each, fmt::format("client {}", into.clients.size()), seen));
    each.expect_nothing_else();
  }
  if (into.clients.size() > limits::clients_max) {
    root.complain("client", fmt::format("the genesis lists more than {} clients", limits::clients_max));
  }
}

}  // namespace

cluster_id genesis::id() const {
  hasher hash{"hypermesh genesis"};
  const auto add_text = [&hash](std::string_view text) { hash.add(text.size()).add(as_byte_span(text)); };
  add_text(name);
  add_text(nonce);
  add_text(state_machine);
  hash.add(std::uint64_t{epoch}).add(std::uint64_t{checkpoint_period}).add(std::uint64_t{watermark_window});
  hash.add(std::uint64_t{clock_skew_max_ms});
  // The genesis files of the time before this option keep their id.
  if (requests_by != protocol::request_authentication::signature) add_text(to_string(requests_by));
  hash.add(replicas.size());
  for (const auto& each : replicas)
    hash.add(each.key.view());
  hash.add(clients.size());
  for (const auto& each : clients)
    hash.add(each.view());
  return cluster_id{hash.finish().bytes};
}

cluster_parameters genesis::parameters() const {
  cluster_parameters out;
  out.signing = {id(), epoch_number{epoch}};
  out.replicas = static_cast<std::uint32_t>(replicas.size());
  out.clients = static_cast<std::uint32_t>(clients.size());
  out.checkpoint_period = checkpoint_period;
  out.watermark_window = watermark_window;
  out.clock_skew_max = std::chrono::milliseconds{clock_skew_max_ms};
  out.requests_by = requests_by;
  return out;
}

member_keys genesis::keys() const {
  member_keys out;
  for (const auto& each : replicas)
    out.replicas.push_back(each.key);
  out.clients = clients;
  return out;
}

std::vector<replica_address> genesis::addresses() const {
  std::vector<replica_address> out;
  for (const auto& each : replicas)
    out.push_back(each.address);
  return out;
}

or_error<genesis> read_genesis(const std::filesystem::path& path) {
  auto read = toml_document::read(path);
  if (!read) return failure_of(read);
  const auto& document = *read;
  auto root = document.root();
  genesis content;
  seen_members seen;
  config_tables tables{root, path};
  read_cluster(tables, content);
  read_replicas(root, content, seen);
  read_clients(root, content, seen);
  expect_fitting_window(tables, content);
  tables.expect_nothing_else("genesis.toml");
  if (!document.problems().empty()) return tl::unexpected(error_of(document.problems()));
  return content;
}

or_error<void> write_genesis(const std::filesystem::path& path, const genesis& content) {
  if (std::filesystem::exists(path)) {
    return tl::unexpected(
        world_error{fmt::format("{} already exists", path.string()),
                    "name another directory: a new genesis makes a new cluster, which cannot use this one's data"});
  }
  auto text = genesis_head_text(content);
  for (std::size_t number = 0; number < content.replicas.size(); ++number) {
    const auto& each = content.replicas[number];
    text += fmt::format("\n[[replica]]\nnumber = {}\naddress = {}\nkey = \"{}\"\n", number,
                        toml_string(to_string(each.address)), to_hex(each.key.view()));
  }
  for (std::size_t number = 0; number < content.clients.size(); ++number) {
    text += fmt::format("\n[[client]]\nnumber = {}\nkey = \"{}\"\n", number, to_hex(content.clients[number].view()));
  }
  return write_durable_file(path, text, 0644, existing_file::keep);
}

}  // namespace hypermesh
