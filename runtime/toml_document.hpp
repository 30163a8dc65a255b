#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/keys.hpp"

namespace hypermesh {

/// One thing that is wrong in a configuration file.
struct config_problem {
  std::filesystem::path file;
  /// From 1; 0 where the problem has no place.
  std::uint32_t line = 0;
  std::string what;

  /// "FILE:LINE: WHAT".
  [[nodiscard]] std::string text() const;
};

/// The longest configuration file: 100 replicas and all clients need less.
inline constexpr std::uintmax_t config_bytes_max = 64ULL << 20U;

/// All problems as one error: everything that is wrong is said at once (R19).
[[nodiscard]] world_error error_of(const std::vector<config_problem>& problems);

/// Both errors as one.
[[nodiscard]] world_error joined(const world_error& first, const world_error& second);

/// One table of a TOML file, read key by key. A value of another type, out of range or missing becomes a
/// problem with its line, and reading goes on; so does every key that nobody asked for.
class toml_table {
 public:
  /// Text of the key; a problem when it is missing and `fallback` is empty.
  [[nodiscard]] std::string text(std::string_view key, std::optional<std::string> fallback = std::nullopt);

  /// Whether the key is there, whatever its value is.
  [[nodiscard]] bool has(std::string_view key);

  /// Number from `low` to `high`.
  [[nodiscard]] std::uint64_t number(std::string_view key, std::uint64_t low, std::uint64_t high,
                                     std::optional<std::uint64_t> fallback = std::nullopt);

  /// true or false.
  [[nodiscard]] bool flag(std::string_view key, bool fallback);

  /// The table under the key; an empty one when it is missing.
  [[nodiscard]] toml_table table(std::string_view key);

  /// The tables of an array of tables; none when it is missing.
  [[nodiscard]] std::vector<toml_table> tables(std::string_view key);

  /// Notes a problem at the line of `key`.
  void complain(std::string_view key, std::string what);

  /// Every key that was not asked for is a problem: a misspelt option must not be ignored.
  void expect_nothing_else();

 private:
  friend class toml_document;
  struct content;
  explicit toml_table(std::shared_ptr<content> what) : content_(std::move(what)) {}

  std::shared_ptr<content> content_;
};

/// A TOML file and what is wrong with it.
class toml_document {
 public:
  /// The error tells a file that cannot be read from one that is no TOML.
  [[nodiscard]] static or_error<toml_document> read(const std::filesystem::path& path);

  /// From the content of the file; every error is one of the content.
  [[nodiscard]] static or_error<toml_document> parse(const std::filesystem::path& path, const std::string& content);

  [[nodiscard]] toml_table root() const;
  [[nodiscard]] const std::vector<config_problem>& problems() const { return *problems_; }

 private:
  std::filesystem::path path_;
  std::shared_ptr<std::vector<config_problem>> problems_;
  std::shared_ptr<void> parsed_;
};

}  // namespace hypermesh
