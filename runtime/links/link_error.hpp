#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hypermesh {

/// Why a link was refused or ended. Each reason has its own counter, so that an operator can tell a bad network, a
/// wrong configuration and an attack apart.
enum class link_error : std::uint8_t {
  // Handshake: the bytes.
  /// The first bytes are not those of a HyperMesh link.
  not_hypermesh,
  wrong_version,
  /// Bytes where none are allowed: more than the fixed-size message, or after the last one.
  unexpected_bytes,
  // Handshake: the principals.
  wrong_cluster,
  unknown_principal,
  /// HELLO names another responder.
  wrong_responder,
  /// Another replica than the dialed one proved to be at this address.
  other_replica,
  /// This principal may not dial that one; also a node that dials itself.
  wrong_direction,
  bad_signature,
  /// An ephemeral key of small order: the shared secret would be known to everybody.
  weak_key,
  // Channel.
  frame_too_short,
  frame_too_long,
  /// A frame is not authentic: it was changed, reordered, repeated or forged.
  bad_frame,
  // Connection.
  /// The bytes ended in the middle of a message or frame.
  truncated,
  /// The remote node sent the good-bye.
  ended,
  /// The connection was closed between two frames without a good-bye.
  closed,
  connect_failed,
  handshake_timeout,
  dead_link,
  /// A newer authenticated connection took over.
  replaced,
  too_many_connections,
  too_many_sessions,
  /// This node closed it.
  stopped,
};

inline constexpr auto link_error_last = link_error::stopped;
inline constexpr std::size_t link_error_count = static_cast<std::size_t>(link_error_last) + 1;

/// snake_case name, also of the counter.
[[nodiscard]] std::string_view to_string(link_error reason);

}  // namespace hypermesh
