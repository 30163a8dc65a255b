#pragma once

#include <cstddef>

#include "actors/ports.hpp"

namespace hypermesh::runtime {

/// The number of threads that a client and its actor system need, besides the thread that starts them. `names` is the
/// largest number of host names that may have to be looked up. Each lookup may need one more thread; a numeric address
/// needs none.
[[nodiscard]] std::size_t threads_of_client(std::size_t names);

/// Like `threads_of_client`, but for a replica with its actor system and its storage.
[[nodiscard]] std::size_t threads_of_node(std::size_t names);

/// Like `threads_of_node`, but without the threads of the actor system, for a host that has one already.
[[nodiscard]] std::size_t threads_of_hosted_node(std::size_t names);

/// Returns an error if this process cannot start this many more threads now. The function starts them on trial, because
/// the limit may belong to the user, to a container or to memory, and other processes count towards it. Call it before
/// an actor system is made, because a part that gets no thread later can only end the process.
[[nodiscard]] or_error<void> check_threads(std::size_t threads);

}  // namespace hypermesh::runtime
