#include "tools/hypermesh/commands/bundle_nodes.hpp"

#include <array>
#include <deque>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "runtime/audit/audit_reader.hpp"
#include "runtime/base/durable_file.hpp"
#include "runtime/config_check.hpp"
#include "runtime/effective_config.hpp"
#include "tools/hypermesh/bundle/http_fetch.hpp"
#include "tools/hypermesh/bundle/machine_facts.hpp"
#include "tools/hypermesh/commands/audit_text.hpp"

namespace hypermesh::cli {

namespace {

using json = nlohmann::ordered_json;

/// The newest entries of a trail in a bundle.
constexpr std::size_t trail_entries_max = 500;
/// A token file has at most 512 bytes and a line break.
constexpr std::size_t token_file_bytes_max = 1'024;

void add_members_of(const genesis& cluster, secret_filter& into) {
  std::vector<public_key> members = cluster.clients;
  for (const auto& each : cluster.replicas)
    members.push_back(each.key);
  into.add_members(members);
}

/// Adds the files beside a member's file that only their owner may read: keys and tokens. So they are known even if the
/// member's file has errors and does not tell them.
void add_private_files_beside(const std::filesystem::path& member_file, secret_filter& into) {
  constexpr std::size_t files_max = 64;
  std::error_code error;
  std::filesystem::directory_iterator walk{member_file.parent_path().empty() ? "." : member_file.parent_path(), error};
  std::size_t count = 0;
  for (const std::filesystem::directory_iterator end; !error && walk != end && count < files_max;
       walk.increment(error)) {
    const auto status = walk->status(error);
    const auto shared = std::filesystem::perms::group_all | std::filesystem::perms::others_all;
    const bool is_private = status.type() == std::filesystem::file_type::regular &&
                            (status.permissions() & shared) == std::filesystem::perms::none;
    if (error || !is_private || walk->path().filename() == member_file.filename()) continue;
    into.add_file(walk->path());
    ++count;
  }
}

/// Whether the value of the key names a file with a secret. The bundle does not even say where it is.
bool is_secret_path(const std::string& key) {
  return key == "key_file" || key == "http.token_file" || key == "http.tls_key";
}

std::string config_text(const std::filesystem::path& node_file) {
  const auto values = effective_values(node_file, config_kind::node);
  if (!values) return "the configuration has problems:\n" + values.error().what + "\n";
  std::string text;
  for (const auto& each : *values) {
    const auto name = full_name(each.of.key);
    const auto value = std::visit(
        [](const auto& held) { return json(held).dump(-1, ' ', false, json::error_handler_t::replace); }, each.value);
    const auto place = each.line == 0 ? std::string{"default"} : fmt::format("line {}", each.line);
    text += fmt::format("{} = {}  # {}\n", name, is_secret_path(name) ? std::string{left_out_text} : value, place);
  }
  return text;
}

std::string problems_text(const std::filesystem::path& node_file) {
  std::string text;
  for (const auto& each : problems_of(node_file, config_kind::node))
    text += fmt::format("error: {}\n  fix: {}\n", each.what, each.remedy);
  return text.empty() ? "no problems\n" : text;
}

/// Counts the entries by kind, and keeps the newest ones.
struct trail_summary {
  std::map<std::string, std::uint64_t> by_kind;
  std::deque<std::string> newest;
  std::uint64_t segments = 0;

  void note(const audit_entry& entry, const audit_event& event) {
    ++by_kind[std::string{to_string(entry.kind)}];
    newest.push_back(fmt::format("{:>10}  {}  {:<17}  {}\n", entry.index, utc_text(entry.time_us),
                                 to_string(entry.kind), text_of(event)));
    if (newest.size() > trail_entries_max) newest.pop_front();
  }
};

or_error<std::string> trail_text(const audit_folder& folder) {
  trail_summary summary;
  const auto walked =
      walk_trail(folder, {[&summary](const segment_header&, byte_span) -> or_reason<void> {
                            ++summary.segments;
                            return {};
                          },
                          [&summary](const trail_spot&, const audit_entry& entry, const audit_event& event,
                                     const chain_position&) -> or_reason<void> {
                            summary.note(entry, event);
                            return {};
                          }});
  if (!walked) return tl::unexpected(walked.error());
  auto text = fmt::format("segments {}, bytes {}, next entry {}, unfinished bytes {}\n", summary.segments,
                          walked->bytes, walked->end.next_index, walked->unfinished_bytes);
  if (walked->bad) {
    text += fmt::format("the chain is broken in segment {}, byte {}, entry {}: {}\n", walked->bad->spot.segment,
                        walked->bad->spot.offset, walked->bad->spot.index, walked->bad->what);
  }
  for (const auto& [kind, count] : summary.by_kind)
    text += fmt::format("{:>10}  {}\n", count, kind);
  text += fmt::format("\nThe newest {} entries:\n", summary.newest.size());
  for (const auto& each : summary.newest)
    text += each;
  return text;
}

/// The token of the node's HTTP server; empty if it needs none.
or_reason<std::string> token_of(const http::http_settings& settings) {
  if (settings.token_file.empty()) return std::string{};
  auto read = read_small_file(settings.token_file, token_file_bytes_max);
  if (!read) return invalid("its token file cannot be read");
  return read->substr(0, read->find_first_of("\r\n"));
}

void add_http(const node_config& config, const std::string& folder, bundle_content& into) {
  const auto all = fmt::format("metrics and state over HTTP of replica {}", config.self.value);
  if (!config.http.enabled)
    return into.miss(folder + "metrics.txt", all, "its HTTP server is off ([http] in node.toml)");
  const auto token = token_of(config.http);
  if (!token) return into.miss(folder + "metrics.txt", all, token.error());
  const fetch_target target{config.http.listen, *token, config.http.tls_certificate};
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> pages = {
      {{"/metrics", "metrics.txt"}, {"/api/v1/status", "http-status.json"}, {"/readyz?verbose", "readyz.txt"}}};
  for (const auto& [path, name] : pages) {
    const auto what = fmt::format("HTTP {} of replica {}", path, config.self.value);
    const auto file = fmt::format("{}{}", folder, name);
    const auto body = fetch(target, std::string{path}, std::chrono::seconds{3});
    if (body) {
      into.add(file, what, *body);
    } else {
      into.miss(file, what, body.error());
    }
  }
}

void add_trail(const node_config& config, const std::string& folder, bundle_content& into) {
  const auto what = fmt::format("summary and newest entries of the audit trail of replica {}", config.self.value);
  if (!config.audit.enabled) return into.miss(folder + "audit.txt", what, "the trail is off ([audit] in node.toml)");
  const auto text = trail_text({config.audit.directory});
  if (text) {
    into.add(folder + "audit.txt", what, *text);
  } else {
    into.miss(folder + "audit.txt", what, text.error().what);
  }
  into.add(folder + "audit-files.txt", fmt::format("files of the audit trail of replica {}", config.self.value),
           listing_text(config.audit.directory));
}

}  // namespace

void add_secrets_of_node(const std::filesystem::path& node_file, secret_filter& into) {
  node_config config;
  // Whatever could be read counts, even if the file has problems.
  (void)read_node_config_into(node_file, config);
  add_members_of(config.cluster, into);
  for (const auto& each : {config.key_file, config.http.token_file, config.http.tls_key}) {
    if (!each.empty()) into.add_file(each);
  }
  add_private_files_beside(node_file, into);
}

void add_secrets_of_client(const std::filesystem::path& client_file, secret_filter& into) {
  client_config config;
  (void)read_client_config_into(client_file, config);
  add_members_of(config.cluster, into);
  if (!config.key_file.empty()) into.add_file(config.key_file);
  add_private_files_beside(client_file, into);
}

void add_node(const std::filesystem::path& node_file, bundle_content& into) {
  node_config config;
  const auto read = read_node_config_into(node_file, config);
  const auto folder = fmt::format("node-{}-{}/", config.self.value, archive_name_of(node_file.parent_path().string()));
  const auto who = fmt::format("replica {}", config.self.value);
  into.add(folder + "config.txt", "effective configuration of " + who, config_text(node_file));
  into.add(folder + "problems.txt", "problems of the configuration of " + who, problems_text(node_file));
  if (!read) {
    return into.miss(folder, "files and metrics of " + who, "its configuration cannot be read");
  }
  into.add(folder + "data-files.txt", "files of the data directory of " + who, listing_text(config.storage.directory));
  add_trail(config, folder, into);
  add_http(config, folder, into);
}

}  // namespace hypermesh::cli
