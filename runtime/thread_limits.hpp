#pragma once

#include <cstddef>
#include <optional>

#include "actors/ports.hpp"

namespace hypermesh {

/// Threads that a client with its actor system needs besides the one that starts it. Each of so many `names` of replicas
/// may be looked up on one more; an address is not looked up.
[[nodiscard]] std::size_t threads_of_client(std::size_t names);

/// Threads that a replica with its actor system and its storage needs besides the one that starts it.
[[nodiscard]] std::size_t threads_of_node(std::size_t names);

/// Why this process cannot have so many more threads now; nothing when it can. It is tried out, because a limit may be
/// that of the user, of a container or of memory, and others count towards it. To be asked before an actor system is
/// made: what is refused a thread later can only end.
[[nodiscard]] std::optional<world_error> objection_to_threads(std::size_t threads);

}  // namespace hypermesh
