#pragma once

#include <cstdint>
#include <optional>

#include <hypermesh/caf/messages.hpp>

#include "actors/interfaces.hpp"
#include "runtime/audit/auditor.hpp"

/// The messages of the host's actors to themselves. Nobody else can send them, because CAF cannot serialise them.
namespace hypermesh::host {

/// There may be news in the feed, or a request has waited long enough (feed and actor to `consensus`).
struct look_again {
  /// The moment of the timer that sends this message; nothing for news.
  std::optional<moment> timer = {};
};

/// Answer the requests that wait, and end (module to `consensus` and `client`).
struct end_host_actor {};

/// The client has the outcome of an operation (client to `client`).
struct operation_finished {
  std::uint64_t token = 0;
  submit_outcome result;
};

}  // namespace hypermesh::host

// clang-format off
#define HYPERMESH_HOST_INNER_MESSAGES(add, block) \
  add(block, host::look_again)                    \
  add(block, host::end_host_actor)                \
  add(block, host::operation_finished)
// clang-format on

HYPERMESH_REGISTER_MESSAGES(hypermesh_host_inner, first_custom_type_id + 500, HYPERMESH_HOST_INNER_MESSAGES)
static_assert(caf::id_block::hypermesh_audit::end <= caf::id_block::hypermesh_host::begin);
static_assert(caf::id_block::hypermesh_host::end <= caf::id_block::hypermesh_host_inner::begin);
