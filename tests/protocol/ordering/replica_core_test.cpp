#include <doctest/doctest.h>

#include <algorithm>
#include <array>

#include "actors/protocol/ordering/replica_core.hpp"
#include "actors/protocol/views/primary_monitor.hpp"
#include "tests/support/effect_reader.hpp"
#include "tests/support/replica_world.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

constexpr std::array<std::uint32_t, 5> sizes = {4, 5, 6, 7, 10};

}  // namespace

TEST_CASE("a backup answers a proposal with one PREPARE, recorded before it is sent") {
  replica_world world{4, 1};
  const auto proposal = world.proposal(1);
  const auto effects = world.hear(0, proposal);
  const auto prepares = sent<prepare>(effects.sends);
  REQUIRE(prepares.size() == 1);
  CHECK(prepares[0].vote.content.value == proposal.header.content.value);
  CHECK(prepares[0].vote.content.replica == replica_id{1});
  REQUIRE(effects.records.size() == 2);
  CHECK(effects.records[0].kind == record_kind::pre_prepare);
  CHECK(effects.records[1].kind == record_kind::prepare);
  CHECK(sent<commit>(effects.sends).empty());
}

TEST_CASE("a backup commits with the proposal and a quorum less one of PREPAREs, its own included") {
  for (const auto replicas : sizes) {
    replica_world world{replicas, 1};
    const auto proposal = world.proposal(1);
    REQUIRE(world.hear(0, proposal).records.size() == 2);
    std::size_t commits = 0;
    for (std::uint32_t from = 2; from < world.quorum(); ++from) {
      CHECK(commits == 0);
      commits = sent<commit>(world.hear_prepare(from, proposal).sends).size();
    }
    CAPTURE(replicas);
    CHECK(commits == 1);
  }
}

TEST_CASE("the primary proposes and commits but never sends a PREPARE") {
  for (const auto replicas : sizes) {
    replica_world world{replicas, 0};
    const auto effects = world.core.on_batch(view_number{0}, world.factory.batch_number(1));
    const auto proposals = sent<pre_prepare>(effects.sends);
    REQUIRE(proposals.size() == 1);
    CHECK(proposals[0].header.content.sequence == sequence_number{1});
    CHECK(sent<prepare>(effects.sends).empty());
    std::size_t commits = 0;
    for (std::uint32_t from = 1; from < world.quorum(); ++from) {
      CHECK(commits == 0);
      const auto heard = world.hear_prepare(from, proposals[0]);
      CHECK(sent<prepare>(heard.sends).empty());
      commits = sent<commit>(heard.sends).size();
    }
    CHECK(commits == 1);
  }
}

TEST_CASE("a batch is committed with a certificate of a quorum of distinct replicas") {
  for (const auto replicas : sizes) {
    replica_world world{replicas, 1};
    const auto proposal = world.proposal(1);
    REQUIRE(world.hear(0, proposal).committed.empty());
    for (std::uint32_t from = 2; from < world.quorum(); ++from) {
      REQUIRE(world.hear_prepare(from, proposal).committed.empty());
    }
    std::vector<committed_batch> committed;
    for (std::uint32_t from = 2; from <= world.quorum(); ++from) {
      CHECK(committed.empty());
      committed = world.hear_commit(from, proposal).committed;
    }
    REQUIRE(committed.size() == 1);
    CHECK(committed[0].value == proposal.header.content.value);
    CHECK(committed[0].certificate->commits.size() == world.quorum());
    CHECK(world.core.last_executed() == sequence_number{1});
  }
}

TEST_CASE("the order in which proposal and votes arrive does not matter") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const auto replicas = sizes[seed % sizes.size()];
    replica_world world{replicas, 1};
    std::vector<std::pair<std::uint32_t, message>> arrivals;
    for (std::uint64_t n = 1; n <= 3; ++n) {
      const auto proposal = world.proposal(n);
      arrivals.emplace_back(0, proposal);
      for (std::uint32_t from = 0; from < replicas; ++from) {
        if (from > 1) arrivals.emplace_back(from, world.factory.prepare_of(replica_id{from}, proposal));
        if (from != 1) arrivals.emplace_back(from, world.factory.commit_of(replica_id{from}, proposal));
      }
    }
    sample_source random{seed};
    for (auto left = arrivals.size(); left > 1; --left)
      std::swap(arrivals[left - 1], arrivals[random.below(left)]);
    std::vector<sequence_number> committed;
    std::size_t prepares = 0;
    std::size_t commits = 0;
    for (const auto& [from, value] : arrivals) {
      const auto effects = world.hear(from, value);
      for (const auto& each : effects.committed)
        committed.push_back(each.sequence);
      prepares += sent<prepare>(effects.sends).size();
      commits += sent<commit>(effects.sends).size();
    }
    CAPTURE(seed);
    CHECK(committed == std::vector{sequence_number{1}, sequence_number{2}, sequence_number{3}});
    CHECK(prepares == 3);
    CHECK(commits == 3);
  }
}

TEST_CASE("COMMITs before PREPAREs commit nothing until the slot is prepared") {
  replica_world world{4, 1};
  const auto proposal = world.proposal(1);
  for (const std::uint32_t from : {0U, 2U, 3U})
    CHECK(world.hear_commit(from, proposal).committed.empty());
  CHECK(world.hear(0, proposal).committed.empty());
  CHECK(world.hear_prepare(2, proposal).committed.size() == 1);
}

TEST_CASE("a later sequence that is committed waits for the earlier one, and both are then executed in order") {
  replica_world world{4, 1};
  CHECK(world.order(world.proposal(2), 1) == 0);
  CHECK(world.core.last_executed() == sequence_number{0});
  CHECK(world.order(world.proposal(1), 1) == 2);
  CHECK(world.core.last_executed() == sequence_number{2});
}

TEST_CASE("a replica never prepares two values for one view and sequence") {
  replica_world world{4, 1};
  REQUIRE(sent<prepare>(world.hear(0, world.proposal(1, 1)).sends).size() == 1);
  const auto second = world.hear(0, world.proposal(1, 2));
  CHECK(second.sends.empty());
  CHECK(second.records.empty());
  CHECK(rejections_in(second.observations) == std::vector{rejection::conflicting_statement});
}

TEST_CASE("a conflicting proposal is blamed on the primary that signed it, not on the replica that relayed it") {
  replica_world world{4, 1};
  REQUIRE(world.hear(0, world.proposal(1, 1)).records.size() == 2);
  const auto relayed = world.hear(2, world.proposal(1, 2));
  const auto blamed = observed_in<frame_rejected>(relayed.observations);
  REQUIRE(blamed.size() == 1);
  CHECK(blamed[0].sender == principal::of(replica_id{0}));
}

TEST_CASE("a repeated proposal is answered once") {
  replica_world world{4, 1};
  REQUIRE(world.hear(0, world.proposal(1)).records.size() == 2);
  const auto again = world.hear(0, world.proposal(1));
  CHECK(again.sends.empty());
  CHECK(rejections_in(again.observations) == std::vector{rejection::duplicate});
}

TEST_CASE("votes of replicas that prepared another value do not commit this one") {
  replica_world world{4, 1};
  const auto mine = world.proposal(1, 1);
  const auto theirs = world.proposal(1, 2);
  REQUIRE(world.hear(0, mine).records.size() == 2);
  for (const std::uint32_t from : {2U, 3U})
    CHECK(sent<commit>(world.hear_prepare(from, theirs).sends).empty());
  for (const std::uint32_t from : {0U, 2U, 3U})
    CHECK(world.hear_commit(from, theirs).committed.empty());
  CHECK(world.core.last_executed() == sequence_number{0});
}

TEST_CASE("a backup that votes twice for different values counts for the first one only") {
  replica_world world{4, 1};
  const auto proposal = world.proposal(1, 1);
  const auto other = world.proposal(1, 2);
  REQUIRE(rejections_in(world.hear_prepare(2, other).observations).empty());
  const auto second = world.hear_prepare(2, proposal);
  CHECK(rejections_in(second.observations) == std::vector{rejection::conflicting_statement});
  CHECK(sent<commit>(world.hear(0, proposal).sends).empty());
}

TEST_CASE("an early message is kept until its time, and counts then as if it came then") {
  replica_world world{4, 1};
  const auto above = world.proposal(9);
  CHECK(world.hear(0, above).sends.empty());
  CHECK(world.hear_prepare(2, above).observations.empty());
  for (std::uint64_t n = 1; n <= 4; ++n)
    CHECK(world.order(world.proposal(n), 1) == 1);
  const auto moved = world.core.on_stable(world.factory.certificate_of(sequence_number{4}, named_digest("state")));
  // With the proposal and one PREPARE in addition to its own, the slot is prepared at once.
  CHECK(sent<prepare>(moved.sends).size() == 1);
  CHECK(sent<commit>(moved.sends).size() == 1);
}

TEST_CASE("messages of an earlier view or outside of the watermarks are ignored") {
  replica_world world{4, 1};
  const auto later = world.factory.pre_prepare_of(view_number{4}, sequence_number{1}, world.factory.batch_number(1));
  CHECK(world.hear(0, later).sends.empty());
  const auto early = world.proposal(1);
  for (const std::uint64_t n : {0ULL, 17ULL, 1ULL << 62U}) {
    const auto outside = world.proposal(n, 1);
    CAPTURE(n);
    CHECK(rejections_in(world.hear(0, outside).observations) == std::vector{rejection::outside_watermarks});
    CHECK(rejections_in(world.hear_prepare(2, outside).observations) == std::vector{rejection::outside_watermarks});
    CHECK(rejections_in(world.hear_commit(2, outside).observations) == std::vector{rejection::outside_watermarks});
  }
  (void)world.core.on_change_view(view_number{1});
  CHECK(rejections_in(world.hear(0, early).observations) == std::vector{rejection::other_view});
  CHECK(rejections_in(world.hear_prepare(2, early).observations) == std::vector{rejection::other_view});
}

TEST_CASE("batches beyond the window wait and are proposed after a stable checkpoint, in order") {
  replica_world world{4, 0};
  std::vector<pre_prepare> proposals;
  for (std::uint64_t number = 1; number <= 12; ++number) {
    for (auto& each :
         sent<pre_prepare>(world.core.on_batch(view_number{0}, world.factory.batch_number(number)).sends)) {
      proposals.push_back(each);
    }
  }
  REQUIRE(proposals.size() == 8);
  for (std::size_t index = 0; index < 4; ++index) {
    for (const std::uint32_t from : {1U, 2U})
      REQUIRE(world.hear_prepare(from, proposals[index]).committed.empty());
    for (const std::uint32_t from : {1U, 2U})
      (void)world.hear_commit(from, proposals[index]);
  }
  CHECK(world.core.last_executed() == sequence_number{4});
  const auto effects = world.core.on_stable(world.factory.certificate_of(sequence_number{4}, named_digest("state 4")));
  const auto later = sent<pre_prepare>(effects.sends);
  REQUIRE(later.size() == 4);
  for (std::size_t index = 0; index < 4; ++index) {
    CHECK(later[index].header.content.sequence == sequence_number{9 + index});
    CHECK(later[index].header.content.value == digest_of_batch(*world.factory.batch_number(9 + index)));
  }
  CHECK(world.core.marks().low() == sequence_number{4});
  CHECK(effects.forget_through == sequence_number{4});
}

TEST_CASE("a twin's statements under this replica's own key are refused and crash nothing") {
  replica_world backup{4, 1};
  const auto proposal = backup.proposal(1);
  CHECK(rejections_in(backup.hear_prepare(1, proposal).observations) == std::vector{rejection::unsolicited});
  CHECK(rejections_in(backup.hear_commit(1, proposal).observations) == std::vector{rejection::unsolicited});
  CHECK(sent<prepare>(backup.hear(0, proposal).sends).size() == 1);
  replica_world primary{4, 0};
  CHECK(rejections_in(primary.hear(2, primary.proposal(1, 7)).observations) == std::vector{rejection::unsolicited});
  CHECK(sent<pre_prepare>(primary.core.on_batch(view_number{0}, primary.factory.batch_number(1)).sends).size() == 1);
  CHECK(rejections_in(primary.hear(2, primary.proposal(1, 7)).observations) ==
        std::vector{rejection::conflicting_statement});
}

TEST_CASE("a primary whose view has a planned end proposes nothing after the last checkpoint of the view") {
  const request_factory factory{small_cluster(4, 4, 16, 64)};
  replica_core primary{factory.cluster(), replica_id{0}, factory.keys_of(replica_id{0})};
  const auto proposed = [](const replica_effects& effects) { return sent<pre_prepare>(effects.sends).size(); };
  const auto offer = [&](std::uint64_t number) {
    return proposed(primary.on_batch(view_number{0}, factory.batch_number(number)));
  };
  const std::vector<view_number> steps_down{view_number{0}};
  CHECK(proposed(primary.on_moves({}, {}, sequence_number{0})) == 0);
  CHECK(offer(1) == 1);
  CHECK(proposed(primary.on_moves({sequence_number{4}, {}, {}}, steps_down, sequence_number{1})) == 3);
  // A later end does not replace the first one.
  CHECK(proposed(primary.on_moves({sequence_number{16}, {}, {}}, steps_down, sequence_number{5})) == 0);
  CHECK(offer(2) == 0);
  CHECK(proposed(primary.on_tick()) == 0);
}

TEST_CASE("the null requests of a readmission are proposed beside the batches of clients, a few at a time") {
  const request_factory factory{small_cluster(4, 4, 16, 64)};
  replica_core primary{factory.cluster(), replica_id{0}, factory.keys_of(replica_id{0})};
  const auto null_requests = [](const replica_effects& effects) {
    return std::ranges::count_if(sent<pre_prepare>(effects.sends),
                                 [](const auto& each) { return each.body->requests.empty(); });
  };
  for (std::uint64_t number = 1; number <= 4; ++number)
    (void)primary.on_batch(view_number{0}, factory.batch_number(number));
  CHECK(null_requests(primary.on_moves({sequence_number{100}, {}, {}}, {}, {})) ==
        static_cast<std::ptrdiff_t>(primary_monitor::advance_min));
  CHECK(null_requests(primary.on_tick()) == 0);
}
