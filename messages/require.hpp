#pragma once

#include <source_location>
#include <string_view>

namespace hypermesh {

/// Reports a broken assertion and aborts: the fault is ours and continuing is unsafe.
[[noreturn]] void fail_requirement(std::string_view claim, std::source_location place);

/// An assertion that stays on in release builds. Never for bytes from elsewhere: what a
/// peer, client or disk can make false becomes a `rejection` or a `world_error`.
inline void require(bool holds, std::string_view claim,
                    std::source_location place = std::source_location::current()) {
  if (!holds) [[unlikely]] fail_requirement(claim, place);
}

}  // namespace hypermesh
