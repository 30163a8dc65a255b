#pragma once

#include <cstdint>
#include <string_view>
#include <variant>

#include "messages/limits.hpp"
#include "messages/values.hpp"

/// The interface between a client and its host.
namespace hypermesh::protocol {

/// Why an operation has no result.
enum class client_error : std::uint8_t {
  /// f+1 matching replies did not arrive before the deadline. The operation may still be executed.
  timed_out = 1,
  /// The queue of the client is full.
  too_many_pending,
  /// f+1 replicas refused the request before its deadline, because their queues were full.
  overloaded,
  /// f+1 replicas refused the timestamp: it lies below the window of its session.
  stale_timestamp,
  /// The operation exceeds `limits::operation_bytes_max`.
  too_large,
  /// The client was stopped.
  stopped,
  /// The session ended while the operation was under way, because processes with the same key opened many newer ones.
  /// The operation may have been executed. It will not be executed from now on.
  session_ended,
  /// f+1 replicas executed another request with the session and timestamp of this one, because another process uses the
  /// same key and the same session. This operation was not executed.
  name_taken,
};
inline constexpr auto client_error_last = client_error::name_taken;

[[nodiscard]] std::string_view to_string(client_error error);

struct client_settings {
  /// The most operations under one signature. With 1, every operation has its own signature.
  std::size_t bundle_operations_max = 1;
  /// A bundle that is not full is sent this long after its first operation.
  duration bundle_delay = 1ms;
  /// In an ordered session, operations are executed in the order in which they were submitted. An operation that times
  /// out keeps its place: it may still be executed, and later operations are executed only after it. In an independent
  /// session, operations are executed in any order.
  session_mode mode = session_mode::ordered;
  /// The most requests that are under way at once. Further operations wait.
  std::size_t requests_in_flight_max = limits::requests_in_flight_max / 2;
  /// The most operations that wait or are under way.
  std::size_t operations_pending_max = 262'144;
  /// §4.1: a client that "does not receive replies soon enough … broadcasts the request to all replicas". The client
  /// does so after this time, which doubles with each retransmission, up to `retransmit_max`.
  duration retransmit_after = 500ms;
  duration retransmit_max = 8s;
  /// An operation that has no result after this time fails with `timed_out` or `overloaded`.
  duration deadline = 30s;
  /// One request in this many, on average, goes to all replicas at once, so that backups can measure how fast the
  /// primary executes requests (attack 29). The primary cannot predict which one. With 0, no request is sampled.
  std::uint64_t sampled_one_in = 16;
  /// While the results of this client take longer than this time, the client sends `doubtful_factor` times as many
  /// requests to all replicas. So the backups notice a primary that slows down step by step under a light load. The
  /// client does not send all requests to all replicas, because each backup would then verify each request twice: as a
  /// REQUEST and in the batch. A cluster under full load cannot afford this.
  duration doubtful_after = 100ms;
  static constexpr std::uint64_t doubtful_factor = 4;
  /// A secret number. It makes the sample and the numbers of later sessions unpredictable.
  std::uint64_t sampling_seed = 0;
};

/// Identifies an operation between `client_core` and the actor around it.
using operation_token = std::uint64_t;

using submit_outcome = std::variant<operation_result, client_error>;

}  // namespace hypermesh::protocol
