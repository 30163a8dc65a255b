#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/keys.hpp"

namespace hypermesh {

/// One problem in a configuration file.
struct config_problem {
  std::filesystem::path file;
  /// Counted from 1; 0 when the problem has no line.
  std::uint32_t line = 0;
  std::string what;

  /// "FILE:LINE: WHAT".
  [[nodiscard]] std::string text() const;
};

/// The longest configuration file, in bytes: 100 replicas and all clients need less.
inline constexpr std::uintmax_t config_bytes_max = 64ULL << 20U;

/// All problems as one error, because a configuration is checked as a whole (R19).
[[nodiscard]] world_error error_of(const std::vector<config_problem>& problems);

/// Both errors as one.
[[nodiscard]] world_error joined(const world_error& first, const world_error& second);

/// The problem with an unknown key; empty for a key that has nothing to do with any known one.
using unknown_key_hint = std::function<std::string(std::string_view key)>;

/// One table of a TOML file, read key by key. A value that is missing, out of range or of another type becomes a
/// problem with its line, and reading goes on. `expect_nothing_else` makes a problem of each key that was not read.
class toml_table {
 public:
  /// The text under the key; a problem when it is missing and `fallback` is empty.
  [[nodiscard]] std::string text(std::string_view key, std::optional<std::string> fallback = std::nullopt);

  /// Whether the key is there, whatever its value is.
  [[nodiscard]] bool has(std::string_view key);

  /// The number under the key, from `low` to `high`.
  [[nodiscard]] std::uint64_t number(std::string_view key, std::uint64_t low, std::uint64_t high,
                                     std::optional<std::uint64_t> fallback = std::nullopt);

  /// The same without a fallback: nothing for a key that is missing, which is no problem, and for one with a wrong
  /// value, which is.
  [[nodiscard]] std::optional<std::string> find_text(std::string_view key);
  [[nodiscard]] std::optional<std::uint64_t> find_number(std::string_view key, std::uint64_t low, std::uint64_t high);
  [[nodiscard]] std::optional<bool> find_flag(std::string_view key);

  /// The line of the key; 0 for a key that is missing.
  [[nodiscard]] std::uint32_t line(std::string_view key);

  /// The table under the key; an empty one when it is missing.
  [[nodiscard]] toml_table table(std::string_view key);

  /// The tables of an array of tables; none when it is missing.
  [[nodiscard]] std::vector<toml_table> tables(std::string_view key);

  /// Adds a problem at the line of `key`.
  void complain(std::string_view key, std::string what);

  /// Adds a problem for every key that was not read, because a misspelt option must not be ignored. `hint` may say more
  /// about an unknown key, for example its new name; the default lists the known ones.
  void expect_nothing_else(const unknown_key_hint& hint = {});

 private:
  friend class toml_document;
  struct content;
  explicit toml_table(std::shared_ptr<content> what) : content_(std::move(what)) {}

  std::shared_ptr<content> content_;
};

/// A TOML file and its problems.
class toml_document {
 public:
  /// The error distinguishes a file that cannot be read from one that is not TOML.
  [[nodiscard]] static or_error<toml_document> read(const std::filesystem::path& path);

  /// Parses the content of a file; every error is about the content.
  [[nodiscard]] static or_error<toml_document> parse(const std::filesystem::path& path, const std::string& content);

  [[nodiscard]] toml_table root() const;
  [[nodiscard]] const std::vector<config_problem>& problems() const { return *problems_; }

 private:
  std::filesystem::path path_;
  std::shared_ptr<std::vector<config_problem>> problems_;
  std::shared_ptr<void> parsed_;
};

}  // namespace hypermesh
