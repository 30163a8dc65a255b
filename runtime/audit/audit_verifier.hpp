#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "actors/protocol/base/cluster.hpp"
#include "runtime/audit/audit_reader.hpp"

namespace hypermesh {

/// A seal with a genuine signature.
struct found_seal {
  std::uint64_t index = 0;
  std::uint64_t time_us = 0;
  sequence_number checkpoint;
  /// The chain's hash after the seal. A person who wrote it down can detect a rewritten trail, even one that was sealed
  /// again.
  digest hash;
};

/// Two conflicting signed statements of one replica, or two commit certificates for one sequence number. The trail that
/// holds them is sound. It proves that the replica was faulty, or for certificates that more than f replicas were.
struct found_contradiction {
  /// Empty for certificates.
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
  /// Entries that the node itself reports as missing.
  std::uint64_t entries_lost = 0;
  std::uint64_t signatures_checked = 0;
  /// A node is writing the trail at this moment, so its end may be incomplete.
  bool is_live = false;

  [[nodiscard]] bool is_sound() const { return !walk.bad; }
  /// Number of entries after the last seal. Their chain is intact, but no signature covers it.
  [[nodiscard]] std::uint64_t unsealed() const {
    return seals.empty() ? walk.end.next_index - (walk.first ? walk.first->start.next_index : 0)
                         : walk.end.next_index - seals.back().index - 1;
  }
};

/// Which signatures inside of entries are checked.
enum class statement_checks {
  all,
  /// Only the signatures of the trail itself. This is fast and detects every change made without the node's key.
  none,
};

/// Verifies a whole trail with nothing but the genesis file. Checks what `walk_trail` checks, the head, each header and
/// seal, and that every certificate and statement proves what its entry claims. Contradictions are searched among
/// sequence numbers that no stable checkpoint covers yet, so memory stays bounded. An error means that a file could not
/// be read.
[[nodiscard]] or_error<trail_verdict> verify_trail(const audit_folder& folder, const cluster_parameters& cluster,
                                                   const authenticator& keys, statement_checks checks);

}  // namespace hypermesh
