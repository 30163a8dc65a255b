#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include <hypermesh/state_machine.hpp>

#include "messages/time.hpp"
#include "runtime/state_machines/redis/redis_operations.hpp"
#include "tools/hypermesh/gateway/gateway_settings.hpp"
#include "tools/hypermesh/gateway/resp_convert.hpp"
#include "tools/hypermesh/gateway/resp_reader.hpp"

namespace hypermesh::cli {

/// The place of a reply among those of its connection. It counts from 0.
using reply_number = std::uint64_t;

/// An operation that a command needs from the cluster.
struct wanted_operation {
  byte_vector bytes;
  reply_number reply = 0;
  /// The number among the operations of this reply: WATCH has one for each key.
  std::size_t part = 0;
  /// The name of the command in lower case, by which the size of its reply is estimated.
  std::string name;
  bool is_read_only = false;
  /// Whether it may change something and have a reply of any size.
  bool returns_data = false;
  /// Whether the machine may refuse it, because its reply has no room in its bundle.
  bool may_have_no_room = false;
};

/// What the connections need to know of the gateway around them.
class gateway_directory {
 public:
  virtual ~gateway_directory() = default;
  /// The text of INFO; `section` is empty for all.
  [[nodiscard]] virtual std::string info(std::string_view section) const = 0;
  /// The lines of CLIENT LIST.
  [[nodiscard]] virtual std::string client_list() const = 0;
  [[nodiscard]] virtual gateway_statistics& statistics() = 0;
  [[nodiscard]] virtual const gateway_settings& settings() const = 0;
  [[nodiscard]] virtual const gateway_identity& identity() const = 0;
};

/// One connection of the gateway: from bytes to operations, and from results to replies. Pure.
///
/// Commands are executed in the order in which they arrived, because `advance` gives their operations in that order,
/// and one ordered session executes them in that order. Replies have the order of the commands, whatever the order of
/// the results is. If the outcome of a command is unknown, the connection ends after its reply, so that the client
/// never sees the result of a later command.
///
/// Memory: see `gateway_settings`.
class gateway_connection {
 public:
  gateway_connection(std::uint64_t number, std::string address, gateway_directory& directory, moment now);

  void feed(std::string_view bytes) { reader_.feed(bytes); }
  [[nodiscard]] bool wants_input() const;
  /// Whether bytes were fed and not read, so that another command follows or has begun.
  [[nodiscard]] bool has_input() const { return reader_.is_inside_command(); }

  /// Whether the next command may begin. If not, a result or the client's reading of replies comes first.
  [[nodiscard]] bool can_advance() const;

  /// Executes or begins the next command. Returns its operations, which are none if the gateway answers it; nothing if
  /// there is no complete command, or if it has to wait.
  [[nodiscard]] std::optional<std::vector<wanted_operation>> advance(moment now);

  /// Like `advance`, but a command that needs the cluster is refused with TRYAGAIN. Returns false at the end.
  bool refuse_next(moment now);

  /// The outcome of an operation. The replies that are complete go to `output`.
  void on_outcome(reply_number reply, std::size_t part, const submit_outcome& outcome);

  /// Replies for the socket, which the caller takes away from the front.
  [[nodiscard]] std::string& output() { return output_; }
  /// No further command is read. The connection closes when `output` was written.
  void close() { is_closing_ = true; }
  [[nodiscard]] bool is_closing() const { return is_closing_; }
  /// Everything that was answered is in `output`, and nothing will follow.
  [[nodiscard]] bool is_complete() const { return is_closing_ && replies_.empty(); }
  [[nodiscard]] bool is_known() const { return is_known_; }
  /// Whether `reply` is the newest one, so that no later command has been given to the cluster.
  [[nodiscard]] bool is_newest(reply_number reply) const { return reply + 1 == first_ + replies_.size(); }
  /// Whether the client still waits for this reply.
  [[nodiscard]] bool awaits(reply_number reply) const {
    return reply >= first_ && reply - first_ < replies_.size() && !replies_[reply - first_].is_done;
  }
  [[nodiscard]] moment since() const { return since_; }
  /// The line of CLIENT INFO and CLIENT LIST, without line break.
  [[nodiscard]] std::string line(moment now) const;

 private:
  enum class reply_kind : std::uint8_t { command, transaction, versions };

  struct pending_reply {
    reply_kind kind = reply_kind::command;
    resp_version version = resp_version::two;
    reply_shape shape = reply_shape::plain;
    bool is_done = false;
    std::vector<transaction_part> parts = {};
    std::size_t parts_left = 1;
    std::string bytes = {};
  };

  struct queued_command {
    machines::redis::command command;
    /// Whether the gateway answers it and not the machine.
    bool is_own = false;
  };

  using operations = std::vector<wanted_operation>;

  [[nodiscard]] std::optional<resp_item> next_item();
  [[nodiscard]] operations execute(command_words words, moment now, bool refuses);
  [[nodiscard]] operations order(command_words words, bool refuses);
  [[nodiscard]] operations watch(const command_words& words, bool refuses);
  [[nodiscard]] operations execute_transaction(bool refuses);
  void queue(command_words words);
  void begin_transaction();
  void discard_transaction();
  void forget_watched();
  void fail_queueing(std::string_view error);

  // The commands that the gateway answers, in local_commands.cpp.
  [[nodiscard]] std::string own_reply(const command_words& words);
  [[nodiscard]] std::string hello(const command_words& words);
  [[nodiscard]] std::string sign_in(const command_words& words);
  [[nodiscard]] std::string select(const command_words& words) const;
  [[nodiscard]] std::string client(const command_words& words);
  [[nodiscard]] std::string config(const command_words& words);
  [[nodiscard]] std::string ping(const command_words& words) const;
  [[nodiscard]] bool show_password(std::string_view user, std::string_view password);
  void reset();

  void reply(std::string bytes);
  void reply_error(std::string_view text) { reply(error_reply(text)); }
  pending_reply& begin_reply(reply_kind kind);
  void finish(pending_reply& reply, const submit_outcome& outcome, std::size_t part);
  void finish_with_error(pending_reply& reply, client_error error);
  void finish_with_payload(pending_reply& reply, std::string_view payload, std::size_t part);
  void flush();

  std::uint64_t number_;
  std::string address_;
  gateway_directory* directory_;
  moment since_;
  moment last_command_;
  std::string last_name_;
  resp_reader reader_;
  resp_version version_ = resp_version::two;
  bool is_known_;
  std::size_t wrong_passwords_ = 0;
  std::string name_;
  bool in_transaction_ = false;
  bool queueing_failed_ = false;
  std::vector<queued_command> queued_;
  std::size_t queued_bytes_ = 0;
  std::vector<machines::redis::watched_key> watched_;
  std::size_t watched_bytes_ = 0;
  /// The number of keys of the last WATCH whose versions are not known yet. No command is read meanwhile, because EXEC
  /// needs the versions.
  std::size_t versions_left_ = 0;
  std::deque<pending_reply> replies_;
  reply_number first_ = 0;
  std::string output_;
  bool is_closing_ = false;
  /// The outcome of a command is unknown. The replies after it were dropped, and so are the results of their
  /// operations.
  bool is_cut_off_ = false;
};

/// The reply to a command whose operation failed.
[[nodiscard]] std::string reply_of(client_error error);
/// Whether the operation may have been executed, or may still be.
[[nodiscard]] bool is_fate_unknown(client_error error);

}  // namespace hypermesh::cli
