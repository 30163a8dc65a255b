#include "runtime/config_key.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "messages/require.hpp"
#include "runtime/base/safe_text.hpp"

namespace hypermesh::runtime {

std::string full_name(const config_key& key) {
  return key.table.empty() ? std::string{key.name} : fmt::format("{}.{}", key.table, key.name);
}

std::string with_commas(std::uint64_t number) {
  auto digits = std::to_string(number);
  for (auto at = digits.size(); at > 3; at -= 3)
    digits.insert(at - 3, 1, ',');
  return digits;
}

std::string_view part_text(std::uint64_t larger_factor) {
  require(larger_factor == 1 || larger_factor == 2 || larger_factor == 4, "a bound is another key or a part of it");
  if (larger_factor == 1) return {};
  return larger_factor == 2 ? "half of " : "a quarter of ";
}

std::string bounds_text(const config_key& key) {
  switch (key.kind) {
    case value_kind::number: {
      auto text = fmt::format("{} to {}", with_commas(key.low), with_commas(key.high));
      if (key.larger.empty()) return text;
      return text + fmt::format("; at most {}{}", part_text(key.larger_factor), key.larger);
    }
    case value_kind::flag:
      return "true, false";
    case value_kind::word:
      return fmt::format("{}", fmt::join(key.words, ", "));
    case value_kind::text:
      return "any text";
    case value_kind::path:
      return "not empty";
    case value_kind::address:
      return "HOST:PORT, [IPV6]:PORT, *:PORT";
  }
  return {};
}

std::string default_text(const documented_key& key) {
  if (!key.key.default_rule.empty()) return std::string{key.key.default_rule};
  if (!key.default_value) return "required";
  if (const auto* number = std::get_if<std::uint64_t>(&*key.default_value)) return with_commas(*number);
  if (const auto* flag = std::get_if<bool>(&*key.default_value)) return *flag ? "true" : "false";
  return std::get<std::string>(*key.default_value);
}

std::string toml_literal(const config_value& value) {
  if (const auto* number = std::get_if<std::uint64_t>(&value)) return std::to_string(*number);
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  return toml_string(std::get<std::string>(value));
}

}  // namespace hypermesh::runtime
