#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// What is known of a key of a configuration file. Pure: reading is in `config_reader.hpp`, documents in
/// `config_text.hpp`, and the keys themselves are in `config_rows.cpp`.
namespace hypermesh {

enum class value_kind : std::uint8_t {
  /// A whole number with bounds.
  number,
  /// true or false.
  flag,
  /// One of a few words.
  word,
  text,
  /// Relative to the file that holds it.
  path,
  /// HOST:PORT.
  address,
};
inline constexpr auto value_kind_last = value_kind::address;

/// A number, a flag, or the text of every other kind.
using config_value = std::variant<std::uint64_t, bool, std::string>;

/// The facts about one key, from which the reader, the generated files, `hypermesh config` and the reference are made.
struct config_key {
  /// The TOML table that holds the key; empty outside of the tables.
  std::string_view table = {};
  std::string_view name = {};
  value_kind kind = value_kind::number;
  /// The unit, which the name has too where it could be misunderstood.
  std::string_view unit = {};
  /// The bounds of a number.
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  /// The words of a `value_kind::word`.
  std::span<const std::string_view> words = {};
  /// The value may be at most that of the key with this full name, divided by `larger_factor`. A value that is not in
  /// the file follows a lower bound by itself.
  std::string_view larger = {};
  std::uint64_t larger_factor = 1;
  /// The default of a path.
  std::string_view default_path = {};
  /// The default in words, where it depends on other values.
  std::string_view default_rule = {};
  /// A file without the key is an error.
  bool is_required = false;
  /// A new file has the key with its default, and not only as a comment.
  bool is_written = false;
  /// The value that stands in the comment of a new file, for a key without a default.
  std::string_view example = {};
  /// What the key does, in one sentence, or two where the second one is a warning.
  std::string_view about = {};
};

/// A key of a file, with what its row adds to it.
struct documented_key {
  /// "node.toml", "client.toml" or "genesis.toml".
  std::string_view file;
  config_key key;
  /// Nothing for a required key, and for one whose default depends on other values only.
  std::optional<config_value> default_value;
};

/// The purpose of a table of a file; that of the keys outside of tables has an empty name.
struct config_section {
  std::string_view file;
  std::string_view table;
  std::string_view about;
};

/// A key that had another name in an earlier revision; full names of node.toml.
struct renamed_key {
  std::string_view before;
  std::string_view now;
};

/// "views.request_timeout_us", or the name alone outside of the tables.
[[nodiscard]] std::string full_name(const config_key& key);

/// "64 to 65,536", "sync, async, memory" and so on, with the other key that bounds the value.
[[nodiscard]] std::string bounds_text(const config_key& key);

/// The default for people: "64", "data", a rule in words, or "required".
[[nodiscard]] std::string default_text(const documented_key& key);

/// The value as TOML.
[[nodiscard]] std::string toml_literal(const config_value& value);

/// 1523 as "1,523".
[[nodiscard]] std::string with_commas(std::uint64_t number);

/// All keys of all files in the order of the documents: node.toml, client.toml, [cluster] of genesis.toml.
[[nodiscard]] const std::vector<documented_key>& documented_keys();

/// The tables of all files in the same order.
[[nodiscard]] std::span<const config_section> config_sections();

[[nodiscard]] std::span<const renamed_key> renamed_keys();

}  // namespace hypermesh
