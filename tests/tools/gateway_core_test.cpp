#include <doctest/doctest.h>

#include <fmt/format.h>

#include "tests/tools/gateway_bench.hpp"
#include "tests/tools/status_bench.hpp"

namespace hypermesh::testing {

namespace {

std::string lines(std::size_t count, const std::string& line) {
  std::string text;
  for (std::size_t number = 0; number < count; ++number)
    text += line;
  return text;
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("replies have the order of the commands, whatever the order of the results is") {
  gateway_bench bench;
  const auto client = bench.connect();
  bench.say(client, "set a 1\r\nset b 2\r\nping\r\nget a\r\n");
  REQUIRE(bench.sent.size() == 3);
  CHECK(bench.first_sent() == "set a 1");
  CHECK(bench.hear(client).empty());
  bench.answer_at(2, "$1\r\n1\r\n");
  bench.answer_at(1, "+OK\r\n");
  CHECK(bench.hear(client).empty());
  bench.answer("+OK\r\n");
  CHECK(bench.hear(client) == "+OK\r\n+OK\r\n+PONG\r\n$1\r\n1\r\n");
}

TEST_CASE("operations of all connections are submitted in the order of each connection") {
  gateway_settings settings;
  settings.turn_commands = 2;
  settings.flight_operations_max = 4;
  gateway_bench bench{settings};
  const auto first = bench.connect();
  const auto second = bench.connect();
  // Every reply is expected to be small from the second one on.
  bench.say(first, "incr x\r\n");
  bench.answer(":1\r\n");
  bench.say(first, "incr a\r\nincr b\r\nincr c\r\nincr d\r\nincr e\r\nincr f\r\n");
  bench.say(second, "incr A\r\nincr B\r\nincr C\r\n");
  REQUIRE(bench.sent.size() == 4);
  std::string order;
  for (std::int64_t number = 1; !bench.sent.empty(); ++number) {
    order += bench.first_sent().back();
    bench.answer(fmt::format(":{}\r\n", number));
  }
  // The first connection fills the window; then both take turns.
  CHECK(order == "abcdeAfBC");
  CHECK(bench.hear(second) == ":6\r\n:8\r\n:9\r\n");
}

TEST_CASE("a long pipeline waits in the socket of its client, and is executed completely") {
  gateway_bench bench;
  const auto client = bench.connect();
  bench.say(client, "incr k\r\n");
  bench.answer(":1\r\n");
  bench.say(client, lines(5'000, "incr k\r\n"));
  CHECK(bench.sent.size() == gateway_settings{}.replies_pending_max);
  std::size_t answered = 0;
  for (; !bench.sent.empty(); ++answered)
    bench.answer(":1\r\n");
  CHECK(answered == 5'000);
}

TEST_CASE("a client that does not read its replies stops being served, and goes on when it reads") {
  gateway_settings settings;
  settings.output_bytes_max = 1'000;
  gateway_bench bench{settings};
  const auto client = bench.connect();
  const std::string echo = "echo " + std::string(100, 'x') + "\r\n";
  bench.say(client, lines(100, echo));
  std::size_t bytes = 0;
  const auto first = bench.hear(client).size();
  CHECK(first < 1'200);
  bytes += first;
  for (auto got = bench.hear(client).size(); got > 0; got = bench.hear(client).size())
    bytes += got;
  CHECK(bytes == 100 * std::string_view{"$100\r\n\r\n"}.size() + 100 * 100);
}

TEST_CASE("a command whose fate is unknown ends the connection, and no later result is shown") {
  gateway_bench bench;
  const auto client = bench.connect();
  bench.say(client, "set a 1\r\nset b 2\r\nset c 3\r\n");
  bench.answer("+OK\r\n");
  bench.fail(client_error::timed_out);
  bench.answer("+OK\r\n");
  bench.say(client, "set d 4\r\n");
  const auto heard = bench.hear(client);
  CHECK(heard.starts_with("+OK\r\n-TIMEOUT the cluster did not answer in time"));
  CHECK(has(heard, "may still be executed"));
  CHECK(std::count(heard.begin(), heard.end(), '\n') == 2);
  CHECK(bench.core.is_complete(client));
  CHECK(bench.sent.empty());
  CHECK(bench.core.statistics().unknown_outcomes == 1);
}

TEST_CASE("every failure of the client says what is known about the operation") {
  for (auto number = 1; number <= static_cast<int>(client_error_last); ++number) {
    const auto error = static_cast<client_error>(number);
    CAPTURE(to_string(error));
    gateway_bench bench;
    const auto client = bench.connect();
    bench.say(client, "set a 1\r\n");
    bench.fail(error);
    const auto heard = bench.hear(client);
    CHECK(heard.starts_with("-TIMEOUT") == is_fate_unknown(error));
    CHECK(bench.core.is_complete(client) == is_fate_unknown(error));
    CHECK(has(heard, "executed") == (error != client_error::too_many_pending && error != client_error::too_large));
  }
}

TEST_CASE("a command that waits too long for its turn is refused, and never sent") {
  gateway_settings settings;
  settings.flight_operations_max = 1;
  gateway_bench bench{settings};
  const auto first = bench.connect();
  const auto second = bench.connect();
  bench.say(first, "set a 1\r\n");
  bench.say(second, "set b 2\r\nping\r\nset c 3\r\n");
  bench.now += settings.patience + 1s;
  bench.core.on_tick(bench.now);
  bench.note();
  CHECK(bench.sent.size() == 1);
  const auto heard = bench.hear(second);
  CHECK(heard.starts_with("-TRYAGAIN the cluster answers too slowly"));
  CHECK(has(heard, "\r\n+PONG\r\n-TRYAGAIN"));
  CHECK(bench.core.statistics().refused == 2);
  bench.answer("+OK\r\n");
  CHECK(bench.sent.empty());
}

TEST_CASE("MULTI queues commands, and EXEC sends them as one operation") {
  gateway_bench bench;
  const auto client = bench.connect();
  bench.say(client, "multi\r\nset a 1\r\nclient getname\r\nget a\r\nexec\r\n");
  REQUIRE(bench.sent.size() == 1);
  CHECK(bench.first_sent() == "watching set a 1 get a");
  bench.answer("*2\r\n+OK\r\n$1\r\n1\r\n");
  CHECK(bench.hear(client) == "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n+OK\r\n$-1\r\n$1\r\n1\r\n");
  bench.say(client, "multi\r\nexec\r\nexec\r\ndiscard\r\nmulti\r\nmulti\r\nwatch a\r\ndiscard\r\n");
  CHECK(bench.hear(client) ==
        "+OK\r\n*0\r\n-ERR EXEC without MULTI\r\n-ERR DISCARD without MULTI\r\n+OK\r\n-ERR MULTI calls can not be "
        "nested\r\n-ERR WATCH inside MULTI is not allowed\r\n+OK\r\n");
}

TEST_CASE("LPOP with a count of an absent list is a null array in RESP2, also in a transaction") {
  gateway_bench bench;
  const auto client = bench.connect();
  bench.say(client, "lpop l 2\r\nlpop l\r\nmulti\r\nrpop l 2\r\nexec\r\n");
  bench.answer("_\r\n");
  bench.answer("_\r\n");
  bench.answer("*1\r\n_\r\n");
  CHECK(bench.hear(client) == "*-1\r\n$-1\r\n+OK\r\n+QUEUED\r\n*1\r\n*-1\r\n");
}

TEST_CASE("ZMPOP nests its pairs in RESP2, and ZUNION does not") {
  gateway_bench bench;
  const auto client = bench.connect();
  bench.say(client,
            "zmpop 1 z min\r\nlmpop 1 l left\r\nzmpop 1 z min\r\nzunion 1 z withscores\r\nzunion 1 withscores\r\n");
  bench.answer("_\r\n");
  bench.answer("_\r\n");
  bench.answer("*2\r\n$1\r\nz\r\n*1\r\n*2\r\n$1\r\na\r\n,1\r\n");
  bench.answer("*1\r\n*2\r\n$1\r\na\r\n,1\r\n");
  bench.answer("*1\r\n$1\r\na\r\n");
  CHECK(bench.hear(client) ==
        "*-1\r\n*-1\r\n*2\r\n$1\r\nz\r\n*1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n"
        "*1\r\n$1\r\na\r\n");
}

TEST_CASE("a transaction with a command that cannot be executed is discarded") {
  gateway_bench bench;
  const auto client = bench.connect();
  bench.say(client, "multi\r\nget\r\nset a 1\r\nexec\r\nget a\r\n");
  CHECK(
      bench.hear(client) ==
      "+OK\r\n-ERR wrong number of arguments for 'get' command\r\n+QUEUED\r\n-EXECABORT Transaction discarded because "
      "of previous errors.\r\n");
  CHECK(bench.first_sent() == "get a");
  bench.say(client, "multi\r\nnosuch x y\r\nexec\r\n");
  bench.answer("_\r\n");
  CHECK(has(bench.hear(client), "-ERR unknown command 'nosuch', with args beginning with: 'x' 'y' \r\n-EXECABORT"));
}

TEST_CASE("a transaction has a bound, and too many commands discard it") {
  gateway_bench bench;
  const auto client = bench.connect();
  bench.say(client, "multi\r\n" + lines(machines::redis::transaction_commands_max + 1, "ping\r\n") + "exec\r\n");
  CHECK(has(bench.hear(client), "-ERR a transaction has at most 1024 commands on this server\r\n-EXECABORT"));
  const std::string large = "set a " + std::string(60'000, 'x') + "\r\n";
  bench.say(client, "multi\r\n");
  for (int count = 0; count < 5; ++count)
    bench.say(client, large);
  bench.say(client, "exec\r\n");
  CHECK(has(bench.hear(client), "-ERR a transaction has at most 262144 bytes on this server\r\n-EXECABORT"));
  CHECK(bench.sent.empty());
}

TEST_CASE("the replies of the gateway to a transaction are bounded") {
  gateway_settings settings;
  settings.output_bytes_max = 10'000;
  gateway_bench bench{settings};
  const auto client = bench.connect();
  bench.say(client, "multi\r\n" + lines(1'000, "command count\r\n") + lines(20, "command list\r\n"));
  CHECK(bench.hear(client).size() < 2 * settings.output_bytes_max);
  while (!bench.hear(client).empty()) {
  }
  bench.say(client, "exec\r\n");
  const auto heard = bench.hear(client);
  CHECK(has(heard, "-ERR the command was not executed, because the replies of the gateway"));
  CHECK(heard.size() < 3 * settings.output_bytes_max);
}

TEST_CASE("CLIENT LIST shows no text of a client's choice but its name") {
  gateway_bench bench;
  const auto client = bench.connect();
  bench.say(client, "*1\r\n$14\r\nx user=admin y\r\n");
  (void)bench.hear(client);
  const auto other = bench.connect();
  bench.say(other, "client list\r\n");
  const auto heard = bench.hear(other);
  CHECK_FALSE(has(heard, "admin"));
  CHECK(has(heard, "cmd=NULL user=default"));
}

TEST_CASE("WATCH asks for versions before the next command is read, and EXEC compares them") {
  gateway_bench bench;
  const auto client = bench.connect();
  bench.say(client, "watch a b\r\nmulti\r\nset a 1\r\nexec\r\nget a\r\n");
  REQUIRE(bench.sent.size() == 2);
  CHECK(bench.first_sent() == "hm.version a");
  bench.answer_at(1, ":9\r\n");
  CHECK(bench.hear(client).empty());
  bench.answer(":7\r\n");
  REQUIRE(bench.sent.size() == 2);
  CHECK(bench.first_sent() == "watching a=7 b=9 set a 1");
  bench.answer("_\r\n");
  CHECK(bench.hear(client) == "+OK\r\n+OK\r\n+QUEUED\r\n*-1\r\n");
  bench.answer("_\r\n");
  // EXEC has ended the watch, and so does UNWATCH.
  bench.say(client, "watch a\r\n");
  bench.answer(":7\r\n");
  bench.say(client, "unwatch\r\nmulti\r\nget a\r\nexec\r\n");
  CHECK(bench.first_sent() == "watching get a");
}

TEST_CASE("a failed WATCH watches nothing") {
  gateway_bench bench;
  const auto client = bench.connect();
  bench.say(client, "watch a b\r\n");
  bench.fail(client_error::name_taken);
  bench.answer(":7\r\n");
  CHECK(bench.hear(client).starts_with("-TRYAGAIN"));
  bench.say(client, "watch a b c\r\n");
  bench.fail(client_error::timed_out);
  bench.fail(client_error::timed_out);
  bench.answer(":7\r\n");
  CHECK(bench.hear(client).starts_with("-TIMEOUT"));
  CHECK(bench.core.is_complete(client));
}

TEST_CASE("HELLO chooses the version of the replies that follow") {
  gateway_bench bench;
  const auto client = bench.connect();
  bench.say(client, "hgetall h\r\nhello 3\r\nhgetall h\r\n");
  bench.answer("%1\r\n$1\r\na\r\n,1.5\r\n");
  bench.answer("%1\r\n$1\r\na\r\n,1.5\r\n");
  const auto heard = bench.hear(client);
  CHECK(heard.starts_with("*2\r\n$1\r\na\r\n$3\r\n1.5\r\n%7\r\n"));
  CHECK(heard.ends_with("%1\r\n$1\r\na\r\n,1.5\r\n"));
  bench.say(client, "hello 4\r\nhello x\r\nreset\r\n");
  CHECK(
      bench.hear(client) ==
      "-NOPROTO unsupported protocol version\r\n-ERR Protocol version is not an integer or out of range\r\n+RESET\r\n");
}

TEST_CASE("a gateway with a password executes nothing before it was shown") {
  gateway_settings settings;
  settings.is_password = [](std::string_view shown) { return shown == "secret"; };
  gateway_bench bench{settings};
  const auto client = bench.connect();
  bench.say(client, "set a 1\r\nping\r\nhello 3\r\nauth wrong\r\nhello 3 auth other secret\r\n");
  const auto heard = bench.hear(client);
  CHECK(
      heard.starts_with("-NOAUTH Authentication required.\r\n-NOAUTH Authentication required.\r\n-NOAUTH HELLO must"));
  CHECK(heard.ends_with("-WRONGPASS invalid username-password pair or user is disabled.\r\n"));
  CHECK(bench.sent.empty());
  bench.say(client, "auth default secret\r\nget a\r\nreset\r\nget a\r\n");
  REQUIRE(bench.sent.size() == 1);
  bench.answer("_\r\n");
  CHECK(bench.hear(client) == "+OK\r\n$-1\r\n+RESET\r\n-NOAUTH Authentication required.\r\n");
  const auto guesser = bench.connect();
  bench.say(guesser, lines(settings.wrong_passwords_max + 2, "auth guess\r\n"));
  const auto answers = bench.hear(guesser);
  CHECK(std::count(answers.begin(), answers.end(), '\n') == static_cast<std::ptrdiff_t>(settings.wrong_passwords_max));
  CHECK(bench.core.is_complete(guesser));
  const auto silent = bench.connect();
  bench.now += settings.sign_in_patience;
  bench.core.on_tick(bench.now);
  CHECK(bench.core.is_complete(silent));
}

TEST_CASE("connections are bounded, and a protocol failure or QUIT ends one after its replies") {
  gateway_settings settings;
  settings.connections_max = 2;
  gateway_bench bench{settings};
  const auto first = bench.connect();
  const auto second = bench.connect();
  CHECK_FALSE(bench.core.on_accepted("127.0.0.1:2", bench.now));
  bench.say(first, "set a 1\r\n*x\r\nping\r\n");
  CHECK_FALSE(bench.core.is_complete(first));
  bench.answer("+OK\r\n");
  CHECK(bench.hear(first) == "+OK\r\n-ERR Protocol error: invalid multibulk length\r\n");
  CHECK(bench.core.is_complete(first));
  bench.core.on_closed(first);
  bench.say(second, "quit\r\nping\r\n");
  CHECK(bench.hear(second) == "+OK\r\n");
  CHECK(bench.core.is_complete(second));
  CHECK(bench.core.on_accepted("127.0.0.1:2", bench.now));
}

TEST_CASE("a web page cannot use the gateway through a browser") {
  gateway_bench bench;
  const auto client = bench.connect();
  bench.say(client, "POST / HTTP/1.1\r\nset a 1\r\n\r\nset a 1\r\n");
  CHECK(bench.sent.empty());
  CHECK(bench.core.is_complete(client));
}

TEST_CASE("a client that has closed its half of the connection gets the replies to all that it has sent") {
  gateway_settings settings;
  settings.flight_operations_max = 1;
  gateway_bench bench{settings};
  const auto client = bench.connect();
  bench.say(client, "set a 1\r\nset b 2\r\nset c");
  bench.core.on_input_ended(client, bench.now);
  bench.note();
  CHECK_FALSE(bench.core.is_complete(client));
  bench.answer("+OK\r\n");
  REQUIRE(bench.sent.size() == 1);
  bench.answer("+OK\r\n");
  CHECK(bench.hear(client) == "+OK\r\n+OK\r\n");
  CHECK(bench.core.is_complete(client));
}

TEST_CASE("results for a connection that is gone are dropped") {
  gateway_bench bench;
  const auto client = bench.connect();
  bench.say(client, "set a 1\r\nset b 2\r\n");
  bench.core.on_closed(client);
  bench.answer("+OK\r\n");
  bench.fail(client_error::timed_out);
  CHECK(bench.core.connections() == 0);
  CHECK(bench.core.operations_in_flight() == 0);
}

TEST_CASE("a gateway that stops answers what is in flight and begins nothing") {
  gateway_bench bench;
  const auto client = bench.connect();
  bench.say(client, "set a 1\r\n");
  bench.core.on_stop(bench.now);
  bench.say(client, "set b 2\r\n");
  CHECK(bench.sent.size() == 1);
  CHECK_FALSE(bench.core.is_complete(client));
  CHECK_FALSE(bench.core.on_accepted("127.0.0.1:2", bench.now));
  bench.answer("+OK\r\n");
  CHECK(bench.hear(client) == "+OK\r\n");
  CHECK(bench.core.is_complete(client));
}

TEST_CASE("results that are no reply, and operations that the machine refuses, become errors") {
  gateway_bench bench;
  const auto client = bench.connect();
  bench.say(client, "get a\r\nget a\r\nget a\r\nget a\r\n");
  bench.answer("nonsense");
  bench.answer("bad\r\nbytes", operation_status::malformed);
  bench.answer("no", operation_status::refused);
  bench.answer("$1\r\nx\r\n");
  CHECK(bench.hear(client) ==
        "-ERR the result of the cluster is no reply; report this error\r\n-ERR bad  bytes\r\n-ERR no\r\n$1\r\nx\r\n");
}

TEST_CASE("commands about the connection and the gateway are answered as Redis answers them") {
  gateway_bench bench;
  const auto client = bench.connect();
  const auto reply_to = [&](const std::string& line) {
    bench.say(client, line + "\r\n");
    return bench.hear(client);
  };
  CHECK(reply_to("PING hello") == "$5\r\nhello\r\n");
  CHECK(reply_to("PING a b") == "-ERR wrong number of arguments for 'ping' command\r\n");
  CHECK(reply_to("SELECT 0") == "+OK\r\n");
  CHECK(reply_to("SELECT 1") == "-ERR DB index is out of range\r\n");
  CHECK(reply_to("SELECT x") == "-ERR value is not an integer or out of range\r\n");
  CHECK(reply_to("CLIENT ID") == ":1\r\n");
  CHECK(reply_to("CLIENT GETNAME") == "$-1\r\n");
  CHECK(reply_to("CLIENT SETNAME web") == "+OK\r\n");
  CHECK(reply_to("CLIENT GETNAME") == "$3\r\nweb\r\n");
  CHECK(reply_to("CLIENT SETNAME \"a b\"").starts_with("-ERR Client names cannot contain spaces"));
  CHECK(reply_to("CLIENT SETNAME") == "-ERR wrong number of arguments for 'client|setname' command\r\n");
  CHECK(reply_to("CLIENT NOSUCH") == "-ERR unknown subcommand 'NOSUCH'. Try CLIENT HELP.\r\n");
  CHECK(has(reply_to("CLIENT LIST"), "id=1 addr=127.0.0.1:1 name=web"));
  CHECK(reply_to("CONFIG GET save") == "*2\r\n$4\r\nsave\r\n$0\r\n\r\n");
  CHECK(reply_to("CONFIG GET nosuch") == "*0\r\n");
  CHECK(
      reply_to("CONFIG SET save x").starts_with("-ERR Unknown option or number of arguments for CONFIG SET - 'save'"));
  CHECK(has(reply_to("INFO server"), "redis_version:7.0.15"));
  CHECK_FALSE(has(reply_to("INFO server"), "# Stats"));
  CHECK(has(reply_to("INFO"), "hypermesh_cluster:bench"));
  CHECK(has(reply_to("INFO hypermesh"), "# Hypermesh\r\nhypermesh_health:not known yet\r\n"));
  status_bench group;
  bench.core.on_cluster_view(view_of(group.reports, group.cluster.parameters(), bench.now));
  CHECK(has(reply_to("INFO hypermesh"), "hypermesh_executed:1000\r\nhypermesh_health:tolerates 1 more fault"));
  CHECK(reply_to("COMMAND COUNT").starts_with(":1"));
  CHECK(reply_to("COMMAND INFO get nosuch").starts_with("*2\r\n*10\r\n$3\r\nget\r\n:2\r\n"));
  CHECK(reply_to("COMMAND GETKEYS mset a 1 b 2") == "*2\r\n$1\r\na\r\n$1\r\nb\r\n");
  CHECK(reply_to("AUTH x").starts_with("-ERR AUTH <password> called without any password"));
  CHECK(bench.sent.empty());
}

TEST_CASE("hostile bytes in names, arguments and versions never break the order of replies") {
  gateway_bench bench;
  const auto client = bench.connect();
  bench.say(client, "*2\r\n$4\r\na\r\nb\r\n$3\r\n\r\nx\r\n*1\r\n$0\r\n\r\n*1\r\n$40\r\n" + std::string(40, 'g') +
                        "\r\nhello 3 setname\r\nping\r\n");
  const auto heard = bench.hear(client);
  CHECK(std::count(heard.begin(), heard.end(), '\n') == 5);
  CHECK(heard.ends_with("\r\n+PONG\r\n"));
}

}  // namespace hypermesh::testing
