#pragma once

#include <cstdint>
#include <string>

#include "runtime/links/link_settings.hpp"

namespace hypermesh::links {

/// Number of open files that a replica needs besides its links: storage, audit trail, logs.
inline constexpr std::uint64_t other_files = 512;

/// Raises the limit of open files of this process to `wanted`, as far as the system permits. Returns the new limit.
std::uint64_t raise_descriptor_limit(std::uint64_t wanted);

/// A function with the contract of `raise_descriptor_limit`.
using limit_raiser = std::uint64_t (*)(std::uint64_t wanted);

/// Fits the bounds of a replica's links to the open files that the system allows, because without a free descriptor an
/// accepting socket stays ready and its loop would spin. `further_files` are those of the node besides its links and
/// `other_files`. Raises the limit of this process as far as all of them may need. If this is not enough, lowers the
/// bounds of `settings`. The text for the log names the lowered bounds; it is empty when no bound was lowered. The
/// error says that a replica cannot work with so few open files.
[[nodiscard]] or_error<std::string> fit_to_descriptors(link_settings& settings, std::uint64_t further_files = 0,
                                                       limit_raiser raise = raise_descriptor_limit);

/// The error for a process that needs `wanted` open files when the system allows fewer.
[[nodiscard]] tl::unexpected<world_error> too_few_descriptors(std::uint64_t wanted, std::uint64_t allowed);

}  // namespace hypermesh::links
