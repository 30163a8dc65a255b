#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hypermesh::links {

/// The reason why a link was refused or ended. Each reason has its own counter. So an operator can distinguish a bad
/// network, a wrong configuration and an attack.
enum class link_error : std::uint8_t {
  // Errors in the bytes of the handshake.
  /// The first bytes do not begin a HyperMesh link.
  not_hypermesh,
  wrong_version,
  /// Bytes arrived where none are allowed: more than the fixed-size message, or after the last message.
  unexpected_bytes,
  // Errors of the principals in the handshake.
  wrong_cluster,
  unknown_principal,
  /// HELLO names another replica as responder.
  wrong_responder,
  /// At this address, another replica than the dialed replica proved its identity.
  other_replica,
  /// The initiator may not dial this responder, or a node dialed itself.
  wrong_direction,
  bad_signature,
  /// The ephemeral key has small order, so every observer could compute the shared secret.
  weak_key,
  // Errors of the secure channel.
  frame_too_short,
  frame_too_long,
  /// A frame is not authentic, because it was changed, reordered, repeated or forged.
  bad_frame,
  // Ends of the connection.
  /// The bytes ended in the middle of a message or frame.
  truncated,
  /// The remote node sent the good-bye.
  ended,
  /// The connection was closed between two frames without a good-bye.
  closed,
  connect_failed,
  handshake_timeout,
  dead_link,
  /// A newer authenticated connection of the same remote node replaced this connection.
  replaced,
  too_many_connections,
  too_many_client_links,
  /// This node closed the link because it stops.
  stopped,
};

inline constexpr auto link_error_last = link_error::stopped;
inline constexpr std::size_t link_error_count = static_cast<std::size_t>(link_error_last) + 1;

/// The name of the reason in snake_case. The counter has the same name.
[[nodiscard]] std::string_view to_string(link_error reason);

}  // namespace hypermesh::links
