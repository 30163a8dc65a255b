#pragma once

#include <memory>
#include <optional>

#include "runtime/audit/audit_files.hpp"
#include "runtime/audit/audit_trail.hpp"

namespace hypermesh {

/// The decoded sectors of a head file.
struct read_head {
  /// The newer one of the genuine sectors.
  std::optional<trail_head> newest;
  /// Both sectors are genuine and their turns follow each other.
  bool is_whole = false;
};

[[nodiscard]] read_head decode_heads(byte_span sectors, const trail_owner& owner, const authenticator& keys);

/// Opens the trail in `folder` for writing, or creates one if there is none. Reads the head and the newest segment:
///
/// - An incomplete end that an interrupted run left after the last seal is cut off, and the next entry records this.
/// - Any other difference to what the node wrote is an error. An operator who wants to continue moves the trail away.
[[nodiscard]] or_error<std::unique_ptr<audit_trail>> open_audit_trail(const audit_folder& folder,
                                                                      const trail_owner& owner,
                                                                      std::shared_ptr<const authenticator> keys,
                                                                      trail_settings settings, std::uint64_t time_us);

}  // namespace hypermesh
