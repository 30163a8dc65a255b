#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "runtime/audit/audit_chain.hpp"
#include "runtime/audit/audit_files.hpp"

namespace hypermesh {

/// A place in a trail.
struct trail_spot {
  std::filesystem::path file;
  /// 0 means the head.
  std::uint64_t segment = 0;
  std::uint64_t offset = 0;
  /// Index of the entry that is or should be there.
  std::uint64_t index = 0;
};

/// The first place that is not as the node wrote it.
struct bad_place {
  trail_spot spot;
  std::string what;
};

/// Callbacks for the parts of a trail. A returned text is an objection and ends the walk.
struct trail_visitor {
  /// Called for each segment. `bytes` begin with the header.
  std::function<or_reason<void>(const segment_header& header, byte_span bytes)> on_segment;
  /// Called for each entry in the order of the chain. `before` is the position in front of the entry.
  std::function<or_reason<void>(const trail_spot& spot, const audit_entry& entry, const audit_event& event,
                                const chain_position& before)>
      on_entry;
};

/// The result of a walk through a trail, from its oldest existing segment.
struct audit_reader {
  /// The header of the oldest segment.
  std::optional<segment_header> first;
  std::uint64_t last_segment = 0;
  std::uint64_t bytes = 0;
  /// The position after the last entry.
  chain_position end;
  trail_spot end_spot;
  /// Size of an incomplete record after the last entry. It belongs to a write in progress, to a write that was
  /// interrupted, or to an edit that looks like one.
  std::uint64_t unfinished_bytes = 0;
  std::optional<bad_place> bad;
};

/// Reads all segments in order and checks everything that needs no key: each header, each record, the chain from the
/// first entry to the last, and that every payload is valid for its kind. An error means that a file could not be read.
/// Memory: one segment.
[[nodiscard]] or_error<audit_reader> walk_trail(const audit_folder& folder, const trail_visitor& visitor);

}  // namespace hypermesh
