#pragma once

#include <cstddef>
#include <string_view>

namespace hypermesh::machines::redis {

/// Bytes of a pattern. A longer one could cost 200 million steps for one key.
inline constexpr std::size_t pattern_bytes_max = 1024;

/// The patterns of KEYS and of MATCH in SCAN. Whether `text` matches a pattern of Redis: `*`, `?`, `[a-z]`, `[^a]`, and
/// a backslash before a letter that is meant literally. `steps` grows by the compared letters, at most the product of
/// both lengths, so a caller can bound the work that a hostile pattern causes. Pure; no recursion and no memory.
[[nodiscard]] bool glob_matches(std::string_view pattern, std::string_view text, std::size_t& steps);

}  // namespace hypermesh::machines::redis
