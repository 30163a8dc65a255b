#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "runtime/base/safe_text.hpp"
#include "runtime/state_machines/redis/redis_glob.hpp"
#include "tools/hypermesh/gateway/command_catalog.hpp"
#include "tools/hypermesh/gateway/gateway_connection.hpp"

/// The commands that the gateway answers itself, because they concern a connection or the gateway.
namespace hypermesh::cli {

namespace redis = machines::redis;

namespace {

/// The version of Redis whose commands and texts the machine has.
constexpr std::string_view redis_version = "7.0.15";
/// Bytes of a client's name. Redis has no bound; this one keeps CLIENT LIST short.
constexpr std::size_t client_name_bytes_max = 256;

constexpr std::string_view wrong_password = "WRONGPASS invalid username-password pair or user is disabled.";

std::string lowered(std::string_view word) { return redis::lowered(word.substr(0, 32)); }

std::string ok() { return status_reply("OK"); }

/// Redis's rule for names: printable and no space, because CLIENT LIST separates its fields by spaces.
bool is_client_name(std::string_view name) {
  return name.size() <= client_name_bytes_max &&
         std::ranges::all_of(name, [](char letter) { return letter >= '!' && letter <= '~'; });
}

constexpr std::string_view bad_name = "ERR Client names cannot contain spaces, newlines or special characters.";

/// The settings that programs ask for. CONFIG SET changes none of them.
std::vector<std::pair<std::string, std::string>> config_values(const gateway_settings& settings,
                                                               const gateway_identity& identity) {
  return {{"appendonly", "yes"},
          {"databases", "1"},
          {"maxclients", fmt::to_string(settings.connections_max)},
          {"maxmemory", "1073741824"},
          {"maxmemory-policy", "noeviction"},
          {"port", fmt::to_string(identity.port)},
          {"proto-max-bulk-len", fmt::to_string(resp_reader::command_bytes_max)},
          {"save", ""},
          {"timeout", "0"}};
}

std::string function_reply(const command_words& words, resp_version version) {
  const auto asked = lowered(words[1]);
  // There are no functions, so there is nothing to delete or to list.
  if (asked == "flush") return ok();
  if (asked == "list") return resp_writer{version}.array(0).take();
  return error_reply(unknown_subcommand("function", words[1]));
}

}  // namespace

std::string gateway_connection::own_reply(const command_words& words) {
  const auto name = command_name(words);
  if (name == "ping") return ping(words);
  if (name == "echo") return resp_writer{version_}.bulk(words[1]).take();
  if (name == "hello") return hello(words);
  if (name == "auth") return sign_in(words);
  if (name == "select") return select(words);
  if (name == "client") return client(words);
  if (name == "config") return config(words);
  if (name == "command") return command_reply(words, version_);
  if (name == "function") return function_reply(words, version_);
  if (name == "info") {
    if (words.size() > 2) return error_reply("ERR syntax error");
    return resp_writer{version_}.bulk(directory_->info(words.size() == 2 ? lowered(words[1]) : "")).take();
  }
  if (name == "unwatch") {
    forget_watched();
    return ok();
  }
  if (name == "quit") {
    close();
    return ok();
  }
  if (name == "reset") {
    reset();
    return status_reply("RESET");
  }
  return error_reply(fmt::format("ERR the gateway does not answer '{}'", name));
}

std::string gateway_connection::ping(const command_words& words) const {
  if (words.size() == 2) return resp_writer{version_}.bulk(words[1]).take();
  return status_reply("PONG");
}

bool gateway_connection::show_password(std::string_view user, std::string_view password) {
  const auto& settings = directory_->settings();
  // Another user costs the same time, so the time tells nothing about names.
  const bool is_right = settings.is_password(password);
  if (is_right && user == "default") {
    is_known_ = true;
    return true;
  }
  ++directory_->statistics().passwords_wrong;
  if (++wrong_passwords_ >= settings.wrong_passwords_max) close();
  return false;
}

std::string gateway_connection::sign_in(const command_words& words) {
  if (words.size() > 3) return error_reply("ERR syntax error");
  if (!directory_->settings().is_password) {
    // A client that names the user may connect without a password, as in Redis.
    if (words.size() == 3 && words[1] == "default") return ok();
    if (words.size() == 3) return error_reply(wrong_password);
    return error_reply(
        "ERR AUTH <password> called without any password configured for the default user. Are you sure your "
        "configuration is correct?");
  }
  const bool has_user = words.size() == 3;
  return show_password(has_user ? words[1] : "default", words.back()) ? ok() : error_reply(wrong_password);
}

std::string gateway_connection::hello(const command_words& words) {
  auto wanted = version_;
  if (words.size() > 1) {
    const auto number = resp_number(words[1]);
    if (!number) return error_reply("ERR Protocol version is not an integer or out of range");
    if (*number != 2 && *number != 3) return error_reply("NOPROTO unsupported protocol version");
    wanted = *number == 3 ? resp_version::three : resp_version::two;
  }
  std::optional<std::string> name;
  for (std::size_t at = 2; at < words.size();) {
    const auto option = lowered(words[at]);
    if (option == "auth" && at + 2 < words.size()) {
      const bool needs_password = static_cast<bool>(directory_->settings().is_password);
      const bool is_right = needs_password ? show_password(words[at + 1], words[at + 2]) : words[at + 1] == "default";
      if (!is_right) return error_reply(wrong_password);
      at += 3;
    } else if (option == "setname" && at + 1 < words.size()) {
      if (!is_client_name(words[at + 1])) return error_reply(bad_name);
      name = words[at + 1];
      at += 2;
    } else {
      return error_reply(fmt::format("ERR Syntax error in HELLO option '{}'", option));
    }
  }
  if (!is_known_) {
    return error_reply(
        "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> "
        "<pass> option can be used to authenticate the client and select the RESP protocol version at the same time");
  }
  version_ = wanted;
  if (name) name_ = *name;
  resp_writer out{version_};
  out.map(7).bulk("server").bulk("redis").bulk("version").bulk(redis_version);
  out.bulk("proto").integer(static_cast<std::int64_t>(version_)).bulk("id").integer(static_cast<std::int64_t>(number_));
  out.bulk("mode").bulk("standalone").bulk("role").bulk("master").bulk("modules").array(0);
  return out.take();
}

std::string gateway_connection::select(const command_words& words) const {
  const auto number = resp_number(words[1]);
  if (!number) return error_reply("ERR value is not an integer or out of range");
  return *number == 0 ? ok() : error_reply("ERR DB index is out of range");
}

std::string gateway_connection::client(const command_words& words) {
  const auto asked = lowered(words[1]);
  const auto count = words.size();
  if (asked == "id" && count == 2) return resp_writer{version_}.integer(static_cast<std::int64_t>(number_)).take();
  if (asked == "getname" && count == 2) {
    resp_writer out{version_};
    return (name_.empty() ? out.null() : out.bulk(name_)).take();
  }
  if (asked == "setname" && count == 3) {
    if (!is_client_name(words[2])) return error_reply(bad_name);
    name_ = words[2];
    return ok();
  }
  if (asked == "info" && count == 2) return resp_writer{version_}.bulk(line(last_command_) + "\n").take();
  if (asked == "list") return resp_writer{version_}.bulk(directory_->client_list()).take();
  if (asked == "no-evict" && count == 3) {
    const auto choice = lowered(words[2]);
    // Connections are not closed to free memory, because their memory is bounded.
    return choice == "on" || choice == "off" ? ok() : error_reply("ERR syntax error");
  }
  if (asked == "setinfo" && count == 4) {
    const auto what = lowered(words[2]);
    if (what != "lib-name" && what != "lib-ver")
      return error_reply(fmt::format("ERR Unrecognized option '{}'", base::clipped_text(words[2], 64)));
    return ok();
  }
  constexpr std::array<std::string_view, 6> known = {"id", "getname", "setname", "info", "no-evict", "setinfo"};
  if (std::ranges::find(known, asked) != known.end()) return error_reply(wrong_arguments("client|" + asked));
  return error_reply(unknown_subcommand("client", words[1]));
}

std::string gateway_connection::config(const command_words& words) {
  const auto asked = lowered(words[1]);
  if (asked == "get" && words.size() > 2) {
    std::vector<std::pair<std::string, std::string>> shown;
    for (auto& [key, value] : config_values(directory_->settings(), directory_->identity())) {
      const auto is_wanted = [&key = key](const std::string& word) {
        std::size_t steps = 0;
        return redis::glob_matches(redis::lowered(word.substr(0, 64)), key, steps);
      };
      if (std::any_of(words.begin() + 2, words.end(), is_wanted)) shown.emplace_back(key, value);
    }
    resp_writer out{version_};
    out.map(shown.size());
    for (const auto& [key, value] : shown)
      out.bulk(key).bulk(value);
    return out.take();
  }
  if (asked == "resetstat" && words.size() == 2) {
    directory_->statistics() = {};
    return ok();
  }
  if (asked == "set" && words.size() > 3) {
    return error_reply(fmt::format("ERR Unknown option or number of arguments for CONFIG SET - '{}'",
                                   base::clipped_text(words[2], 64)));
  }
  if (asked == "get" || asked == "set" || asked == "resetstat") return error_reply(wrong_arguments("config|" + asked));
  return error_reply(unknown_subcommand("config", words[1]));
}

/// Returns the connection to the state of a new one.
void gateway_connection::reset() {
  discard_transaction();
  version_ = resp_version::two;
  name_.clear();
  is_known_ = !directory_->settings().is_password;
}

std::string gateway_connection::line(moment now) const {
  const auto seconds = [now](moment then) {
    return std::chrono::duration_cast<std::chrono::seconds>(now - std::min(now, then)).count();
  };
  return fmt::format(
      "id={} addr={} name={} age={} idle={} flags={} db=0 multi={} watch={} qbuf={} obl={} replies={} cmd={} "
      "user=default resp={}",
      number_, address_, name_, seconds(since_), seconds(last_command_), in_transaction_ ? "x" : "N",
      in_transaction_ ? static_cast<std::int64_t>(queued_.size()) : -1, watched_.size(), reader_.buffered(),
      output_.size(), replies_.size(), is_command(last_name_) ? last_name_ : "NULL", static_cast<int>(version_));
}

std::string reply_of(client_error error) {
  switch (error) {
    case client_error::timed_out:
      return error_reply(
          "TIMEOUT the cluster did not answer in time: the command was sent and may still be executed, once at most; "
          "this connection is closed, and the replies to later commands are lost");
    case client_error::overloaded:
      return error_reply(
          "TIMEOUT the queues of the replicas are full: the command was sent and may still be executed, once at most; "
          "this connection is closed, and the replies to later commands are lost");
    case client_error::stopped:
      return error_reply("TIMEOUT the gateway stops: the command was sent and may still be executed, once at most");
    case client_error::session_ended:
    case client_error::stale_timestamp:
      return error_reply(
          "TIMEOUT the session of the gateway ended: the command may have been executed, and will not be from now on; "
          "this connection is closed, and the replies to later commands are lost");
    case client_error::too_many_pending:
      return error_reply("TRYAGAIN too many operations wait in the gateway: the command was not sent");
    case client_error::too_large:
      return error_reply("ERR the operation is too large: the command was not sent");
    case client_error::name_taken:
      return error_reply("TRYAGAIN another program uses the session of the gateway: the command was not executed");
  }
  return error_reply("ERR the gateway does not know this failure; report this error");
}

bool is_fate_unknown(client_error error) {
  switch (error) {
    case client_error::timed_out:
    case client_error::overloaded:
    case client_error::stopped:
    case client_error::session_ended:
    case client_error::stale_timestamp:
      return true;
    case client_error::too_many_pending:
    case client_error::too_large:
    case client_error::name_taken:
      return false;
  }
  return true;
}

}  // namespace hypermesh::cli
