#pragma once

#include <string>

namespace hypermesh::lab {

/// The message about the first unknown name in "a+b/c": "unknown strategy 'mute-primry'; did you mean 'mute-primary'?".
/// Pure.
[[nodiscard]] std::string unknown_strategy_text(const std::string& names);

}  // namespace hypermesh::lab
