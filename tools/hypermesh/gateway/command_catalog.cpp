#include "tools/hypermesh/gateway/command_catalog.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

#include "runtime/state_machines/redis/redis_commands.hpp"

namespace hypermesh::cli {

namespace redis = machines::redis;

namespace {

using specification = redis::command_specification;

constexpr specification own(std::string_view name, int arity, std::string_view group) {
  return {name, arity, redis::command_kind::read, 0, 0, 0, 0, group};
}

/// The commands that exist for connections. PING and ECHO are also commands of the machine, for transactions. WATCH has
/// keys.
constexpr std::array own_table = {
    own("auth", -2, "connection"),
    own("client", -2, "connection"),
    own("command", -1, "server"),
    own("config", -2, "server"),
    own("discard", 1, "transactions"),
    own("exec", 1, "transactions"),
    own("function", -2, "scripting"),
    own("hello", -1, "connection"),
    own("info", -1, "server"),
    own("multi", 1, "transactions"),
    own("quit", -1, "connection"),
    own("reset", 1, "connection"),
    own("select", 2, "connection"),
    own("unwatch", 1, "transactions"),
    specification{"watch", -2, redis::command_kind::read, 1, -1, 1, 0, "transactions"},
};

constexpr std::size_t name_bytes_max = 32;
/// The bounds of Redis on what an error repeats of a command.
constexpr std::size_t shown_name_bytes = 128;
constexpr std::size_t shown_arguments_bytes = 128;

const specification* find(std::string_view name) {
  const auto* const found = std::ranges::find(own_table, name, &specification::name);
  return found != own_table.end() ? found : redis::find_command(name);
}

std::string unknown_command(const command_words& words) {
  std::string arguments;
  for (std::size_t index = 1; index < words.size() && arguments.size() < shown_arguments_bytes; ++index)
    arguments += fmt::format("'{}' ", words[index].substr(0, shown_arguments_bytes - arguments.size()));
  return fmt::format("ERR unknown command '{}', with args beginning with: {}",
                     words.front().substr(0, shown_name_bytes), arguments);
}

std::vector<const specification*> all_commands() {
  std::vector<const specification*> all;
  for (const auto& each : redis::command_table())
    all.push_back(&each);
  for (const auto& each : own_table) {
    if (redis::find_command(each.name) == nullptr) all.push_back(&each);
  }
  std::ranges::sort(all, {}, [](const specification* each) { return each->name; });
  return all;
}

std::string_view flag_of(redis::command_kind kind) { return kind == redis::command_kind::read ? "readonly" : "write"; }

void write_info(resp_writer& out, const specification* of) {
  if (of == nullptr) {
    out.null();
    return;
  }
  constexpr std::size_t fields = 10;
  out.array(fields).bulk(of->name).integer(of->arity);
  const bool grows = of->kind == redis::command_kind::growing_write;
  out.set(grows ? 2 : 1).status(flag_of(of->kind));
  if (grows) out.status("denyoom");
  out.integer(of->first_key).integer(of->last_key).integer(of->key_step);
  // Categories of access lists, tips, key specifications and subcommands: there are none.
  out.set(0).array(0).array(0).array(0);
}

std::string infos_of(const command_words& words, std::size_t from, resp_version version) {
  resp_writer out{version};
  if (words.size() <= from) {
    const auto all = all_commands();
    out.array(all.size());
    for (const auto* each : all)
      write_info(out, each);
    return out.take();
  }
  out.array(words.size() - from);
  for (std::size_t index = from; index < words.size(); ++index)
    write_info(out, find(redis::lowered(words[index].substr(0, name_bytes_max))));
  return out.take();
}

std::string documents_of(const command_words& words, resp_version version) {
  std::vector<const specification*> wanted;
  if (words.size() <= 2) wanted = all_commands();
  for (std::size_t index = 2; index < words.size(); ++index) {
    const auto* const found = find(redis::lowered(words[index].substr(0, name_bytes_max)));
    if (found != nullptr) wanted.push_back(found);
  }
  resp_writer out{version};
  out.map(wanted.size());
  for (const auto* each : wanted) {
    out.bulk(each->name).map(3);
    out.bulk("summary").bulk(fmt::format("The command {} of Redis 7.0", each->name));
    out.bulk("since").bulk("1.0.0").bulk("group").bulk(each->group);
  }
  return out.take();
}

std::string keys_of(const command_words& words) {
  const command_words asked{words.begin() + 2, words.end()};
  const auto* const found = find(redis::lowered(asked.front().substr(0, name_bytes_max)));
  if (found == nullptr) return error_reply("ERR Invalid command specified");
  if (!redis::is_arity_valid(*found, asked.size()))
    return error_reply("ERR Invalid number of arguments specified for command");
  const auto places = redis::key_places(asked);
  if (places.empty()) return error_reply("ERR The command has no key arguments");
  resp_writer out{resp_version::two};
  out.array(places.size());
  for (const auto place : places)
    out.bulk(asked.at(place));
  return out.take();
}

}  // namespace

std::string command_name(const command_words& words) { return redis::lowered(words.front().substr(0, name_bytes_max)); }

bool is_command(std::string_view name) { return find(name) != nullptr; }

bool is_own_command(std::string_view name) {
  if (name == "ping" || name == "echo") return true;
  return std::ranges::find(own_table, name, &specification::name) != own_table.end();
}

reply_shape shape_of(const redis::command& command) {
  const auto name = command_name(command.words);
  const bool has_count = command.words.size() > 2;
  if (has_count && (name == "lpop" || name == "rpop")) return reply_shape::nullable_array;
  if (name == "lmpop" || name == "zmpop") return reply_shape::nullable_array;
  return redis::has_pairs(command) ? reply_shape::pairs : reply_shape::plain;
}

std::string wrong_arguments(std::string_view name) {
  return fmt::format("ERR wrong number of arguments for '{}' command", name);
}

std::string unknown_subcommand(std::string_view command, std::string_view subcommand) {
  auto name = std::string{command};
  std::ranges::transform(name, name.begin(), [](char letter) {
    return letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter;
  });
  return fmt::format("ERR unknown subcommand '{}'. Try {} HELP.", subcommand.substr(0, shown_name_bytes), name);
}

std::string command_flaw(const command_words& words) {
  const auto name = command_name(words);
  const auto* const found = words.front().size() > name_bytes_max ? nullptr : find(name);
  if (found == nullptr) return unknown_command(words);
  const bool is_long_ping = name == "ping" && words.size() > 2;
  if (!redis::is_arity_valid(*found, words.size()) || is_long_ping) return wrong_arguments(name);
  return {};
}

std::string command_reply(const command_words& words, resp_version version) {
  if (words.size() == 1) return infos_of(words, 1, version);
  const auto asked = redis::lowered(words[1].substr(0, name_bytes_max));
  if (asked == "count" && words.size() == 2) {
    return resp_writer{version}.integer(static_cast<std::int64_t>(all_commands().size())).take();
  }
  if (asked == "info") return infos_of(words, 2, version);
  if (asked == "docs") return documents_of(words, version);
  if (asked == "getkeys" && words.size() > 2) return keys_of(words);
  if (asked == "list" && words.size() == 2) {
    const auto all = all_commands();
    resp_writer out{version};
    out.array(all.size());
    for (const auto* each : all)
      out.bulk(each->name);
    return out.take();
  }
  const bool is_known = asked == "count" || asked == "list" || asked == "getkeys";
  return error_reply(is_known ? wrong_arguments("command|" + asked) : unknown_subcommand("command", words[1]));
}

}  // namespace hypermesh::cli
