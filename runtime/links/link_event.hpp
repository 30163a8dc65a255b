#pragma once

#include <functional>
#include <optional>
#include <string>

#include "messages/types.hpp"
#include "runtime/links/link_error.hpp"

namespace hypermesh::links {

/// The principals in the HELLO of a dialing node: the node itself, and the node that it wants to reach. Neither is
/// proven.
struct hello_claim {
  std::optional<principal> initiator;
  std::optional<principal> responder;
};

/// An event of a link, for the log of an operator.
struct link_event {
  enum class what {
    /// The authenticated link is up.
    up,
    /// The link is down, for `reason`.
    down,
    /// An attempt to dial `remote` failed.
    dial_failed,
    /// An accepted connection was closed before it became a link.
    refused,
  };
  what happened = what::up;
  /// The remote node; nothing for a refused connection, because its claim is usually not proven.
  std::optional<principal> remote;
  /// Host and port of a replica, as the genesis lists them, or the host of a refused connection. Empty for a client's
  /// session.
  std::string address;
  link_error reason = link_error::stopped;
  /// The principals that a refused connection claimed, if its HELLO was read.
  hello_claim claim;
  /// The `errno` of a dial that failed with `connect_failed`; 0 if the system gave none.
  int system_error = 0;
};

/// Called on the thread of the links. The handler must not block this thread.
using link_event_handler = std::function<void(const link_event&)>;

}  // namespace hypermesh::links
