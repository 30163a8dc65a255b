#pragma once

#include <memory>
#include <optional>

#include "runtime/audit/audit_files.hpp"
#include "runtime/audit/audit_trail.hpp"

namespace hypermesh {

/// The sectors of a head file.
struct read_head {
  /// The newer one that is genuine.
  std::optional<trail_head> newest;
  /// Both are genuine and follow each other.
  bool is_whole = false;
};

[[nodiscard]] read_head decode_heads(byte_span sectors, const trail_owner& owner, const authenticator& keys);

/// Opens the trail in `folder` for writing, or begins one where nothing is. Looks at the head and the newest segment:
///
/// - What an interrupted run left unfinished behind the last seal is cut away, and the trail's next entry says so.
/// - Everything else that is not as it was written is refused: whoever wants to go on moves the trail away.
[[nodiscard]] or_error<std::unique_ptr<audit_trail>> open_audit_trail(const audit_folder& folder,
                                                                      const trail_owner& owner,
                                                                      std::shared_ptr<const authenticator> keys,
                                                                      trail_settings settings, std::uint64_t time_us);

}  // namespace hypermesh
