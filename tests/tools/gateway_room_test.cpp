#include <doctest/doctest.h>

#include "tests/tools/gateway_bench.hpp"

// What a gateway does if the replies of a bundle have no room for a reply.
namespace hypermesh::testing {

namespace {

std::string repeated(const std::string& line, std::size_t count) {
  std::string text;
  for (std::size_t number = 0; number < count; ++number)
    text += line;
  return text;
}

}  // namespace

TEST_CASE("the replies of operations in flight fit one bundle, as far as earlier replies tell") {
  gateway_bench bench;
  const auto client = bench.connect();
  bench.say(client, repeated("get a\r\n", 1'000));
  // The first replies may have any size.
  CHECK(bench.sent.size() == limits::reply_bytes_max / limits::result_bytes_max);
  bench.answer("$1\r\nx\r\n");
  CHECK(bench.sent.size() > 500);
}

TEST_CASE("a read whose reply the cluster has dropped is asked again once, if nothing came after it") {
  gateway_bench bench;
  const auto client = bench.connect();
  bench.say(client, "get a\r\n");
  bench.answer("", operation_status::result_too_large);
  REQUIRE(bench.sent.size() == 1);
  CHECK(bench.first_sent() == "get a");
  bench.answer("$1\r\nx\r\n");
  CHECK(bench.hear(client) == "$1\r\nx\r\n");
  // A later write would change what the read sees, and a write must not be executed twice.
  bench.say(client, "get a\r\nset a 1\r\n");
  bench.answer("", operation_status::result_too_large);
  bench.answer("", operation_status::result_too_large);
  CHECK(bench.sent.empty());
  const auto heard = bench.hear(client);
  CHECK(heard.starts_with("-ERR the command was executed, but the cluster does not have its reply any more"));
  CHECK(bench.core.statistics().replies_lost == 2);
  bench.say(client, "get a\r\n");
  bench.answer("", operation_status::result_too_large);
  bench.answer("", operation_status::result_too_large);
  CHECK(bench.sent.empty());
  CHECK(bench.hear(client).starts_with("-ERR the command was executed"));
}

TEST_CASE("commands that were not executed, because their replies had no room, are sent again in their order") {
  gateway_bench bench;
  const auto client = bench.connect();
  bench.expect_small_replies(client, {"rpop l", "get a"});
  bench.say(client, "rpop l\r\nget a\r\nrpop l\r\nping\r\nrpop m\r\n");
  REQUIRE(bench.sent.size() == 4);
  bench.answer("$1\r\nx\r\n");
  bench.refuse();
  bench.say(client, "set k v\r\n");
  // The results of a bundle may arrive in any order.
  bench.refuse_at(1);
  CHECK(bench.sent.size() == 1);
  bench.refuse();
  // RPOP is expected to have a large reply now, so the connection waits for each.
  REQUIRE(bench.sent.size() == 2);
  CHECK(bench.words_of(bench.sent[0]) == "get a");
  CHECK(bench.words_of(bench.sent[1]) == "rpop l");
  bench.answer("$1\r\ny\r\n");
  bench.answer("$1\r\nz\r\n");
  // A command may be refused again.
  REQUIRE(bench.sent.size() == 1);
  CHECK(bench.first_sent() == "rpop m");
  bench.refuse();
  REQUIRE(bench.sent.size() == 1);
  CHECK(bench.first_sent() == "rpop m");
  while (bench.sent.size() > 0)
    bench.answer("_\r\n");
  CHECK(bench.hear(client) == "$1\r\nx\r\n$1\r\ny\r\n$1\r\nz\r\n+PONG\r\n$-1\r\n$-1\r\n");
  CHECK(bench.core.statistics().replies_lost == 0);
  CHECK(bench.core.statistics().replies_repeated == 4);
}

TEST_CASE("a command that was not executed is not sent again after a later command of its connection") {
  gateway_bench bench;
  const auto client = bench.connect();
  bench.expect_small_replies(client, {"getdel a"});
  bench.say(client, "getdel a\r\nset a 1\r\ngetdel b\r\n");
  REQUIRE(bench.sent.size() == 3);
  bench.refuse();
  bench.answer("+OK\r\n");
  bench.refuse();
  // The last one is still in time.
  REQUIRE(bench.sent.size() == 1);
  CHECK(bench.first_sent() == "getdel b");
  bench.answer("$1\r\ny\r\n");
  const auto heard = bench.hear(client);
  CHECK(heard.starts_with("-TRYAGAIN this command was not executed"));
  CHECK(heard.ends_with("\r\n+OK\r\n$1\r\ny\r\n"));
  CHECK(bench.core.statistics().refused == 1);
}

TEST_CASE("a connection waits for a command that returns and changes data, unless its reply is small") {
  gateway_bench bench;
  const auto client = bench.connect();
  bench.say(client, "getdel a\r\nset a 1\r\ngetdel a\r\nset a 2\r\n");
  CHECK(bench.sent.size() == 1);
  bench.answer("$1\r\nx\r\n");
  // The first reply was small, so the next ones are expected to be small.
  CHECK(bench.sent.size() == 3);
  for (const auto* reply : {"+OK\r\n", "$1\r\n1\r\n", "+OK\r\n"})
    bench.answer(reply);
  const std::string large(10'000, 'x');
  bench.say(client, "getdel a\r\n");
  bench.answer("$10000\r\n" + large + "\r\n");
  bench.say(client, "set a 3\r\ngetdel a\r\nget a\r\n");
  CHECK(bench.sent.size() == 2);
  // The end of the input does not end the commands that wait.
  bench.core.on_input_ended(client, bench.now);
  CHECK_FALSE(bench.core.is_complete(client));
  bench.answer("+OK\r\n");
  bench.answer("$1\r\n3\r\n");
  REQUIRE(bench.sent.size() == 1);
  CHECK(bench.first_sent() == "get a");
  bench.answer("_\r\n");
  CHECK(bench.core.is_complete(client));
}

TEST_CASE("a command that was not executed is not sent again for a client that is gone, or cannot hear the reply") {
  gateway_bench bench;
  const auto client = bench.connect();
  bench.expect_small_replies(client, {"getdel a"});
  bench.say(client, "set a 1\r\ngetdel a\r\n");
  bench.fail(client_error::timed_out);
  bench.refuse();
  CHECK(bench.sent.empty());
  CHECK(bench.hear(client).starts_with("-TIMEOUT"));
  const auto gone = bench.connect();
  bench.say(gone, "getdel a\r\nget a\r\n");
  REQUIRE(bench.sent.size() >= 1);
  bench.refuse();
  bench.core.on_closed(gone);
  while (!bench.sent.empty())
    bench.refuse();
  CHECK(bench.core.operations_in_flight() == 0);
  // What they held is free again.
  const auto next = bench.connect();
  bench.say(next, "get a\r\n");
  CHECK(bench.sent.size() == 1);
}

TEST_CASE("commands to be sent again wait for a client that does not read, and keep nobody else waiting") {
  gateway_bench bench;
  const auto greedy = bench.connect();
  const auto other = bench.connect();
  for (int count = 0; count < 1'000; ++count)
    bench.expect_small_replies(greedy, {"get a"});
  constexpr std::size_t commands = 100;
  bench.say(greedy, repeated("get a\r\n", commands));
  REQUIRE(bench.sent.size() == commands);
  while (bench.sent.size() > 1)
    bench.refuse();
  bench.refuse();
  const std::string large(250'000, 'x');
  std::size_t answered = 0;
  // The greedy client reads nothing, so its commands stop at the bound of its output.
  for (; !bench.sent.empty() && answered < commands; ++answered)
    bench.answer("$250000\r\n" + large + "\r\n");
  CHECK(answered < 10);
  CHECK(bench.core.output(greedy).size() < gateway_settings{}.output_bytes_max + 4 * limits::result_bytes_max);
  bench.say(other, "set b 1\r\n");
  CHECK(bench.first_sent() == "set b 1");
  bench.answer("+OK\r\n");
  CHECK(bench.hear(other) == "+OK\r\n");
  // When it reads, it gets everything.
  std::size_t heard = 0;
  for (int round = 0; round < 1'000 && heard < commands; ++round) {
    const auto text = bench.hear(greedy);
    for (auto at = text.find("$250000"); at != std::string::npos; at = text.find("$250000", at + 1))
      ++heard;
    if (!bench.sent.empty()) bench.answer("$250000\r\n" + large + "\r\n");
  }
  CHECK(heard == commands);
}

TEST_CASE("a gateway that stops does not send commands again, and says that they were not executed") {
  gateway_bench bench;
  const auto client = bench.connect();
  bench.expect_small_replies(client, {"getdel a"});
  bench.say(client, "getdel a\r\ngetdel b\r\n");
  REQUIRE(bench.sent.size() == 2);
  bench.refuse();
  bench.core.on_stop(bench.now);
  bench.refuse();
  CHECK(bench.sent.empty());
  const auto heard = bench.hear(client);
  CHECK(heard.starts_with("-TRYAGAIN this command was not executed"));
  CHECK(heard.find("\r\n-TRYAGAIN this command was not executed") != std::string::npos);
  CHECK(bench.core.is_complete(client));
}

}  // namespace hypermesh::testing
