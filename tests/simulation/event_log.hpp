#pragma once

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "actors/protocol/base/observations.hpp"
#include "actors/protocol/client/client_core.hpp"
#include "messages/digest.hpp"
#include "tests/support/simulated_network.hpp"

namespace hypermesh::testing {

/// Returns for example "0" for a replica, "0b" for its second machine, "c0" for a client.
[[nodiscard]] std::string short_name(endpoint machine);

/// The events of a run: a hash over every delivered frame, and the last events as lines. Equal seeds give equal hashes.
/// Memory: `kept_max` events.
class event_log {
 public:
  static constexpr std::size_t kept_max = 50;
  using line_sink = std::function<void(const std::string&)>;

  /// `trace` receives every event as a line; if it is empty, no lines are made.
  explicit event_log(line_sink trace) : trace_(std::move(trace)) {}

  void delivered(moment now, const frame_transit& transit);
  void observed(moment now, endpoint machine, const observation& what);
  void noted(moment now, std::string text);

  [[nodiscard]] std::uint64_t frames() const { return frames_; }
  [[nodiscard]] std::vector<std::string> last_lines() const;
  /// The hash of time, sender, receiver and bytes of every delivered frame. The call ends the log.
  [[nodiscard]] digest finish() { return hash_.finish(); }

 private:
  struct event {
    moment when;
    /// The text of a frame is made only when the lines are read.
    std::optional<frame_transit> transit;
    std::string text;
  };

  void keep(event happened);
  [[nodiscard]] static std::string line_of(const event& happened);

  hasher hash_{"simulation events"};
  std::deque<event> kept_;
  line_sink trace_;
  std::uint64_t frames_ = 0;
};

}  // namespace hypermesh::testing
