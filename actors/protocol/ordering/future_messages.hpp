#pragma once

#include <map>
#include <optional>
#include <vector>

#include "actors/protocol/base/watermarks.hpp"
#include "messages/limits.hpp"
#include "messages/values.hpp"

namespace hypermesh::protocol {

/// A verified ordering message that came too early.
struct early_message {
  replica_id sender;
  message value;
  /// For a PRE-PREPARE: its lateness when it arrived (`time_check::lateness_of`).
  std::optional<duration> lateness;
};

/// Ordering messages for a view that this replica has not entered yet, or just above its H. When other replicas enter a
/// view or move their watermarks first, their messages arrive early. Without this buffer all these messages would have
/// to be sent again (attack 22). Pure. Memory: 2L messages and `body_bytes_max` of PRE-PREPAREs for each sender; a
/// message beyond that is dropped and sent again after a STATUS.
class future_messages {
 public:
  static constexpr std::size_t body_bytes_max = 2 * limits::batch_bytes_max;

  future_messages(std::uint32_t replicas, std::uint32_t window)
      : votes_max_(2 * std::size_t{window}), held_(replicas) {}

  /// Keeps the message. False if the share of its sender is full.
  bool hold(replica_id sender, const statement& content, const message& value, std::optional<duration> lateness);

  /// Removes and returns the messages of `view` inside `marks`, ordered by sender and then by sequence number, and
  /// drops messages that are past.
  [[nodiscard]] std::vector<early_message> drain(view_number view, const watermarks& marks);

  /// The number of messages that are kept, for tests.
  [[nodiscard]] std::size_t size() const;

 private:
  struct place {
    view_number view;
    sequence_number sequence;
    message_kind kind;
    friend auto operator<=>(const place&, const place&) = default;
  };
  struct sender_share {
    std::map<place, early_message> messages;
    std::size_t body_bytes = 0;
  };

  std::size_t votes_max_;
  std::vector<sender_share> held_;
};

}  // namespace hypermesh::protocol
