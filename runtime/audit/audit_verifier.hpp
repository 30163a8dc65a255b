#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "actors/protocol/cluster.hpp"
#include "runtime/audit/trail_walk.hpp"

namespace hypermesh {

/// A seal that was found genuine.
struct found_seal {
  std::uint64_t index = 0;
  std::uint64_t time_us = 0;
  sequence_number checkpoint;
  /// After the seal: whoever notes it down can tell a rewritten trail, even one that was sealed again.
  digest hash;
};

/// Two signed statements of one replica that exclude each other, or two commit certificates for one sequence. The trail
/// that holds them is sound: it proves that the replica, or more than f of them, was faulty.
struct found_contradiction {
  /// Nobody for certificates.
  std::optional<replica_id> replica;
  message_kind kind = message_kind::commit;
  view_number view;
  sequence_number sequence;
  /// The entries that hold them.
  std::uint64_t first_index = 0;
  std::uint64_t second_index = 0;
};

/// The verdict about a trail.
struct trail_verdict {
  trail_walk walk;
  std::optional<trail_head> head;
  std::vector<found_seal> seals;
  std::vector<found_contradiction> contradictions;
  std::map<audit_kind, std::uint64_t> entries_by_kind;
  /// That the node itself says are missing.
  std::uint64_t entries_lost = 0;
  std::uint64_t signatures_checked = 0;
  /// A node is writing it at this moment, so its end may be unfinished.
  bool is_live = false;

  [[nodiscard]] bool is_sound() const { return !walk.bad; }
  /// Behind the last seal the chain is whole, but nobody signed it.
  [[nodiscard]] std::uint64_t unsealed() const {
    return seals.empty() ? walk.end.next_index - (walk.first ? walk.first->start.next_index : 0)
                         : walk.end.next_index - seals.back().index - 1;
  }
};

/// What is checked of the signatures inside of entries.
enum class statement_checks {
  all,
  /// The trail's own only: fast, and enough to find every change that was made without the node's key.
  none,
};

/// Checks a whole trail with nothing but the genesis file: what `walk_trail` checks, the head, each header and seal,
/// and that every certificate and statement in it proves what its entry says. Contradictions are looked for among
/// sequences that no stable checkpoint covers yet, so memory stays bounded. The error is the world's.
[[nodiscard]] or_error<trail_verdict> verify_trail(const audit_folder& folder, const cluster_parameters& cluster,
                                                   const authenticator& keys, statement_checks checks);

}  // namespace hypermesh
