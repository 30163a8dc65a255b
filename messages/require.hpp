#pragma once

#include <string_view>

#include "messages/layers.hpp"

namespace hypermesh::messages {

/// Reports a broken assertion and aborts, because a bug in the product makes it unsafe to continue.
[[noreturn]] void fail_requirement(std::string_view claim, const char* file, int line, const char* function);

/// An assertion that stays on in release builds. Not for input: a condition that a peer, a
/// client or a disk can make false becomes a `rejection` or a `world_error`. File, line and
/// function come from compiler builtins, because clang 14 has no std::source_location.
inline void require(bool holds, std::string_view claim, const char* file = __builtin_FILE(),
                    int line = __builtin_LINE(), const char* function = __builtin_FUNCTION()) {
  if (!holds) [[unlikely]]
    fail_requirement(claim, file, line, function);
}

}  // namespace hypermesh::messages
