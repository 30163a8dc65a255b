#include "tests/tools/json_schema.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

namespace hypermesh::testing {

using nlohmann::json;

namespace {

std::size_t error_count(const char* schema, const char* document) {
  return schema_checker{json::parse(schema)}.errors_of(json::parse(document)).size();
}

}  // namespace

TEST_CASE("the checker of schemas finds wrong types, missing keys and keys that no schema describes") {
  constexpr auto schema = R"({"type": "object", "required": ["a"], "properties": {
      "a": {"type": ["integer", "null"], "minimum": 0}, "b": {"type": "array", "items": {"enum": ["x", "y"]}},
      "c": {"$ref": "#/$defs/hex"}, "d": {"type": "object", "additionalProperties": {"type": "integer"}}},
      "$defs": {"hex": {"type": "string", "pattern": "^[0-9a-f]*$"}}})";
  CHECK(error_count(schema, R"({"a": 1, "b": ["x", "y"], "c": "0f", "d": {"any": 1}})") == 0);
  CHECK(error_count(schema, R"({"a": null})") == 0);
  CHECK(error_count(schema, R"({})") == 1);
  CHECK(error_count(schema, R"({"a": -1})") == 1);
  CHECK(error_count(schema, R"({"a": 1.5})") == 1);
  CHECK(error_count(schema, R"({"a": 1, "b": ["z"], "c": "g"})") == 2);
  CHECK(error_count(schema, R"({"a": 1, "d": {"any": "1"}})") == 1);
  CHECK(error_count(schema, R"({"a": 1, "e": 1})") == 1);
  CHECK(error_count(schema, R"([])") == 1);
  CHECK(error_count(R"({"maximum": 1})", "1") == 1);
  constexpr auto either = R"({"oneOf": [{"type": "integer"}, {"type": "string"}]})";
  CHECK(error_count(either, "1") == 0);
  CHECK(error_count(either, "true") == 1);
}

TEST_CASE("every schema of the product is JSON with a title, and uses only keywords that the checker knows") {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator{HYPERMESH_SOURCE_DIR "/tools/hypermesh/schema"}) {
    if (entry.path().extension() != ".json") continue;
    CAPTURE(entry.path());
    std::ifstream in{entry.path()};
    const auto schema = json::parse(in);
    CHECK(schema["title"].is_string());
    CHECK(schema["$schema"] == "https://json-schema.org/draft/2020-12/schema");
    // A value of no type reaches the first check of every schema.
    for (const auto& error : schema_checker{schema}.errors_of(json::binary({1})))
      CHECK(error.find("keyword") == std::string::npos);
    ++count;
  }
  CHECK(count >= 16);
}

}  // namespace hypermesh::testing
