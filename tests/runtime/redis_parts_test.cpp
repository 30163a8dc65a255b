#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "messages/byte_codec.hpp"
#include "runtime/state_machines/redis/redis_commands.hpp"
#include "runtime/state_machines/redis/redis_decimal.hpp"
#include "runtime/state_machines/redis/redis_glob.hpp"
#include "runtime/state_machines/redis/redis_operations.hpp"
#include "tools/hypermesh/traces/splitmix64.hpp"

/// The parts of the machine "redis" that know nothing of its state.
namespace hypermesh::testing {

namespace {

using machines::redis::decimal;

std::string text_of(std::string_view text) {
  const auto value = decimal::parse(text);
  return value ? value->text() : "none";
}

}  // namespace

TEST_CASE("a decimal is read as a number of Redis and written with all its digits") {
  CHECK(text_of("0") == "0");
  CHECK(text_of("-0") == "0");
  CHECK(text_of("1.50") == "1.5");
  CHECK(text_of("+.5") == "0.5");
  CHECK(text_of("5.") == "5");
  CHECK(text_of("-12e-3") == "-0.012");
  CHECK(text_of("1E3") == "1000");
  CHECK(text_of("9223372036854775807") == "9223372036854775807");
  CHECK(text_of("100000000000000000000") == "100000000000000000000");
  CHECK(text_of("1e20") == "100000000000000000000");
  CHECK(text_of("0.00000000000000001") == "0.00000000000000001");
  // Rounded to 17 digits.
  CHECK(text_of("1.000000000000000004") == "1");
  CHECK(text_of("0.000000000000000004") == "0");
  CHECK(text_of("1e-999999999999") == "0");
  CHECK(text_of("0.000000000000000005") == "0.00000000000000001");
  CHECK(text_of("-0.000000000000000005") == "-0.00000000000000001");
  CHECK(text_of("-1.000000000000000004") == "-1");
  CHECK(text_of("99999999999999999999.999999999999999996") == "100000000000000000000");
  CHECK(text_of("-0.999999999999999999") == "-1");
  CHECK(text_of("0e999999999999") == "0");
  CHECK(text_of("inf") == "inf");
  CHECK(text_of("+Infinity") == "inf");
  CHECK(text_of("-inf") == "-inf");
  for (const auto* wrong : {"",
                            "+",
                            "-",
                            ".",
                            "e5",
                            "1e",
                            "1e+",
                            "1.2.3",
                            " 1",
                            "1 ",
                            "nan",
                            "0x10",
                            "1,5",
                            "--1",
                            "100000000000000000001",
                            "1e21",
                            "-1e400",
                            "infinit",
                            "100000000000000000000.1",
                            "100000000000000000000.0000000000000000001"}) {
    CAPTURE(wrong);
    CHECK(text_of(wrong) == "none");
  }
  CHECK(text_of(std::string(100'000, '1')) == "none");
}

TEST_CASE("a score that is not zero never becomes zero") {
  for (const auto* lost :
       {"0.000000000000000004", "-4e-18", "9.8813129168249309e-323", "1e-999999999999", "1e21", "x"}) {
    CAPTURE(lost);
    CHECK_FALSE(decimal::parse_score(lost).has_value());
  }
  CHECK(decimal::parse_score("-0")->text() == "0");
  CHECK(decimal::parse_score("0e-999999999999")->text() == "0");
  CHECK(decimal::parse_score("5e-18")->text() == "0.00000000000000001");
  CHECK(decimal::parse_score("-inf")->text() == "-inf");
}

TEST_CASE("sums and products of decimals are exact, and leave the bounds as infinities") {
  const auto number = [](std::string_view text) { return *decimal::parse(text); };
  CHECK(number("0.1").plus(number("0.2"))->text() == "0.3");
  CHECK(number("1e20").plus(number("1"))->text() == "inf");
  CHECK(number("-1e20").plus(number("-1e20"))->text() == "-inf");
  CHECK(number("inf").plus(number("-5"))->text() == "inf");
  CHECK_FALSE(number("inf").plus(number("-inf")).has_value());
  CHECK(number("1.5").times(number("-2.5"))->text() == "-3.75");
  CHECK(number("1e10").times(number("1e10"))->text() == "100000000000000000000");
  CHECK(number("1e11").times(number("1e10"))->text() == "inf");
  CHECK(number("-1e20").times(number("1e20"))->text() == "-inf");
  CHECK(number("99999999999999999999.9").times(number("-1.9"))->text() == "-inf");
  CHECK(number("-inf").times(number("-2"))->text() == "inf");
  CHECK_FALSE(number("inf").times(number("0")).has_value());
  splitmix64 random{1};
  for (int round = 0; round < 2'000; ++round) {
    const auto one = static_cast<std::int64_t>(random.below(2'000'000)) - 1'000'000;
    const auto other = static_cast<std::int64_t>(random.below(2'000'000)) - 1'000'000;
    CHECK(decimal{one}.plus(decimal{other}) == decimal{one + other});
    CHECK(decimal{one}.times(decimal{other}) == decimal{one * other});
    CHECK((decimal{one} < decimal{other}) == (one < other));
    const auto fraction = number(std::to_string(one) + "e-6");
    CHECK(number(fraction.text()) == fraction);
    CHECK(fraction.times(decimal{1'000'000}) == decimal{one});
    byte_writer out;
    fraction.write(out);
    byte_reader in{out.view()};
    CHECK(decimal::read(in) == fraction);
  }
}

TEST_CASE("octets that are no decimal are refused") {
  byte_writer out;
  out.number(~std::uint64_t{0}).number(~std::uint64_t{0} >> 1U);
  byte_reader beyond{out.view()};
  CHECK_FALSE(decimal::read(beyond).has_value());
  byte_reader short_one{out.view().first(15)};
  CHECK_FALSE(decimal::read(short_one).has_value());
}

TEST_CASE("patterns match as in Redis") {
  struct row {
    std::string_view pattern;
    std::string_view text;
    bool matches;
  };
  for (const auto& each : std::vector<row>{{"*", "", true},        {"", "", true},           {"", "a", false},
                                           {"a*c", "abbc", true},  {"a*c", "abbd", false},   {"*a*b*", "xaxxbx", true},
                                           {"a?c", "abc", true},   {"a?c", "ac", false},     {"[a-c]x", "bx", true},
                                           {"[c-a]x", "bx", true}, {"[^a-c]x", "bx", false}, {"[^a]x", "bx", true},
                                           {"[abc", "b", true},    {"[]", "a", false},       {"[a\\]]", "]", true},
                                           {"\\*", "*", true},     {"\\*", "a", false},      {"a\\", "a\\", true},
                                           {"**", "abc", true},    {"*c", "abc", true},      {"*b", "abc", false}}) {
    CAPTURE(each.pattern);
    CAPTURE(each.text);
    std::size_t steps = 0;
    CHECK(machines::redis::glob_matches(each.pattern, each.text, steps) == each.matches);
  }
}

TEST_CASE("a hostile pattern costs at most the product of both lengths, and is counted") {
  std::string pattern;
  for (int star = 0; star < 200; ++star)
    pattern += "*a";
  const std::string text(1'000, 'a');
  std::size_t steps = 0;
  CHECK_FALSE(machines::redis::glob_matches(pattern + "b", text, steps));
  CHECK(steps <= (pattern.size() + 1) * text.size());
  steps = 0;
  CHECK_FALSE(machines::redis::glob_matches("*" + std::string(500, 'a') + "b", text, steps));
  CHECK(steps > 100'000);
}

TEST_CASE("the table knows each command, its kind and the places of its keys") {
  using machines::redis::find_command;
  using machines::redis::key_places;
  using places = std::vector<std::size_t>;
  CHECK(machines::redis::command_table().size() > 110);
  CHECK(find_command("ZRangeByScore")->name == "zrangebyscore");
  CHECK(find_command("frob") == nullptr);
  CHECK(find_command(std::string(100'000, 'x')) == nullptr);
  CHECK(key_places(std::vector<std::string>{"get", "k"}) == places{1});
  CHECK(key_places(std::vector<std::string>{"MSET", "a", "1", "b", "2"}) == places{1, 3});
  CHECK(key_places(std::vector<std::string>{"del", "a", "b", "c"}) == places{1, 2, 3});
  CHECK(key_places(std::vector<std::string>{"zunionstore", "d", "2", "a", "b", "weights", "1", "2"}) ==
        places{1, 3, 4});
  CHECK(key_places(std::vector<std::string>{"sintercard", "9", "a"}).empty());
  CHECK(key_places(std::vector<std::string>{"sintercard", "x", "a"}).empty());
  CHECK(key_places(std::vector<std::string>{"get"}).empty());
  CHECK(key_places({}).empty());
}

TEST_CASE("the gateway learns which commands read, and whose replies are pairs") {
  using machines::redis::command;
  using machines::redis::has_pairs;
  using machines::redis::is_read_only;
  CHECK(is_read_only(command{{"GET", "k"}}));
  CHECK(is_read_only(command{{"frob"}}));
  CHECK_FALSE(is_read_only(command{{"Set", "k", "v"}}));
  CHECK_FALSE(is_read_only(machines::redis::transaction{{}, {{{"get", "k"}}, {{"incr", "k"}}}}));
  CHECK(is_read_only(machines::redis::transaction{{}, {{{"get", "k"}}}}));
  CHECK(has_pairs(command{{"ZRANGE", "z", "0", "-1", "WITHSCORES"}}));
  CHECK_FALSE(has_pairs(command{{"zrange", "z", "0", "-1"}}));
  CHECK_FALSE(has_pairs(command{{"zrange", "withscores", "0", "-1"}}));
  CHECK(has_pairs(command{{"zpopmin", "z", "1"}}));
  CHECK_FALSE(has_pairs(command{{"zpopmin", "z"}}));
  CHECK(has_pairs(command{{"hrandfield", "h", "2", "withvalues"}}));
  CHECK(has_pairs(command{{"zrandmember", "z", "2", "withscores"}}));
  CHECK(has_pairs(command{{"ZUnion", "1", "z", "withscores"}}));
  CHECK_FALSE(has_pairs(command{{"zdiff", "1", "z"}}));
  CHECK_FALSE(has_pairs(command{{"zmpop", "1", "z", "min"}}));
}

}  // namespace hypermesh::testing
