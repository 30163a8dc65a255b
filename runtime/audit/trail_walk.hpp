#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "runtime/audit/audit_chain.hpp"
#include "runtime/audit/audit_files.hpp"

namespace hypermesh {

/// Where in a trail something stands.
struct trail_spot {
  std::filesystem::path file;
  /// 0 for the head.
  std::uint64_t segment = 0;
  std::uint64_t offset = 0;
  /// Of the entry that stands or should stand there.
  std::uint64_t index = 0;
};

/// The first thing that is not as the node wrote it.
struct bad_place {
  trail_spot spot;
  std::string what;
};

/// What is met on the way through a trail. A text objects, and ends the way.
struct trail_visitor {
  /// Each segment; `bytes` begin with the header.
  std::function<std::optional<std::string>(const segment_header& header, byte_span bytes)> on_segment;
  /// Each entry in the order of the chain, which stood at `before`.
  std::function<std::optional<std::string>(const trail_spot& spot, const audit_entry& entry, const audit_event& event,
                                           const chain_position& before)>
      on_entry;
};

/// The way through a trail, from the oldest segment that is there.
struct trail_walk {
  /// Of the oldest segment.
  std::optional<segment_header> first;
  std::uint64_t last_segment = 0;
  std::uint64_t bytes = 0;
  /// Behind the last entry.
  chain_position end;
  trail_spot end_spot;
  /// Behind the last entry stands a record that is not finished: of a write under way, of one that was interrupted, or
  /// of an edit that looks like one.
  std::uint64_t unfinished_bytes = 0;
  std::optional<bad_place> bad;
};

/// Reads all segments in order and checks everything that needs no key: each header, each record, the chain from the
/// first to the last, and that every payload is what its kind says. The error is the world's: a file that cannot be
/// read. Memory: one segment.
[[nodiscard]] or_error<trail_walk> walk_trail(const audit_folder& folder, const trail_visitor& visitor);

}  // namespace hypermesh
