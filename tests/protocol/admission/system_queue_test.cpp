#include <doctest/doctest.h>

#include "actors/protocol/admission/request_pool.hpp"
#include "actors/protocol/admission/system_queue.hpp"
#include "tests/support/message_samples.hpp"
#include "tests/support/request_factory.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

case_name name_of(std::uint64_t number) { return case_name{number}; }

/// A system request. `items` makes it larger: one signed statement has 120 bytes.
system_request system_request_of(std::uint64_t number, std::size_t items = 1) {
  return make_system_request(name_of(number), number, items);
}

/// A system request of 400 KB. No test decodes it.
system_request large_system_request_of(std::uint64_t number) {
  auto one = system_request_of(number);
  const auto bytes = std::make_shared<const byte_vector>(400'000);
  one.raw = {bytes, *bytes};
  return one;
}

std::vector<case_name> names_in(const system_queue& queue) {
  std::vector<case_name> names;
  for (const auto* each : queue.all())
    names.push_back(each->name);
  return names;
}

}  // namespace

TEST_CASE("system requests are proposed in the order of their arrival, whatever their names") {
  system_queue queue;
  for (const std::uint64_t number : {9U, 2U, 5U})
    queue.add(system_request_of(number), moment{});
  std::vector<case_name> proposed;
  while (const auto* next = queue.next()) {
    proposed.push_back(next->name);
    queue.propose_next();
  }
  CHECK(proposed == std::vector{name_of(9), name_of(2), name_of(5)});
  CHECK(queue.waiting() == 0);
  // A proposed system request is pending until it is executed.
  CHECK(queue.size() == 3);
}

TEST_CASE("a system request is found by its name while it is pending, and remembered once it is executed") {
  system_queue queue;
  queue.add(system_request_of(7), moment{});
  REQUIRE(queue.find(name_of(7)) != nullptr);
  CHECK(queue.find(name_of(8)) == nullptr);
  CHECK_FALSE(queue.was_executed(name_of(7)));
  queue.on_executed(name_of(7), moment{10us});
  CHECK(queue.find(name_of(7)) == nullptr);
  CHECK(queue.was_executed(name_of(7)));
  CHECK(queue.empty());
  CHECK(queue.bytes() == 0);
}

TEST_CASE("a system request that was executed elsewhere is remembered too, and a dropped one is not") {
  system_queue queue;
  queue.on_executed(name_of(3), moment{});
  CHECK(queue.was_executed(name_of(3)));
  queue.add(system_request_of(4), moment{});
  queue.drop(name_of(4), moment{10us});
  queue.drop(name_of(4), moment{20us});
  CHECK(queue.empty());
  CHECK(queue.waiting() == 0);
  // A dropped request may become due again.
  CHECK_FALSE(queue.was_executed(name_of(4)));
}

TEST_CASE("the memory of executed names is bounded and drops the oldest name first (attack 33)") {
  system_queue queue;
  for (std::uint64_t number = 0; number <= system_queue::names_executed_max; ++number)
    queue.on_executed(name_of(number), moment{});
  CHECK_FALSE(queue.was_executed(name_of(0)));
  CHECK(queue.was_executed(name_of(1)));
  CHECK(queue.was_executed(name_of(system_queue::names_executed_max)));
}

TEST_CASE("all system requests wait again in a new view, and none counts as forwarded") {
  system_queue queue;
  queue.add(system_request_of(1), moment{});
  queue.add(system_request_of(2), moment{});
  queue.propose_next();
  queue.note_forwarded(name_of(1), moment{100us});
  REQUIRE(queue.waiting() == 1);
  queue.wait_again(moment{500us});
  CHECK(queue.waiting() == 2);
  REQUIRE(queue.next() != nullptr);
  CHECK(queue.next()->name == name_of(1));
  CHECK_FALSE(queue.is_forwarded(name_of(1)));
  CHECK(queue.since(name_of(1)) == moment{500us});
  CHECK(queue.waits_since() == moment{500us});
}

TEST_CASE("only the first forwarding of the oldest system request restarts the wait (attack 32)") {
  system_queue queue;
  CHECK_FALSE(queue.waits_since());
  queue.add(system_request_of(1), moment{100us});
  queue.add(system_request_of(2), moment{200us});
  CHECK(queue.waits_since() == moment{100us});
  queue.note_forwarded(name_of(2), moment{300us});
  CHECK(queue.waits_since() == moment{100us});
  CHECK(queue.since(name_of(2)) == moment{300us});
  queue.note_forwarded(name_of(1), moment{400us});
  CHECK(queue.waits_since() == moment{400us});
  queue.note_forwarded(name_of(1), moment{900us});
  CHECK(queue.waits_since() == moment{400us});
  CHECK(queue.since(name_of(1)) == moment{400us});
}

TEST_CASE("another oldest system request starts another wait, and the execution of a later one does not (attack 31)") {
  system_queue queue;
  for (const std::uint64_t number : {1U, 2U, 3U})
    queue.add(system_request_of(number), moment{});
  queue.on_executed(name_of(2), moment{1ms});
  CHECK(queue.waits_since() == moment{});
  CHECK(queue.oldest() == name_of(1));
  queue.on_executed(name_of(1), moment{2ms});
  CHECK(queue.waits_since() == moment{2ms});
  CHECK(queue.oldest() == name_of(3));
  queue.drop(name_of(3), moment{3ms});
  CHECK_FALSE(queue.waits_since());
  CHECK_FALSE(queue.oldest());
}

TEST_CASE("the queue counts match its content, in the order of arrival, after any mixture of events") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    CAPTURE(seed);
    sample_source random{seed};
    system_queue queue;
    std::vector<case_name> expected;
    for (std::uint64_t step = 0; step < 300; ++step) {
      const moment now{step * 1us};
      const auto number = random.below(40);
      const auto name = name_of(number);
      switch (random.below(5)) {
        case 0:
        case 1:
          if (queue.find(name) != nullptr || queue.was_executed(name)) break;
          queue.add(system_request_of(number, 1 + random.below(3)), now);
          expected.push_back(name);
          break;
        case 2:
          if (queue.next() != nullptr) queue.propose_next();
          break;
        case 3:
          if (random.below(8) == 0) queue.on_executed(name, now);
          queue.drop(name, now);
          std::erase(expected, name);
          break;
        default:
          if (random.below(10) == 0) queue.wait_again(now);
      }
      std::size_t bytes = 0;
      for (const auto* each : queue.all())
        bytes += each->raw.view.size();
      REQUIRE(queue.bytes() == bytes);
      REQUIRE(names_in(queue) == expected);
      REQUIRE(queue.waiting() <= queue.size());
      REQUIRE(queue.empty() == !queue.waits_since());
    }
  }
}

TEST_CASE("system requests come first in a batch and leave half of its bytes to clients (attack 33)") {
  request_factory factory{small_cluster(4, 16)};
  batch_settings settings;
  settings.bytes_per_batch_max = 4'000;
  request_pool pool{settings};
  for (std::uint64_t number = 1; number <= 4; ++number) {
    REQUIRE(pool.admit(system_request_of(number, 6), moment{}) == request_pool::admission::accepted);
  }
  REQUIRE(pool.admit(factory.request_of(client_id{3}, timestamp{1}, std::string(700, 'y')), moment{}) ==
          request_pool::admission::accepted);
  const auto first = pool.cut(true);
  REQUIRE(first);
  REQUIRE(first->content.system_requests.size() == 2);
  CHECK(first->content.system_requests[0].name == name_of(1));
  CHECK(first->content.system_requests[1].name == name_of(2));
  REQUIRE(first->content.requests.size() == 1);
  CHECK(first->content.requests[0].id.client == client_id{3});
  const auto second = pool.cut(true);
  REQUIRE(second);
  CHECK(second->content.system_requests.size() == 2);
}

TEST_CASE("a client that holds many bytes keeps no system request from the primary of a new view (attack 33)") {
  request_factory factory{small_cluster(4, 16)};
  request_pool pool{batch_settings{}};
  // The client's pending requests have more bytes than a backup forwards.
  const std::string large(100'000, 'y');
  std::size_t held = 0;
  for (std::uint64_t when = 1; held <= request_pool::forwarded_bytes_max - 2 * large.size(); ++when) {
    REQUIRE(pool.admit(factory.request_of(client_id{3}, timestamp{when}, large), moment{}) ==
            request_pool::admission::accepted);
    held = pool.bytes_pending();
  }
  for (std::uint64_t number = 1; number <= 20; ++number) {
    REQUIRE(pool.admit(large_system_request_of(number), moment{}) == request_pool::admission::accepted);
  }
  const auto forwarded = pool.pending();
  std::size_t of_guard = 0;
  for (const auto& each : forwarded.system_requests)
    of_guard += each.raw.view.size();
  std::size_t of_client = 0;
  for (const auto& each : forwarded.requests)
    of_client += each.raw.view.size();
  CHECK(forwarded.system_requests.size() > 1);
  CHECK(forwarded.system_requests.size() < 20);
  CHECK(forwarded.system_requests.front().name == name_of(1));
  CHECK(of_guard <= request_pool::forwarded_bytes_max / 2);
  CHECK(of_client > request_pool::forwarded_bytes_max / 2 - 2 * large.size());
  CHECK(of_guard + of_client <= request_pool::forwarded_bytes_max);
}

TEST_CASE("a system request that is larger than half of a batch is proposed first of all") {
  batch_settings settings;
  settings.bytes_per_batch_max = 1'000;
  request_pool pool{settings};
  REQUIRE(pool.admit(system_request_of(1, 25), moment{}) == request_pool::admission::accepted);
  const auto only = pool.cut(true);
  REQUIRE(only);
  CHECK(only->content.system_requests.size() == 1);
}

TEST_CASE("other evidence for a pending system request is a duplicate, and blames no sender") {
  request_pool pool{batch_settings{}};
  REQUIRE(pool.admit(make_system_request(name_of(1), 1), moment{}) == request_pool::admission::accepted);
  CHECK(pool.admit(make_system_request(name_of(1), 2), moment{}) == request_pool::admission::already_pending);
  CHECK(pool.requests_pending() == 1);
}

TEST_CASE("a batch of system requests alone leaves the pipeline with its own cases only") {
  request_pool pool{batch_settings{}};
  REQUIRE(pool.admit(system_request_of(1), moment{}) == request_pool::admission::accepted);
  REQUIRE(pool.cut(true));
  pool.on_executed({}, true, moment{10us}, {name_of(2)});
  CHECK(pool.in_flight() == 1);
  pool.on_executed({}, true, moment{10us}, {name_of(1)});
  CHECK(pool.in_flight() == 0);
}

TEST_CASE("a batch with a system request in front leaves the pipeline when its client request is executed") {
  request_factory factory{small_cluster(4, 16)};
  request_pool pool{batch_settings{}};
  const auto asked = factory.request_of(client_id{2}, timestamp{1}, "op");
  REQUIRE(pool.admit(system_request_of(1), moment{}) == request_pool::admission::accepted);
  REQUIRE(pool.admit(asked, moment{}) == request_pool::admission::accepted);
  REQUIRE(pool.cut(true));
  REQUIRE(pool.in_flight() == 1);
  // The installed state does not cover the batch, so the batch is still in flight.
  pool.on_installed({}, moment{});
  CHECK(pool.in_flight() == 1);
  pool.on_executed({{asked.id, true}}, true, moment{10us}, {name_of(1)});
  CHECK(pool.in_flight() == 0);
  CHECK(pool.requests_pending() == 0);
}
