#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

/// What a host sets: the configuration of a member, and the settings of a client.
namespace hypermesh {

/// The configuration of a replica (`node.toml`) or of a client (`client.toml`), as `hypermesh init` makes it. The
/// document CONFIGURATION lists all keys.
struct configuration {
  std::string file;
  /// Values that count instead of those in the file, by the full name of the key. They are checked like values of the
  /// file, and paths are relative to the file too. Example: {"storage.mode", "memory"}, {"batching.window", "8"}.
  std::map<std::string, std::string, std::less<>> overrides = {};
};

/// How a session orders its requests.
enum class session_mode : std::uint8_t {
  /// Timestamps are 1, 2, 3, …, and each request is executed after the one before it.
  ordered = 0,
  /// Requests are executed in the order in which they are committed.
  independent = 1,
};
inline constexpr auto session_mode_last = session_mode::independent;

/// Says how recent the state must be that a read sees.
enum class read_mode : std::uint8_t {
  /// The read sees every operation that was acknowledged before the read began, of any client. One round trip: 2f+1
  /// replicas give the same answer. If they do not agree in time, the read is ordered like a write. In an ordered
  /// session it also sees all operations that this client submitted before it. It may see an operation that this client
  /// submits before the read has its result; to prevent that, use `submit`.
  linearizable = 0,
  /// f+1 replicas gave the same answer, from a committed state that may be old. One round trip.
  committed = 1,
};
inline constexpr auto read_mode_last = read_mode::committed;

struct client_settings {
  /// The most operations under one signature. With 1, every operation has its own signature.
  std::size_t bundle_operations_max = 1;
  /// A bundle that is not full is sent this long after its first operation.
  std::chrono::microseconds bundle_delay{1'000};
  /// In an ordered session, operations are executed in the order in which they were submitted. An operation that times
  /// out keeps its place: it may still be executed, and later operations are executed only after it. In an independent
  /// session, operations are executed in any order.
  session_mode mode = session_mode::ordered;
  /// The most requests that are under way at once. Further operations wait.
  std::size_t requests_in_flight_max = 128;
  /// The most operations that wait or are under way.
  std::size_t operations_pending_max = 262'144;
  /// §4.1: a client that "does not receive replies soon enough … broadcasts the request to all replicas". The time
  /// after which this is done. It doubles with each retransmission, up to `retransmit_max`.
  std::chrono::microseconds retransmit_after{500'000};
  std::chrono::microseconds retransmit_max{8'000'000};
  /// An operation that has no result after this time fails with `timed_out` or `overloaded`.
  std::chrono::microseconds deadline{30'000'000};
  /// One request in this many, on average, goes to all replicas at once, so that backups see how the primary serves its
  /// clients (attack 29). The primary cannot predict which one. With 0, no request is sampled.
  std::uint64_t sampled_one_in = 16;
  /// While results take longer than this, `doubtful_factor` times as many requests go to all replicas. So the backups
  /// notice a primary that slows down step by step under a light load. Not all requests go to all replicas, because a
  /// cluster under full load would then have to verify twice as many.
  std::chrono::microseconds doubtful_after{100'000};
  static constexpr std::uint64_t doubtful_factor = 4;
  /// A secret number. It makes the sample and the numbers of later sessions unpredictable. With 0, a random number is
  /// drawn.
  std::uint64_t sampling_seed = 0;
};

}  // namespace hypermesh
