#pragma once

#include <memory>
#include <optional>

#include "runtime/audit/audit_files.hpp"
#include "runtime/audit/audit_trail.hpp"

namespace hypermesh::audit {

/// The decoded sectors of a head file.
struct read_head {
  /// The genuine sector with the higher turn.
  std::optional<trail_head> newest;
  /// Both sectors are genuine and their turns are consecutive.
  bool is_whole = false;
};

[[nodiscard]] read_head decode_heads(byte_span sectors, const trail_owner& owner, const authenticator& keys);

/// Opens the trail in `folder` for writing, or creates a trail if there is none. Reads the head and the newest segment:
///
/// - If an interrupted run left an incomplete end after the last seal, that end is cut off. The next entry records
///   this.
/// - Any other difference to what the node wrote is an error. An operator who wants to continue moves the trail away.
[[nodiscard]] or_error<std::unique_ptr<audit_trail>> open_audit_trail(const audit_folder& folder,
                                                                      const trail_owner& owner,
                                                                      std::shared_ptr<const authenticator> keys,
                                                                      trail_settings settings, std::uint64_t time_us);

}  // namespace hypermesh::audit
