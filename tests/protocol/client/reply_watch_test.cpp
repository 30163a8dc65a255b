#include "actors/protocol/client/reply_watch.hpp"

#include <doctest/doctest.h>

#include <string_view>

#include "actors/ports.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

const replica_id liar{2};
constexpr timestamp first{1};

request_outcome result(std::string_view text) {
  request_outcome outcome;
  outcome.append(0, as_byte_span(text));
  return outcome;
}

request_outcome refusal() {
  request_outcome outcome;
  outcome.status = reply_status::overloaded;
  return outcome;
}

std::uint64_t wrong_of(const reply_watch& watch, replica_id replica) {
  const auto found = watch.wrong_replies().find(replica);
  return found == watch.wrong_replies().end() ? 0 : found->second;
}

}  // namespace

TEST_CASE("a replica whose result differs from that of f + 1 is counted, before or after their replies (attack 5)") {
  reply_watch watch;
  watch.on_agreed(first, result("right"), {{replica_id{0}, result("right")}, {liar, result("wrong")}});
  CHECK(wrong_of(watch, liar) == 1);
  CHECK(wrong_of(watch, replica_id{0}) == 0);
  watch.on_late(replica_id{3}, first, result("wrong too"));
  watch.on_late(replica_id{1}, first, result("right"));
  CHECK(wrong_of(watch, replica_id{3}) == 1);
  CHECK(wrong_of(watch, replica_id{1}) == 0);
}

TEST_CASE("a replica counts once for a request, and not for a request that was never sent") {
  reply_watch watch;
  watch.on_agreed(first, result("right"), {{liar, result("wrong")}});
  watch.on_late(liar, first, result("wrong"));
  watch.on_late(liar, timestamp{7}, result("wrong"));
  CHECK(wrong_of(watch, liar) == 1);
}

TEST_CASE("a refusal is no wrong result, and a request that f + 1 refuse has none") {
  reply_watch watch;
  watch.on_agreed(first, result("right"), {{liar, refusal()}});
  watch.on_late(liar, first, refusal());
  watch.on_agreed(timestamp{2}, refusal(), {{liar, result("anything")}});
  CHECK(watch.wrong_replies().empty());
}

TEST_CASE("a replica that dropped a result as too large gave no wrong one") {
  reply_watch watch;
  request_outcome shortened;
  shortened.append(static_cast<std::uint8_t>(operation_status::result_too_large), {});
  watch.on_agreed(first, result("long"), {{liar, shortened}});
  watch.on_agreed(timestamp{2}, shortened, {{liar, result("long")}});
  watch.on_late(replica_id{3}, timestamp{2}, result("long"));
  CHECK(watch.wrong_replies().empty());
}

TEST_CASE("results with different boundaries are different") {
  reply_watch watch;
  auto one = result("ab");
  one.append(0, as_byte_span(std::string_view{"c"}));
  auto other = result("a");
  other.append(0, as_byte_span(std::string_view{"bc"}));
  watch.on_agreed(first, one, {{liar, other}});
  CHECK(wrong_of(watch, liar) == 1);
}

TEST_CASE("the watch remembers at most remembered_max requests") {
  reply_watch watch;
  for (std::uint64_t when = 1; when <= reply_watch::remembered_max + 1; ++when)
    watch.on_agreed(timestamp{when}, result("right"), {});
  watch.on_late(liar, first, result("wrong"));
  CHECK(wrong_of(watch, liar) == 0);
  watch.on_late(liar, timestamp{2}, result("wrong"));
  CHECK(wrong_of(watch, liar) == 1);
}
