#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "runtime/links/link_settings.hpp"

namespace hypermesh {

/// Open files that a replica needs besides its links: storage, audit trail, logs.
inline constexpr std::uint64_t other_files = 512;

/// Raises the limit of this process to `wanted` open files, as far as it may; gives what the limit is then.
std::uint64_t raise_descriptor_limit(std::uint64_t wanted);

/// Does as `raise_descriptor_limit` does.
using limit_raiser = std::uint64_t (*)(std::uint64_t wanted);

/// Without a free descriptor an accepting socket stays ready and its loop would spin, so the bounds of a replica's
/// links fit what the system allows: raises the limit of this process as far as the links may need, and lowers the
/// bounds of `settings` where that is not enough. The text says for the log what was lowered; empty: nothing was. The
/// error says that a replica cannot work with so few open files.
[[nodiscard]] std::variant<std::string, world_error> fit_to_descriptors(link_settings& settings,
                                                                        limit_raiser raise = raise_descriptor_limit);

/// Why a process that needs `wanted` open files cannot have them.
[[nodiscard]] world_error too_few_descriptors(std::uint64_t wanted, std::uint64_t allowed);

}  // namespace hypermesh
