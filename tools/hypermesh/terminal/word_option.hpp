#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace hypermesh::cli {

/// A check of an option that has one of some words. The message names the nearest word. Help, manual pages and
/// completion show the words.
[[nodiscard]] CLI::Validator one_of(std::vector<std::string> words);

}  // namespace hypermesh::cli
