#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <utility>

#include "actors/protocol/client/client_core.hpp"
#include "actors/protocol/execution/client_table.hpp"
#include "tests/support/effect_reader.hpp"
#include "tests/support/message_samples.hpp"
#include "tests/support/request_factory.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

constexpr client_id self{1};

/// Client 1 of a cluster of four, where f + 1 = 2.
struct client_world {
  request_factory factory;
  client_core core;

  explicit client_world(client_settings settings = {}, std::uint32_t replicas = 4)
      : factory(small_cluster(replicas)),
        core(factory.cluster(), self, factory.keys_of(self), settings, timestamp{1}) {}

  client_effects submit(operation_token token, moment now = {}, std::string_view operation = "op") {
    return core.on_submit(to_byte_vector(operation), token, now);
  }
  client_effects answer(std::uint32_t from, std::uint64_t when, std::string_view result, std::uint64_t view = 0) {
    return core.on_reply(replica_id{from}, reply_of(when, result, view), moment{});
  }
  client_effects refuse(std::uint32_t from, std::uint64_t when, reply_status why) {
    reply value{{self, timestamp{when}}, view_number{0}, {}, core.content_of(timestamp{when}).value_or(digest{})};
    value.outcome.status = why;
    return core.on_reply(replica_id{from}, value, moment{});
  }
  /// A reply to the request in progress.
  [[nodiscard]] reply reply_of(std::uint64_t when, std::string_view result, std::uint64_t view = 0,
                               client_id client = self) const {
    const timestamp time{when};
    reply value{{client, time, core.session()}, view_number{view}, {}, core.content_of(time).value_or(digest{})};
    value.outcome.append(0, as_byte_span(result));
    return value;
  }
};

std::string result_in(const client_effects& effects) {
  if (effects.done.size() != 1) return "none";
  const auto* result = std::get_if<operation_result>(&effects.done[0].outcome);
  return result == nullptr ? "error" : std::string{as_text(result->payload)};
}

}  // namespace

TEST_CASE("a request goes to the primary, signed by the client") {
  client_world world;
  const auto effects = world.submit(7);
  REQUIRE(effects.sends.size() == 1);
  CHECK(effects.sends[0].to == replica_id{0});
  const auto asked = std::get<request>(read_frame(effects.sends[0].frame));
  CHECK(asked.id == request_id{self, timestamp{1}});
  const auto input = signing_input(world.factory.cluster().signing, message_kind::request, asked.signed_bytes());
  CHECK(world.factory.keys().verifier()->verify(principal::of(self), input, asked.client_signature));
}

TEST_CASE("a result needs f + 1 equal replies of distinct replicas") {
  for (const std::uint32_t replicas : {4U, 7U, 10U}) {
    client_world world{{}, replicas};
    (void)world.submit(7);
    const auto needed = world.factory.cluster().group().weak_quorum();
    for (std::uint32_t from = 0; from + 1 < needed; ++from)
      CHECK(world.answer(from, 1, "good").done.empty());
    const auto last = world.answer(needed - 1, 1, "good");
    CHECK(result_in(last) == "good");
    CHECK(last.done[0].token == 7);
    CHECK(world.core.is_idle());
  }
}

TEST_CASE("f lying replicas cannot make a result, however often they answer") {
  client_world world;
  (void)world.submit(7);
  for (int round = 0; round < 10; ++round)
    CHECK(world.answer(3, 1, "forged").done.empty());
  CHECK(world.answer(0, 1, "good").done.empty());
  CHECK(result_in(world.answer(1, 1, "good")) == "good");
}

TEST_CASE("the first answer of a replica counts, and a later one cannot change it") {
  client_world world;
  (void)world.submit(7);
  CHECK(world.answer(0, 1, "good").done.empty());
  CHECK(world.answer(3, 1, "forged").done.empty());
  CHECK(world.answer(3, 1, "good").done.empty());
  CHECK(result_in(world.answer(2, 1, "good")) == "good");
}

TEST_CASE("results that differ in status only do not match") {
  client_world world;
  (void)world.submit(7);
  auto refused = world.reply_of(1, "text");
  refused.outcome.statuses[0] = 1;
  CHECK(world.core.on_reply(replica_id{0}, refused, moment{}).done.empty());
  CHECK(world.answer(1, 1, "text").done.empty());
  CHECK(result_in(world.answer(2, 1, "text")) == "text");
}

TEST_CASE("replies to other timestamps, to other clients and from non-members are ignored") {
  client_world world;
  (void)world.submit(7);
  for (std::uint32_t from = 0; from < 4; ++from) {
    CHECK(world.answer(from, 2, "x").done.empty());
    CHECK(world.core.on_reply(replica_id{from}, world.reply_of(1, "x", 0, client_id{2}), moment{}).done.empty());
    CHECK(world.answer(from + 4, 1, "x").done.empty());
  }
  CHECK_FALSE(world.core.is_idle());
}

TEST_CASE("a reply after the result is ignored") {
  client_world world;
  (void)world.submit(7);
  (void)world.answer(0, 1, "good");
  REQUIRE(result_in(world.answer(1, 1, "good")) == "good");
  CHECK(world.answer(2, 1, "good").done.empty());
}

TEST_CASE("a late request is sent to all, at doubling intervals up to the cap") {
  client_settings settings;
  settings.retransmit_after = 100us;
  settings.retransmit_max = 400us;
  settings.deadline = 10ms;
  client_world world{settings};
  const auto first = world.submit(7);
  std::vector<moment> sent_at;
  for (moment now{1us}; now <= moment{2ms}; now += 1us) {
    const auto effects = world.core.on_tick(now);
    for (const auto& each : effects.sends) {
      CHECK_FALSE(each.to);
      CHECK(*each.frame == *first.sends[0].frame);
      sent_at.push_back(now);
    }
  }
  CHECK(sent_at ==
        std::vector{moment{100us}, moment{300us}, moment{700us}, moment{1'100us}, moment{1'500us}, moment{1'900us}});
  CHECK(world.core.retransmissions() == 6);
}

TEST_CASE("an operation without a result by its deadline fails as timed out") {
  client_settings settings;
  settings.deadline = 1ms;
  client_world world{settings};
  (void)world.submit(7);
  CHECK(world.core.on_tick(moment{999us}).done.empty());
  CHECK(errors_in(world.core.on_tick(moment{1ms})) == std::vector{client_error::timed_out});
  CHECK(world.core.operations_pending() == 0);
  CHECK(world.answer(0, 1, "late").done.empty());
}

TEST_CASE("f + 1 refusals until the deadline mean overload, and the refusal of one liar does not") {
  client_settings settings;
  settings.deadline = 1ms;
  client_world world{settings};
  (void)world.submit(7);
  CHECK(world.refuse(0, 1, reply_status::overloaded).done.empty());
  CHECK(world.refuse(1, 1, reply_status::overloaded).done.empty());
  CHECK(errors_in(world.core.on_tick(moment{1ms})) == std::vector{client_error::overloaded});
  (void)world.submit(8, moment{1ms});
  for (int round = 0; round < 3; ++round)
    CHECK(world.refuse(3, 2, reply_status::overloaded).done.empty());
  CHECK(errors_in(world.core.on_tick(moment{2ms})) == std::vector{client_error::timed_out});
}

TEST_CASE(
    "an operation that was never sent is refused if the group was busy with others, and times out if it was silent") {
  for (const bool is_busy : {true, false}) {
    client_settings settings;
    settings.deadline = 1ms;
    settings.requests_in_flight_max = 1;
    client_world world{settings};
    for (operation_token token = 1; token <= 3; ++token)
      (void)world.submit(token, moment{10us});
    for (std::uint32_t from = 0; is_busy && from < 2; ++from)
      (void)world.core.on_reply(replica_id{from}, world.reply_of(1, "done"), moment{30us});
    std::map<operation_token, client_error> errors;
    for (const auto& each : world.core.on_tick(moment{1'010us}).done)
      errors[each.token] = std::get<client_error>(each.outcome);
    CHECK(errors.at(3) == (is_busy ? client_error::overloaded : client_error::timed_out));
    CHECK(errors.contains(1) != is_busy);
  }
}

TEST_CASE("a replica that refused may answer later, and its answer counts") {
  client_world world;
  (void)world.submit(7);
  CHECK(world.refuse(0, 1, reply_status::overloaded).done.empty());
  CHECK(world.answer(0, 1, "good").done.empty());
  CHECK(result_in(world.answer(1, 1, "good")) == "good");
}

TEST_CASE("f + 1 replicas that call a timestamp past fail its operations") {
  client_world world;
  (void)world.submit(7);
  CHECK(world.refuse(0, 1, reply_status::stale_timestamp).done.empty());
  CHECK(errors_in(world.refuse(1, 1, reply_status::stale_timestamp)) == std::vector{client_error::stale_timestamp});
  CHECK(world.core.is_idle());
}

TEST_CASE("operations share one signature, and each gets its own result") {
  client_settings settings;
  settings.bundle_operations_max = 3;
  settings.bundle_delay = 100us;
  client_world world{settings};
  CHECK(world.submit(1).sends.size() == 1);
  CHECK(world.submit(2).sends.empty());
  CHECK(world.submit(3).sends.empty());
  const auto full = world.submit(4);
  REQUIRE(full.sends.size() == 1);
  CHECK(std::get<request>(read_frame(full.sends[0].frame)).operation_count() == 3);
  reply value{{self, timestamp{2}}, {}, {}, world.core.content_of(timestamp{2}).value()};
  for (const std::string_view result : {"two", "three", "four"})
    value.outcome.append(0, as_byte_span(result));
  CHECK(world.core.on_reply(replica_id{0}, value, moment{}).done.empty());
  const auto effects = world.core.on_reply(replica_id{1}, value, moment{});
  REQUIRE(effects.done.size() == 3);
  CHECK(effects.done[1].token == 3);
  CHECK(as_text(std::get<operation_result>(effects.done[1].outcome).payload) == "three");
}

TEST_CASE("a bundle that is not full leaves when its delay has passed") {
  client_settings settings;
  settings.bundle_operations_max = 10;
  settings.bundle_delay = 100us;
  client_world world{settings};
  (void)world.submit(1);
  CHECK(world.submit(2, moment{10us}).sends.empty());
  CHECK(world.core.on_tick(moment{109us}).sends.empty());
  CHECK(world.core.on_tick(moment{110us}).sends.size() == 1);
}

TEST_CASE("a bundle never exceeds the bytes of a request") {
  client_settings settings;
  settings.bundle_operations_max = 100;
  client_world world{settings};
  (void)world.submit(0);
  const std::string large(limits::operation_bytes_max, 'x');
  std::vector<frame_ptr> frames;
  for (operation_token token = 1; token <= 9; ++token)
    (void)world.submit(token, moment{}, large);
  for (const auto& each : world.core.on_tick(moment{10ms}).sends)
    frames.push_back(each.frame);
  std::size_t operations = 0;
  for (const auto& frame : frames)
    operations += std::get<request>(read_frame(frame)).operation_count();
  CHECK(operations == 9);
  CHECK(frames.size() == 3);
}

TEST_CASE("f + 1 replies that do not fit the request give no invented results") {
  client_world world;
  (void)world.submit(7);
  reply value{{self, timestamp{1}}, {}, {}, world.core.content_of(timestamp{1}).value()};
  value.outcome.append(0, as_byte_span("one"));
  value.outcome.append(0, as_byte_span("too many"));
  (void)world.core.on_reply(replica_id{0}, value, moment{});
  CHECK(errors_in(world.core.on_reply(replica_id{1}, value, moment{})).size() == 1);
}

TEST_CASE("the requests in flight never exceed the window of the replicas' client table") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    sample_source random{seed};
    client_settings settings;
    settings.requests_in_flight_max = 1 + random.below(limits::requests_in_flight_max);
    settings.bundle_operations_max = 1;
    client_world world{settings};
    client_table table;
    std::vector<request_id> open;
    const auto take = [&](const client_effects& effects) {
      for (const auto& each : sent<request>(effects.sends))
        open.push_back(each.id);
    };
    for (operation_token token = 1; token <= 1'500; ++token) {
      take(world.submit(token));
      if (random.below(3) != 0 || open.empty()) continue;
      // Usually the newest request is executed, so the oldest request falls behind.
      const auto place = random.below(8) == 0 ? 0 : open.size() - 1;
      const auto id = open[place];
      open.erase(open.begin() + static_cast<std::ptrdiff_t>(place));
      REQUIRE(table.standing_of(id) == request_standing::fresh);
      const auto value = world.reply_of(id.when.value, "x");
      table.record({id, value.request}, std::make_shared<const request_outcome>(value.outcome));
      take(world.core.on_reply(replica_id{0}, value, moment{}));
      take(world.core.on_reply(replica_id{1}, value, moment{}));
      CHECK(open.size() <= settings.requests_in_flight_max);
    }
    for (const auto& id : open)
      CHECK(table.standing_of(id) == request_standing::fresh);
  }
}

TEST_CASE("the client's own queue is bounded, and an operation that is too large is never sent") {
  client_settings settings;
  settings.operations_pending_max = 2;
  client_world world{settings};
  (void)world.submit(1);
  (void)world.submit(2);
  CHECK(errors_in(world.submit(3)) == std::vector{client_error::too_many_pending});
  CHECK(errors_in(world.core.on_query({}, 4, read_mode::committed, true, moment{})) ==
        std::vector{client_error::too_many_pending});
  client_world other;
  const auto effects = other.submit(1, moment{}, std::string(limits::operation_bytes_max + 1, 'x'));
  CHECK(errors_in(effects) == std::vector{client_error::too_large});
  CHECK(effects.sends.empty());
}

TEST_CASE("the client learns a view from f + 1 replicas and follows no single liar") {
  client_world world;
  (void)world.submit(1);
  (void)world.answer(3, 1, "good", limits::view_max);
  REQUIRE(result_in(world.answer(0, 1, "good", 2)) == "good");
  CHECK(world.core.view() == view_number{2});
  CHECK(world.submit(2).sends[0].to == replica_id{2});
}

TEST_CASE("a query goes to all replicas and is answered by f + 1 equal answers") {
  client_world world;
  const auto asked = world.core.on_query(to_byte_vector("count"), 5, read_mode::committed, true, moment{});
  REQUIRE(asked.sends.size() == 1);
  CHECK_FALSE(asked.sends[0].to);
  const auto id = std::get<query>(read_frame(asked.sends[0].frame)).id;
  const auto answer = [&](std::uint32_t from, std::string_view result) {
    return world.core.on_query_reply(replica_id{from}, {id, sequence_number{9}, 0, to_byte_vector(result)}, moment{});
  };
  CHECK(answer(3, "liar").done.empty());
  CHECK(answer(3, "liar").done.empty());
  CHECK(answer(0, "old").done.empty());
  CHECK(answer(1, "new").done.empty());
  CHECK(result_in(answer(0, "new")) == "new");
  CHECK(world.core.is_idle());
}

TEST_CASE("a query without agreement is sent again, and fails at its deadline") {
  client_settings settings;
  settings.retransmit_after = 100us;
  settings.deadline = 1ms;
  client_world world{settings};
  (void)world.core.on_query(to_byte_vector("count"), 5, read_mode::committed, true, moment{});
  CHECK(world.core.on_tick(moment{100us}).sends.size() == 1);
  CHECK(errors_in(world.core.on_tick(moment{1ms})) == std::vector{client_error::timed_out});
  CHECK(world.core.operations_pending() == 0);
}

TEST_CASE("a stopped client answers every pending operation once") {
  client_settings settings;
  settings.requests_in_flight_max = 1;
  client_world world{settings};
  (void)world.submit(1);
  (void)world.submit(2);
  (void)world.core.on_query(to_byte_vector("count"), 3, read_mode::linearizable, true, moment{});
  auto stopped = world.core.on_stop();
  std::vector<operation_token> tokens;
  for (const auto& each : stopped.done)
    tokens.push_back(each.token);
  std::sort(tokens.begin(), tokens.end());
  CHECK(tokens == std::vector<operation_token>{1, 2, 3});
  CHECK(errors_in(stopped) == std::vector(3, client_error::stopped));
  CHECK(world.core.is_idle());
  CHECK(world.core.operations_pending() == 0);
  CHECK(world.core.on_tick(moment{1'000s}).done.empty());
}

TEST_CASE("requests go to all replicas without a link to the primary, and to the primary again when it is back") {
  client_world world;
  REQUIRE(world.submit(1).sends.size() == 1);
  CHECK(world.core.on_link_down(replica_id{2}).sends.empty());
  const auto lost = world.core.on_link_down(replica_id{0});
  REQUIRE(lost.sends.size() == 1);
  CHECK_FALSE(lost.sends[0].to);
  const auto next = world.submit(2);
  REQUIRE(next.sends.size() == 1);
  CHECK_FALSE(next.sends[0].to);
  (void)world.core.on_link_up(replica_id{0}, moment{});
  client_settings none;
  none.sampled_one_in = 0;
  client_world certain{none};
  (void)certain.core.on_link_down(replica_id{0});
  (void)certain.core.on_link_up(replica_id{0}, moment{});
  CHECK(certain.submit(1).sends[0].to == replica_id{0});
}

TEST_CASE("about one request in sixteen goes to all, and only the seed decides which (attack 29)") {
  const auto sampled = [](std::uint64_t seed) {
    client_settings settings;
    settings.sampling_seed = seed;
    client_world world{settings};
    std::vector<bool> to_all;
    for (std::uint64_t when = 1; when <= 250; ++when) {
      to_all.push_back(!world.submit(when).sends.at(0).to);
      for (const std::uint32_t from : {0U, 1U})
        (void)world.answer(from, when, "r");
    }
    return to_all;
  };
  const auto one = sampled(1);
  const auto count = std::count(one.begin(), one.end(), true);
  CHECK(count > 4);
  CHECK(count < 40);
  CHECK(one == sampled(1));
  CHECK(one != sampled(2));
}

TEST_CASE("more requests go to all while results come late, so that a slow primary is noticed (attack 29)") {
  const auto sampled_after = [](duration wait) {
    client_settings settings;
    settings.sampling_seed = 7;
    client_world world{settings};
    std::size_t to_all = 0;
    for (std::uint64_t when = 1; when <= 200; ++when) {
      const moment asked_at{when * 1s};
      if (!world.submit(when, asked_at).sends.at(0).to) ++to_all;
      for (const std::uint32_t from : {0U, 1U})
        (void)world.core.on_reply(replica_id{from}, world.reply_of(when, "r"), asked_at + wait);
    }
    return to_all;
  };
  CHECK(sampled_after(99'999us) < 25);
  CHECK(sampled_after(100ms) > 35);
  CHECK(sampled_after(100ms) < 75);
}

TEST_CASE("a client has fewer requests under way while its results come late, and the others wait") {
  client_settings settings;
  settings.bundle_operations_max = 1;
  client_world world{settings};
  std::vector<std::uint64_t> open;
  const auto take = [&open](const client_effects& effects) {
    for (const auto& each : sent<request>(effects.sends))
      open.push_back(each.id.when.value);
  };
  for (operation_token token = 1; token <= 1'000; ++token)
    take(world.submit(token, moment{1s}));
  CHECK(open.size() == send_window::least);
  // The answers to all requests under way come at `at`, and further requests are sent then.
  const auto answer_all = [&](moment at) {
    const auto answered = std::exchange(open, {});
    for (const auto when : answered)
      for (const std::uint32_t from : {0U, 1U})
        take(world.core.on_reply(replica_id{from}, world.reply_of(when, "r"), at));
    return open.size();
  };
  CHECK(answer_all(moment{1'010ms}) == 2 * send_window::least);
  CHECK(answer_all(moment{1'020ms}) == 4 * send_window::least);
  // Late answers of one round.
  CHECK(answer_all(moment{1'230ms}) == 3 * send_window::least);
  // Requests that are sent again halve the window.
  CHECK_FALSE(world.core.on_tick(moment{1'730ms}).sends.empty());
  CHECK(answer_all(moment{1'740ms}) == 3 * send_window::least / 2);
  CHECK(world.core.operations_pending() > 0);
}

TEST_CASE("a request that f + 1 replicas refuse halves the number of requests under way, and one liar does not") {
  client_world world;
  for (operation_token token = 1; token <= 12; ++token)
    (void)world.submit(token);
  for (std::uint64_t when = 1; when <= 4; ++when)
    for (const std::uint32_t from : {0U, 1U})
      (void)world.answer(from, when, "r");
  // Eight requests are under way, and the window has room for no more.
  REQUIRE(world.core.content_of(timestamp{12}));
  (void)world.refuse(0, 5, reply_status::overloaded);
  (void)world.refuse(0, 5, reply_status::overloaded);
  for (operation_token token = 13; token <= 20; ++token)
    CHECK(world.submit(token).sends.empty());
  (void)world.refuse(1, 5, reply_status::overloaded);
  CHECK(world.core.operations_pending() == 16);
  // The window has four places, so the first three answers of the eight send nothing.
  for (std::uint64_t when = 5; when <= 7; ++when)
    for (const std::uint32_t from : {0U, 1U})
      CHECK(world.answer(from, when, "r").sends.empty());
}

TEST_CASE("a client counts the replicas whose results differ from those of f + 1") {
  client_world world;
  (void)world.submit(1);
  (void)world.answer(3, 1, "wrong");
  (void)world.answer(0, 1, "right");
  CHECK(result_in(world.answer(1, 1, "right")) == "right");
  CHECK(world.core.wrong_replies() == std::map<replica_id, std::uint64_t>{{replica_id{3}, 1}});
  (void)world.answer(2, 1, "late and wrong");
  CHECK(world.core.wrong_replies().contains(replica_id{2}));
}
