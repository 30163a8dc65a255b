#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "actors/protocol/timestamp_window.hpp"
#include "messages/limits.hpp"
#include "messages/values.hpp"

namespace hypermesh {

/// What one client has pending at one replica, and what of it was executed. Pure. The guard's requests are a queue like
/// a client's, but their timestamps are names without an order: they are as old as they came, and none makes room for
/// another. Memory: what the `batch_builder` admits, and a timestamp window.
class client_queue {
 public:
  explicit client_queue(client_id owner) : is_of_guard_(owner == guard_client) {}

  [[nodiscard]] timestamp_window::standing standing_of(timestamp when) const;
  /// The pending one; null when there is none.
  [[nodiscard]] const request* find(timestamp when) const;
  [[nodiscard]] bool empty() const { return pending_.empty(); }
  [[nodiscard]] std::size_t size() const { return pending_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] bool has_waiting() const { return !waiting_.empty(); }
  /// The whole queue's, in bytes; a request weighs more than its own.
  [[nodiscard]] std::size_t weight() const { return bytes_ + size() * request_weight; }
  [[nodiscard]] static std::size_t weight_of(const request& value) { return bytes_of(value) + request_weight; }
  [[nodiscard]] static std::size_t bytes_of(const request& value) { return value.raw.view.size(); }

  /// It waits, behind those that its client sent before.
  void add(const request& value, microseconds_t now);
  /// Since when it is here; what was here before a view counts from its beginning.
  [[nodiscard]] microseconds_t since(timestamp when) const { return pending_.at(when).since; }
  /// The one to be proposed next, if any: of a client's the oldest, as it may depend on them in this order.
  [[nodiscard]] const request* next() const;
  /// `next()` is in a batch now.
  void propose_next();
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }
  /// What was proposed comes to nothing, and waits again.
  void propose_again(microseconds_t now);

  /// Of those that wait the one with the highest timestamp: it makes room when there is none. So of all that a client
  /// sends the oldest are kept, at every replica the same, in whatever order they come.
  [[nodiscard]] std::optional<timestamp> last_waiting() const;
  /// The pending one that its client waits for.
  [[nodiscard]] std::optional<timestamp> oldest() const;
  /// Somebody signed another request with this timestamp; false when that is known.
  bool note_contradicted(timestamp when) { return !std::exchange(pending_.at(when).is_contradicted, true); }
  [[nodiscard]] bool is_handed_on(timestamp when) const { return pending_.at(when).given_at.has_value(); }
  /// Its client sends it once more. Since when it did not; nothing the first time.
  [[nodiscard]] std::optional<microseconds_t> note_repeated(timestamp when, microseconds_t now) {
    return std::exchange(pending_.at(when).repeated_at, now);
  }
  /// It stays from now on; false when it was handed on before.
  bool note_handed_on(timestamp when, microseconds_t now);
  /// A pending one was executed: those before it that the primary was given before it came here are overtaken. A
  /// correct primary takes of each client the oldest first.
  void note_overtaking(timestamp by, microseconds_t now);
  /// Since when something is served before it that came later.
  [[nodiscard]] std::optional<microseconds_t> overtaken_at(timestamp when) const {
    return pending_.at(when).overtaken_at;
  }
  /// It is pending no more; whether it waited.
  bool remove(timestamp when);

  void on_executed(timestamp when);
  /// Everything through `floor` was executed, or never will be.
  void raise_floor_to(timestamp floor);
  /// Those at or below the floor.
  [[nodiscard]] std::vector<timestamp> fallen() const;

  /// All pending ones, the oldest first.
  [[nodiscard]] std::vector<const request*> all() const;

  /// Since when the oldest is the oldest; the builder's.
  microseconds_t waits_since = 0;

 private:
  static constexpr std::size_t request_weight = 512;

  struct pending_request {
    request content;
    bool proposed = false;
    std::uint64_t arrival = 0;
    microseconds_t since = 0;
    bool is_contradicted = false;
    microseconds_t arrived_at = 0;
    /// Since when the primary has it for sure.
    std::optional<microseconds_t> given_at = {};
    std::optional<microseconds_t> repeated_at = {};
    std::optional<microseconds_t> overtaken_at = {};
  };
  /// Where it stands among those that wait: a client's by their timestamps, cases as they came.
  using turn = std::pair<std::uint64_t, timestamp>;

  [[nodiscard]] turn turn_of(timestamp when, const pending_request& each) const {
    return {is_of_guard_ ? each.arrival : 0, when};
  }

  bool is_of_guard_;
  timestamp_window window_;
  /// Of the guard: names that were executed last.
  std::deque<timestamp> names_done_;
  std::map<timestamp, pending_request> pending_;
  std::size_t bytes_ = 0;
  std::uint64_t arrivals_ = 0;
  /// Not proposed yet, the next one first.
  std::set<turn> waiting_;
};

}  // namespace hypermesh
