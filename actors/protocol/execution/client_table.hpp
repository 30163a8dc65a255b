#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/ports.hpp"
#include "actors/protocol/execution/client_sessions.hpp"
#include "messages/byte_codec.hpp"
#include "messages/values.hpp"

namespace hypermesh::protocol {

/// The replies of recent requests, which make execution exactly-once (§4.2: "Replicas discard
/// requests whose timestamp is lower than the timestamp in the last reply they sent to the
/// client to guarantee exactly-once semantics"). Pure, deterministic, and part of the checkpointed
/// state, because replicas with different tables would answer a retransmission differently (attack 25).
/// Memory: for each session `requests_in_flight_max` entries of 64 bytes and replies of `session_bytes_max` bytes in
/// all; for all sessions of a client together replies of `client_bytes_max` bytes.
class client_table {
 public:
  /// Bytes of replies that are kept for one session. Above this bound the oldest replies are dropped, and a client that
  /// asks for a dropped reply gets `result_too_large`. The requests stay done, whatever the size of their replies.
  static constexpr std::size_t session_bytes_max = 2 * limits::reply_bytes_max;
  /// The same for all sessions of one client. Replies of the least recently used session are dropped first.
  static constexpr std::size_t client_bytes_max = 4 * session_bytes_max;

  using shared_outcome = std::shared_ptr<const request_outcome>;

  /// An outcome and the digest of the request that it answers. A different request with the same id has no answer.
  struct answered {
    digest request;
    shared_outcome outcome;
  };

  [[nodiscard]] request_standing standing_of(request_id id) const;

  /// The cached reply of a request that is done.
  [[nodiscard]] answered answer_of(request_id id) const;
  /// The digest of the request that opened an open session; nothing for session 0.
  [[nodiscard]] std::optional<digest> opening_of(client_id client, session_id session) const;
  /// A session number above which no session of this client has ended.
  [[nodiscard]] session_id fresh_above(client_id client) const;

  /// Opens the session of a fresh opening request. Returns the outcome of this request.
  shared_outcome open(const request_reference& opening, session_mode mode);
  /// Records the outcome of a fresh request.
  void record(const request_reference& done, shared_outcome outcome);

  /// The sessions of all clients, from which the request pool starts after a transfer.
  [[nodiscard]] sessions_by_client sessions() const;

  /// The table as chunks, in the order of the clients. The first chunk of each client has all its small sessions; the
  /// chunks of its large sessions follow. Clients and sessions that did not change share their chunks with the last
  /// call. There is at most one chunk for each client and one for each `own_chunks_min` bytes, so that any number of
  /// small sessions cannot use up `state_chunks_max`.
  [[nodiscard]] state_snapshot snapshot();

  /// Replaces the table by the one in `chunks`. An error leaves the table unchanged.
  [[nodiscard]] or_reason<void> restore(std::span<const state_chunk> chunks);

 private:
  /// Sessions from this size on have chunks of their own.
  static constexpr std::size_t own_chunks_min = limits::state_chunk_bytes_max / 4;

  /// The reply to a request. The outcome is null when it was dropped.
  struct kept_reply {
    digest request;
    shared_outcome outcome;
    std::uint32_t operations = 0;
  };
  /// The replies of one open session.
  struct session_entry {
    digest opening;
    std::map<timestamp, kept_reply> replies;
    std::size_t cached_bytes = 0;
    /// The chunks of a large session; empty when it changed since the last snapshot.
    std::vector<state_chunk> chunks;
  };
  struct client_entry {
    client_sessions sessions;
    std::map<session_id, session_entry> replies;
    /// Bytes of the cached replies of all its sessions.
    std::size_t cached_bytes = 0;
    /// The chunks of the client and its small sessions; empty when any session of it changed since the last snapshot.
    std::vector<state_chunk> chunks;
  };

  static void drop_past(session_entry& of, timestamp floor);
  static void drop_replies(session_entry& of, std::size_t bytes_max);
  static void drop_replies(client_entry& of);
  static void make_chunks(client_id client, client_entry& entry);
  static byte_vector written(const session_entry& entry, session_id session, const client_sessions& sessions);
  static or_reason<void> read_client(byte_reader& in, client_entry& into);
  static or_reason<void> read_session(byte_reader& in, session_entry& into, client_sessions::open_session& window);

  std::map<client_id, client_entry> entries_;
};

}  // namespace hypermesh::protocol
