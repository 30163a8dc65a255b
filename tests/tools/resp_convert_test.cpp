#include "tools/hypermesh/gateway/resp_convert.hpp"

#include <doctest/doctest.h>

namespace hypermesh::testing {

namespace {

std::string two(std::string_view reply, reply_shape shape = reply_shape::plain) {
  return converted_reply(reply, resp_version::two, shape).value_or("wrong");
}

std::string three(std::string_view reply) {
  return converted_reply(reply, resp_version::three, reply_shape::plain).value_or("wrong");
}

}  // namespace

TEST_CASE("replies of RESP3 become those of RESP2") {
  CHECK(two("+OK\r\n") == "+OK\r\n");
  CHECK(two("-ERR no\r\n") == "-ERR no\r\n");
  CHECK(two(":-7\r\n") == ":-7\r\n");
  CHECK(two("$3\r\na\r\n\r\n") == "$3\r\na\r\n\r\n");
  CHECK(two("_\r\n") == "$-1\r\n");
  CHECK(two(",1.5\r\n") == "$3\r\n1.5\r\n");
  CHECK(two("#t\r\n") == ":1\r\n");
  CHECK(two("#f\r\n") == ":0\r\n");
  CHECK(two("=7\r\ntxt:abc\r\n") == "$3\r\nabc\r\n");
  CHECK(two("!6\r\nERR no\r\n") == "-ERR no\r\n");
  CHECK(two("%1\r\n$1\r\na\r\n%0\r\n") == "*2\r\n$1\r\na\r\n*0\r\n");
  CHECK(two("~2\r\n:1\r\n_\r\n") == "*2\r\n:1\r\n$-1\r\n");
}

TEST_CASE("pairs are flat in RESP2, and arrays of their own in RESP3") {
  constexpr auto pairs = "*2\r\n*2\r\n$1\r\na\r\n,1\r\n*2\r\n$1\r\nb\r\n,2.5\r\n";
  CHECK(two(pairs, reply_shape::pairs) == "*4\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$3\r\n2.5\r\n");
  CHECK(two(pairs) == "*2\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n*2\r\n$1\r\nb\r\n$3\r\n2.5\r\n");
  CHECK(three(pairs) == pairs);
  CHECK(two("*0\r\n", reply_shape::pairs) == "*0\r\n");
  CHECK(two("*2\r\n$1\r\na\r\n,1\r\n", reply_shape::pairs) == "*2\r\n$1\r\na\r\n$1\r\n1\r\n");
  CHECK(two("-ERR no\r\n", reply_shape::pairs) == "-ERR no\r\n");
}

TEST_CASE("the null of a command that answers with an array is the array of RESP2 that is null") {
  CHECK(two("_\r\n", reply_shape::nullable_array) == "*-1\r\n");
  CHECK(two("*1\r\n_\r\n", reply_shape::nullable_array) == "*1\r\n$-1\r\n");
  CHECK(converted_reply("_\r\n", resp_version::three, reply_shape::nullable_array) == "_\r\n");
}

TEST_CASE("bytes that are not exactly one reply are refused") {
  for (const auto* const bytes : {"", "+OK", "+OK\r\n+OK\r\n", "$3\r\nab\r\n", "$-1\r\n", "*1\r\n", "*99999999999\r\n",
                                  "*-1\r\n", "%1\r\n:1\r\n", "?\r\n", "\r\n", "$1\r\nab\r\n\r\n"}) {
    CAPTURE(std::string{bytes});
    CHECK(two(bytes) == "wrong");
    CHECK(three(bytes) == "wrong");
  }
  // Values inside values take no stack.
  std::string deep;
  for (int count = 0; count < 100'000; ++count)
    deep += "*1\r\n";
  CHECK(two(deep + ":1\r\n") == deep + ":1\r\n");
  CHECK(two(deep) == "wrong");
}

TEST_CASE("the reply to EXEC has one reply for each command, also for those that the gateway answers") {
  const std::vector<transaction_part> parts{{}, {reply_shape::plain, "+OK\r\n"}, {reply_shape::pairs, std::nullopt}};
  const auto reply = converted_transaction("*2\r\n_\r\n*1\r\n*2\r\n$1\r\na\r\n,1\r\n", resp_version::two, parts);
  CHECK(reply == "*3\r\n$-1\r\n+OK\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n");
  CHECK(converted_transaction("_\r\n", resp_version::two, parts) == "*-1\r\n");
  CHECK(converted_transaction("_\r\n", resp_version::three, parts) == "_\r\n");
  CHECK(converted_transaction("-EXECABORT no\r\n", resp_version::two, parts) == "-EXECABORT no\r\n");
  CHECK_FALSE(converted_transaction("*1\r\n_\r\n", resp_version::two, parts));
  CHECK_FALSE(converted_transaction("*2\r\n_\r\n", resp_version::two, parts));
  CHECK_FALSE(converted_transaction("*2\r\n_\r\n_\r\n_\r\n", resp_version::two, parts));
}

}  // namespace hypermesh::testing
