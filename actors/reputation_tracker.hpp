#pragma once

#include <chrono>
#include <set>

#include "actors/interfaces.hpp"
#include "actors/protocol/trust_book.hpp"

namespace hypermesh {

/// The mailbox of `trust_book`, which it owns: tells the others whom to trust less, and the host what is known.
struct reputation_tracker_state {
  static inline const char* name = "reputation-tracker";
  /// How often local scores recover, and are told to the monitor.
  static constexpr std::chrono::seconds period{1};

  std::unique_ptr<trust_book> book;
  trust told;
  /// Whose reputation the monitor shows.
  std::set<std::size_t> shown;
  /// Whether the monitor knows of restrained clients.
  bool has_restrained = false;
  std::shared_ptr<const neighbours> with;
};

reputation_tracker_actor::behavior_type reputation_tracker(
    reputation_tracker_actor::stateful_pointer<reputation_tracker_state> self, const node_identity& identity);

}  // namespace hypermesh
