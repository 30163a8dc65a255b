#include "actors/fault_detector.hpp"

#include <doctest/doctest.h>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "messages/codec.hpp"
#include "tests/support/verified_messages.hpp"
#include "tests/support/virtual_bench.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

/// The fault detector of replica 1.
struct detector_bench : virtual_bench {
  fault_detector_actor tested = connect(system().spawn(fault_detector, identity()));

  detector_bench() : virtual_bench(replica_id{1}) {}

  [[nodiscard]] evidence proof() {
    evidence shown;
    for (const auto* value : {"A", "B"}) {
      const auto content = make().content_of(replica_id{2}, view_number{0}, sequence_number{1}, named_digest(value));
      shown.items.push_back({message_kind::commit, make().signed_as(message_kind::commit, content)});
    }
    return shown;
  }
  [[nodiscard]] std::size_t frames_sent() {
    std::size_t count = 0;
    for (const auto& each : take<persist_and_send>("journal"))
      count += each.sends->size();
    return count;
  }
};

}  // namespace

TEST_CASE_FIXTURE(detector_bench,
                  "evidence goes to all replicas and to the own batcher, and its subject to the reputation tracker") {
  give(tested, proof_found{std::make_shared<const evidence>(proof())});
  CHECK(frames_sent() == 1);
  const auto wanted = take<verified_message>("batcher");
  REQUIRE(wanted.size() == 1);
  CHECK(kind_of(*wanted.front().value) == message_kind::system_request);
  CHECK(take<replica_proven>("reputation-tracker").size() == 1);
  CHECK(take_observed<fault_proven>().size() == 1);
  CHECK(is_quiet());
  advance(evidence_pool::repeat_period);
  CHECK(frames_sent() == 1);
  CHECK(take<verified_message>("batcher").size() == 1);
}

TEST_CASE_FIXTURE(detector_bench, "evidence that was ordered is not sent again") {
  give(tested, proof_found{std::make_shared<const evidence>(proof())});
  forget();
  const auto about = claim_in(proof(), identity().cluster);
  const agreed_reputation agreed{sequence_number{2}, std::vector<replica_standing>(4), {}, {case_name_of(*about)}};
  give(tested, reputation_agreed{std::make_shared<const agreed_reputation>(agreed)});
  advance(4 * evidence_pool::repeat_period);
  CHECK(is_quiet());
}

TEST_CASE_FIXTURE(detector_bench, "evidence that another replica found is ordered through the own batcher too") {
  const auto shown = proof();
  const auto frame = system_request_frame(*claim_in(shown, identity().cluster), shown);
  give_verified(tested, principal::of(replica_id{3}), decode(frame).value());
  CHECK(frames_sent() == 0);
  CHECK(take<verified_message>("batcher").size() == 1);
  CHECK(take<replica_proven>("reputation-tracker").size() == 1);
}
