#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "messages/layers.hpp"

/// Line breaks for generated files and documents. Pure.
namespace hypermesh::base {

/// The longest line of a generated file. A longer word is not broken.
inline constexpr std::size_t line_bytes_max = 100;

/// Breaks the text into lines. The first line begins with `first`, the other lines with `next`.
[[nodiscard]] std::string wrapped_text(std::string_view text, std::string_view first, std::string_view next);

}  // namespace hypermesh::base
