#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "messages/byte_codec.hpp"
#include "tests/runtime/redis_bench.hpp"
#include "tools/hypermesh/traces/splitmix64.hpp"

/// The state of the machine "redis": equal at all replicas, restored exactly, and bounded.
namespace hypermesh::testing {

namespace {

namespace redis = machines::redis;

constexpr std::array<std::string_view, 64> writes = {"set A v",
                                                     "set A 5 px N000",
                                                     "append A N",
                                                     "incr A",
                                                     "getdel A",
                                                     "setrange A 7 x",
                                                     "setbit A N 1",
                                                     "mset A 1 A 2",
                                                     "del A A",
                                                     "expire A N",
                                                     "pexpire A N00",
                                                     "persist A",
                                                     "rename A A",
                                                     "renamenx A A",
                                                     "copy A A replace",
                                                     "hset A f1 N f2 N fN x",
                                                     "hdel A fN f1",
                                                     "hincrby A fN N",
                                                     "lpush A N N N",
                                                     "rpush A a b N",
                                                     "lpop A",
                                                     "lmpop 2 A A right count 2",
                                                     "zmpop 2 A A min count 2",
                                                     "zrangestore A A 1 N",
                                                     "zrangestore A A [a [m bylex",
                                                     "zdiffstore A 2 A A",
                                                     "rpop A 2",
                                                     "linsert A before N y",
                                                     "lrem A 0 N",
                                                     "ltrim A N -1",
                                                     "lmove A A left right",
                                                     "lset A 0 N",
                                                     "sadd A N N m",
                                                     "srem A N",
                                                     "spop A",
                                                     "spop A 3",
                                                     "smove A A N",
                                                     "sunionstore A A A",
                                                     "sdiffstore A A A",
                                                     "sinterstore A A A",
                                                     "zadd A N mN 1 m1 2.5 m2",
                                                     "zadd A gt ch N mN",
                                                     "zincrby A 0.1 mN",
                                                     "zrem A mN",
                                                     "zpopmin A",
                                                     "zpopmax A 2",
                                                     "zremrangebyrank A 0 1",
                                                     "zremrangebyscore A 1 3",
                                                     "zunionstore A 2 A A",
                                                     "zinterstore A 2 A A aggregate max",
                                                     "getex A px N00",
                                                     "getset A N",
                                                     "hsetnx A fN N",
                                                     "rpoplpush A A",
                                                     "incrbyfloat A 0.N",
                                                     "hincrbyfloat A fN 0.N",
                                                     "setnx A v",
                                                     "touch A",
                                                     "unlink A",
                                                     "sadd big N1 N2 N3 N4 N5 N6 N7",
                                                     "rpush biglist N N N N N N N N",
                                                     "expire big N",
                                                     "del big biglist",
                                                     "setex A N v"};

constexpr std::array<std::string_view, 14> reads = {
    "get A",  "lrange A 0 -1",   "hgetall A",      "smembers A", "zrange A 0 -1 withscores",
    "keys *", "dbsize",          "scan 0 count 3", "ttl A",      "hm.version A",
    "type A", "srandmember A 2", "randomkey",      "zrank A m1"};

redis::command drawn(splitmix64& random, std::string_view pattern) {
  std::string text;
  for (const char letter : pattern) {
    if (letter == 'A') {
      text += 'k' + std::to_string(random.below(12));
    } else if (letter == 'N') {
      text += std::to_string(1 + random.below(9));
    } else {
      text += letter;
    }
  }
  return {redis_bench::words_of(text)};
}

redis::operation drawn_operation(splitmix64& random) {
  if (random.below(8) != 0) return drawn(random, writes[random.below(writes.size())]);
  redis::transaction several;
  for (auto left = random.below(5); left > 0; --left) {
    several.commands.push_back(random.below(2) == 0 ? drawn(random, writes[random.below(writes.size())])
                                                    : drawn(random, reads[random.below(reads.size())]));
  }
  return several;
}

/// A large collection, so that its deletion leaves elements for the sweep.
void fill(redis_bench& bench, const std::string& key, std::string_view command, std::size_t count) {
  std::vector<std::string> words{std::string{command}, key};
  for (std::size_t number = 0; number < count; ++number)
    words.push_back("member" + std::to_string(number));
  CHECK(bench.run_words(words) == ':' + std::to_string(count));
}

/// Restores the state into a new machine, as a replica that was behind does.
void restart(redis_bench& bench) {
  const auto snapshot = bench.machine.snapshot();
  redis::redis_machine fresh{256};
  const auto restored = fresh.restore(snapshot);
  REQUIRE_MESSAGE(restored.has_value(), restored.error());
  CHECK(fresh.root() == bench.machine.root());
  bench.machine = std::move(fresh);
}

}  // namespace

TEST_CASE("random operations at two machines, of which one is restored now and then, give equal replies and roots") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    splitmix64 random{seed};
    redis_bench steady;
    redis_bench restored;
    for (int number = 0; number < 600; ++number) {
      const auto operation = drawn_operation(random);
      const auto step = random.below(400);
      steady.time_ms += step;
      restored.time_ms += step;
      const auto reply = steady.apply(operation);
      CHECK(reply == restored.apply(operation));
      CHECK(reply.status == operation_status::applied);
      const auto* const command = std::get_if<redis::command>(&operation);
      if (command != nullptr && !redis::is_read_only(*command) && !redis::returns_data(*command))
        CHECK(reply.payload.size() <= redis::reply_bytes_reserved);
      if (random.below(25) == 0) restart(restored);
      if (number % 50 == 0) CHECK(steady.machine.root() == restored.machine.root());
      // A read answers from the indexes, which a restoration builds again.
      const auto read = drawn(random, reads[random.below(reads.size())]);
      CHECK(steady.apply(read) == restored.apply(read));
      CHECK(steady.machine.query(encode(read)) == restored.machine.query(encode(read)));
    }
    CHECK(steady.machine.root() == restored.machine.root());
  }
}

TEST_CASE("a deleted collection is gone at once, and later writes remove its elements until nothing is left") {
  for (const auto* kind : {"sadd", "rpush"}) {
    CAPTURE(kind);
    redis_bench bench;
    (void)bench.run("incr counter");
    const auto chunks_before = bench.machine.snapshot().size();
    fill(bench, "big", kind, 5'000);
    CHECK(bench.run("del big") == ":1");
    CHECK(bench.run("exists big") == ":0");
    CHECK(bench.run(std::string{kind} + " big other") == ":1");
    restart(bench);
    for (int number = 0; number < 6; ++number)
      (void)bench.run("incr counter");
    CHECK(bench.run("del big") == ":1");
    (void)bench.run("incr counter");
    CHECK(bench.machine.snapshot().size() == chunks_before);
    restart(bench);
  }
}

TEST_CASE("a renamed collection keeps its elements, and the key that it replaces is gone") {
  redis_bench bench;
  fill(bench, "a", "sadd", 1'000);
  fill(bench, "b", "rpush", 1'000);
  CHECK(bench.run("expire a 100") == ":1");
  CHECK(bench.run("rename a b") == "+OK");
  CHECK(bench.run("scard b") == ":1000");
  CHECK(bench.run("ttl b") == ":100");
  CHECK(bench.run("sismember b member999") == ":1");
  restart(bench);
  CHECK(bench.run("scard b") == ":1000");
  CHECK(bench.run("dbsize") == ":1");
}

TEST_CASE("expired keys are removed by writes of other keys") {
  redis_bench bench;
  (void)bench.run("incr counter");
  const auto chunks_before = bench.machine.snapshot().size();
  for (int number = 0; number < 100; ++number)
    CHECK(bench.run("set k" + std::to_string(number) + " v px 10") == "+OK");
  bench.time_ms += 11;
  CHECK(bench.run("dbsize") == ":1");
  for (int number = 0; number < 4; ++number)
    (void)bench.run("incr counter");
  CHECK(bench.machine.snapshot().size() == chunks_before);
}

TEST_CASE("a deletion of many collections leaves most elements to later writes") {
  redis_bench bench;
  (void)bench.run("incr counter");
  const auto chunks_before = bench.machine.snapshot().size();
  std::vector<std::string> deletion{"del"};
  for (int number = 0; number < 300; ++number) {
    std::vector<std::string> words{"rpush", "l" + std::to_string(number)};
    words.resize(2 + 60, "e");
    (void)bench.run_words(words);
    deletion.push_back(words[1]);
  }
  CHECK(bench.run_words(deletion) == ":300");
  CHECK(bench.run("dbsize") == ":1");
  restart(bench);
  CHECK(bench.machine.snapshot().size() > chunks_before);
  for (int number = 0; number < 20; ++number)
    (void)bench.run("incr counter");
  CHECK(bench.machine.snapshot().size() == chunks_before);
}

TEST_CASE("bytes that are no operation are malformed, and each operation has one encoding") {
  const redis::operation single = redis::command{{"set", "k", ""}};
  const redis::operation several = redis::transaction{{{"k", 7}, {"", 0}}, {{{"get", "k"}}, {{"incr", "k"}}}};
  for (const auto& operation : {single, several}) {
    const auto bytes = encode(operation);
    const auto decoded = redis::decode(bytes);
    REQUIRE(decoded.has_value());
    CHECK(*decoded == operation);
    for (std::size_t size = 0; size < bytes.size(); ++size)
      CHECK_FALSE(redis::decode(byte_span{bytes}.first(size)).has_value());
    auto longer = bytes;
    longer.push_back(std::byte{0});
    CHECK_FALSE(redis::decode(longer).has_value());
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      auto bent = bytes;
      bent[at] ^= std::byte{0x80};
      const auto other = redis::decode(bent);
      if (other) CHECK(encode(*other) == bent);
    }
  }
  // Counts that promise more than the bytes hold reserve no memory.
  for (const auto code : {std::uint8_t{1}, std::uint8_t{2}}) {
    byte_writer out;
    out.number(code).number(std::uint32_t{0xffff'ffff});
    CHECK_FALSE(redis::decode(out.view()).has_value());
  }
  CHECK_FALSE(redis::decode(encode(redis::command{{std::string(limits::operation_bytes_max, 'v')}})).has_value());
}

TEST_CASE("a snapshot whose records do not fit each other is refused") {
  using machines::authenticated_map;
  redis_bench bench;
  (void)bench.run("rpush l a b");
  (void)bench.run("zadd z 1 m");
  (void)bench.run("set s v ex 100");
  const auto good = bench.machine.snapshot();
  authenticated_map map{256};
  REQUIRE(map.restore(good).has_value());
  std::vector<std::string> keys;
  map.for_each([&](byte_span key, byte_span) { keys.emplace_back(as_text(key)); });
  std::size_t accepted = 0;
  const auto check = [&](authenticated_map& bent) {
    const auto root = bench.machine.root();
    const auto snapshot = bent.snapshot();
    if (bench.machine.restore(snapshot)) {
      // Another valid state: the machine has exactly this root, and answers.
      ++accepted;
      CHECK(bench.machine.root() == state_root(snapshot));
      CHECK_NOTHROW((void)bench.run("lrange l 0 -1"));
      REQUIRE(bench.machine.restore(good).has_value());
    } else {
      CHECK(bench.machine.root() == root);
    }
  };
  for (const auto& key : keys) {
    // Without one record, and with one record that is shorter, longer, or changed.
    authenticated_map without{256};
    REQUIRE(without.restore(good).has_value());
    without.erase(as_byte_span(key));
    check(without);
    const std::string value{as_text(*map.find(as_byte_span(key)))};
    for (std::size_t at = 0; at <= value.size(); ++at) {
      authenticated_map bent{256};
      REQUIRE(bent.restore(good).has_value());
      auto changed = value;
      if (at < value.size()) {
        changed[at] = static_cast<char>(changed[at] ^ 1);
      } else {
        changed += 'x';
      }
      bent.put(as_byte_span(key), as_byte_span(changed));
      check(bent);
    }
  }
  // Times, versions, values and scores may be any; ids, counts, types and positions may not.
  CHECK(accepted > 20);
  for (const auto* key : {"M2", "X", "G1234567", "E12345678member", "E1"}) {
    CAPTURE(key);
    authenticated_map bent{256};
    REQUIRE(bent.restore(good).has_value());
    bent.put(as_byte_span(key), as_byte_span("value"));
    CHECK_FALSE(bench.machine.restore(bent.snapshot()).has_value());
  }
}

}  // namespace hypermesh::testing
