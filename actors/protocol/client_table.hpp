#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/ports.hpp"
#include "actors/protocol/timestamp_window.hpp"
#include "messages/values.hpp"

namespace hypermesh {

/// The replies of recent requests, which make execution exactly-once (§4.2: "Replicas discard
/// requests whose timestamp is lower than the timestamp in the last reply they sent to the
/// client to guarantee exactly-once semantics"). Pure, deterministic, and part of the checkpointed
/// state: two replicas with another table would answer a retransmission differently (attack 25).
/// Memory: for each client `requests_in_flight_max` replies of together `cached_bytes_max` bytes.
class client_table {
 public:
  /// Bytes of results that are kept for one client; above it the oldest are replaced by `result_too_large`. The
  /// requests stay done: a client never loses one that is under way to the size of others.
  static constexpr std::size_t cached_bytes_max = 2 * limits::reply_bytes_max;

  using shared_outcome = std::shared_ptr<const request_outcome>;

  [[nodiscard]] timestamp_window::standing standing_of(request_id id) const;

  /// The cached reply of a request that is done.
  [[nodiscard]] shared_outcome outcome_of(request_id id) const;

  /// Records the outcome of a fresh request.
  void record(request_id id, shared_outcome outcome);

  /// What is done, for rebuilding admission after a transfer: for each client in order the largest past
  /// timestamp, which may be 0, then its cached requests.
  [[nodiscard]] std::vector<request_id> done_ids() const;

  /// The table as chunks, clients in order. Unchanged clients share their chunks with the last call.
  [[nodiscard]] state_snapshot snapshot();

  /// Replaces the table by the one in `chunks`; an error text leaves it unchanged.
  [[nodiscard]] std::optional<std::string> restore(std::span<const state_chunk> chunks);

 private:
  struct client_entry {
    timestamp_window window;
    std::map<timestamp, shared_outcome> outcomes;
    std::size_t cached_bytes = 0;
    /// Empty when the entry changed since the last snapshot.
    std::vector<state_chunk> chunks;
  };

  static void drop_past(client_entry& of);
  static void drop_results(client_entry& of);
  static std::size_t cost_of(const request_outcome& outcome);

  std::map<client_id, client_entry> entries_;
};

}  // namespace hypermesh
