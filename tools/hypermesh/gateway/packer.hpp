#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "messages/time.hpp"
#include "tools/hypermesh/gateway/gateway_settings.hpp"

namespace hypermesh::cli {

/// Whose turn it is. Connections that have commands take turns, so that a long pipeline of one connection does not keep
/// the others waiting. Pure. Memory: one entry for each connection, and one for each that was closed while it waited.
class turn_queue {
 public:
  /// The connection has commands. It goes to the end, unless it waits already.
  void add(std::uint64_t connection, moment now) {
    if (waiting_.insert(connection).second) queue_.push_back({connection, now});
  }
  /// The connection whose turn it is; nothing if none has commands. It is added again if it still has some.
  [[nodiscard]] std::optional<std::uint64_t> take() { return take_if_since(moment::max()); }
  /// Like `take`, but only if the connection has waited since `then` or longer.
  [[nodiscard]] std::optional<std::uint64_t> take_if_since(moment then) {
    if (queue_.empty() || queue_.front().since > then) return std::nullopt;
    const auto first = queue_.front().connection;
    queue_.pop_front();
    waiting_.erase(first);
    return first;
  }

 private:
  struct turn {
    std::uint64_t connection = 0;
    moment since;
  };

  std::deque<turn> queue_;
  std::unordered_set<std::uint64_t> waiting_;
};

/// Expects the size of the next reply to a command from the earlier replies to this command. Pure. The first reply is
/// expected to have the largest size. The expectation grows at once and falls slowly. It can be wrong, and then the
/// machine does not execute the operation (`gateway_core`). Memory: one number for each command of the catalogue.
class reply_estimate {
 public:
  static constexpr std::size_t bytes_min = 64;
  /// One part in this many of an expectation is forgotten with each reply.
  static constexpr std::size_t memory = 64;

  [[nodiscard]] std::size_t of(const std::string& name) const;
  void note(const std::string& name, std::size_t bytes);
  /// A reply to this command did not fit its bundle.
  void note_too_large(const std::string& name) { sizes_[name] = limits::result_bytes_max; }

 private:
  std::unordered_map<std::string, std::size_t> sizes_;
};

/// An operation that was given to the consensus client.
struct packed_operation {
  std::uint64_t connection = 0;
  std::uint64_t reply = 0;
  std::size_t part = 0;
  std::string name;
  bool is_read_only = false;
  bool returns_data = false;
  /// Its connection sends nothing more before its result.
  bool is_awaited = false;
  /// It is a linearizable read that is not ordered.
  bool is_unordered = false;
  moment sent_at;
  /// The cluster did not have its reply any more, so it was asked again. This happens once.
  bool was_dropped = false;
  /// Bytes of the operation, and the expected bytes of its reply.
  std::size_t bytes = 0;
  std::size_t reply_bytes = 0;
  /// The operation itself, if its reply may be large. It is sent again if its reply had no room in its bundle.
  byte_vector copy = {};
};

/// The operations of all connections in flight. Pure. The consensus client packs operations that wait into bundles with
/// one signature, in the order in which it gets them. The packer decides how many may be under way: enough for full
/// bundles, and so few that the replies of any bundle fit. Memory: the bounds of `gateway_settings`.
class packer {
 public:
  explicit packer(const gateway_settings& settings) : settings_(&settings) {}

  /// Whether one more operation may be sent. If nothing is in flight, any operation may.
  [[nodiscard]] bool has_room() const;
  /// Counts an operation as in flight. Returns its token.
  std::uint64_t add(packed_operation operation);
  /// The operation of this token, which is no longer in flight.
  [[nodiscard]] packed_operation take(std::uint64_t token);

  [[nodiscard]] std::size_t expected_reply_of(const std::string& name) const { return estimate_.of(name); }
  void note_reply(const std::string& name, std::size_t bytes) { estimate_.note(name, bytes); }
  void note_too_large(const std::string& name) { estimate_.note_too_large(name); }

  [[nodiscard]] std::size_t operations() const { return flying_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  const gateway_settings* settings_;
  std::unordered_map<std::uint64_t, packed_operation> flying_;
  std::uint64_t next_ = 1;
  std::size_t bytes_ = 0;
  std::size_t reply_bytes_ = 0;
  reply_estimate estimate_;
};

}  // namespace hypermesh::cli
