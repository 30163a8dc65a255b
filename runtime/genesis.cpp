#include "runtime/genesis.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <set>

#include <fmt/format.h>

#include "messages/digest.hpp"
#include "messages/limits.hpp"
#include "runtime/state_machines/registry.hpp"
#include "runtime/toml_document.hpp"

namespace hypermesh {

namespace {

public_key read_key(toml_table& from) {
  const auto text = from.text("key");
  auto parsed = parse_public_key(text);
  if (const auto* key = std::get_if<public_key>(&parsed)) return *key;
  from.complain("key", std::get<world_error>(parsed).what);
  return {};
}

/// Members are listed in the order of their numbers, so that a number cannot be given twice or left out.
void expect_number(toml_table& from, std::size_t expected) {
  const auto number = from.number("number", 0, limits::clients_max);
  if (number != expected) from.complain("number", fmt::format("number {} stands where {} belongs", number, expected));
}

void read_cluster(toml_table from, genesis& into) {
  into.name = from.text("name");
  into.nonce = from.text("nonce");
  into.state_machine = from.text("state_machine", "key-value");
  into.epoch = static_cast<std::uint32_t>(from.number("epoch", 0, 0xffff'ffffU, 0));
  into.checkpoint_period =
      static_cast<std::uint32_t>(from.number("checkpoint_period", 1, limits::watermark_window_max / 2, 128));
  into.watermark_window = static_cast<std::uint32_t>(
      from.number("watermark_window", 2, limits::watermark_window_max, 2ULL * into.checkpoint_period));
  if (into.watermark_window < 2 * into.checkpoint_period) {
    from.complain("watermark_window", "'watermark_window' must be at least twice 'checkpoint_period'");
  }
  const auto machine = make_state_machine(into.state_machine);
  if (!machine) from.complain("state_machine", machine.error());
  from.expect_nothing_else();
}

void read_replicas(toml_table& root, genesis& into) {
  for (auto& each : root.tables("replica")) {
    expect_number(each, into.replicas.size());
    const auto text = each.text("address");
    const auto address = parse_address(text);
    if (!address) each.complain("address", fmt::format("'{}' is not HOST:PORT", text));
    into.replicas.push_back({read_key(each), address.value_or(replica_address{})});
    each.expect_nothing_else();
  }
  if (into.replicas.size() < limits::replicas_min || into.replicas.size() > limits::replicas_max) {
    root.complain("replica", fmt::format("{} replicas are listed; {} to {} are possible", into.replicas.size(),
                                         limits::replicas_min, limits::replicas_max));
  }
}

/// The window depends on the number of replicas, which stands further down in the file.
void expect_fitting_window(toml_table cluster, const genesis& content) {
  if (content.replicas.size() < limits::replicas_min || content.replicas.size() > limits::replicas_max) return;
  const auto widest = watermark_window_max_of(group_size{static_cast<std::uint32_t>(content.replicas.size())});
  if (content.watermark_window <= widest) return;
  cluster.complain(
      "watermark_window",
      fmt::format("with {} replicas 'watermark_window' can be at most {}, and 'checkpoint_period' half of it: "
                  "a view change must fit a frame",
                  content.replicas.size(), widest));
}

void read_clients(toml_table& root, genesis& into) {
  for (auto& each : root.tables("client")) {
    expect_number(each, into.clients.size());
    into.clients.push_back(read_key(each));
    each.expect_nothing_else();
  }
  if (into.clients.size() > limits::clients_max) {
    root.complain("client", fmt::format("at most {} clients are possible", limits::clients_max));
  }
}

void expect_distinct_keys(toml_table& root, const genesis& content) {
  std::set<public_key> seen;
  for (const auto& each : content.replicas) {
    if (!seen.insert(each.key).second) root.complain("replica", "two members have the same key");
  }
  for (const auto& each : content.clients) {
    if (!seen.insert(each).second) root.complain("client", "two members have the same key");
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

std::optional<replica_address> parse_address(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  auto host = text.substr(0, colon);
  const auto digits = text.substr(colon + 1);
  if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  std::uint16_t port = 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (failed != std::errc{} || end != digits.data() + digits.size() || host.empty()) return std::nullopt;
  return replica_address{std::string{host}, port};
}

std::string to_string(const replica_address& address) {
  const bool is_ipv6 = address.host.find(':') != std::string::npos;
  return is_ipv6 ? fmt::format("[{}]:{}", address.host, address.port)
                 : fmt::format("{}:{}", address.host, address.port);
}

or_error<genesis> read_genesis(const std::filesystem::path& path) {
  auto read = toml_document::read(path);
  if (auto* error = std::get_if<world_error>(&read)) return std::move(*error);
  const auto& document = std::get<toml_document>(read);
  auto root = document.root();
  genesis content;
  read_cluster(root.table("cluster"), content);
  read_replicas(root, content);
  read_clients(root, content);
  expect_fitting_window(root.table("cluster"), content);
  root.expect_nothing_else();
  if (document.problems().empty()) expect_distinct_keys(root, content);
  if (!document.problems().empty()) return error_of(document.problems());
  return content;
}

std::optional<world_error> write_genesis(const std::filesystem::path& path, const genesis& content) {
  if (std::filesystem::exists(path)) {
    return world_error{fmt::format("{} exists already", path.string()),
                       "choose another directory, or remove it: a new genesis is a new cluster"};
  }
  std::ofstream out{path};
  out << "# Genesis of a HyperMesh cluster: equal at every member. Its content, without the addresses, is the "
         "cluster's\n"
         "# identity: whoever changes it makes another cluster.\n\n";
  out << fmt::format(
      "[cluster]\nname = \"{}\"\nnonce = \"{}\"\nstate_machine = \"{}\"\nepoch = {}\n"
      "# A checkpoint follows every so many batches; the window is at least twice that.\n"
      "checkpoint_period = {}\nwatermark_window = {}\n",
      content.name, content.nonce, content.state_machine, content.epoch, content.checkpoint_period,
      content.watermark_window);
  for (std::size_t number = 0; number < content.replicas.size(); ++number) {
    const auto& each = content.replicas[number];
    out << fmt::format("\n[[replica]]\nnumber = {}\naddress = \"{}\"\nkey = \"{}\"\n", number, to_string(each.address),
                       to_hex(each.key.view()));
  }
  for (std::size_t number = 0; number < content.clients.size(); ++number) {
    out << fmt::format("\n[[client]]\nnumber = {}\nkey = \"{}\"\n", number, to_hex(content.clients[number].view()));
  }
  out.close();
  if (!out) {
    return world_error{fmt::format("cannot write {}", path.string()), "check free space and permissions"};
  }
  return std::nullopt;
}

}  // namespace hypermesh
