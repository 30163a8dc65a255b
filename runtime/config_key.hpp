#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// Describes the keys of configuration files. Pure: `config_reader.hpp` reads files, `config_text.hpp` writes
/// documents, and `config_rows.cpp` defines the keys.
namespace hypermesh::runtime {

enum class value_kind : std::uint8_t {
  /// A whole number with bounds.
  number,
  /// The value true or false.
  flag,
  /// One word of a short list.
  word,
  text,
  /// A path relative to the file that contains the key.
  path,
  /// An address of the form HOST:PORT.
  address,
};
inline constexpr auto value_kind_last = value_kind::address;

/// A number, a flag, or the text of a value of any other kind.
using config_value = std::variant<std::uint64_t, bool, std::string>;

/// The facts about one key. The reader, the generated files, `hypermesh config` and the reference are derived from
/// them.
struct config_key {
  /// The TOML table that contains the key; empty for a key outside of the tables.
  std::string_view table = {};
  std::string_view name = {};
  value_kind kind = value_kind::number;
  /// The unit of the value. The name of the key repeats the unit where a reader could misunderstand the number.
  std::string_view unit = {};
  /// The bounds of a number.
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  /// The words of a `value_kind::word`.
  std::span<const std::string_view> words = {};
  /// The value may be at most the value of the key with this full name, divided by `larger_factor`. If the file does
  /// not set the key, its default is lowered to this bound.
  std::string_view larger = {};
  std::uint64_t larger_factor = 1;
  /// The default of a path.
  std::string_view default_path = {};
  /// The default in words, where it depends on other values.
  std::string_view default_rule = {};
  /// If the file does not have the key, that is an error.
  bool is_required = false;
  /// A new file sets the key to its default; other keys appear only as comments.
  bool is_written = false;
  /// The value in the comment of a new file, for a key without a default.
  std::string_view example = {};
  /// The purpose of the key, in one sentence. A second sentence may give a warning.
  std::string_view about = {};
};

/// A key of a file, with its default value.
struct documented_key {
  /// "node.toml", "client.toml" or "genesis.toml".
  std::string_view file;
  config_key key;
  /// Nothing for a required key, and for a key whose default depends on other values only.
  std::optional<config_value> default_value;
};

/// The purpose of a table of a file. The section of the keys outside of tables has an empty name.
struct config_section {
  std::string_view file;
  std::string_view table;
  std::string_view about;
};

/// A key that had another name in an earlier revision. The names are full names of node.toml.
struct renamed_key {
  std::string_view before;
  std::string_view now;
};

/// "views.request_timeout_us", or the name alone outside of the tables.
[[nodiscard]] std::string full_name(const config_key& key);

/// Returns for example "64 to 65,536" or "sync, async, memory", with the other key that bounds the value.
[[nodiscard]] std::string bounds_text(const config_key& key);

/// The default for people: "64", "data", a rule in words, or "required".
[[nodiscard]] std::string default_text(const documented_key& key);

/// The value as TOML.
[[nodiscard]] std::string toml_literal(const config_value& value);

/// The part of another key's value that bounds a key with this `larger_factor`: "", "half of " or "a quarter of ".
[[nodiscard]] std::string_view part_text(std::uint64_t larger_factor);

/// Returns the number with commas, for example "1,523" for 1523.
[[nodiscard]] std::string with_commas(std::uint64_t number);

/// All keys of all files in the order of the documents: node.toml, client.toml, [cluster] of genesis.toml.
[[nodiscard]] const std::vector<documented_key>& documented_keys();

/// The tables of all files in the same order.
[[nodiscard]] std::span<const config_section> config_sections();

[[nodiscard]] std::span<const renamed_key> renamed_keys();

}  // namespace hypermesh::runtime
