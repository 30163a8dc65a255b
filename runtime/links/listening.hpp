#pragma once

#include "actors/ports.hpp"
#include "runtime/base/durable_file.hpp"
#include "runtime/links/address.hpp"

/// The socket that a replica listens on. CAF's own socket is not used, because it listens on only one address family
/// where both are wanted, and gives no reason when it fails.
namespace hypermesh::links {

/// Listens on `address`. An empty host means every address of the machine, IPv4 and IPv6. "0.0.0.0" and "::" mean every
/// address of one family. A name means the first of its addresses that this machine has. With port 0 the system chooses
/// a port. The call blocks during a name lookup. The error says whether name, address, port or privilege is wrong.
[[nodiscard]] or_error<open_file> open_listening_socket(const replica_address& address);

}  // namespace hypermesh::links
