#include "actors/protocol/guard/peer_trust.hpp"

#include <doctest/doctest.h>

#include "tests/support/request_factory.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

using replicas = std::vector<replica_id>;

struct trust_world {
  cluster_parameters cluster = small_cluster(7);
  peer_trust book{cluster};
  case_name name{77};

  void agree(const std::vector<std::uint32_t>& quarantined) {
    agreed_reputation agreed{sequence_number{9}, std::vector<replica_standing>(7), {}, {}};
    for (const auto number : quarantined) {
      agreed.replicas[number].quarantined_until = sequence_number{99};
      agreed.replicas[number].convictions = 1;
      agreed.replicas[number].score = 0;
    }
    book.on_agreed(agreed);
  }
};

}  // namespace

TEST_CASE_FIXTURE(trust_world, "a replica in quarantine or with unjudged evidence against it is avoided as primary") {
  CHECK(book.current() == trust{});
  book.on_proven({replica_id{5}, name});
  CHECK(book.current().avoided_as_primary == replicas{replica_id{5}});
  agree({});
  CHECK(book.current().avoided_as_primary == replicas{replica_id{5}});
  agree({5});
  CHECK(book.current().avoided_as_primary == replicas{replica_id{5}});
  // After the release, the earlier proof has no effect any more.
  agree({});
  CHECK(book.current().avoided_as_primary.empty());
}

TEST_CASE_FIXTURE(trust_world, "evidence that was ordered before makes no replica avoided as primary") {
  book.on_proven({replica_id{5}, name});
  book.on_agreed({sequence_number{9}, std::vector<replica_standing>(7), {}, {case_name{78}}, {}});
  CHECK(book.current().avoided_as_primary == replicas{replica_id{5}});
  book.on_agreed({sequence_number{9}, std::vector<replica_standing>(7), {}, {name}, {}});
  CHECK(book.current().avoided_as_primary.empty());
  // The proof has no effect either when it becomes known only after that.
  book.on_proven({replica_id{5}, name});
  CHECK(book.current().avoided_as_primary.empty());
}

TEST_CASE_FIXTURE(trust_world, "at most f replicas are avoided as primary, those by agreement first (attack 39)") {
  for (const std::uint32_t number : {0U, 1U, 2U})
    book.on_proven({replica_id{number}, name});
  CHECK(book.current().avoided_as_primary.size() == 2);
  agree({5, 6});
  CHECK(book.current().avoided_as_primary == replicas{replica_id{5}, replica_id{6}});
}

TEST_CASE_FIXTURE(trust_world, "misbehaviour throttles for a while, and makes no replica avoided as primary") {
  for (int count = 0; count < 21; ++count)
    book.on_misbehaved({replica_id{3}, complaint_reason::garbage});
  CHECK(book.current() == trust{{}, {replica_id{3}}});
  book.on_tick(moment{1s});
  book.on_tick(moment{2s});
  CHECK(book.all()[3].local_score == 1'000 - 21 * 20 + 10);
  book.on_tick(moment{1min});
  CHECK(book.current() == trust{});
}

TEST_CASE_FIXTURE(trust_world, "events that may happen to correct replicas are held against none (attack 39)") {
  const auto held = [this](rejection reason) {
    return observed_misbehaviour_in(frame_rejected{principal::of(replica_id{1}), reason}, cluster.group()).has_value();
  };
  for (const auto reason :
       {rejection::duplicate, rejection::other_view, rejection::already_decided, rejection::outside_watermarks,
        rejection::unsolicited, rejection::client_quota, rejection::overloaded, rejection::stale_timestamp}) {
    CHECK_FALSE(held(reason));
  }
  CHECK(held(rejection::bad_signature));
  CHECK(held(rejection::malformed_buffer));
  CHECK_FALSE(
      observed_misbehaviour_in(frame_rejected{principal::of(client_id{1}), rejection::bad_signature}, cluster.group()));
  CHECK_FALSE(observed_misbehaviour_in(donor_replaced{replica_id{1}, donor_fault::late}, cluster.group()));
  CHECK(observed_misbehaviour_in(donor_replaced{replica_id{1}, donor_fault::lied}, cluster.group()) ==
        observed_misbehaviour{replica_id{1}, complaint_reason::bad_state});
  CHECK(observed_misbehaviour_in(primary_suspected{view_number{9}, suspicion_reason::slow}, cluster.group()) ==
        observed_misbehaviour{replica_id{2}, complaint_reason::bad_service});
  // One wrong clock alone convicts no replica, because that takes f + 1 complaints (attack 42).
  CHECK(observed_misbehaviour_in(primary_suspected{view_number{9}, suspicion_reason::behind}, cluster.group()) ==
        observed_misbehaviour{replica_id{2}, complaint_reason::bad_service});
  CHECK_FALSE(observed_misbehaviour_in(primary_suspected{view_number{9}, suspicion_reason::proven}, cluster.group()));
}
