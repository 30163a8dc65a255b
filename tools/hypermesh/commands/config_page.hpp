#pragma once

#include <string>

namespace hypermesh::cli {

/// The manual page node.toml(5): every key of every configuration file, from the table that also drives the reader.
[[nodiscard]] std::string config_page();

}  // namespace hypermesh::cli
