#pragma once

#include <map>
#include <vector>

#include "actors/protocol/watermarks.hpp"
#include "messages/limits.hpp"
#include "messages/values.hpp"

namespace hypermesh {

/// A verified ordering message that came too early.
struct early_message {
  replica_id sender;
  message value;
};

/// Ordering messages for a view that this replica has not entered yet, or just above its H: the others were faster, and
/// without this everything that they sent meanwhile would have to be sent again (attack 22). Pure. Memory: for each
/// sender 2L votes and `body_bytes_max` of PRE-PREPAREs; what exceeds it is dropped and comes again by STATUS.
class look_ahead {
 public:
  static constexpr std::size_t body_bytes_max = 2 * limits::batch_bytes_max;

  look_ahead(std::uint32_t replicas, std::uint32_t window) : votes_max_(2 * std::size_t{window}), held_(replicas) {}

  /// False when there is no room.
  bool hold(replica_id sender, const statement& content, const message& value);

  /// Removes and returns what belongs to `view` inside `marks`, senders and sequences in order, and forgets what is
  /// past.
  [[nodiscard]] std::vector<early_message> take(view_number view, const watermarks& marks);

  [[nodiscard]] std::size_t size() const;

 private:
  struct place {
    view_number view;
    sequence_number sequence;
    message_kind kind;
    friend auto operator<=>(const place&, const place&) = default;
  };
  struct sender_share {
    std::map<place, message> messages;
    std::size_t body_bytes = 0;
  };

  std::size_t votes_max_;
  std::vector<sender_share> held_;
};

}  // namespace hypermesh
