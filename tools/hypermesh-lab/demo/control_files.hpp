#pragma once

#include <span>

#include "runtime/http/page_files.hpp"

namespace hypermesh::lab {

/// The files of the control panel (`page/`). The build embeds them in the laboratory only
/// (`tools/cmake/hypermesh_embed.cmake`).
[[nodiscard]] std::span<const http::page_file> control_files();

}  // namespace hypermesh::lab
