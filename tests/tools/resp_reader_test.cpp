#include "tools/hypermesh/gateway/resp_reader.hpp"

#include <doctest/doctest.h>

#include <random>

#include <fmt/format.h>

namespace hypermesh::testing {

namespace {

/// The items that the reader finds in the bytes, as text: words with bars between them, or the error.
std::vector<std::string> items_of(resp_reader& reader, bool is_known = true) {
  std::vector<std::string> shown;
  while (auto item = reader.next(is_known)) {
    if (const auto* failure = std::get_if<protocol_failure>(&*item)) {
      shown.push_back("failure: " + failure->error);
    } else if (const auto* oversized = std::get_if<oversized_command>(&*item)) {
      shown.push_back("oversized: " + oversized->error);
    } else {
      std::string text;
      for (const auto& word : std::get<command_words>(*item))
        text += word + "|";
      shown.push_back(text);
    }
  }
  return shown;
}

std::vector<std::string> items_of(std::string_view bytes, bool is_known = true) {
  resp_reader reader;
  reader.feed(bytes);
  return items_of(reader, is_known);
}

std::string first_of(std::string_view bytes, bool is_known = true) {
  const auto items = items_of(bytes, is_known);
  return items.empty() ? "nothing" : items.front();
}

std::string array_of(const std::vector<std::string>& words) {
  auto bytes = fmt::format("*{}\r\n", words.size());
  for (const auto& word : words)
    bytes += fmt::format("${}\r\n{}\r\n", word.size(), word);
  return bytes;
}

}  // namespace

TEST_CASE("commands are read from arrays, inline lines and any mixture of them") {
  CHECK(first_of("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n") == "GET|k|");
  CHECK(first_of("*1\r\n$0\r\n\r\n") == "|");
  CHECK(first_of("PING\r\n") == "PING|");
  CHECK(first_of("set  k \"a b\\x41\\n\" 'it\\'s'\n") == "set|k|a bA\n|it's|");
  CHECK(items_of("PING\r\n*1\r\n$4\r\nQUIT\r\nECHO x\n") == std::vector<std::string>{"PING|", "QUIT|", "ECHO|x|"});
  // Arrays without words and empty lines are no commands.
  CHECK(items_of("*0\r\n*-1\r\n\r\n\nPING\n") == std::vector<std::string>{"PING|"});
  CHECK(first_of("*1\r\n$4\r\na\r\nb\r\n") == "a\r\nb|");
}

TEST_CASE("a command that arrives byte by byte is the same command") {
  const auto bytes = array_of({"SET", "key", std::string(1'000, 'x')}) + "PING\r\n" + array_of({"GET", ""});
  resp_reader reader;
  std::vector<std::string> found;
  for (const char each : bytes) {
    reader.feed({&each, 1});
    for (auto& item : items_of(reader))
      found.push_back(item);
  }
  CHECK(found == items_of(bytes));
  CHECK(found.size() == 3);
  CHECK(reader.buffered() == 0);
}

TEST_CASE("wrong bytes end the connection with Redis's texts") {
  CHECK(first_of("*x\r\n") == "failure: ERR Protocol error: invalid multibulk length");
  CHECK(first_of("*1048577\r\n") == "failure: ERR Protocol error: invalid multibulk length");
  CHECK(first_of("*9223372036854775808\r\n") == "failure: ERR Protocol error: invalid multibulk length");
  CHECK(first_of("*1\r\n:1\r\n") == "failure: ERR Protocol error: expected '$', got ':'");
  CHECK(first_of("*1\r\n\x01\r\n") == "failure: ERR Protocol error: expected '$', got '?'");
  CHECK(first_of("*1\r\n$-1\r\n") == "failure: ERR Protocol error: invalid bulk length");
  CHECK(first_of("*1\r\n$536870913\r\n") == "failure: ERR Protocol error: invalid bulk length");
  CHECK(first_of("*1\r\n$01\r\n") == "failure: ERR Protocol error: invalid bulk length");
  CHECK(first_of("set \"k\r\n") == "failure: ERR Protocol error: unbalanced quotes in request");
  CHECK(first_of("set \"k\"x\r\n") == "failure: ERR Protocol error: unbalanced quotes in request");
  CHECK(first_of(std::string(65'537, 'x')) == "failure: ERR Protocol error: too big inline request");
  CHECK(first_of("*" + std::string(65'537, '1')) == "failure: ERR Protocol error: too big mbulk count string");
  CHECK(first_of("*1\r\n$" + std::string(65'537, '1')) == "failure: ERR Protocol error: too big bulk count string");
}

TEST_CASE("nothing is read after a protocol failure") {
  resp_reader reader;
  reader.feed("*x\r\nPING\r\n");
  CHECK(items_of(reader).size() == 1);
  reader.feed("PING\r\n");
  CHECK(items_of(reader).empty());
}

TEST_CASE("a client without the password may send only small commands") {
  CHECK(first_of("*11\r\n", false) == "failure: ERR Protocol error: unauthenticated multibulk length");
  CHECK(first_of("*1\r\n$16385\r\n", false) == "failure: ERR Protocol error: unauthenticated bulk length");
  CHECK(first_of(array_of({"AUTH", "x"}), false) == "AUTH|x|");
}

TEST_CASE("a command that is too large is dropped and reported, and the next one is read") {
  const auto large = array_of({"SET", "k", std::string(resp_reader::command_bytes_max, 'x')});
  const auto many = array_of(std::vector<std::string>(resp_reader::words_max + 1, "x"));
  const auto items = items_of(large + "PING\r\n" + many + "PING\r\n");
  REQUIRE(items.size() == 4);
  CHECK(items[0] ==
        fmt::format("oversized: ERR a command has at most {} bytes on this server", resp_reader::command_bytes_max));
  CHECK(items[1] == "PING|");
  CHECK(items[2].starts_with("oversized: ERR a command has at most"));
  CHECK(items[3] == "PING|");
  const auto fitting = array_of({"SET", "k", std::string(resp_reader::command_bytes_max - 3 - 1 - 12, 'x')});
  CHECK(items_of(fitting).front().starts_with("SET|k|x"));
}

TEST_CASE("the bytes of a large command are not kept while they arrive") {
  resp_reader reader;
  reader.feed("*2\r\n$3\r\nGET\r\n$536870912\r\n");
  const std::string piece(65'536, 'x');
  for (int count = 0; count < 256; ++count) {
    reader.feed(piece);
    CHECK(items_of(reader).empty());
    CHECK(reader.buffered() == 0);
  }
}

TEST_CASE("random pieces of random bytes never give more than one failure, and never a command without a name") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random{seed};
  constexpr std::string_view letters = "*$+-:0123456789\r\n \"'\\xabGET\x00\xff";
  for (int round = 0; round < 2'000; ++round) {
    resp_reader reader;
    int failures = 0;
    for (int piece = 0; piece < 8; ++piece) {
      std::string bytes;
      for (auto left = random() % 40; left > 0; --left)
        bytes += letters[random() % letters.size()];
      reader.feed(bytes);
      while (const auto item = reader.next()) {
        if (std::holds_alternative<protocol_failure>(*item)) ++failures;
        if (const auto* words = std::get_if<command_words>(&*item)) CHECK_FALSE(words->empty());
      }
    }
    CHECK(failures <= 1);
  }
}

}  // namespace hypermesh::testing
