#pragma once

#include <cstdint>

#include "messages/types.hpp"

namespace hypermesh::protocol {

/// The position of the replica in the protocol, as far as the ingress needs it to filter messages.
struct replica_position {
  view_number view;
  /// Whether the view is entered.
  bool active = true;
  /// Every sequence through here is stable, or committed in the view.
  sequence_number decided;
  sequence_number stable;
  /// H.
  sequence_number high;
  /// How many times a wrong state was repaired. While its state is wrong, the replica drops all messages (attack 27),
  /// so the filter has to pass copies of them after the repair.
  std::uint64_t repairs = 0;

  friend bool operator==(const replica_position&, const replica_position&) = default;
};

}  // namespace hypermesh::protocol
