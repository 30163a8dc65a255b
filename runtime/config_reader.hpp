#pragma once

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>

#include "messages/require.hpp"
#include "runtime/base/toml_document.hpp"
#include "runtime/config_rows.hpp"

namespace hypermesh::runtime {

/// Reads the tables of a configuration file key by key. Each table is opened only once, so the reader knows which of
/// its keys were read.
class config_tables {
 public:
  config_tables(toml_table root, std::filesystem::path file);

  /// The value of the key, or nothing if the key is missing or its value is wrong. A wrong value becomes a problem. A
  /// path becomes relative to the working directory. `high` is the upper bound of a number.
  [[nodiscard]] std::optional<config_value> find(const config_key& key, std::uint64_t high);
  [[nodiscard]] bool has(const config_key& key) { return at(key.table).has(key.name); }
  /// Resolves `path` relative to the folder of this file.
  [[nodiscard]] std::filesystem::path resolved(const std::string& path) const { return file_.parent_path() / path; }
  void complain(const config_key& key, std::string what) { at(key.table).complain(key.name, std::move(what)); }

  /// Adds a problem for each key that was not read. The problem suggests the new name, the right table or the nearest
  /// key of `file_name` ("node.toml"), if there is one.
  void expect_nothing_else(std::string_view file_name);

 private:
  [[nodiscard]] toml_table& at(std::string_view table);
  [[nodiscard]] std::optional<config_value> find_text(const config_key& key);

  std::filesystem::path file_;
  std::map<std::string, toml_table, std::less<>> tables_;
};

/// The text of the problem that a required key is missing.
[[nodiscard]] std::string missing_text(const config_key& key);

/// The text of the problem that the value `own` of a key is above the bound that the key `larger` sets.
[[nodiscard]] std::string above_text(const config_key& key, std::uint64_t own, const config_key& larger,
                                     std::uint64_t bound);

/// Reads the keys of rows into a configuration.
template <class Owner>
class config_reader {
 public:
  config_reader(config_tables& from, Owner& into) : from_(&from), into_(&into) {}

  /// Reads all keys. A key that is missing or has a wrong value leaves the member at its default.
  void read(std::span<const config_row<Owner>> rows) {
    for (const auto& row : rows) {
      const auto high = row.high_of == nullptr ? row.key.high : row.high_of(*into_);
      if (const auto value = from_->find(row.key, high)) {
        row.set(*into_, *value);
        found_.insert(full_name(row.key));
        continue;
      }
      if (row.key.is_required && !from_->has(row.key)) from_->complain(row.key, missing_text(row.key));
      if (!row.key.default_path.empty()) row.set(*into_, from_->resolved(std::string{row.key.default_path}).string());
      if (row.assume != nullptr) row.assume(*into_);
    }
  }

  /// Compares the values of keys that bound each other. If the operator lowers only the larger key, the smaller one
  /// follows. If the operator sets both and they do not fit, that is a problem.
  void compare(std::span<const config_row<Owner>> rows) {
    for (const auto& row : rows) {
      if (row.key.larger.empty()) continue;
      const auto larger =
          std::ranges::find_if(rows, [&row](const auto& other) { return full_name(other.key) == row.key.larger; });
      require(larger != rows.end(), "a key is bounded by a key of the same file");
      const auto bound = std::get<std::uint64_t>(larger->get(*into_));
      const auto own = std::get<std::uint64_t>(row.get(*into_));
      if (own <= bound / row.key.larger_factor) continue;
      if (found_.contains(full_name(row.key))) {
        from_->complain(row.key, above_text(row.key, own, larger->key, bound));
      } else {
        row.set(*into_, bound / row.key.larger_factor);
      }
    }
  }

 private:
  config_tables* from_;
  Owner* into_;
  /// Full names of the keys that the file sets to a valid value.
  std::set<std::string, std::less<>> found_;
};

}  // namespace hypermesh::runtime
