#include "runtime/links/link_error.hpp"

#include <array>

#include "messages/require.hpp"

namespace hypermesh::links {

namespace {

constexpr std::array<std::string_view, link_error_count> names = {
    "not_hypermesh",
    "wrong_version",
    "unexpected_bytes",
    "wrong_cluster",
    "unknown_principal",
    "wrong_responder",
    "other_replica",
    "wrong_direction",
    "bad_signature",
    "weak_key",
    "frame_too_short",
    "frame_too_long",
    "bad_frame",
    "truncated",
    "ended",
    "closed",
    "connect_failed",
    "handshake_timeout",
    "dead_link",
    "replaced",
    "too_many_connections",
    "too_many_client_links",
    "stopped",
};

static_assert(!names.back().empty(), "every reason has a name");

}  // namespace

std::string_view to_string(link_error reason) {
  const auto index = static_cast<std::size_t>(reason);
  require(index < names.size(), "a link error is one of the enumerators");
  return names[index];
}

}  // namespace hypermesh::links
