#pragma once

#include "actors/interfaces.hpp"

namespace hypermesh {

/// The single writer of the node's stable storage. Records are durable before the frames that depend on
/// them are handed to the links (attack 9). After a failed write the node does not know what it has promised,
/// so nothing is sent any more.
struct journal_state {
  static inline const char* name = "journal";

  node_identity identity;
  std::shared_ptr<stable_storage> storage;
  std::shared_ptr<const neighbours> with;
  bool failed = false;
};

journal_actor::behavior_type journal(journal_actor::stateful_pointer<journal_state> self, node_identity identity,
                                     std::shared_ptr<stable_storage> storage);

}  // namespace hypermesh
