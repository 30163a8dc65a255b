#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/keys.hpp"

namespace hypermesh::base {

/// One problem in a configuration file.
struct config_problem {
  std::filesystem::path file;
  /// The line, counted from 1; 0 when the problem has no line.
  std::uint32_t line = 0;
  std::string what;

  /// The problem in the form "FILE:LINE: WHAT".
  [[nodiscard]] std::string text() const;
};

/// The size of the longest configuration file, in bytes. A file for 100 replicas and all clients needs less.
inline constexpr std::uintmax_t config_bytes_max = 64ULL << 20U;

/// Makes one error of all problems, because a configuration is checked as a whole (R19).
[[nodiscard]] world_error error_of(const std::vector<config_problem>& problems);

/// Makes one error of both errors.
[[nodiscard]] world_error joined(const world_error& first, const world_error& second);

/// Makes a hint about an unknown key; empty if the key resembles no known key.
using unknown_key_hint = std::function<std::string(std::string_view key)>;

/// One table of a TOML file, read key by key. A value that is missing, out of range or of another type becomes a
/// problem with its line, and reading continues. `expect_nothing_else` makes a problem of each key that was not read.
class toml_table {
 public:
  /// The text under the key. It is a problem when the key is missing and `fallback` is empty.
  [[nodiscard]] std::string text(std::string_view key, std::optional<std::string> fallback = std::nullopt);

  /// Whether the table has the key, whatever the value is.
  [[nodiscard]] bool has(std::string_view key);

  /// The number under the key, from `low` to `high`.
  [[nodiscard]] std::uint64_t number(std::string_view key, std::uint64_t low, std::uint64_t high,
                                     std::optional<std::uint64_t> fallback = std::nullopt);

  /// Like `text`, but without a fallback. Returns nothing if the key is missing or has a wrong value. A missing key is
  /// not a problem; a wrong value is a problem.
  [[nodiscard]] std::optional<std::string> find_text(std::string_view key);
  [[nodiscard]] std::optional<std::uint64_t> find_number(std::string_view key, std::uint64_t low, std::uint64_t high);
  [[nodiscard]] std::optional<bool> find_flag(std::string_view key);

  /// The line of the key; 0 for a missing key.
  [[nodiscard]] std::uint32_t line(std::string_view key);

  /// The table under the key; an empty table when the key is missing.
  [[nodiscard]] toml_table table(std::string_view key);

  /// The tables of an array of tables; no table when the key is missing.
  [[nodiscard]] std::vector<toml_table> tables(std::string_view key);

  /// Adds a problem at the line of `key`.
  void complain(std::string_view key, std::string what);

  /// Adds a problem for every key that was not read, because a misspelt option must not be ignored. `hint` may say more
  /// about an unknown key, for example its new name. By default, the problem lists the known keys.
  void expect_nothing_else(const unknown_key_hint& hint = {});

 private:
  friend class toml_document;
  struct content;
  explicit toml_table(std::shared_ptr<content> what) : content_(std::move(what)) {}

  std::shared_ptr<content> content_;
};

/// A TOML file and the problems that were found in it.
class toml_document {
 public:
  /// Reads and parses a file. The error says whether the file cannot be read or is not TOML.
  [[nodiscard]] static or_error<toml_document> read(const std::filesystem::path& path);

  /// Parses the content of a file. Every error is about the content.
  [[nodiscard]] static or_error<toml_document> parse(const std::filesystem::path& path, const std::string& content);

  /// Sets a key as if the file set it, before the tables are read: `table` is empty for a key outside of the tables. A
  /// whole number becomes a number, true and false become a flag, and everything else a text, unless `is_text`.
  void set(std::string_view table, std::string_view key, std::string_view value, bool is_text);

  [[nodiscard]] toml_table root() const;
  [[nodiscard]] const std::vector<config_problem>& problems() const { return *problems_; }

 private:
  std::filesystem::path path_;
  std::shared_ptr<std::vector<config_problem>> problems_;
  std::shared_ptr<void> parsed_;
};

}  // namespace hypermesh::base
