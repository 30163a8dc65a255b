#include "actors/protocol/client/client_session.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include <set>

#include "actors/protocol/client/client_core.hpp"
#include "tests/support/effect_reader.hpp"
#include "tests/support/request_factory.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

constexpr client_id self{1};
constexpr session_id first_session{5'000};

/// A process of client 1 that tries session 5,000 first, with f = 1.
struct process_world {
  request_factory factory{small_cluster(4)};
  client_core core;

  explicit process_world(client_settings settings = {}, std::uint64_t seed = 1)
      : core(factory.cluster(), self, factory.keys_of(self), seeded(settings, seed), timestamp{1}, first_session) {}

  static client_settings seeded(client_settings settings, std::uint64_t seed) {
    settings.sampling_seed = seed;
    settings.sampled_one_in = 0;
    return settings;
  }
  client_effects submit(operation_token token, moment now = {}) {
    return core.on_submit(to_byte_vector("op"), token, now);
  }
  [[nodiscard]] reply answer_to(std::uint64_t when) const {
    reply value{{self, timestamp{when}, core.session()}, {}, {}, core.content_of(timestamp{when}).value_or(digest{})};
    value.outcome.append(0, as_byte_span("r"));
    return value;
  }
  client_effects give(const reply& value, std::uint32_t replicas, moment now = {}) {
    client_effects all;
    for (std::uint32_t from = 0; from < replicas; ++from) {
      auto more = core.on_reply(replica_id{from}, value, now);
      all.sends.insert(all.sends.end(), more.sends.begin(), more.sends.end());
      all.done.insert(all.done.end(), more.done.begin(), more.done.end());
    }
    return all;
  }
  client_effects refuse(std::uint64_t when, std::uint32_t from, std::uint64_t fresh_above) {
    auto value = answer_to(when);
    value.outcome = {};
    value.outcome.status = reply_status::session_ended;
    value.outcome.fresh_above = session_id{fresh_above};
    return core.on_reply(replica_id{from}, value, moment{});
  }
  /// Opens the session and sends the first operation.
  void open() {
    (void)submit(1);
    (void)give(answer_to(0), 2);
  }
};

std::vector<std::uint64_t> times_in(const client_effects& effects) {
  std::vector<std::uint64_t> times;
  for (const auto& each : sent<request>(effects.sends))
    times.push_back(each.id.when.value);
  return times;
}

}  // namespace

TEST_CASE("a session is opened at all replicas before the first operation is sent") {
  process_world world;
  const auto first = world.submit(1);
  REQUIRE(first.sends.size() == 1);
  CHECK_FALSE(first.sends[0].to);
  const auto opening = sent<request>(first.sends).at(0);
  CHECK(opening.id == request_id{self, timestamp{0}, first_session});
  CHECK(opening_in(opening)->mode == session_mode::ordered);
  CHECK(world.submit(2).sends.empty());
  CHECK(world.give(world.answer_to(0), 1).sends.empty());
  CHECK(times_in(world.core.on_reply(replica_id{1}, world.answer_to(0), moment{})) == std::vector<std::uint64_t>{1, 2});
}

TEST_CASE("a session that has ended is replaced above the number that a quorum names, and no operation is lost") {
  process_world world;
  (void)world.submit(1);
  CHECK(world.refuse(0, 0, 9'000).sends.empty());
  CHECK(world.refuse(0, 1, 8'000).sends.empty());
  // The third refusal completes a quorum. A faulty replica names the largest possible number.
  const auto again = world.refuse(0, 3, ~0ULL);
  CHECK(times_in(again) == std::vector<std::uint64_t>{0});
  CHECK(world.core.session() > session_id{9'000});
  CHECK(world.core.session() < session_id{9'000 + (2ULL << 20U)});
  CHECK(errors_in(again).empty());
  CHECK(times_in(world.give(world.answer_to(0), 2)) == std::vector<std::uint64_t>{1});
}

TEST_CASE("two processes that choose the same session number open two sessions") {
  process_world one{{}, 1};
  process_world other{{}, 2};
  const auto opening = [](process_world& world) { return sent<request>(world.submit(1).sends).at(0); };
  const auto first = opening(one);
  const auto second = opening(other);
  REQUIRE(first.id == second.id);
  REQUIRE(digest_of_request(first) != digest_of_request(second));
  // The replicas have opened the session of the first process.
  const auto taken = one.answer_to(0);
  (void)one.give(taken, 2);
  const auto again = other.give(taken, 2);
  CHECK(times_in(again) == std::vector<std::uint64_t>{0});
  CHECK(other.core.session() != one.core.session());
}

TEST_CASE("a reply to another request with the same name is an error and never a result (attack 5)") {
  process_world world;
  world.open();
  auto foreign = world.answer_to(1);
  foreign.request.bytes[0] ^= std::byte{1};
  CHECK(world.give(foreign, 1).done.empty());
  CHECK(errors_in(world.core.on_reply(replica_id{1}, foreign, moment{})) == std::vector{client_error::name_taken});
}

TEST_CASE("one liar that names another request or an ended session changes nothing") {
  process_world world;
  world.open();
  auto foreign = world.answer_to(1);
  foreign.request.bytes[0] ^= std::byte{1};
  for (int times = 0; times < 3; ++times) {
    CHECK(world.core.on_reply(replica_id{3}, foreign, moment{}).done.empty());
    CHECK(world.refuse(1, 3, 1).done.empty());
  }
  CHECK(errors_in(world.give(world.answer_to(1), 2)).empty());
}

TEST_CASE("the end of a session fails its operations in flight, and waiting ones continue in another session") {
  client_settings settings;
  settings.requests_in_flight_max = 2;
  process_world world{settings};
  world.open();
  (void)world.submit(2);
  (void)world.submit(3);
  CHECK(world.refuse(1, 0, 1).done.empty());
  const auto ended = world.refuse(1, 2, 1);
  CHECK(errors_in(ended) == std::vector{client_error::session_ended, client_error::session_ended});
  CHECK(times_in(ended) == std::vector<std::uint64_t>{0});
  CHECK(times_in(world.give(world.answer_to(0), 2)) == std::vector<std::uint64_t>{1});
}

TEST_CASE(
    "an operation of an ordered session that timed out is sent until it is executed, because others wait for it") {
  client_settings settings;
  settings.deadline = 1s;
  process_world world{settings};
  world.open();
  CHECK(errors_in(world.core.on_tick(moment{1s})) == std::vector{client_error::timed_out});
  (void)world.submit(2, moment{1s});
  const auto later = times_in(world.core.on_tick(moment{9s}));
  CHECK(std::count(later.begin(), later.end(), 1) == 1);
  // No operation receives a second result.
  CHECK(world.give(world.answer_to(1), 2, moment{9s}).done.empty());
  CHECK(world.core.operations_pending() == 0);
}

TEST_CASE("the first request of a session goes to all replicas when it is late, before the usual retransmission") {
  process_world world;
  world.open();
  (void)world.submit(2);
  CHECK(world.core.on_tick(moment{client_settings{}.doubtful_after - 1us}).sends.empty());
  const auto hint = world.core.on_tick(moment{client_settings{}.doubtful_after});
  CHECK(times_in(hint) == std::vector<std::uint64_t>{1});
  CHECK_FALSE(hint.sends[0].to);
  CHECK(world.core.on_tick(moment{client_settings{}.doubtful_after + 1us}).sends.empty());
}

TEST_CASE(
    "a client that is used to late answers hints at a request, and sends it again, only when it is unusually late") {
  process_world world;
  world.open();
  moment now{};
  // Each answer takes 400 ms.
  for (std::uint64_t when = 1; when <= 100; ++when) {
    (void)world.give(world.answer_to(when), 2, now + 400ms);
    now += 400ms;
    (void)world.submit(when + 1, now);
  }
  const auto sent_again_within = [&](duration wait) { return times_in(world.core.on_tick(now + wait)).size(); };
  CHECK(sent_again_within(790ms) == 0);
  CHECK(sent_again_within(800ms) > 0);
}

TEST_CASE("a new link gets the opening of the session first, so that the results are sent there") {
  process_world world;
  world.open();
  const auto again = world.core.on_link_up(replica_id{2}, moment{});
  CHECK(times_in(again) == std::vector<std::uint64_t>{0, 1});
}

TEST_CASE("requests that go to all replicas come in runs, at the configured rate") {
  client_settings settings;
  settings.requests_in_flight_max = 16;
  settings.sampled_one_in = 16;
  settings.sampling_seed = 3;
  request_factory factory{small_cluster(4)};
  client_core core{factory.cluster(), self, factory.keys_of(self), settings, timestamp{1}, first_session};
  std::vector<bool> to_all;
  const auto note = [&](const client_effects& effects) {
    for (const auto& each : effects.sends)
      to_all.push_back(!each.to);
  };
  const auto answer = [&](std::uint64_t when) {
    const timestamp time{when};
    reply value{{self, time, core.session()}, {}, {}, core.content_of(time).value()};
    value.outcome.append(0, {});
    note(core.on_reply(replica_id{0}, value, moment{}));
    note(core.on_reply(replica_id{1}, value, moment{}));
  };
  for (operation_token token = 1; token <= 8'000; ++token) {
    note(core.on_submit(to_byte_vector("op"), token, moment{}));
    if (token == 1) answer(0);
    if (token >= 16) answer(token - 15);
  }
  const auto share =
      static_cast<double>(std::count(to_all.begin(), to_all.end(), true)) / static_cast<double>(to_all.size());
  CHECK(share > 0.03);
  CHECK(share < 0.12);
  std::size_t runs = 0;
  for (std::size_t place = 1; place < to_all.size(); ++place)
    runs += to_all[place] && !to_all[place - 1] ? 1 : 0;
  CHECK(runs * 16 <= static_cast<std::size_t>(std::count(to_all.begin(), to_all.end(), true)));
}
