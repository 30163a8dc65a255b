#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/hypermesh/gateway/cluster_view.hpp"
#include "tools/hypermesh/gateway/gateway_connection.hpp"
#include "tools/hypermesh/gateway/packer.hpp"

namespace hypermesh::cli {

using connection_number = std::uint64_t;

/// An operation for the consensus client. Submissions are given to it in their order.
struct gateway_submission {
  std::uint64_t token = 0;
  byte_vector operation;
  /// A linearizable read, which need not be ordered behind the other operations.
  bool is_unordered = false;
};

/// What the adapter has to do after an event.
struct gateway_effects {
  std::vector<gateway_submission> submissions;
  /// Connections with output to write, or that are complete.
  std::set<connection_number> changed;
};

/// All of a gateway except its sockets, its clock and the consensus client. Pure. The adapter reports what happened and
/// then calls `take_effects`.
///
/// All operations go through one ordered session, so the cluster executes the commands of a connection in the order in
/// which they arrived. An operation whose reply has no room in its bundle is not executed (redis_operations.hpp). It is
/// sent again, unless a later operation of its connection was executed; then the client gets an error. So a connection
/// waits for the result of a command that removes and returns data, unless its reply is expected to be small.
///
/// A read that is alone in its connection is not ordered: nothing of the connection is in flight, and the connection
/// sends nothing more before the reply. So the connection still sees its commands in their order, and linearizable
/// reads keep the whole of all connections linearizable. Memory: `gateway_settings` says the bounds.
class gateway_core final : public gateway_directory {
 public:
  gateway_core(gateway_settings settings, gateway_identity identity, moment now);

  /// A client connected. Nothing if there are too many; the adapter then writes `too_many_connections` and closes.
  [[nodiscard]] std::optional<connection_number> on_accepted(const std::string& address, moment now);
  void on_bytes(connection_number connection, std::string_view bytes, moment now);
  /// Part of the output was written, so the connection may go on.
  void on_written(connection_number connection, std::size_t bytes, moment now);
  /// The socket is closed. Operations of the connection that are in flight are executed all the same.
  void on_closed(connection_number connection);
  /// The client sends nothing more. What it has sent is still answered.
  void on_input_ended(connection_number connection, moment now);
  void on_outcome(std::uint64_t token, const submit_outcome& outcome, moment now);
  /// Refuses what waits too long, and closes connections that do not show the password. To be called ten times a
  /// second.
  void on_tick(moment now);
  /// The answers of the replicas about themselves, for INFO.
  void on_cluster_view(cluster_view seen) { cluster_ = std::move(seen); }
  /// The gateway stops: no further command begins, and connections end when their replies are written.
  void on_stop(moment now);

  [[nodiscard]] gateway_effects take_effects() { return std::exchange(effects_, {}); }
  [[nodiscard]] bool wants_input(connection_number connection) const;
  /// The output of the connection. The adapter reads it and reports `on_written`.
  [[nodiscard]] std::string_view output(connection_number connection);
  /// Everything is answered, and nothing more will be; the adapter writes the output and closes the socket.
  [[nodiscard]] bool is_complete(connection_number connection) const;

  [[nodiscard]] std::size_t connections() const { return connections_.size(); }
  [[nodiscard]] std::size_t operations_in_flight() const { return packer_.operations(); }

  [[nodiscard]] std::string info(std::string_view section) const override;
  [[nodiscard]] std::string client_list() const override;
  [[nodiscard]] gateway_statistics& statistics() override { return statistics_; }
  [[nodiscard]] const gateway_settings& settings() const override { return settings_; }
  [[nodiscard]] const gateway_identity& identity() const override { return identity_; }

  static constexpr std::string_view too_many_connections = "-ERR max number of clients reached\r\n";

 private:
  struct entry {
    std::unique_ptr<gateway_connection> connection;
    bool input_has_ended = false;
    /// Operations in flight, and those among them that are awaited.
    std::size_t in_flight = 0;
    std::size_t awaited = 0;
    /// Operations that the machine did not execute. They wait in `held` until nothing of the connection is in flight,
    /// and in `again` until they are sent, in their order and before anything else of the connection.
    std::vector<packed_operation> held = {};
    std::deque<packed_operation> again = {};
    /// The bytes of the copies of operations in flight and of those in `held` and `again`.
    std::size_t copies_bytes = 0;
    /// The last reply whose operation has another outcome than that.
    std::optional<reply_number> executed = std::nullopt;

    /// Whether the order of the commands allows the next one now.
    [[nodiscard]] bool may_go_on() const { return awaited == 0 && held.empty(); }
  };

  /// Lets connections take turns while operations may be sent.
  void go_on(moment now);
  /// Returns whether the connection has, or may have, further commands.
  bool take_turn(entry& of, connection_number number, moment now);
  void submit(entry& of, connection_number number, wanted_operation wanted, bool is_alone);
  void send(entry& of, packed_operation operation, byte_vector bytes);
  [[nodiscard]] bool may_stay_unordered(const entry& of, const packed_operation& operation) const;
  void send_again(entry& of);
  static void refuse_again(entry& of);
  static void note_end_of_input(entry& of);
  void conclude(entry& of, packed_operation operation, const submit_outcome& outcome);
  void settle_held(entry& of);
  [[nodiscard]] entry* find(connection_number number);

  gateway_settings settings_;
  gateway_identity identity_;
  gateway_statistics statistics_;
  moment started_;
  moment now_;
  /// Nothing before the first answers.
  std::optional<cluster_view> cluster_;
  packer packer_;
  /// When the newest ordered operation was sent that has a result. The time of the database is not older.
  std::optional<moment> time_known_at_;
  /// When an ordered operation was sent last.
  moment ordered_at_;
  turn_queue turns_;
  std::map<connection_number, entry> connections_;
  connection_number next_ = 1;
  bool is_stopping_ = false;
  gateway_effects effects_;
};

}  // namespace hypermesh::cli
