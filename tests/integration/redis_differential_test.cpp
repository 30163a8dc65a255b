#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "runtime/state_machines/redis/redis_machine.hpp"
#include "tests/integration/redis_reference.hpp"
#include "tools/hypermesh/traces/splitmix64.hpp"

namespace hypermesh::testing {

namespace {

using words = std::vector<std::string>;

/// How a reply is compared: as it is, with sorted elements, as a list of a scan with sorted elements or pairs, or as a
/// time, because both clocks are read one after another.
enum class comparison { exact, elements, scan, scan_pairs, seconds, milliseconds };

/// A command with places for random words: {S} {L} {H} {T} {Z} are keys of the types, {A} any key, {m} a member, {v} a
/// value, {n} an integer, {d} a number, {r} a bound of scores, {x} a bound of members, {i} an index, {u} a time to live
/// that is not over before the test, {t} such a time or one that never was.
struct pattern {
  std::string_view text;
  comparison how = comparison::exact;
};

using enum comparison;

/// Commands whose replies Redis defines. Those that choose at random name all members. Fractions are sums of powers of
/// two, and are not added to numbers beyond 2^53, because Redis rounds others.
constexpr std::array patterns = {
    // Strings.
    pattern{"set {S} {v}"},
    pattern{"set {S} {n}"},
    pattern{"set {S} {v} {o}"},
    pattern{"set {S} {v} {o} {o}"},
    pattern{"set {S} {v} ex {t}"},
    pattern{"set {S} {v} px {t}000 get"},
    pattern{"set {S} {v} exat 99999999999 xx"},
    pattern{"get {S}"},
    pattern{"setnx {S} {v}"},
    pattern{"setex {S} {t} {v}"},
    pattern{"psetex {S} {t}000 {v}"},
    pattern{"getset {S} {v}"},
    pattern{"mget {A} {S} {S}"},
    pattern{"mset {S} {v} {A} {n}"},
    pattern{"mset {S} {v} {S}"},
    pattern{"msetnx {S} {v} {A} {v}"},
    pattern{"incr {S}"},
    pattern{"decr {S}"},
    pattern{"incrby {S} {n}"},
    pattern{"decrby {S} {n}"},
    pattern{"set float {d}"},
    pattern{"incrbyfloat float {d}"},
    pattern{"incrbyfloat {S} x"},
    pattern{"append {S} {v}"},
    pattern{"strlen {S}"},
    pattern{"getrange {S} {i} {i}"},
    pattern{"substr {S} {i} {i}"},
    pattern{"setrange {S} {i} {v}"},
    pattern{"setbit {S} {i} 1"},
    pattern{"setbit {A} {i} {n}"},
    pattern{"getbit {S} {i}"},
    pattern{"getex {S}"},
    pattern{"getex {S} {o}"},
    pattern{"getex {S} ex {t}"},
    pattern{"getex {S} persist"},
    pattern{"getdel {S}"},
    // Keys.
    pattern{"del {A}"},
    pattern{"unlink {A} {A}"},
    pattern{"exists {A} {A} {A}"},
    pattern{"type {A}"},
    pattern{"ttl {A}", seconds},
    pattern{"pttl {A}", milliseconds},
    pattern{"expire {A} {t}"},
    pattern{"expire {A} {u} {o}"},
    pattern{"expire {A} {t} {o} {o}"},
    pattern{"pexpire {A} {t}000"},
    pattern{"expireat {A} 99999999999"},
    pattern{"pexpireat {A} 99999999999999 {o}"},
    pattern{"expireat {A} {t}"},
    pattern{"expiretime {A}", seconds},
    pattern{"pexpiretime {A}", milliseconds},
    pattern{"persist {A}"},
    pattern{"rename {A} {A}"},
    pattern{"renamenx {A} {A}"},
    pattern{"copy {A} {A}"},
    pattern{"copy {A} {A} replace"},
    pattern{"copy {A} {A} {o}"},
    pattern{"touch {A} {A}"},
    pattern{"keys *", elements},
    pattern{"keys {g}", elements},
    pattern{"scan 0 count 1000", scan},
    pattern{"scan 0 match {g} count 1000", scan},
    pattern{"scan 0 count 1000 type {y}", scan},
    pattern{"scan x count {n}", scan},
    pattern{"scan 0 count -1", scan},
    pattern{"dbsize"},
    pattern{"flushall"},
    pattern{"flushdb {o}"},
    pattern{"ping"},
    pattern{"ping {v}"},
    pattern{"echo {v}"},
    // Hashes.
    pattern{"hset {H} {m} {v}"},
    pattern{"hset {H} {m} {n} {m} {v}"},
    pattern{"hset {H} {m} {n} {m}"},
    pattern{"hmset {H} {m} {v} {m} {d}"},
    pattern{"hsetnx {H} {m} {v}"},
    pattern{"hget {H} {m}"},
    pattern{"hmget {H} {m} {m} {m}"},
    pattern{"hgetall {H}"},
    pattern{"hdel {H} {m}"},
    pattern{"hdel {H} {m} {m} {m}"},
    pattern{"hlen {H}"},
    pattern{"hexists {H} {m}"},
    pattern{"hkeys {H}", elements},
    pattern{"hvals {H}", elements},
    pattern{"hincrby {H} {m} {n}"},
    pattern{"hincrbyfloat {H} float {d}"},
    pattern{"hincrbyfloat {H} {m} x"},
    pattern{"hstrlen {H} {m}"},
    pattern{"hrandfield {H} 100", elements},
    pattern{"hrandfield {H} 100 withvalues", elements},
    pattern{"hrandfield {H} x"},
    pattern{"hscan {H} 0 count 1000", scan_pairs},
    pattern{"hscan {H} 0 match {g} count 1000", scan_pairs},
    // Lists.
    pattern{"lpush {L} {m}"},
    pattern{"rpush {L} {m} {m} {v}"},
    pattern{"lpushx {L} {m}"},
    pattern{"rpushx {L} {m}"},
    pattern{"lpop {L}"},
    pattern{"rpop {L}"},
    pattern{"lpop {L} {i}"},
    pattern{"rpop {L} {i}"},
    pattern{"llen {L}"},
    pattern{"lrange {L} {i} {i}"},
    pattern{"lrange {L} 0 -1"},
    pattern{"lindex {L} {i}"},
    pattern{"lset {L} {i} {v}"},
    pattern{"linsert {L} before {m} {v}"},
    pattern{"linsert {L} after {m} {v}"},
    pattern{"linsert {L} {o} {m} {v}"},
    pattern{"lrem {L} {i} {m}"},
    pattern{"ltrim {L} {i} {i}"},
    pattern{"lpos {L} {m}"},
    pattern{"lpos {L} {m} rank {i} count {i}"},
    pattern{"lpos {L} {m} {o} {i}"},
    pattern{"lpos {L} {m} count 0 maxlen {i}"},
    pattern{"lmove {L} {L} left right"},
    pattern{"lmove {L} {L} right left"},
    pattern{"lmove {L} {A} left left"},
    pattern{"lmove {L} {L} {o} left"},
    pattern{"rpoplpush {L} {L}"},
    // Sets.
    pattern{"sadd {T} {m}"},
    pattern{"sadd {T} {m} {m} {n}"},
    pattern{"srem {T} {m} {m}"},
    pattern{"smembers {T}"},
    pattern{"sismember {T} {m}"},
    pattern{"smismember {T} {m} {m}"},
    pattern{"scard {T}"},
    pattern{"spop {T} 100"},
    pattern{"spop {T} 0"},
    pattern{"spop {T} x"},
    pattern{"srandmember {T} 100", elements},
    pattern{"sinter {T} {T}"},
    pattern{"sinter {T} {T} {A}"},
    pattern{"sunion {T} {T} {T}"},
    pattern{"sdiff {T} {T} {T}"},
    pattern{"sinterstore {A} {T} {T}"},
    pattern{"sunionstore {T} {T} {T}"},
    pattern{"sdiffstore {T} {T} {T}"},
    pattern{"smove {T} {T} {m}"},
    pattern{"sintercard 2 {T} {T}"},
    pattern{"sintercard 2 {T} {T} limit {i}"},
    pattern{"sintercard {i} {T} {T}"},
    pattern{"sscan {T} 0 count 1000", scan},
    // Sorted sets.
    pattern{"zadd {Z} {d} {m}"},
    pattern{"zadd {Z} {d} {m} {d} {m} {d} {m}"},
    pattern{"zadd {Z} {o} {d} {m}"},
    pattern{"zadd {Z} {o} {o} {d} {m}"},
    pattern{"zadd {Z} {o} ch {d} {m} {d} {m}"},
    pattern{"zadd {Z} incr {d} {m}"},
    pattern{"zrem {Z} {m} {m}"},
    pattern{"zscore {Z} {m}"},
    pattern{"zmscore {Z} {m} {m}"},
    pattern{"zcard {Z}"},
    pattern{"zincrby {Z} {d} {m}"},
    pattern{"zcount {Z} {r} {r}"},
    pattern{"zrank {Z} {m}"},
    pattern{"zrevrank {Z} {m}"},
    pattern{"zrange {Z} {i} {i}"},
    pattern{"zrange {Z} {i} {i} withscores"},
    pattern{"zrange {Z} {r} {r} byscore"},
    pattern{"zrange {Z} {r} {r} byscore rev limit {i} {i}"},
    pattern{"zrange {Z} {i} {i} rev withscores"},
    pattern{"zrange {Z} {r} {r} {o} {o}"},
    pattern{"zrevrange {Z} {i} {i}"},
    pattern{"zrevrange {Z} {i} {i} withscores"},
    pattern{"zrangebyscore {Z} {r} {r}"},
    pattern{"zrangebyscore {Z} {r} {r} withscores limit {i} {i}"},
    pattern{"zrevrangebyscore {Z} {r} {r} limit {i} {i}"},
    pattern{"zremrangebyrank {Z} {i} {i}"},
    pattern{"zremrangebyscore {Z} {r} {r}"},
    pattern{"zpopmin {Z}"},
    pattern{"zpopmax {Z}"},
    pattern{"zpopmin {Z} {i}"},
    pattern{"zpopmax {Z} {i}"},
    pattern{"zmpop 2 {Z} {Z} min"},
    pattern{"zmpop 1 {Z} max count {i}"},
    pattern{"zrangestore {Z} {Z} {i} {i}"},
    pattern{"zrangestore {Z} {Z} {r} {r} byscore"},
    pattern{"zunion 2 {Z} {T} withscores"},
    pattern{"zinter 2 {Z} {Z} aggregate {o} withscores"},
    pattern{"zdiff 2 {Z} {T} withscores"},
    pattern{"zdiffstore {Z} 2 {Z} {Z}"},
    pattern{"zintercard 2 {Z} {T} limit {i}"},
    pattern{"lmpop 2 {L} {L} left count {i}"},
    pattern{"lmpop 1 {L} {o}"},
    pattern{"zunionstore {Z} 2 {Z} {Z}"},
    pattern{"zunionstore {Z} 2 {Z} {T} weights {d} 2"},
    pattern{"zinterstore {Z} 2 {Z} {T} aggregate {o}"},
    pattern{"zinterstore {Z} 2 {Z} {A} weights 2 3"},
    pattern{"zunionstore {Z} {i} {Z} {Z}"},
    pattern{"zscan {Z} 0 count 1000", scan_pairs},
    // Members with equal scores, as the commands by member require.
    pattern{"zadd lex 0 {m} 0 {m}"},
    pattern{"zrem lex {m}"},
    pattern{"zrangebylex lex {x} {x}"},
    pattern{"zrevrangebylex lex {x} {x} limit {i} {i}"},
    pattern{"zlexcount lex {x} {x}"},
    // Names that ascend with different scores.
    pattern{"zadd ascending 1 a 2 b 3 c 4 d 5 e"},
    pattern{"zrange ascending {x} {x} bylex"},
    pattern{"zrevrangebylex ascending {x} {x} limit {i} {i}"},
    pattern{"zlexcount ascending {x} {x}"},
    pattern{"zremrangebylex ascending {x} {x}"},
    pattern{"zrangestore {Z} ascending {x} {x} bylex limit {i} {i}"},
    pattern{"zremrangebylex lex {x} {x}"},
    pattern{"zrange lex {x} {x} bylex"},
    pattern{"zrange lex {x} {x} bylex rev"},
    // Other errors.
    pattern{"{o} {v} {v}"},
    pattern{"get"},
    pattern{"set {S}"},
    pattern{"zadd {Z} {d}"},
    pattern{"hset {H} {m}"},
};

constexpr std::array<std::string_view, 30> options = {
    "nx", "xx",  "gt",    "lt",     "ch",   "incr",       "get", "keepttl", "ex",  "persist",
    "px", "rev", "bylex", "limit",  "rank", "withscores", "0",   "sum",     "min", "max",
    "db", "1",   "left",  "before", "foo",  "byscore",    "-1",  "async",   "GT",  "count"};
constexpr std::array<std::string_view, 24> integers = {"0",
                                                       "1",
                                                       "2",
                                                       "3",
                                                       "10",
                                                       "-1",
                                                       "-2",
                                                       "100",
                                                       "17",
                                                       "9223372036854775807",
                                                       "-9223372036854775808",
                                                       "9223372036854775808",
                                                       "x",
                                                       "",
                                                       " 1",
                                                       "01",
                                                       "1.5",
                                                       "+1",
                                                       "-0",
                                                       "9223372036854775",
                                                       "5",
                                                       "7",
                                                       "50",
                                                       "1000"};
constexpr std::array<std::string_view, 24> numbers = {"0",  "1",    "2",   "3",      "-1",  "0.5",  "1.25", "-2.75",
                                                      "10", "1000", "1e3", "2.5e-1", "inf", "-inf", "+inf", "x",
                                                      "",   "1 ",   "nan", "1.",     ".5",  "-.5",  "+7",   "3.0"};
constexpr std::array<std::string_view, 22> score_bounds = {
    "1e-300", "(1e-300", "-1e-300", "1e300", "(1e300", "-1e300", "-inf", "+inf", "(1", "1",    "(0.5",
    "0.5",    "2",       "(3",      "-1",    "(-2.75", "inf",    "x",    "(",    "10", "(inf", "1e3"};
constexpr std::array<std::string_view, 14> member_bounds = {"-",  "+", "[a", "(a", "[c", "(c",  "[e",
                                                            "(e", "[", "(",  "x",  "[b", "(bb", "[zz"};
constexpr std::array<std::string_view, 10> globs = {"*",  "s*",   "[sz]?", "?1",     "[^s]*",
                                                    "*1", "\\s1", "a*",    "[a-m]*", "[s"};
constexpr std::array<std::string_view, 6> types = {"string", "list", "hash", "set", "zset", "foo"};
constexpr std::array<std::string_view, 8> values = {"", "v", "hello", "123", "-5", "3.5", "a\r\nb", "long long value"};
constexpr std::array<std::string_view, 12> members = {"a", "b", "bb", "c", "d", "e", "f", "g", "1", "2", "", "30"};
constexpr std::array<std::string_view, 15> indexes = {"0",    "1",   "2", "3", "-1", "-2", "-3", "5",
                                                      "-100", "100", "1", "0", "-1", "x",  "4"};

constexpr std::array<std::string_view, 8> times = {
    "0", "-1", "-1000", "x", "9223372036854775807", "9223372036854775", "-9223372036854775808", ""};

template <std::size_t Size>
std::string one_of(const std::array<std::string_view, Size>& from, splitmix64& random) {
  return std::string{from[random.below(Size)]};
}

std::string key_of(char type, splitmix64& random) {
  constexpr std::string_view all = "SLHTZ";
  // Now and then a command meets a key of another type.
  if (type == 'A' || random.below(12) == 0) type = all[random.below(all.size())];
  return std::string{static_cast<char>(type - 'A' + 'a')} + std::to_string(1 + random.below(4));
}

/// A time to live in seconds. No two of a run of 10,000 commands are equal: with GT or LT a difference of a
/// millisecond would decide, and each of the two clocks is read at its own moment.
std::string time_to_live() {
  static std::uint64_t count = 0;
  // 7919 and 10007 are primes, so the product runs through all remainders.
  return std::to_string(1'000 + ++count * 7'919 % 10'007);
}

std::string draw(char place, splitmix64& random) {
  switch (place) {
    case 'm':
      return one_of(members, random);
    case 'v':
      return one_of(values, random);
    case 'n':
      return one_of(integers, random);
    case 'd':
      return one_of(numbers, random);
    case 'r':
      return one_of(score_bounds, random);
    case 'x':
      return one_of(member_bounds, random);
    case 't':
      return random.below(3) == 0 ? time_to_live() : one_of(times, random);
    case 'u':
      return time_to_live();
    case 'i':
      return one_of(indexes, random);
    case 'o':
      return one_of(options, random);
    case 'g':
      return one_of(globs, random);
    case 'y':
      return one_of(types, random);
    default:
      return key_of(place, random);
  }
}

words words_of(std::string_view text, splitmix64& random) {
  words all{{}};
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == ' ') {
      all.emplace_back();
    } else if (text[at] == '{') {
      all.back() += draw(text[at + 1], random);
      at += 2;
    } else {
      all.back() += text[at];
    }
  }
  return all;
}

std::string comparable(std::string_view bytes, comparison how) {
  comparable_reply reader{bytes};
  if (how == exact) return reader.read().value_or("incomplete");
  if (how == elements) return reader.read(true).value_or("incomplete");
  if (how == seconds || how == milliseconds) return reader.read().value_or("incomplete");
  // The cursor, then the elements.
  if (!bytes.starts_with("*2\r\n")) return reader.read().value_or("incomplete");
  comparable_reply parts{bytes.substr(4)};
  const auto cursor = parts.read().value_or("incomplete");
  return cursor + ' ' + parts.read(true, how == scan_pairs ? 2 : 1).value_or("incomplete");
}

/// The machine at the time of the wall clock, as the server is.
class timed_machine {
 public:
  std::string reply_to(const words& command) {
    operation_context context{sequence_number{++count_}, client_id{0}, timestamp{count_}};
    context.ordered_time = std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
    const auto result = machine_.apply(context, encode(machines::redis::command{command}));
    return std::string{as_text(result.payload)};
  }

 private:
  machines::redis::redis_machine machine_;
  std::uint64_t count_ = 0;
};

/// Whether two replies mean the same. Both clocks are read within a second.
bool agree(const std::string& one, const std::string& other, comparison how) {
  const bool is_time = (how == seconds || how == milliseconds) && one.starts_with(':') && other.starts_with(':');
  if (!is_time || one.starts_with(":-") || other.starts_with(":-")) return one == other;
  const auto difference = std::stoll(one.substr(1)) - std::stoll(other.substr(1));
  return std::abs(difference) <= (how == seconds ? 1 : 1'000);
}

std::string joined(const words& all) {
  std::string text;
  for (const auto& each : all)
    text += '\'' + each + "' ";
  return text;
}

}  // namespace

TEST_CASE("the machine redis answers random commands as redis-server does") {
  if (!std::filesystem::exists(redis_binary)) {
    MESSAGE("skipped: redis-server is missing; apt-get install redis-server");
    return;
  }
  reference_server server;
  timed_machine machine;
  constexpr std::uint64_t seeds = 20;
  constexpr std::uint64_t commands = 10'000;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    splitmix64 random{seed};
    CHECK(server.reply_to({"flushall"}) == machine.reply_to({"flushall"}));
    std::size_t differences = 0;
    for (std::uint64_t number = 0; number < commands && differences < 20; ++number) {
      const auto& chosen = patterns[random.below(patterns.size())];
      // An empty database answers little.
      if (chosen.text.starts_with("flush") && random.below(50) != 0) continue;
      const auto command = words_of(chosen.text, random);
      const auto expected = comparable(server.reply_to(command), chosen.how);
      const auto answer = comparable(machine.reply_to(command), chosen.how);
      if (agree(expected, answer, chosen.how)) continue;
      ++differences;
      CAPTURE(seed);
      CAPTURE(number);
      CAPTURE(joined(command));
      CHECK(answer == expected);
    }
  }
}

}  // namespace hypermesh::testing
