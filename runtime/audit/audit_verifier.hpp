#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "actors/protocol/base/cluster.hpp"
#include "runtime/audit/audit_reader.hpp"

namespace hypermesh::audit {

/// A seal with a genuine signature.
struct found_seal {
  std::uint64_t index = 0;
  std::uint64_t time_us = 0;
  sequence_number checkpoint;
  /// The chain's hash after the seal. A person who wrote this hash down can detect a rewritten trail, even if the owner
  /// sealed the new trail again.
  digest hash;
};

/// Two conflicting signed statements of one replica, or two commit certificates for one sequence number. The trail
/// itself is sound. Conflicting statements prove that the replica was faulty; conflicting certificates prove that more
/// than f replicas were faulty.
struct found_contradiction {
  /// The replica that signed both statements; empty for certificates.
  std::optional<replica_id> replica;
  message_kind kind = message_kind::commit;
  view_number view;
  sequence_number sequence;
  /// Indexes of the two entries.
  std::uint64_t first_index = 0;
  std::uint64_t second_index = 0;
};

/// The result of verifying a trail.
struct trail_verdict {
  audit_reader walk;
  std::optional<trail_head> head;
  std::vector<found_seal> seals;
  std::vector<found_contradiction> contradictions;
  std::map<audit_kind, std::uint64_t> entries_by_kind;
  /// The number of entries that the node itself reports as missing.
  std::uint64_t entries_lost = 0;
  std::uint64_t signatures_checked = 0;
  /// A node is writing the trail at this moment, so the end of the trail may be incomplete.
  bool is_live = false;

  [[nodiscard]] bool is_sound() const { return !walk.bad; }
  /// Number of entries after the last seal. Their chain is intact, but no signature covers it.
  [[nodiscard]] std::uint64_t unsealed() const {
    return seals.empty() ? walk.end.next_index - (walk.first ? walk.first->start.next_index : 0)
                         : walk.end.next_index - seals.back().index - 1;
  }
};

/// Selects which signatures inside of entries are checked.
enum class statement_checks {
  all,
  /// Checks only the signatures of the trail itself. This is fast and detects every change made without the node's key.
  none,
};

/// Verifies a whole trail with only the genesis file. Makes the checks of `walk_trail` and verifies the head, each
/// header and each seal. Also verifies that every certificate and statement proves its entry. Only sequence numbers
/// above the newest stable checkpoint are searched for contradictions, so memory stays bounded. An error means that a
/// file could not be read.
[[nodiscard]] or_error<trail_verdict> verify_trail(const audit_folder& folder, const cluster_parameters& cluster,
                                                   const authenticator& keys, statement_checks checks);

}  // namespace hypermesh::audit
