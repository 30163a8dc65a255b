#include "actors/protocol/admission/forwarding_schedule.hpp"

#include <doctest/doctest.h>

#include <array>

#include "tests/support/request_factory.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

request_id id_of(std::uint64_t when) { return {client_id{0}, timestamp{when}}; }

forwarding_schedule plan_of(const request_factory& make, std::uint32_t replica) {
  return {make.cluster(), replica_id{replica}, make.keys_of(replica_id{replica})};
}

}  // namespace

TEST_CASE("at least f backups forward each request early, at any group size, and all backups do later") {
  for (const std::uint32_t replicas : {4U, 7U, 10U, 31U}) {
    const request_factory make{small_cluster(replicas)};
    for (std::uint32_t primary = 0; primary < replicas; primary += 3) {
      std::vector<std::uint32_t> first(300);
      for (std::uint32_t backup = 0; backup < replicas; ++backup) {
        if (backup == primary) continue;
        const auto plan = plan_of(make, backup);
        for (std::uint64_t when = 0; when < first.size(); ++when) {
          const auto delay = plan.delay(id_of(when), replica_id{primary}, 0);
          if (delay < forwarding_schedule::later_delay) ++first[when];
          CHECK(plan.delay(id_of(when), replica_id{primary}, 1) == forwarding_schedule::later_delay);
        }
      }
      for (const auto each : first)
        CHECK(each >= make.cluster().group().faulty_max());
    }
  }
}

TEST_CASE("each backup is early for a fourth of every class of requests, and no two for the same (attack 29)") {
  const request_factory make{small_cluster(4)};
  std::vector<std::vector<bool>> drawn(4);
  for (const std::uint32_t backup : {1U, 2U, 3U}) {
    const auto plan = plan_of(make, backup);
    std::array<int, 3> of_class{};
    for (std::uint64_t when = 0; when < 3'000; ++when) {
      drawn[backup].push_back(plan.delay(id_of(when), replica_id{0}, 0) == forwarding_schedule::drawn_delay);
      if (drawn[backup].back()) ++of_class.at(when % 3);
    }
    for (const auto each : of_class) {
      CHECK(each > 200);
      CHECK(each < 300);
    }
  }
  CHECK(drawn[1] != drawn[2]);
  CHECK(drawn[2] != drawn[3]);
  CHECK(drawn[1] != drawn[3]);
}

TEST_CASE("the former primary handles clients' requests as a primary for a while") {
  const request_factory make{small_cluster(4)};
  auto plan = plan_of(make, 1);
  CHECK_FALSE(plan.is_asked_as_primary(moment{}));
  plan.on_ceded(moment{1ms});
  CHECK(plan.is_asked_as_primary(moment{1ms + forwarding_schedule::former_primary_period - 1us}));
  CHECK_FALSE(plan.is_asked_as_primary(moment{1ms + forwarding_schedule::former_primary_period}));
}
