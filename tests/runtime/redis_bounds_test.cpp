#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/runtime/redis_bench.hpp"
#include "tools/hypermesh/traces/splitmix64.hpp"

// The bounds of the machine "redis": memory, work, replies, and the sizes of words.
namespace hypermesh::testing {

namespace redis = machines::redis;

TEST_CASE("beyond the memory bound, commands that need memory are refused, and others make room") {
  redis_bench bench;
  bench.machine = redis::redis_machine{256, 100'000};
  const std::string value(10'000, 'v');
  int stored = 0;
  while (bench.run_words({"set", "k" + std::to_string(stored), value}) == "+OK")
    ++stored;
  CHECK(stored == 9);
  CHECK(bench.run_words({"set", "other", value}) == "-OOM command not allowed when used memory > 'maxmemory'.");
  CHECK(bench.run("get k0") == "$10000 " + value);
  CHECK(bench.run("del k0") == ":1");
  CHECK(bench.run_words({"set", "other", value}) == "+OK");
}

TEST_CASE("a command that would read or move too much is refused and changes nothing") {
  redis_bench bench;
  for (int part = 0; part < 13; ++part) {
    std::vector<std::string> words{"rpush", "list"};
    std::vector<std::string> members{"sadd", "set"};
    for (int number = 0; number < 8'000; ++number) {
      words.push_back("e" + std::to_string(number));
      members.push_back("m" + std::to_string(8'000 * part + number));
    }
    (void)bench.run_words(words);
    (void)bench.run_words(members);
  }
  for (int part = 0; part < 7; ++part) {
    std::vector<std::string> fields{"hset", "hash"};
    std::vector<std::string> scores{"zadd", "zset"};
    for (int number = 0; number < 8'000; ++number) {
      fields.push_back("f" + std::to_string(8'000 * part + number));
      fields.emplace_back("v");
      scores.push_back(std::to_string(number));
      scores.push_back("m" + std::to_string(8'000 * part + number));
    }
    (void)bench.run_words(fields);
    (void)bench.run_words(scores);
  }
  const std::string refusal =
      "-ERR the command takes more than the 100000 steps of an operation, or more than its batch has left: use a "
      "smaller range, or try again";
  const auto root = bench.machine.root();
  for (const auto* command : {"lrem list 0 e1",
                              "lpos list absent",
                              "linsert list before absent x",
                              "smembers set",
                              "sunionstore other set",
                              "ltrim list 25001 -1",
                              "lpop list 20000",
                              "spop set 20000",
                              "hgetall hash",
                              "zremrangebyrank zset 0 -1",
                              "zunionstore other 1 zset",
                              "sinter set set",
                              "copy list other",
                              "zunion 1 zset",
                              "zinter 2 zset zset",
                              "zdiff 2 zset zset",
                              "zintercard 2 zset zset",
                              "zdiffstore other 1 zset",
                              "zrangestore other zset 0 14285",
                              "lmpop 2 absent list left count 16667",
                              "zmpop 1 zset min count 14286",
                              "zrandmember zset 50001"}) {
    CAPTURE(command);
    const bool is_read = redis::is_read_only(redis::command{redis_bench::words_of(command)});
    CHECK(bench.run(command) == refusal);
    CHECK(bench.run("llen list") == ":104000");
    CHECK(bench.run("scard set") == ":104000");
    CHECK(bench.run("zcard zset") == ":56000");
    CHECK(bench.run("exists other") == ":0");
    if (is_read) CHECK(bench.query(command) == refusal);
  }
  CHECK(bench.machine.root() == root);
  // The commands of a transaction share the bound.
  const auto reply = bench.transact({"lpos list absent maxlen 30000", "lpos list absent maxlen 30000"});
  CHECK(reply == "*2 _ " + refusal);
  // Deletion needs no reading.
  CHECK(bench.run("del list set") == ":2");
}

TEST_CASE("costly operations of one batch share a bound, and cheap ones behind them still run") {
  redis_bench bench;
  std::vector<std::string> words{"sadd", "s"};
  for (int number = 0; number < 20'000; ++number)
    words.push_back("m" + std::to_string(number));
  (void)bench.run_words(words);
  const auto batch = sequence_number{++bench.count};
  const auto in_batch = [&](const std::string& text) {
    operation_context context{batch, client_id{0}, timestamp{1}};
    const auto bytes = encode(redis::command{redis_bench::words_of(text)});
    return redis_bench::shown(bench.machine.apply(context, bytes));
  };
  int answered = 0;
  while (in_batch("sintercard 2 s s") == ":20000")
    ++answered;
  // Each reads 20,000 members twice: 80,000 steps.
  CHECK(answered == 12);
  CHECK(in_batch("sismember s m7") == ":1");
  CHECK(in_batch("srandmember s 500").starts_with("*500"));
  CHECK(in_batch("sintercard 2 s s").starts_with("-ERR the command takes more"));
  // The next batch has its own work.
  CHECK(bench.run("sintercard 2 s s") == ":20000");
}

TEST_CASE("many small members fill the memory by their number") {
  redis_bench bench;
  bench.machine = redis::redis_machine{256, 100'000};
  int stored = 0;
  while (bench.run("sadd s " + std::to_string(stored)) == ":1")
    ++stored;
  CHECK(stored > 600);
  CHECK(stored < 750);
}

TEST_CASE("a long pattern is refused, because its letters could be compared with each key") {
  redis_bench bench;
  (void)bench.run("set k v");
  const std::string longest(1024, '?');
  CHECK(bench.run("keys " + longest) == "*0");
  CHECK(bench.run("keys ?" + longest) == "-ERR a pattern has at most 1024 bytes");
  CHECK(bench.run("scan 0 match ?" + longest) == "-ERR a pattern has at most 1024 bytes");
}

TEST_CASE("a reply that does not fit a result is an error, and nothing that it names is lost") {
  redis_bench bench;
  const std::string value(100'000, 'v');
  for (int number = 0; number < 3; ++number)
    CHECK(bench.run_words({"rpush", "list", value}) == ':' + std::to_string(number + 1));
  const std::string refusal =
      "-ERR the reply would be longer than 262144 bytes, the bound of the results of one operation";
  CHECK(bench.run("lrange list 0 -1") == refusal);
  CHECK(bench.run("lpop list 3") == refusal);
  CHECK(bench.run("lmpop 2 absent list right count 3") == refusal);
  CHECK(bench.run("llen list") == ":3");
  CHECK(bench.run("lrange list 0 1").size() > 200'000);
  // What a transaction has returned is not returned again.
  const auto reply = bench.transact({"lindex list 0", "lpop list", "lpop list", "llen list"});
  CHECK(reply == "*4 $100000 " + value + " $100000 " + value + ' ' + refusal + " :2");
  CHECK(bench.run("llen list") == ":2");
  for (int number = 0; number < 300; ++number)
    (void)bench.run_words({"zadd", "z", "1", std::to_string(number) + std::string(1'000, 'm')});
  for (const auto* command : {"zmpop 1 z max count 300", "zunion 1 z", "zrandmember z -300"})
    CHECK(bench.run(command) == refusal);
  CHECK(bench.run("zcard z") == ":300");
  CHECK(bench.run("zrangestore y z 0 -1") == ":300");
}

TEST_CASE("an operation whose reply has no room in its request is not executed, and it fits in a later request") {
  redis_bench bench;
  const std::string value(200'000, 'v');
  for (int number = 0; number < 6; ++number) {
    (void)bench.run_words({"set", "k" + std::to_string(number), value});
    (void)bench.run_words({"rpush", "list", value});
  }
  (void)bench.run_words({"sadd", "set", std::string(500, 'm')});
  const auto command_of = [](const std::string& text) {
    return redis::operation{redis::command{redis_bench::words_of(text)}};
  };
  std::vector<redis::operation> request;
  for (int number = 0; number < 6; ++number)
    request.push_back(command_of("getdel k" + std::to_string(number)));
  for (const auto* text : {"lpop list", "get k5", "set small v", "getdel small", "set k5 w get", "incr n"})
    request.push_back(command_of(text));
  const std::vector reading{redis::command{{"incr", "m"}}, redis::command{{"get", "m"}}};
  const std::vector counting{redis::command{{"incr", "m"}}, redis::command{{"set", "m", "7"}}};
  request.push_back(redis::transaction{{}, reading});
  request.push_back(redis::transaction{{}, counting});
  const auto results = bench.apply_together(request);
  std::vector<bool> executed;
  for (const auto& each : results) {
    executed.push_back(each.status == operation_status::applied);
    if (!executed.back()) CHECK(as_text(each.payload) == redis::no_room_for_reply);
  }
  // Four of the large replies fit. Small ones fit in any case, and a transaction whose replies are small too.
  CHECK(executed ==
        std::vector{true, true, true, true, false, false, false, false, true, true, false, true, false, true});
  CHECK(bench.run("strlen k4") == ":200000");
  CHECK(bench.run("strlen k5") == ":200000");
  CHECK(bench.run("llen list") == ":6");
  CHECK(bench.run("exists small k0 k3") == ":0");
  CHECK(bench.run("get m") == "$1 7");
  // In requests of their own, they are executed.
  for (std::size_t number = 0; number < request.size(); ++number) {
    if (!executed[number]) CHECK(bench.apply(request[number]).status == operation_status::applied);
  }
  CHECK(bench.run("llen list") == ":5");
}

TEST_CASE("the results of a request fit its reply, whatever its operations are") {
  redis_bench bench;
  const std::string value(3'000, 'v');
  for (int number = 0; number < 300; ++number)
    (void)bench.run_words({"rpush", "list", value});
  (void)bench.run_words({"rpush", "long", std::string(250'000, 'v')});
  const std::vector<redis::operation> kinds = {
      redis::command{{"lpop", "list"}},
      redis::command{{"lpop", "list", "50"}},
      redis::command{{"lrange", "long", "0", "-1"}},
      redis::command{{std::string(200, 'u'), std::string(200, 'w')}},
      redis::command{{"incr", "n"}},
      redis::command{{"lpop", "n"}},
      redis::transaction{{}, std::vector<redis::command>(20, redis::command{{"incr", "n"}})},
      redis::transaction{{}, std::vector<redis::command>(3, redis::command{{"lpop", "list"}})}};
  splitmix64 random{7};
  std::vector<redis::operation> request;
  for (std::size_t number = 0; number < limits::operations_per_request_max; ++number)
    request.push_back(kinds[random.below(kinds.size())]);
  std::size_t bytes = 0;
  std::size_t returned = 0;
  for (const auto& each : bench.apply_together(request)) {
    CHECK(each.payload.size() <= limits::result_bytes_max);
    bytes += each.payload.size();
    const auto text = as_text(each.payload);
    for (auto at = text.find("$3000"); at != std::string_view::npos; at = text.find("$3000", at + 1))
      ++returned;
  }
  CHECK(bytes <= limits::reply_bytes_max);
  CHECK(bytes > limits::reply_bytes_max / 2);
  // No element was removed without being returned.
  CHECK(bench.run("llen list") == ":" + std::to_string(300 - returned));
}

TEST_CASE("every reply of a transaction fits, however many commands it has") {
  redis_bench bench;
  const std::string value(200'000, 'v');
  (void)bench.run_words({"set", "k", value});
  redis::transaction several;
  for (std::size_t number = 0; number < redis::transaction_commands_max; ++number)
    several.commands.push_back({{number % 2 == 0 ? "get" : "expire", "k", "5"}});
  for (std::size_t number = 0; number < several.commands.size(); number += 2)
    several.commands[number].words.pop_back();
  const auto result = bench.apply(several);
  CHECK(result.status == operation_status::applied);
  CHECK(result.payload.size() <= limits::result_bytes_max);
  CHECK(std::ranges::count(result.payload, std::byte{':'}) == static_cast<std::ptrdiff_t>(several.commands.size() / 2));
}

TEST_CASE("keys, members and strings beyond their bounds are refused") {
  redis_bench bench;
  const std::string longest_key(redis::key_bytes_max, 'k');
  CHECK(bench.run_words({"set", longest_key, "v"}) == "+OK");
  CHECK(bench.run_words({"get", longest_key}) == "$1 v");
  CHECK(bench.run_words({"set", longest_key + "k", "v"}) == "-ERR a key has at most 1023 bytes");
  CHECK(bench.run_words({"get", longest_key + "k"}) == "-ERR a key has at most 1023 bytes");
  const std::string longest_member(redis::member_bytes_max, 'm');
  const std::string refusal = "-ERR a member or field has at most 1015 bytes";
  CHECK(bench.run_words({"sadd", "s", longest_member}) == ":1");
  CHECK(bench.run_words({"sadd", "s", longest_member + "m"}) == refusal);
  CHECK(bench.run_words({"sismember", "s", longest_member + "m"}) == ":0");
  CHECK(bench.run_words({"srem", "s", longest_member + "m", longest_member}) == ":1");
  CHECK(bench.run_words({"hset", "h", longest_member + "m", "v"}) == refusal);
  CHECK(bench.run_words({"hincrby", "h", longest_member + "m", "1"}) == refusal);
  CHECK(bench.run_words({"hsetnx", "h", longest_member + "m", "1"}) == refusal);
  CHECK(bench.run_words({"zadd", "z", "1", longest_member + "m"}) == refusal);
  CHECK(bench.run_words({"zincrby", "z", "1", longest_member + "m"}) == refusal);
  CHECK(bench.run("dbsize") == ":1");
  const std::string too_long = "-ERR string exceeds maximum allowed size (proto-max-bulk-len)";
  CHECK(bench.run_words({"setrange", "k", std::to_string(redis::string_bytes_max), "v"}) == too_long);
  CHECK(bench.run_words({"setrange", "k", "9223372036854775807", "v"}) == too_long);
  const std::string longest(redis::string_bytes_max, 'v');
  CHECK(bench.run_words({"set", "k", longest}) == "+OK");
  CHECK(bench.run("append k v") == too_long);
  CHECK(bench.run("get k").size() > redis::string_bytes_max);
}

}  // namespace hypermesh::testing
