#pragma once

#include <functional>
#include <optional>
#include <string>

#include "messages/types.hpp"
#include "runtime/links/link_error.hpp"

namespace hypermesh {

/// Who a dialing node says it is, and whom it wants to reach. Nothing of it is proven.
struct hello_claim {
  std::optional<principal> initiator;
  std::optional<principal> responder;
};

/// Something that happened to a link and that an operator may want to know.
struct link_event {
  enum class what {
    /// The authenticated link is up.
    up,
    /// It is down, for `reason`.
    down,
    /// An attempt to dial `remote` failed.
    dial_failed,
    /// An accepted connection was closed before it had proven who it is.
    refused,
  };
  what happened = what::up;
  /// The other side; of a refused connection nothing, because nothing is proven.
  std::optional<principal> remote;
  /// Of the other side: host and port where this node dials, the host of an accepted connection; may be empty.
  std::string address;
  link_error reason = link_error::stopped;
  /// Of a refused connection, as far as it came.
  hello_claim claim;
};

/// Called on the thread of the links, which it must not hold up.
using link_event_handler = std::function<void(const link_event&)>;

}  // namespace hypermesh
