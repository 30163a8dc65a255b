#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

/// Compares a document with a JSON Schema. It knows the keywords that the schemas of the product use: `type`,
/// `properties`, `required`, `additionalProperties`, `items`, `enum`, `minimum`, `pattern` for hexadecimal text, `$ref`
/// to `$defs`, `oneOf`. It is stricter than the standard: a key that no schema describes is an error, so that every key
/// is documented, and so is a keyword that it does not know.
namespace hypermesh::testing {

class schema_checker {
 public:
  explicit schema_checker(nlohmann::json schema) : root_(std::move(schema)) {}

  /// Every difference, with its place in the document; empty if the document fits.
  [[nodiscard]] std::vector<std::string> errors_of(const nlohmann::json& document) const {
    std::vector<std::string> errors;
    check(root_, document, "", errors);
    return errors;
  }

 private:
  using json = nlohmann::json;
  using texts = std::vector<std::string>;

  [[nodiscard]] static bool has_type(const json& value, const std::string& type) {
    if (type == "integer") return value.is_number_integer();
    if (type == "number") return value.is_number();
    if (type == "string") return value.is_string();
    if (type == "boolean") return value.is_boolean();
    if (type == "array") return value.is_array();
    if (type == "object") return value.is_object();
    return type == "null" && value.is_null();
  }

  void check(const json& schema, const json& value, const std::string& at, texts& errors) const {
    const auto fail = [&](const std::string& what) { errors.push_back((at.empty() ? "/" : at) + ": " + what); };
    for (const auto& [keyword, unused] : schema.items()) {
      static const texts known = {"$schema",     "$id",        "$defs",    "$ref",  "title",
                                  "description", "type",       "required", "items", "enum",
                                  "minimum",     "properties", "pattern",  "oneOf", "additionalProperties"};
      if (std::ranges::find(known, keyword) == known.end()) fail("the checker does not know the keyword " + keyword);
    }
    if (schema.contains("$ref")) {
      const auto name = schema["$ref"].get<std::string>();
      return check(root_.at(json::json_pointer{name.substr(1)}), value, at, errors);
    }
    if (schema.contains("oneOf")) return check_alternatives(schema["oneOf"], value, at, errors);
    if (schema.contains("type")) {
      const auto types = schema["type"].is_array() ? schema["type"] : json::array({schema["type"]});
      if (std::ranges::none_of(types,
                               [&](const auto& each) { return has_type(value, each.template get<std::string>()); })) {
        return fail(fmt::format("{} is not of type {}", value.dump().substr(0, 80), types.dump()));
      }
    }
    if (schema.contains("enum") && std::ranges::find(schema["enum"], value) == schema["enum"].end())
      fail(value.dump() + " is none of " + schema["enum"].dump());
    if (schema.contains("minimum") && value.is_number() && value < schema["minimum"]) fail("is too small");
    if (schema.contains("pattern") && value.is_string() &&
        value.get<std::string>().find_first_not_of("0123456789abcdef") != std::string::npos) {
      fail("is not hexadecimal");
    }
    if (value.is_object()) check_object(schema, value, at, errors);
    if (value.is_array() && schema.contains("items")) {
      for (std::size_t index = 0; index < value.size(); ++index)
        check(schema["items"], value[index], fmt::format("{}/{}", at, index), errors);
    }
  }

  void check_object(const json& schema, const json& value, const std::string& at, texts& errors) const {
    for (const auto& each : schema.value("required", json::array())) {
      if (!value.contains(each.get<std::string>()))
        errors.push_back(at + "/" + each.get<std::string>() + ": is missing");
    }
    const auto known = schema.value("properties", json::object());
    for (const auto& [name, content] : value.items()) {
      const auto place = at + "/" + name;
      if (known.contains(name)) {
        check(known[name], content, place, errors);
      } else if (schema.contains("additionalProperties")) {
        check(schema["additionalProperties"], content, place, errors);
      } else {
        errors.push_back(place + ": is not described");
      }
    }
  }

  void check_alternatives(const json& schemas, const json& value, const std::string& at, texts& errors) const {
    texts nearest;
    for (const auto& each : schemas) {
      texts found;
      check(each, value, at, found);
      if (found.empty()) return;
      if (nearest.empty() || found.size() < nearest.size()) nearest = found;
    }
    errors.insert(errors.end(), nearest.begin(), nearest.end());
  }

  json root_;
};

}  // namespace hypermesh::testing
