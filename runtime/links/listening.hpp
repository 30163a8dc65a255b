#pragma once

#include <variant>

#include "actors/ports.hpp"
#include "runtime/durable_file.hpp"
#include "runtime/links/address.hpp"

/// The socket that a replica listens on. Not CAF's own, which listens on one family only where all are wanted, and
/// keeps the reason to itself when it fails.
namespace hypermesh {

/// Listens on `address`: with an empty host on every address of the machine, IPv4 and IPv6; on "0.0.0.0" and "::" on
/// all of that one family; of a name on the first of its addresses that this machine has. Port 0: the system chooses.
/// Looks a name up and blocks while doing so. The error says which of name, address, port or privilege is wrong.
[[nodiscard]] std::variant<open_file, world_error> open_listening_socket(const replica_address& address);

}  // namespace hypermesh
