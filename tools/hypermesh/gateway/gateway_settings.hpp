#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "messages/limits.hpp"
#include "messages/time.hpp"
#include "runtime/state_machines/redis/redis_operations.hpp"

namespace hypermesh::cli {

/// The bounds of a gateway. Together they bound its memory: a connection takes at most `input_bytes_max`, one command,
/// one transaction, `output_bytes_max`, the largest reply, and `copies_bytes_max` with one operation more, which are
/// 3.3 MiB; operations in flight take at most
/// `flight_bytes_max` twice, because the consensus client keeps a copy.
struct gateway_settings {
  /// Connections at once. A further one gets Redis's error and is closed.
  std::size_t connections_max = 1'000;
  /// Operations that were given to the consensus client and have no result. They fill four full bundles, so that one
  /// bundle is executed while others are agreed on.
  std::size_t flight_operations_max = 4 * limits::operations_per_request_max;
  std::size_t flight_bytes_max = 8 * limits::request_bytes_max;
  /// The sum of the replies that are expected for operations in flight. Any of these operations may come into one
  /// bundle, and the machine executes those whose replies have at most this size together.
  std::size_t flight_reply_bytes_max =
      limits::reply_bytes_max - limits::operations_per_request_max * machines::redis::reply_bytes_reserved;
  /// Commands of one connection that have no reply yet.
  std::size_t replies_pending_max = limits::operations_per_request_max;
  /// Bytes of a connection that were read from its socket and not yet parsed. No more are read meanwhile, so TCP stops
  /// the client.
  std::size_t input_bytes_max = std::size_t{64} * 1024;
  /// Replies that the client has not read yet. No further command of the connection is executed meanwhile.
  std::size_t output_bytes_max = std::size_t{1024} * 1024;
  /// Operations of one connection that may have to be sent again. No further command begins meanwhile.
  std::size_t copies_bytes_max = 2 * limits::operation_bytes_max;
  /// Commands that one connection may begin before it is the next one's turn.
  std::size_t turn_commands = 32;
  /// A read is not ordered if a result of the cluster is not older than this. A read that is not ordered does not move
  /// the time of the database forward, so a key is gone at the latest this long after its expiry.
  duration time_age_max = std::chrono::milliseconds{50};
  /// A command that waits for its turn longer than this is refused with TRYAGAIN. It is the deadline of operations too.
  duration patience = std::chrono::seconds{10};
  /// The time in which a new connection must show the password, if one is needed.
  duration sign_in_patience = std::chrono::seconds{10};
  /// Wrong passwords of one connection before it is closed.
  std::size_t wrong_passwords_max = 3;
  /// Whether this is the password. Empty if the gateway needs none.
  std::function<bool(std::string_view)> is_password = {};
};

/// Facts for INFO and HELLO that do not change.
struct gateway_identity {
  std::string version;
  std::string cluster;
  std::string cluster_id;
  std::uint32_t replicas = 0;
  std::uint32_t client = 0;
  std::uint16_t port = 0;
  std::int64_t process = 0;
};

/// Counters since the start, or since CONFIG RESETSTAT.
struct gateway_statistics {
  std::uint64_t connections = 0;
  std::uint64_t connections_refused = 0;
  std::uint64_t commands = 0;
  std::uint64_t operations = 0;
  /// Operations among them that were sent as reads that are not ordered.
  std::uint64_t unordered_reads = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t error_replies = 0;
  std::uint64_t protocol_failures = 0;
  std::uint64_t passwords_wrong = 0;
  /// Operations whose result is unknown: replies TIMEOUT.
  std::uint64_t unknown_outcomes = 0;
  /// Commands that were not executed: replies TRYAGAIN.
  std::uint64_t refused = 0;
  /// Operations that were sent again, because the replies of their bundle had no room for their reply, and replies that
  /// the cluster does not have any more.
  std::uint64_t replies_repeated = 0;
  std::uint64_t replies_lost = 0;
};

}  // namespace hypermesh::cli
