#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "runtime/state_machines/redis/redis_words.hpp"
#include "tests/runtime/redis_bench.hpp"

/// The commands of the machine "redis", with the replies and errors of Redis 7.0. The test of random commands against a
/// redis-server is tests/integration/redis_differential_test.cpp.
namespace hypermesh::testing {

namespace {

struct step {
  std::string command;
  std::string reply;
};

void play(redis_bench& bench, const std::vector<step>& steps) {
  for (const auto& each : steps) {
    CAPTURE(each.command);
    CHECK(bench.run(each.command) == each.reply);
  }
}

const std::string wrong_type = "-WRONGTYPE Operation against a key holding the wrong kind of value";

}  // namespace

TEST_CASE("strings are set, read, counted and cut as in Redis") {
  redis_bench bench;
  play(bench, {{"get k", "_"},
               {"set k v", "+OK"},
               {"GET k", "$1 v"},
               {"set k w nx", "_"},
               {"set k w xx get", "$1 v"},
               {"set k w nx xx", "-ERR syntax error"},
               {"set k w ex 0", "-ERR invalid expire time in 'set' command"},
               {"set k w ex x", "-ERR value is not an integer or out of range"},
               {"setnx k x", ":0"},
               {"append k abc", ":4"},
               {"getrange k 1 -1", "$3 abc"},
               {"setrange k 6 z", ":7"},
               {"strlen k", ":7"},
               {"mset a 1 b 2", "+OK"},
               {"mset a 1 b", "-ERR wrong number of arguments for 'mset' command"},
               {"msetnx b 1 c 1", ":0"},
               {"mget a b c", "*3 $1 1 $1 2 _"},
               {"incr a", ":2"},
               {"decrby a 5", ":-3"},
               {"incr k", "-ERR value is not an integer or out of range"},
               {"incrby b 9223372036854775807", "-ERR increment or decrement would overflow"},
               {"incrbyfloat a 0.1", "$4 -2.9"},
               {"incrbyfloat a 0.2", "$4 -2.7"},
               {"incrbyfloat a inf", "-ERR increment would produce NaN or Infinity"},
               {"getset a x", "$4 -2.7"},
               {"getdel a", "$1 x"},
               {"exists a b b", ":2"},
               {"get", "-ERR wrong number of arguments for 'get' command"},
               {"Frob a b", "-ERR unknown command 'Frob', with args beginning with: 'a' 'b' "},
               {"lpush b x", wrong_type}});
}

TEST_CASE("SETBIT sets and clears the bits of a string, which grows with zeros") {
  redis_bench bench;
  play(bench, {{"getbit k 0", ":0"},
               {"setbit k 1 1", ":0"},
               {"get k", "$1 @"},
               {"setbit k 10 1", ":0"},
               {"setbit k 11 0", ":0"},
               {"get k", "$2 @ "},
               {"getbit k 10", ":1"},
               {"getbit k 9", ":0"},
               {"getbit k 16", ":0"},
               {"setbit k 1 0", ":1"},
               {"setbit k 31 0", ":0"},
               {"strlen k", ":4"},
               {"setbit k -1 1", "-ERR bit offset is not an integer or out of range"},
               {"setbit k 01 1", "-ERR bit offset is not an integer or out of range"},
               {"getbit k 4294967296", "-ERR bit offset is not an integer or out of range"},
               {"setbit k 9223372036854775807 1", "-ERR bit offset is not an integer or out of range"},
               {"setbit k 0 2", "-ERR bit is not an integer or out of range"},
               {"setbit k 0 x", "-ERR bit is not an integer or out of range"},
               {"rpush l a", ":1"},
               {"setbit l 0 1", wrong_type},
               {"getbit l 0", wrong_type}});
  const auto version = bench.version("k");
  CHECK(bench.run("setbit k 31 0") == ":0");
  CHECK(bench.version("k") == version);
  CHECK(bench.run("setbit k 31 1") == ":0");
  CHECK(bench.version("k") > version);
}

TEST_CASE("a decimal is added without the errors of binary fractions") {
  redis_bench bench;
  play(bench, {{"incrbyfloat f 0.1", "$3 0.1"},
               {"incrbyfloat f 0.2", "$3 0.3"},
               {"zadd z 0.1 m", ":1"},
               {"zincrby z 0.2 m", ",0.3"},
               {"hincrbyfloat h f 1e-17", "$19 0.00000000000000001"}});
}

TEST_CASE("a score that would lose all its digits is refused and not stored as zero") {
  redis_bench bench;
  play(bench, {{"zadd z 9.8813129168249309e-323 m", "-ERR value is not a valid float"},
               {"zadd z 1.7976931348623157e+308 m", "-ERR value is not a valid float"},
               {"zunionstore z 1 y weights 1e-300", "-ERR weight value is not a float"},
               {"exists z", ":0"},
               // As in Redis, whose results have 17 digits after the point.
               {"incrbyfloat f 1e-18", "$1 0"},
               {"set f 1e-30", "+OK"},
               {"incrbyfloat f 1", "$1 1"}});
}

TEST_CASE("a bound of scores may be a number that is too small or too large for a score") {
  redis_bench bench;
  play(bench, {{"zadd z -inf a -1 b 0 c 1e20 d inf e", ":5"},
               {"zrangebyscore z 1e-300 1e300", "*1 $1 d"},
               {"zrangebyscore z (1e-300 (1e300", "*1 $1 d"},
               {"zrangebyscore z -1e-300 1e-300", "*1 $1 c"},
               {"zrangebyscore z (-1e-300 (1e-300", "*1 $1 c"},
               {"zcount z -1e300 1.7976931348623157e+308", ":3"},
               {"zrangebyscore z 1e300 inf", "*1 $1 e"},
               {"zrangebyscore z -inf -1e300", "*1 $1 a"},
               {"zremrangebyscore z 1e300 2e300", ":0"},
               {"zcount z 1e300x inf", "-ERR min or max is not a float"}});
}

TEST_CASE("hashes, lists, sets and sorted sets give the replies of Redis") {
  redis_bench bench;
  play(bench, {{"hset h a 1 b 2", ":2"},
               {"hset h a", "-ERR wrong number of arguments for 'hset' command"},
               {"hmget h a x", "*2 $1 1 _"},
               {"hincrby h b 3", ":5"},
               {"hincrby h b x", "-ERR value is not an integer or out of range"},
               {"hdel h a b", ":2"},
               {"exists h", ":0"},
               {"rpush l a b c", ":3"},
               {"linsert l before b x", ":4"},
               {"lrange l 0 -1", "*4 $1 a $1 x $1 b $1 c"},
               {"lrem l -1 x", ":1"},
               {"lpos l c", ":2"},
               {"lset l 9 x", "-ERR index out of range"},
               {"lmove l m left right", "$1 a"},
               {"lpop l 5", "*2 $1 b $1 c"},
               {"lpop l", "_"},
               {"lpop l -1", "-ERR value is out of range, must be positive"},
               {"sadd s a b c", ":3"},
               {"sadd t b", ":1"},
               {"sinter s t", "~1 $1 b"},
               {"sdiffstore u s t", ":2"},
               {"smismember u a b", "*2 :1 :0"},
               {"sintercard 2 s t limit 1", ":1"},
               {"spop t", "$1 b"},
               {"type t", "+none"},
               {"zadd z 1 a 2 b 3 c", ":3"},
               {"zadd z nx xx 1 a", "-ERR XX and NX options at the same time are not compatible"},
               {"zadd z gt ch 5 a 1 b", ":1"},
               {"zrange z 0 -1 withscores", "*3 *2 $1 b ,2 *2 $1 c ,3 *2 $1 a ,5"},
               {"zrangebyscore z (2 +inf limit 0 1", "*1 $1 c"},
               {"zrevrank z a", ":0"},
               {"zpopmin z", "*2 $1 b ,2"},
               {"zincrby z -inf a", ",-inf"},
               {"zincrby z inf a", "-ERR resulting score is not a number (NaN)"},
               {"zunionstore w 2 z s weights 2 1", ":3"},
               {"zscore w c", ",7"},
               {"copy w x", ":1"},
               {"rename x y", "+OK"},
               {"rename x y", "-ERR no such key"},
               {"zcard y", ":3"},
               {"flushall", "+OK"},
               {"dbsize", ":0"}});
}

TEST_CASE("a range of names does not depend on the scores if the names ascend with them") {
  redis_bench bench;
  play(bench, {{"zadd z 1 a 2 b 3 c 4 d", ":4"},
               {"zrange z [b [c bylex", "*2 $1 b $1 c"},
               {"zrange z (b [c bylex", "*1 $1 c"},
               {"zrange z [c (a bylex rev", "*2 $1 c $1 b"},
               {"zrangebylex z - (c", "*2 $1 a $1 b"},
               {"zlexcount z (a +", ":3"},
               {"zlexcount z [c [b", ":0"},
               {"zremrangebylex z [bb [d", ":2"},
               {"zrange z 0 -1", "*2 $1 a $1 b"}});
}

TEST_CASE("sorted sets are combined and replied in their order") {
  redis_bench bench;
  play(bench, {{"zadd a 3 x 2 y 1 z", ":3"},
               {"zadd b 5 y 1 w", ":2"},
               {"sadd s x w", ":2"},
               {"zunion 2 a b", "*4 $1 w $1 z $1 x $1 y"},
               {"zunion 2 a b withscores", "*4 *2 $1 w ,1 *2 $1 z ,1 *2 $1 x ,3 *2 $1 y ,7"},
               {"zunion 2 a s weights 1 10 withscores", "*4 *2 $1 z ,1 *2 $1 y ,2 *2 $1 w ,10 *2 $1 x ,13"},
               {"zinter 2 a b aggregate max withscores", "*1 *2 $1 y ,5"},
               {"zinter 2 a none", "*0"},
               {"zdiff 3 a b none withscores", "*2 *2 $1 z ,1 *2 $1 x ,3"},
               {"zdiff 2 s a", "*1 $1 w"},
               {"zdiff 2 a a", "*0"},
               {"zdiff 1 a weights 1", "-ERR syntax error"},
               {"zdiffstore a 2 a b", ":2"},
               {"zrange a 0 -1", "*2 $1 z $1 x"},
               {"zdiffstore a 1 none", ":0"},
               {"exists a", ":0"},
               {"zunionstore c 1 b withscores", "-ERR syntax error"},
               {"zunion 0 a", "-ERR at least 1 input key is needed for 'zunion' command"},
               {"zunion 3 a b", "-ERR syntax error"},
               {"set t v", "+OK"},
               {"zdiff 2 b t", wrong_type}});
}

TEST_CASE("ZINTERCARD counts common members up to its limit") {
  redis_bench bench;
  play(bench, {{"zadd a 1 x 2 y 3 z", ":3"},
               {"zadd b 1 x 2 y 9 w", ":3"},
               {"zintercard 2 a b", ":2"},
               {"zintercard 2 a b limit 0", ":2"},
               {"zintercard 2 a b limit 1", ":1"},
               {"zintercard 2 a none limit 1", ":0"},
               {"zintercard 2 a b limit -1", "-ERR LIMIT can't be negative"},
               {"zintercard 2 a b limit x", "-ERR LIMIT can't be negative"},
               {"zintercard 2 a b limit", "-ERR syntax error"},
               {"zintercard 1 a a", "-ERR syntax error"},
               {"zintercard 1 a withscores", "-ERR syntax error"},
               {"zintercard 0 a", "-ERR at least 1 input key is needed for 'zintercard' command"}});
}

TEST_CASE("ZRANGESTORE stores what ZRANGE selects, also over its source") {
  redis_bench bench;
  play(bench, {{"zadd z 1 a 2 b 3 c 4 d", ":4"},
               {"zrangestore y z 1 2", ":2"},
               {"zrange y 0 -1 withscores", "*2 *2 $1 b ,2 *2 $1 c ,3"},
               {"zrangestore y z 5 0 byscore rev limit 0 2", ":2"},
               {"zrange y 0 -1", "*2 $1 c $1 d"},
               {"zrangestore y z [b [c bylex", ":2"},
               {"set t v", "+OK"},
               {"zrangestore t z 0 0", ":1"},
               {"type t", "+zset"},
               {"zrangestore z z 2 -1", ":2"},
               {"zrange z 0 -1", "*2 $1 c $1 d"},
               {"zrangestore z z 5 6", ":0"},
               {"zrangestore y none 0 -1", ":0"},
               {"exists y z", ":0"},
               {"set t v", "+OK"},
               {"zrangestore y t 0 -1", wrong_type},
               {"zrangestore y z 0 -1 withscores", "-ERR syntax error"},
               {"zrangestore y z 0 -1 limit 1 2",
                "-ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX"}});
}

TEST_CASE("LMPOP and ZMPOP take from the first key that is not empty") {
  redis_bench bench;
  play(bench, {{"rpush l a b c d", ":4"},
               {"lmpop 2 none l left", "*2 $1 l *1 $1 a"},
               {"lmpop 2 l none right count 2", "*2 $1 l *2 $1 d $1 c"},
               {"lmpop 1 l left count 9", "*2 $1 l *1 $1 b"},
               {"exists l", ":0"},
               {"lmpop 1 l left", "_"},
               {"zadd z 1 a 2 b 3 c 4 d", ":4"},
               {"zmpop 2 none z min", "*2 $1 z *1 *2 $1 a ,1"},
               {"zmpop 1 z max count 2", "*2 $1 z *2 *2 $1 d ,4 *2 $1 c ,3"},
               {"zmpop 2 l none min", "_"},
               {"lmpop 2 none z left", wrong_type},
               {"zmpop 1 z min count 9", "*2 $1 z *1 *2 $1 b ,2"},
               {"exists z", ":0"},
               {"zmpop 0 z min", "-ERR numkeys should be greater than 0"},
               {"zmpop x z min", "-ERR numkeys should be greater than 0"},
               {"zmpop 9223372036854775807 z min", "-ERR syntax error"},
               {"zmpop 2 z min", "-ERR syntax error"},
               {"zmpop 1 z left", "-ERR syntax error"},
               {"zmpop 1 z min count 0", "-ERR count should be greater than 0"},
               {"zmpop 1 z min count", "-ERR syntax error"},
               {"zmpop 1 z min count 1 count 2", "-ERR syntax error"},
               {"lmpop 1 z", "-ERR wrong number of arguments for 'lmpop' command"}});
}

TEST_CASE("ZRANDMEMBER chooses members, with repetition if the count is negative") {
  redis_bench bench;
  play(bench, {{"zrandmember z", "_"},
               {"zrandmember z 2", "*0"},
               {"zadd z 1 a", ":1"},
               {"zrandmember z", "$1 a"},
               {"zrandmember z 5", "*1 $1 a"},
               {"zrandmember z 0", "*0"},
               {"zrandmember z -2 withscores", "*2 *2 $1 a ,1 *2 $1 a ,1"},
               {"zrandmember z 1 x", "-ERR syntax error"},
               {"zrandmember z -9223372036854770000 withscores", "-ERR value is out of range"},
               {"zadd z 2 b 3 c", ":2"},
               {"zrandmember z 9 x y", "-ERR syntax error"},
               {"zadd w 1 a", ":1"}});
  auto reply = bench.run("zrandmember z 3");
  for (const auto* member : {"$1 a", "$1 b", "$1 c"})
    CHECK(reply.find(member) != std::string::npos);
}

TEST_CASE("a key lives until the ordered time is behind its expiry, and not one millisecond longer") {
  redis_bench bench;
  play(bench, {{"set k v px 500", "+OK"}, {"sadd s a", ":1"}, {"pexpire s 500", ":1"}, {"ttl k", ":1"}});
  bench.time_ms += 500;
  play(bench, {{"get k", "$1 v"}, {"pttl k", ":0"}, {"dbsize", ":2"}});
  const auto version = bench.version("k");
  CHECK(version > 0);
  ++bench.time_ms;
  // The first command behind the expiry is a read, so nothing has been removed.
  play(bench, {{"get k", "_"},
               {"ttl k", ":-2"},
               {"dbsize", ":0"},
               {"keys *", "*0"},
               {"randomkey", "_"},
               {"scan 0", "*2 $1 0 *0"},
               {"hm.version k", ":0"},
               {"smembers s", "~0"}});
  CHECK(bench.query("get k") == "_");
  play(bench,
       {{"sadd s b", ":1"}, {"smembers s", "~1 $1 b"}, {"ttl s", ":-1"}, {"set k v keepttl", "+OK"}, {"ttl k", ":-1"}});
  CHECK(bench.version("k") > version);
}

TEST_CASE("the time never goes back, and a query is answered at the time of the last operation") {
  redis_bench bench;
  play(bench, {{"set k v px 100", "+OK"}});
  bench.time_ms += 101;
  CHECK(bench.query("get k") == "$1 v");
  CHECK(bench.run("get other") == "_");
  CHECK(bench.query("get k") == "_");
  bench.time_ms -= 50;
  CHECK(bench.run("get k") == "_");
}

TEST_CASE("each write gives a key a version that it never had, and a read does not") {
  redis_bench bench;
  CHECK(bench.version("k") == 0);
  std::uint64_t last = 0;
  for (const auto* write :
       {"set k 1", "incr k", "expire k 100", "persist k", "append k 0", "getset k 7", "rename k j"}) {
    CAPTURE(write);
    (void)bench.run(write);
    const auto version = bench.version(std::string{write}.starts_with("rename") ? "j" : "k");
    CHECK(version > last);
    last = version;
  }
  (void)bench.run("del j");
  CHECK(bench.version("j") == 0);
  (void)bench.run("set j 1");
  CHECK(bench.version("j") > last);
  const auto version = bench.version("j");
  (void)bench.run("get j");
  (void)bench.run("ttl j");
  CHECK(bench.version("j") == version);
  (void)bench.run("sadd s a");
  const auto of_set = bench.version("s");
  (void)bench.run("sadd s a");
  CHECK(bench.version("s") == of_set);
  (void)bench.run("sadd s b");
  CHECK(bench.version("s") > of_set);
}

TEST_CASE("a transaction runs as a whole, and only if no watched key changed") {
  redis_bench bench;
  (void)bench.run("set a 1");
  const auto version = bench.version("a");
  CHECK(bench.transact({"incr a", "lpush a x", "get a"}, {{"a", version}, {"b", 0}}) ==
        "*3 :2 " + wrong_type + " $1 2");
  // The key has changed since.
  CHECK(bench.transact({"incr a"}, {{"a", version}}) == "_");
  CHECK(bench.run("get a") == "$1 2");
  // A key that was absent was made.
  CHECK(bench.transact({"set b 1"}, {{"b", 0}}) == "*1 +OK");
  CHECK(bench.transact({"set b 2"}, {{"b", 0}}) == "_");
  CHECK(bench.transact({}) == "*0");
  CHECK(bench.transact({"set b 3", "frob"}) == "-EXECABORT Transaction discarded because of previous errors.");
  CHECK(bench.transact({"set b 3", "get"}) == "-EXECABORT Transaction discarded because of previous errors.");
  CHECK(bench.run("get b") == "$1 1");
}

TEST_CASE("a watched key that expired counts as changed") {
  redis_bench bench;
  (void)bench.run("set a 1 px 100");
  const auto version = bench.version("a");
  bench.time_ms += 101;
  CHECK(bench.transact({"set b 1"}, {{"a", version}}) == "_");
}

TEST_CASE("a scan with small steps visits each key and member once, also while others come and go") {
  redis_bench bench;
  for (int number = 0; number < 300; ++number) {
    (void)bench.run("set stays" + std::to_string(number) + " v");
    (void)bench.run("sadd set m" + std::to_string(number));
  }
  for (const auto* scan : {"scan ", "sscan set "}) {
    CAPTURE(scan);
    std::vector<std::string> found;
    std::string cursor = "0";
    int round = 0;
    do {
      auto words = redis_bench::words_of(bench.run(scan + cursor + " count 7"));
      REQUIRE(words.size() >= 4);
      cursor = words[2];
      for (std::size_t at = 5; at < words.size(); at += 2)
        found.push_back(words[at]);
      (void)bench.run("set passes" + std::to_string(++round) + " v");
      (void)bench.run("del passes" + std::to_string(round - 3));
    } while (cursor != "0" && round < 1'000);
    const auto wanted = std::string{scan} == "scan " ? "stays" : "m";
    std::erase_if(found, [&](const auto& each) { return !each.starts_with(wanted); });
    CHECK(found.size() == 300);
    std::ranges::sort(found);
    CHECK(std::ranges::adjacent_find(found) == found.end());
  }
}

TEST_CASE("random choices are members, differ from one operation to the next, and equal at all replicas") {
  redis_bench one;
  redis_bench other;
  std::vector<std::string> chosen;
  for (int number = 0; number < 20; ++number) {
    const auto add = "sadd s m" + std::to_string(number);
    CHECK(one.run(add) == other.run(add));
  }
  for (int round = 0; round < 40; ++round) {
    const auto choice = one.run("srandmember s");
    CHECK(choice == other.run("srandmember s"));
    CHECK(choice.starts_with("$"));
    chosen.push_back(choice);
  }
  std::ranges::sort(chosen);
  chosen.erase(std::ranges::unique(chosen).begin(), chosen.end());
  CHECK(chosen.size() > 5);
  CHECK(one.run("srandmember s 100").starts_with("*20 "));
  CHECK(one.run("srandmember s -30").starts_with("*30 "));
  CHECK(one.run("spop s 7").starts_with("~7 "));
  CHECK(one.run("scard s") == ":13");
}

TEST_CASE("replies are shown as redis-cli shows them, and an error is a refusal") {
  using machines::redis::interpret;
  const auto line_of = [](std::string_view reply) {
    return interpret({}, {operation_status::applied, to_byte_vector(reply)}).line;
  };
  CHECK(line_of("+OK\r\n") == "OK");
  CHECK(line_of(":7\r\n") == "(integer) 7");
  CHECK(line_of("_\r\n") == "(nil)");
  CHECK(line_of("$4\r\na\"\n\x01\r\n") == "\"a\\\"\\n\\x01\"");
  CHECK(line_of(",1.5\r\n") == "(double) 1.5");
  CHECK(line_of("*0\r\n") == "(empty array)");
  CHECK(line_of("*2\r\n$1\r\n0\r\n*2\r\n$1\r\na\r\n_\r\n") == "1) \"0\"\n2) 1) \"a\"\n   2) (nil)");
  CHECK(line_of("%1\r\n$1\r\nf\r\n$1\r\nv\r\n") == "1# \"f\" => \"v\"");
  CHECK(interpret({}, {operation_status::applied, to_byte_vector("$1\r\nv\r\n")}).text == "v");
  const auto error = interpret({}, {operation_status::applied, to_byte_vector("-ERR no\r\n")});
  CHECK(error.status == operation_status::refused);
  CHECK(error.line == "(error) ERR no");
  // Bytes that are no reply are shown as bytes.
  for (const auto* wrong : {"", "x", "$5\r\nab\r\n", "*3\r\n:1\r\n", "*4294967295\r\n", "$99999999999\r\nx\r\n"}) {
    CAPTURE(wrong);
    CHECK(machines::redis::reply_text(as_byte_span(wrong)).empty());
    CHECK_NOTHROW((void)line_of(wrong));
  }
}

TEST_CASE("words of a command line are checked before they are sent") {
  using machines::redis::parse_operation;
  const auto parsed = [](std::vector<std::string> words) { return parse_operation(words); };
  CHECK(parsed({"set", "k", "v"}).has_value());
  CHECK(parsed({"set", "k"}).error() == "\"set\" takes at least 2 arguments, not 1");
  CHECK(parsed({"get", "k", "v"}).error() == "\"get\" takes exactly 1 arguments, not 2");
  CHECK(parsed({"gett", "k"}).error().find("did you mean") != std::string::npos);
  CHECK(parsed({}).error().find("set KEY VALUE") != std::string::npos);
  CHECK_FALSE(parsed({"set", "k", std::string(300'000, 'v')}).has_value());
}

}  // namespace hypermesh::testing
