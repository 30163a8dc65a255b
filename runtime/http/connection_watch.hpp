#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "runtime/http/event_stream.hpp"

namespace hypermesh::http {

/// Knows the open connections of the server and finds those that should be closed, because the HTTP library keeps two
/// kinds of them. It only limits the time without a byte, so a client that sends one byte a second could hold its
/// connection for hours ("slow loris"). And it does not notice that a client has left if the end of the connection
/// arrives together with the last bytes, so a client could hold connections that cost it nothing.
///
/// Thread-safe, without sockets. Memory: one entry for each connection, whose number the server bounds.
class connection_watch {
 public:
  using clock = std::chrono::steady_clock;
  /// The library's name of a connection.
  using connection = const void*;

  explicit connection_watch(std::chrono::milliseconds patience) : patience_(patience) {}

  void note_opened(connection which, int descriptor, clock::time_point now);
  /// Returns whether the connection had brought a whole request.
  bool note_closed(connection which);
  /// The request of the connection is whole, so its answer is on the way. A client that only ends its own direction
  /// still gets the answer.
  void note_request(connection which);
  /// From now on the connection receives these events, and may stay open until the subscription is over.
  void note_stream(connection which, std::shared_ptr<const event_subscription> events);

  /// Calls `cut` once with the descriptor of each connection that is late, or that the client has left without a whole
  /// request. `is_left` says whether the client has left. A descriptor is valid during the calls, because `note_closed`
  /// waits.
  void cut_useless(clock::time_point now, const std::function<bool(int descriptor)>& is_left,
                   const std::function<void(int descriptor)>& cut);

  [[nodiscard]] std::size_t open() const;
  /// The number of late connections that were cut.
  [[nodiscard]] std::uint64_t late() const;

 private:
  struct entry {
    int descriptor = -1;
    clock::time_point opened_at;
    std::shared_ptr<const event_subscription> events = {};
    bool has_request = false;
    bool is_cut = false;
  };

  const std::chrono::milliseconds patience_;
  mutable std::mutex guard_;
  std::map<connection, entry> entries_;
  std::uint64_t late_ = 0;
};

}  // namespace hypermesh::http
