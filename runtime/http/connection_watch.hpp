#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "runtime/http/event_stream.hpp"

namespace hypermesh::http {

/// Knows the open connections of the server and finds those that take too long. The HTTP library only limits the time
/// without a byte, so a client that sends one byte a second could hold its connection for hours ("slow loris").
/// Thread-safe, without sockets. Memory: one entry for each connection, whose number the server bounds.
class connection_watch {
 public:
  using clock = std::chrono::steady_clock;
  /// The library's name of a connection.
  using connection = const void*;

  explicit connection_watch(std::chrono::milliseconds patience) : patience_(patience) {}

  void note_opened(connection which, int descriptor, clock::time_point now);
  void note_closed(connection which);
  /// From now on the connection receives these events, and may stay open until the subscription is over.
  void note_stream(connection which, std::shared_ptr<const event_subscription> events);

  /// Calls `cut` with the descriptor of each connection that is late. A descriptor is valid during the call, because
  /// `note_closed` waits. A connection is late once.
  void cut_late(clock::time_point now, const std::function<void(int descriptor)>& cut);

  [[nodiscard]] std::size_t open() const;
  [[nodiscard]] std::uint64_t cut() const;

 private:
  struct entry {
    int descriptor = -1;
    clock::time_point opened_at;
    std::shared_ptr<const event_subscription> events = {};
    bool is_cut = false;
  };

  const std::chrono::milliseconds patience_;
  mutable std::mutex guard_;
  std::map<connection, entry> entries_;
  std::uint64_t cut_ = 0;
};

}  // namespace hypermesh::http
