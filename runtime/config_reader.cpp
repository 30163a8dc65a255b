#include "runtime/config_reader.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "runtime/base/nearest_word.hpp"

namespace hypermesh::runtime {

namespace {

/// Returns for example "[views]", or "the top of the file" for keys outside of the tables.
std::string place_of(std::string_view table) {
  return table.empty() ? std::string{"the top of the file, before the first table"} : fmt::format("[{}]", table);
}

/// The new name of a renamed key; empty if the key was never renamed.
std::string new_name_text(std::string_view table, std::string_view key) {
  config_key asked;
  asked.table = table;
  asked.name = key;
  for (const auto& each : renamed_keys()) {
    if (each.before != full_name(asked)) continue;
    const auto dot = each.now.find('.');
    const auto now_table = each.now.substr(0, dot);
    const auto now_key = each.now.substr(dot + 1);
    if (now_table == table) return fmt::format("'{}' is now called '{}'", key, now_key);
    return fmt::format("'{}' is now '{}' of [{}]", key, now_key, now_table);
  }
  return {};
}

/// The tables of the file that have a key of this name.
std::vector<std::string> places_of(std::string_view file, std::string_view key) {
  std::vector<std::string> places;
  for (const auto& each : documented_keys()) {
    if (each.file == file && each.key.name == key) places.push_back(place_of(each.key.table));
  }
  return places;
}

/// The names that may appear in a table: its keys, and at the top also the names of the tables.
std::vector<std::string> names_in(std::string_view file, std::string_view table) {
  std::vector<std::string> names;
  for (const auto& each : documented_keys()) {
    if (each.file == file && each.key.table == table) names.emplace_back(each.key.name);
  }
  for (const auto& each : config_sections()) {
    if (table.empty() && each.file == file && !each.table.empty()) names.emplace_back(each.table);
  }
  return names;
}

/// A hint about an unknown key; empty if no known key has a similar name.
std::string hint_of(std::string_view file, std::string_view table, std::string_view key) {
  if (auto now = new_name_text(table, key); !now.empty()) return now;
  if (const auto places = places_of(file, key); !places.empty()) {
    return fmt::format("unknown key '{}'; it belongs to {}", key, fmt::join(places, " or "));
  }
  const auto hint = did_you_mean(key, names_in(file, table));
  return hint.empty() ? hint : fmt::format("unknown key '{}'{}", key, hint);
}

/// A hint about the unknown value of a key that has one of some words.
std::string hint_of_value(const config_key& key, std::string_view value) {
  return did_you_mean(value, std::vector<std::string>{key.words.begin(), key.words.end()});
}

}  // namespace

config_tables::config_tables(toml_table root, std::filesystem::path file) : file_(std::move(file)) {
  tables_.emplace("", std::move(root));
}

toml_table& config_tables::at(std::string_view table) {
  const auto found = tables_.find(table);
  if (found != tables_.end()) return found->second;
  auto opened = tables_.find("")->second.table(table);
  return tables_.emplace(table, std::move(opened)).first->second;
}

std::optional<config_value> config_tables::find_text(const config_key& key) {
  auto& from = at(key.table);
  auto text = from.find_text(key.name);
  if (!text) return std::nullopt;
  if (key.kind == value_kind::path) {
    if (!text->empty()) return resolved(*text).string();
    from.complain(key.name, fmt::format("'{}' is empty", key.name));
    return std::nullopt;
  }
  if (key.kind == value_kind::word && std::ranges::find(key.words, *text) == key.words.end()) {
    from.complain(key.name, fmt::format("'{}' has the unknown value '{}'; use one of: {}{}", key.name,
                                        shortened_word(*text), bounds_text(key), hint_of_value(key, *text)));
    return std::nullopt;
  }
  if (key.kind == value_kind::address) {
    const auto parsed = parse_address(*text, address_use::listen);
    if (!parsed) {
      from.complain(key.name, fmt::format("{}; {}", parsed.error().what, parsed.error().remedy));
      return std::nullopt;
    }
  }
  return std::move(*text);
}

std::optional<config_value> config_tables::find(const config_key& key, std::uint64_t high) {
  auto& from = at(key.table);
  switch (key.kind) {
    case value_kind::number:
      if (const auto number = from.find_number(key.name, key.low, high)) return *number;
      return std::nullopt;
    case value_kind::flag:
      if (const auto flag = from.find_flag(key.name)) return *flag;
      return std::nullopt;
    case value_kind::word:
    case value_kind::text:
    case value_kind::path:
    case value_kind::address:
      return find_text(key);
  }
  return std::nullopt;
}

void config_tables::expect_nothing_else(std::string_view file_name) {
  for (auto& [name, table] : tables_) {
    const std::string_view place = name;
    table.expect_nothing_else([&](std::string_view key) { return hint_of(file_name, place, key); });
  }
}

std::string missing_text(const config_key& key) {
  return fmt::format("'{}' is missing; add a {}", key.name, key.kind == value_kind::number ? "number" : "text");
}

std::string above_text(const config_key& key, std::uint64_t own, const config_key& larger, std::uint64_t bound) {
  const auto other = larger.table == key.table ? std::string{larger.name} : full_name(larger);
  return fmt::format("'{}' is {}, which exceeds {}'{}' = {}", key.name, own, part_text(key.larger_factor), other,
                     bound);
}

}  // namespace hypermesh::runtime
