#include <doctest/doctest.h>

#include "actors/protocol/admission/request_pool.hpp"
#include "tests/support/request_factory.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

struct waiting_world {
  request_factory factory{small_cluster(4, 16)};
  request_pool builder{batch_settings{}};

  void admit(std::uint32_t client, std::uint64_t when, moment now) {
    REQUIRE(builder.admit(factory.request_of(client_id{client}, timestamp{when}, "op"), now) ==
            request_pool::admission::accepted);
  }
  void execute(std::uint32_t client, std::uint64_t when, moment now) {
    builder.on_executed({{{client_id{client}, timestamp{when}}, true}}, false, now);
  }
};

}  // namespace

TEST_CASE("a request that was proposed and not executed is proposed again in the next view, before later ones") {
  waiting_world world;
  world.admit(0, 1, moment{});
  const auto first = world.builder.cut(false);
  REQUIRE(first);
  world.admit(0, 2, moment{});
  world.admit(0, 3, moment{});
  CHECK_FALSE(world.builder.cut(false));
  world.builder.on_view(moment{10us});
  CHECK(world.builder.in_flight() == 0);
  const auto again = world.builder.cut(false);
  REQUIRE(again);
  REQUIRE(again->content.requests.size() == 3);
  CHECK(again->content.requests[0].id.when == timestamp{1});
  CHECK(again->content.requests[2].id.when == timestamp{3});
}

TEST_CASE("a batch of an earlier view that is executed late takes nothing out of the new pipeline") {
  waiting_world world;
  world.admit(0, 1, moment{});
  REQUIRE(world.builder.cut(false));
  world.builder.on_view(moment{10us});
  world.admit(1, 1, moment{10us});
  REQUIRE(world.builder.cut(false));
  REQUIRE(world.builder.in_flight() == 1);
  world.builder.on_executed({{{client_id{2}, timestamp{7}}, true}}, true, moment{20us});
  CHECK(world.builder.in_flight() == 1);
  world.builder.on_executed({{{client_id{0}, timestamp{1}}, true}, {{client_id{1}, timestamp{1}}, true}}, true,
                            moment{20us});
  CHECK(world.builder.in_flight() == 0);
}

TEST_CASE("the new primary gets the pending requests in the order in which their clients waited longest") {
  waiting_world world;
  world.admit(3, 5, moment{30us});
  world.admit(1, 8, moment{10us});
  world.admit(1, 9, moment{20us});
  const auto pending = world.builder.pending().requests;
  REQUIRE(pending.size() == 3);
  CHECK(pending[0].id.client == client_id{1});
  CHECK(pending[0].id.when == timestamp{8});
  CHECK(pending[2].id.client == client_id{3});
  world.execute(1, 8, moment{40us});
  CHECK(world.builder.pending().requests.size() == 2);
}

TEST_CASE("a client waits from its last progress on, and every wait starts anew in a new view") {
  waiting_world world;
  CHECK(world.builder.service(moment{100us}).clients_waiting == 0);
  world.admit(0, 1, moment{100us});
  world.admit(0, 2, moment{150us});
  world.admit(1, 1, moment{180us});
  auto report = world.builder.service(moment{200us});
  CHECK(report.clients_waiting == 2);
  CHECK(report.longest_wait == 100us);
  CHECK(report.waits.empty());
  world.execute(0, 1, moment{200us});
  report = world.builder.service(moment{230us});
  CHECK(report.longest_wait == 50us);
  CHECK(report.waits.size() == 1);
  CHECK(weighted_median_of(report.waits) == 100us);
  CHECK(report.requests_executed == 1);
  world.builder.on_view(moment{300us});
  report = world.builder.service(moment{310us});
  CHECK(report.longest_wait == 10us);
  CHECK(report.waits.empty());
  CHECK(report.requests_executed == 1);
}

TEST_CASE("a client waits as long as its oldest request does, however many others are served (attack 31)") {
  waiting_world world;
  for (std::uint64_t when = 1; when <= 4; ++when)
    world.admit(0, when, moment{});
  for (std::uint64_t when = 2; when <= 4; ++when)
    world.execute(0, when, moment{when * 1s});
  const auto report = world.builder.service(moment{4'500ms});
  CHECK(report.clients_waiting == 1);
  CHECK(report.longest_wait == 4'500ms);
  CHECK(report.waits.empty());
}

TEST_CASE("requests that were executed before do not count as service (attack 29)") {
  waiting_world world;
  world.admit(0, 9, moment{});
  for (std::uint64_t time = 1; time <= 20; ++time)
    world.builder.on_executed({{{client_id{1}, timestamp{3}}, false}}, false, moment{time * 100ms});
  CHECK(world.builder.service(moment{2s}).requests_executed == 0);
}

TEST_CASE("a primary that orders system requests again and again serves no client by that (attack 29)") {
  request_pool pool{batch_settings{}};
  const std::vector<case_name> of_the_system{case_name{7}, case_name{7}};
  const executed_request of_a_client{{client_id{0}, timestamp{1}}, true};
  pool.on_executed({}, false, moment{}, of_the_system);
  CHECK(pool.service(moment{}).requests_executed == 0);
  pool.on_executed({of_a_client}, false, moment{}, of_the_system);
  CHECK(pool.service(moment{}).requests_executed == 1);
}
