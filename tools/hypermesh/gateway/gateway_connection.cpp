#include "tools/hypermesh/gateway/gateway_connection.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "messages/require.hpp"
#include "tools/hypermesh/gateway/command_catalog.hpp"

namespace hypermesh::cli {

namespace redis = machines::redis;

namespace {

/// Bytes around a transaction: its kind and two counts, with room to spare.
constexpr std::size_t transaction_frame_bytes = 64;
constexpr std::size_t watched_key_overhead_bytes = 12;

/// The commands that a client may send before it has shown the password.
bool is_open_to_all(std::string_view name) {
  return name == "auth" || name == "hello" || name == "quit" || name == "reset";
}

/// The commands that are executed at once inside of MULTI.
bool is_control(std::string_view name) {
  constexpr std::array<std::string_view, 6> names = {"multi", "exec", "discard", "watch", "quit", "reset"};
  return std::ranges::find(names, name) != names.end();
}

std::size_t bytes_of(const command_words& words) {
  std::size_t bytes = resp_reader::word_overhead_bytes;
  for (const auto& word : words)
    bytes += word.size() + resp_reader::word_overhead_bytes;
  return bytes;
}

constexpr std::string_view refusal =
    "TRYAGAIN the cluster answers too slowly: this command waited for its turn, was not sent, and is not executed";

constexpr std::string_view own_replies_too_large =
    "ERR the command was not executed, because the replies of the gateway to this transaction are too large";

constexpr std::string_view no_room =
    "TRYAGAIN this command was not executed: the replies of its bundle had no room for its reply, and it could not be "
    "sent again in its place";

constexpr std::string_view reply_dropped =
    "ERR the command was executed, but the cluster does not have its reply any more, because newer replies took its "
    "place";

}  // namespace

gateway_connection::gateway_connection(std::uint64_t number, std::string address, gateway_directory& directory,
                                       moment now)
    : number_(number),
      address_(std::move(address)),
      directory_(&directory),
      since_(now),
      last_command_(now),
      is_known_(!directory.settings().is_password) {}

bool gateway_connection::wants_input() const {
  return !is_closing_ && reader_.buffered() < directory_->settings().input_bytes_max;
}

bool gateway_connection::can_advance() const {
  const auto& settings = directory_->settings();
  return !is_closing_ && versions_left_ == 0 && replies_.size() < settings.replies_pending_max &&
         output_.size() < settings.output_bytes_max;
}

/// The next command. Everything that is no command is answered here.
std::optional<resp_item> gateway_connection::next_item() {
  auto item = reader_.next(is_known_);
  if (!item) return std::nullopt;
  ++directory_->statistics().commands;
  if (const auto* failure = std::get_if<protocol_failure>(&*item)) {
    ++directory_->statistics().protocol_failures;
    reply_error(failure->error);
    close();
  } else if (const auto* oversized = std::get_if<oversized_command>(&*item)) {
    fail_queueing(oversized->error);
  }
  return item;
}

std::optional<gateway_connection::operations> gateway_connection::advance(moment now) {
  if (!can_advance()) return std::nullopt;
  auto item = next_item();
  if (!item) return std::nullopt;
  auto* words = std::get_if<command_words>(&*item);
  return words != nullptr ? execute(std::move(*words), now, false) : operations{};
}

bool gateway_connection::refuse_next(moment now) {
  if (!can_advance()) return false;
  auto item = next_item();
  if (!item) return false;
  if (auto* words = std::get_if<command_words>(&*item)) {
    const auto wanted = execute(std::move(*words), now, true);
    require(wanted.empty(), "a refused command needs no operation");
  }
  return true;
}

gateway_connection::operations gateway_connection::execute(command_words words, moment now, bool refuses) {
  require(!words.empty(), "a command has a name");
  last_command_ = now;
  last_name_ = command_name(words);
  const auto& name = last_name_;
  // A browser that a web page sends to this port cannot choose its first line, and must not execute its body.
  if (name == "post" || name == "host:") {
    ++directory_->statistics().protocol_failures;
    close();
    return {};
  }
  if (!is_known_ && !is_open_to_all(name)) {
    reply_error("NOAUTH Authentication required.");
    return {};
  }
  if (auto flaw = command_flaw(words); !flaw.empty()) {
    fail_queueing(flaw);
    return {};
  }
  if (in_transaction_ && !is_control(name)) {
    queue(std::move(words));
    return {};
  }
  if (name == "multi") {
    begin_transaction();
  } else if (name == "exec") {
    return execute_transaction(refuses);
  } else if (name == "discard") {
    const bool is_open = in_transaction_;
    discard_transaction();
    is_open ? reply(status_reply("OK")) : reply_error("ERR DISCARD without MULTI");
  } else if (name == "watch") {
    return watch(words, refuses);
  } else if (is_own_command(name)) {
    // The reply is made before its place, because RESET changes the state on which it depends.
    reply(own_reply(words));
  } else {
    return order(std::move(words), refuses);
  }
  return {};
}

/// Answers with an error. Inside of MULTI the transaction cannot be executed any more.
void gateway_connection::fail_queueing(std::string_view error) {
  if (in_transaction_) queueing_failed_ = true;
  reply_error(error);
}

gateway_connection::operations gateway_connection::order(command_words words, bool refuses) {
  if (refuses) {
    ++directory_->statistics().refused;
    reply_error(refusal);
    return {};
  }
  redis::command command{std::move(words)};
  auto& pending = begin_reply(reply_kind::command);
  pending.shape = shape_of(command);
  const bool is_read_only = redis::is_read_only(command);
  const bool returns_data = redis::returns_data(command);
  const auto number = first_ + replies_.size() - 1;
  operations wanted;
  wanted.push_back({redis::encode(std::move(command)), number, 0, last_name_, is_read_only, returns_data,
                    is_read_only || returns_data});
  return wanted;
}

gateway_connection::operations gateway_connection::watch(const command_words& words, bool refuses) {
  if (in_transaction_) {
    reply_error("ERR WATCH inside MULTI is not allowed");
    return {};
  }
  std::size_t bytes = watched_bytes_;
  for (std::size_t index = 1; index < words.size(); ++index)
    bytes += words[index].size() + watched_key_overhead_bytes;
  const auto keys = words.size() - 1;
  if (watched_.size() + keys > redis::watched_keys_max || bytes > limits::operation_bytes_max / 2) {
    reply_error(fmt::format("ERR a connection watches at most {} keys on this server", redis::watched_keys_max));
    return {};
  }
  if (refuses) {
    ++directory_->statistics().refused;
    reply_error(refusal);
    return {};
  }
  auto& pending = begin_reply(reply_kind::versions);
  pending.parts_left = keys;
  pending.bytes = status_reply("OK");
  versions_left_ = keys;
  watched_bytes_ = bytes;
  const auto number = first_ + replies_.size() - 1;
  operations wanted;
  for (std::size_t index = 1; index < words.size(); ++index) {
    // Of several versions of a key the first one counts, because the transaction compares each of them.
    watched_.push_back({words[index], 0});
    wanted.push_back(
        {redis::encode(redis::command{{"hm.version", words[index]}}), number, watched_.size() - 1, "hm.version", true});
  }
  return wanted;
}

void gateway_connection::begin_transaction() {
  if (in_transaction_) return reply_error("ERR MULTI calls can not be nested");
  in_transaction_ = true;
  reply(status_reply("OK"));
}

void gateway_connection::discard_transaction() {
  in_transaction_ = false;
  queueing_failed_ = false;
  queued_.clear();
  queued_bytes_ = 0;
  forget_watched();
}

void gateway_connection::forget_watched() {
  watched_.clear();
  watched_bytes_ = 0;
}

void gateway_connection::queue(command_words words) {
  const auto bytes = bytes_of(words);
  if (queued_.size() >= redis::transaction_commands_max)
    return fail_queueing(
        fmt::format("ERR a transaction has at most {} commands on this server", redis::transaction_commands_max));
  if (queued_bytes_ + watched_bytes_ + transaction_frame_bytes + bytes > limits::operation_bytes_max)
    return fail_queueing(
        fmt::format("ERR a transaction has at most {} bytes on this server", limits::operation_bytes_max));
  queued_bytes_ += bytes;
  // PING and ECHO in a transaction go to the machine, because a transaction that watches keys must ask it in any case.
  const bool is_own = redis::find_command(last_name_) == nullptr;
  queued_.push_back({redis::command{std::move(words)}, is_own});
  reply(status_reply("QUEUED"));
}

gateway_connection::operations gateway_connection::execute_transaction(bool refuses) {
  if (!in_transaction_) {
    reply_error("ERR EXEC without MULTI");
    return {};
  }
  if (queueing_failed_ || refuses) {
    const bool failed = queueing_failed_;
    discard_transaction();
    if (!failed) ++directory_->statistics().refused;
    reply_error(failed ? "EXECABORT Transaction discarded because of previous errors." : refusal);
    return {};
  }
  redis::transaction wanted;
  wanted.watched = std::move(watched_);
  std::vector<transaction_part> parts;
  auto queued = std::move(queued_);
  discard_transaction();
  std::size_t own_bytes = 0;
  for (auto& each : queued) {
    if (each.is_own) {
      // A thousand replies to CLIENT LIST would not fit the output.
      const bool fits = own_bytes < directory_->settings().output_bytes_max;
      parts.push_back({reply_shape::plain, fits ? own_reply(each.command.words) : error_reply(own_replies_too_large)});
      own_bytes += parts.back().own_reply->size();
    } else {
      parts.push_back({shape_of(each.command), std::nullopt});
      wanted.commands.push_back(std::move(each.command));
    }
  }
  auto& pending = begin_reply(reply_kind::transaction);
  pending.parts = std::move(parts);
  if (wanted.commands.empty() && wanted.watched.empty()) {
    finish_with_payload(pending, "*0\r\n", 0);
    flush();
    return {};
  }
  const bool is_read_only = redis::is_read_only(redis::operation{wanted});
  const bool returns_data = !is_read_only && !redis::has_small_replies(wanted);
  operations out;
  out.push_back(
      {redis::encode(std::move(wanted)), first_ + replies_.size() - 1, 0, "exec", is_read_only, returns_data, true});
  require(out.front().bytes.size() <= limits::operation_bytes_max, "the bytes of a transaction were counted");
  return out;
}

gateway_connection::pending_reply& gateway_connection::begin_reply(reply_kind kind) {
  auto& pending = replies_.emplace_back();
  pending.kind = kind;
  pending.version = version_;
  return pending;
}

void gateway_connection::reply(std::string bytes) {
  auto& pending = begin_reply(reply_kind::command);
  pending.bytes = std::move(bytes);
  pending.is_done = true;
  flush();
}

void gateway_connection::on_outcome(reply_number reply, std::size_t part, const submit_outcome& outcome) {
  require(reply >= first_ || is_cut_off_, "a reply is sent after its results");
  if (is_cut_off_ && (reply < first_ || reply - first_ >= replies_.size())) return;
  require(reply - first_ < replies_.size(), "a result belongs to a pending reply");
  auto& pending = replies_[reply - first_];
  if (is_cut_off_ && pending.is_done) return;
  require(!pending.is_done && pending.parts_left > 0, "each operation has one result");
  --pending.parts_left;
  pending.is_done = pending.parts_left == 0;
  if (pending.kind == reply_kind::versions) --versions_left_;
  finish(pending, outcome, part);
  flush();
}

void gateway_connection::finish_with_error(pending_reply& reply, client_error error) {
  const bool is_unknown = is_fate_unknown(error);
  auto& statistics = directory_->statistics();
  ++(is_unknown ? statistics.unknown_outcomes : statistics.refused);
  reply.bytes = reply_of(error);
  forget_watched();
  if (!is_unknown) return;
  // A later command must not seem to be executed after one whose fate is unknown. The client has to connect again, and
  // to find out what happened.
  close();
  is_cut_off_ = true;
  reply.is_done = true;
  while (&replies_.back() != &reply)
    replies_.pop_back();
}

void gateway_connection::finish(pending_reply& reply, const submit_outcome& outcome, std::size_t part) {
  if (const auto* error = std::get_if<client_error>(&outcome)) return finish_with_error(reply, *error);
  const auto& result = std::get<operation_result>(outcome);
  const auto payload = as_text(result.payload);
  switch (result.status) {
    case operation_status::applied:
      return finish_with_payload(reply, payload, part);
    case operation_status::result_too_large:
      ++directory_->statistics().replies_lost;
      reply.bytes = error_reply(reply_dropped);
      break;
    case operation_status::refused:
      if (payload == redis::no_room_for_reply) {
        ++directory_->statistics().refused;
        reply.bytes = error_reply(no_room);
        break;
      }
      [[fallthrough]];
    case operation_status::malformed:
      reply.bytes = error_reply(fmt::format("ERR {}", payload));
      break;
  }
  if (reply.kind == reply_kind::versions) forget_watched();
}

void gateway_connection::finish_with_payload(pending_reply& reply, std::string_view payload, std::size_t part) {
  std::optional<std::string> bytes;
  switch (reply.kind) {
    case reply_kind::command:
      bytes = converted_reply(payload, reply.version, reply.shape);
      break;
    case reply_kind::transaction:
      bytes = converted_transaction(payload, reply.version, reply.parts);
      break;
    case reply_kind::versions: {
      const auto version = payload.starts_with(':') && payload.ends_with("\r\n")
                               ? resp_number(payload.substr(1, payload.size() - 3))
                               : std::nullopt;
      // After an error of another key of this WATCH, nothing is watched.
      if (version && *version >= 0 && part < watched_.size())
        watched_[part].version = static_cast<std::uint64_t>(*version);
      if (version) return;
      break;
    }
  }
  if (!bytes && reply.kind == reply_kind::versions) forget_watched();
  reply.bytes = bytes ? std::move(*bytes) : error_reply("ERR the result of the cluster is no reply; report this error");
  reply.is_done = reply.parts_left == 0 || reply.kind != reply_kind::versions;
}

/// Moves the replies that are complete to the output, in the order of their commands.
void gateway_connection::flush() {
  while (!replies_.empty() && replies_.front().is_done) {
    const auto& bytes = replies_.front().bytes;
    if (bytes.starts_with('-')) ++directory_->statistics().error_replies;
    output_ += bytes;
    replies_.pop_front();
    ++first_;
  }
}

}  // namespace hypermesh::cli
