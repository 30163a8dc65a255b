#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "runtime/audit/audit_chain.hpp"
#include "runtime/audit/audit_files.hpp"

namespace hypermesh::audit {

/// A place in a trail.
struct trail_spot {
  std::filesystem::path file;
  /// The number of the segment; 0 means the head.
  std::uint64_t segment = 0;
  std::uint64_t offset = 0;
  /// Index of the entry that is at this place or is missing there.
  std::uint64_t index = 0;
};

/// The first place that differs from the bytes that the node wrote.
struct bad_place {
  trail_spot spot;
  std::string what;
};

/// Callbacks for the parts of a trail. If a callback returns a text, this objection ends the walk.
struct trail_visitor {
  /// Called for each segment. `bytes` begin with the header.
  std::function<or_reason<void>(const segment_header& header, byte_span bytes)> on_segment;
  /// Called for each entry in the order of the chain. `before` is the chain position before the entry.
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
  /// Size of an incomplete record after the last entry. Such a record is left by a write in progress, an interrupted
  /// write, or an edit that looks like an interrupted write.
  std::uint64_t unfinished_bytes = 0;
  std::optional<bad_place> bad;
};

/// Reads all segments in order and checks everything that needs no key: each header, each record, the chain from the
/// first entry to the last, and that every payload is valid for its kind. An error means that a file could not be read.
/// Memory: the size of one segment.
[[nodiscard]] or_error<audit_reader> walk_trail(const audit_folder& folder, const trail_visitor& visitor);

}  // namespace hypermesh::audit
