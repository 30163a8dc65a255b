#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "runtime/base/safe_text.hpp"
#include "runtime/state_machines/key_value_operations.hpp"
#include "runtime/state_machines/registry.hpp"
#include "runtime/state_machines/text_form.hpp"

namespace hypermesh::testing {

namespace {

std::string shown(std::string_view value) { return value_text(as_byte_span(value)); }

machine_answer answer_to_get(const operation_result& result) {
  return interpret("key-value", key_value::encode(key_value::get{as_byte_span("k")}), result);
}

operation_result found(std::string_view value) {
  return {operation_status::applied, to_byte_vector("\x01" + std::string{value})};
}

}  // namespace

TEST_CASE("a clipped text keeps whole characters, and says that something is missing") {
  CHECK(clipped_text("blue", 4) == "blue");
  CHECK(clipped_text("", 0).empty());
  CHECK(clipped_text("blue", 3) == "blu…");
  CHECK(clipped_text("a€b", 3) == "a…");
  CHECK(clipped_text("a€b", 4) == "a€…");
  CHECK(clipped_text("€", 0) == "…");
  // Bytes that are no characters are cut anywhere.
  CHECK(clipped_text(std::string(20, '\x80'), 9).size() >= 6);
}

TEST_CASE("text of every language is shown as it is") {
  for (const auto* text : {"plain", "two words", "", " ", "Zürich", "東京", "🙂", "back\\slash", "it's \"here\""}) {
    CAPTURE(text);
    CHECK(is_utf8(as_byte_span(text)));
    CHECK(visible_text(text) == text);
    CHECK(shown(text) == text);
  }
}

TEST_CASE("control characters are escaped") {
  CHECK(visible_text("\x1b[31mred\x07") == "\\x1b[31mred\\x07");
  CHECK(visible_text("a\nb\tc\rd") == "a\\nb\\tc\\rd");
  CHECK(visible_lines("a\nb\tc\rd") == "a\nb\tc\\rd");
  CHECK(visible_text("\x7f") == "\\x7f");
  CHECK(visible_text("\xc2\x9b"
                     "31m") == "\\u{9b}31m");
  CHECK(visible_text("\xe2\x80\xaegnp.exe") == "\\u{202e}gnp.exe");
  CHECK(visible_text(std::string_view{"\0", 1}) == "\\x00");
}

TEST_CASE("bytes that are not UTF-8 are distinguished from text") {
  for (const auto* bytes : {"\xff", "\xc3", "\x80", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                            "\xf8\x88\x80\x80\x80", "good\xe2\x82"}) {
    CAPTURE(to_hex(as_byte_span(bytes)));
    CHECK_FALSE(is_utf8(as_byte_span(bytes)));
    CHECK(shown(bytes) == "0x" + to_hex(as_byte_span(bytes)));
    CHECK(is_utf8(as_byte_span(visible_text(bytes))));
  }
}

TEST_CASE("no two values look alike, and no value looks like a status") {
  CHECK(shown("0xff") == "\"0xff\"");
  CHECK(shown("\xff") == "0xff");
  CHECK(shown("(none)") == "\"(none)\"");
  CHECK(shown("refused: no") == "\"refused: no\"");
  CHECK(shown("error: timed_out") == "\"error: timed_out\"");
  CHECK(shown("a\nb") == "\"a\\nb\"");
  CHECK(shown("a\\nb") == "a\\nb");
  CHECK(shown("\"a\\nb\"") == "\"\\\"a\\\\nb\\\"\"");
}

TEST_CASE("an answer shows a value as text or as bytes, and nothing where there is none") {
  const auto text = answer_to_get(found("Zürich\n"));
  CHECK(text.text == "Zürich\n");
  CHECK_FALSE(text.bytes);
  CHECK(text.line == "\"Zürich\\n\"");
  const auto bytes = answer_to_get(found("\xff"));
  CHECK_FALSE(bytes.text);
  CHECK(bytes.bytes == to_byte_vector("\xff"));
  const auto none = answer_to_get({operation_status::applied, to_byte_vector(std::string_view{"\0", 1})});
  CHECK_FALSE(none.text);
  CHECK_FALSE(none.bytes);
  CHECK(none.line == "(none)");
}

TEST_CASE("an operation with a failed condition counts as refused") {
  const operation_result unchanged{operation_status::applied, to_byte_vector(std::string_view{"\0", 1})};
  for (const auto& words : {std::vector<std::string>{"create", "k", "v"},
                            std::vector<std::string>{"compare-and-swap", "k", "expected", "new"}}) {
    const auto operation = parse_operation("key-value", words);
    REQUIRE(operation);
    CHECK(interpret("key-value", *operation, unchanged).status == operation_status::refused);
    CHECK(interpret("key-value", *operation, found("")).status == operation_status::applied);
  }
}

TEST_CASE("each machine knows its read-only operations") {
  const auto reads = [](std::string_view machine, const std::vector<std::string>& words) {
    const auto operation = parse_operation(machine, words);
    REQUIRE(operation);
    return is_read(machine, *operation);
  };
  CHECK(reads("key-value", {"get", "k"}));
  CHECK(reads("scheduler", {"node", "n"}));
  CHECK(reads("scheduler", {"task", "t"}));
  CHECK(reads("scheduler", {"summary"}));
  CHECK_FALSE(reads("key-value", {"put", "k", "v"}));
  CHECK_FALSE(reads("key-value", {"delete", "k"}));
  CHECK_FALSE(reads("key-value", {"compare-and-swap", "k", "a", "b"}));
  CHECK_FALSE(reads("key-value", {"create", "k", "v"}));
  CHECK_FALSE(reads("key-value", {"increment", "k"}));
  CHECK_FALSE(reads("scheduler", {"register-node", "n", "1", "1"}));
  CHECK_FALSE(reads("scheduler", {"submit-task", "t", "1", "1"}));
  for (const auto* verb : {"place-task", "release-task", "end-task"})
    CHECK_FALSE(reads("scheduler", {verb, "t"}));
  CHECK_FALSE(is_read("key-value", {}));
  CHECK_FALSE(is_read("bank", key_value::encode(key_value::get{as_byte_span("k")})));
}

}  // namespace hypermesh::testing
