#pragma once

#include <cstdint>
#include <string_view>

#include "messages/layers.hpp"

/// The settings of the log of a node (table [log] of node.toml).
namespace hypermesh::runtime {

enum class log_format : std::uint8_t {
  /// For people: time, level, node, event and sentence.
  text,
  /// For programs: one JSON object in each line.
  json,
};
inline constexpr auto log_format_last = log_format::json;
[[nodiscard]] std::string_view to_string(log_format format);

/// The least urgent level that the log shows.
enum class log_level : std::uint8_t { debug, info, warn, error, off };
inline constexpr auto log_level_last = log_level::off;
[[nodiscard]] std::string_view to_string(log_level level);

struct log_settings {
  log_format format = log_format::text;
  log_level level = log_level::info;
};

}  // namespace hypermesh::runtime
