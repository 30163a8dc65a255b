#include "tests/simulation/operation_text.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/state_machines/printable.hpp"

namespace hypermesh::testing {

namespace {

/// Writes an operation in the words of a person. Reading the words back detects operations that such words cannot
/// express.
struct speaker {
  std::string operator()(const key_value::put& it) const { return "put " + text(it.key) + " " + text(it.value); }
  std::string operator()(const key_value::get& it) const { return "get " + text(it.key); }
  std::string operator()(const key_value::remove& it) const { return "delete " + text(it.key); }
  std::string operator()(const key_value::compare_and_swap& it) const {
    if (!it.expected) return "create " + text(it.key) + " " + text(it.replacement);
    return "compare-and-swap " + text(it.key) + " " + text(*it.expected) + " " + text(it.replacement);
  }
  std::string operator()(const key_value::increment& it) const {
    return fmt::format("increment {} {}", text(it.key), it.amount);
  }

  static std::string text(byte_span bytes) { return std::string{as_text(bytes)}; }
};

bool is_word(std::string_view text) { return !text.empty() && std::ranges::all_of(text, is_visible); }

}  // namespace

std::vector<std::string> split_words(std::string_view text) {
  std::vector<std::string> words;
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    if (text.empty()) return words;
    words.emplace_back(text.substr(0, text.find(' ')));
    text.remove_prefix(words.back().size());
  }
}

std::string words_of(byte_span operation) {
  auto hexadecimal = "0x" + to_hex(operation);
  const auto decoded = key_value::decode(operation);
  if (!decoded) return hexadecimal;
  const auto spoken = std::visit(speaker{}, *decoded);
  const auto words = split_words(spoken);
  if (!std::ranges::all_of(words, is_word)) return hexadecimal;
  const auto again = key_value::parse_operation(words);
  return again && std::ranges::equal(*again, operation) ? spoken : hexadecimal;
}

or_reason<byte_vector> operation_of(std::span<const std::string> words) {
  if (words.size() != 1 || !words[0].starts_with("0x")) return key_value::parse_operation(words);
  byte_vector bytes((words[0].size() - 2) / 2);
  if (!from_hex(std::string_view{words[0]}.substr(2), bytes)) return invalid("\"" + words[0] + "\" is no hexadecimal");
  return bytes;
}

}  // namespace hypermesh::testing
