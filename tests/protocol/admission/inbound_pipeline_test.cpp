#include "actors/protocol/admission/inbound_pipeline.hpp"

#include <doctest/doctest.h>

#include "messages/codec.hpp"
#include "tests/support/message_samples.hpp"
#include "tests/support/request_factory.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

constexpr view_number first_view{0};
constexpr sequence_number one{1};

/// The inbound pipeline of replica 1.
struct pipeline_bench {
  request_factory make{small_cluster(4)};
  inbound_pipeline tested{make.cluster(), make.keys_of(replica_id{1})};
  pre_prepare proposal = make.pre_prepare_of(first_view, one, make.batch_number(1));

  std::optional<rejection> refusal(principal sender, const frame_ptr& frame, moment now = {}) {
    const auto examined = tested.examine(sender, frame, now);
    return examined ? std::nullopt : std::optional{examined.error()};
  }
  std::optional<rejection> refusal(std::uint32_t replica, const message& value, moment now = {}) {
    return refusal(principal::of(replica_id{replica}), frame_of(value), now);
  }
  /// A PREPARE of replica 2 with another digest than the proposal has.
  [[nodiscard]] prepare conflicting() const {
    return {make.signed_as(message_kind::prepare,
                           make.content_of(replica_id{2}, first_view, one, named_digest("another")))};
  }
};

}  // namespace

TEST_CASE_FIXTURE(pipeline_bench, "a message that passes every filter comes out as it was signed") {
  const auto examined = tested.examine(principal::of(replica_id{0}), frame_of(proposal), moment{});
  REQUIRE(examined.has_value());
  CHECK(std::get<pre_prepare>(*examined->value).header == proposal.header);
  CHECK(examined->opened == nullptr);
  CHECK(tested.take_findings().empty());
}

TEST_CASE_FIXTURE(pipeline_bench, "malformed bytes and a wrong signature are refused with their reason") {
  CHECK(refusal(principal::of(replica_id{2}), std::make_shared<const byte_vector>()) == rejection::empty_frame);
  const auto impostor = make.keys().impostor_of(principal::of(replica_id{2}));
  const auto forged =
      make.signed_by(*impostor, message_kind::prepare, make.prepare_of(replica_id{2}, proposal).vote.content);
  CHECK(refusal(2, prepare{forged}) == rejection::bad_signature);
}

TEST_CASE_FIXTURE(pipeline_bench, "frames beyond the rate are refused before they are decoded (attack 33)") {
  const auto empty = std::make_shared<const byte_vector>();
  std::uint64_t decoded = 0;
  while (decoded < 2 * frame_rate_limit::usual_rate &&
         refusal(principal::of(replica_id{3}), empty) == rejection::empty_frame)
    ++decoded;
  CHECK(decoded == frame_rate_limit::usual_rate);
  CHECK(refusal(principal::of(replica_id{3}), empty) == rejection::throttled);
  CHECK(refusal(principal::of(replica_id{2}), empty) == rejection::empty_frame);
}

TEST_CASE_FIXTURE(pipeline_bench, "a paused client's requests are not verified, but a replica may forward them") {
  tested.on_excess(client_id{1}, moment{});
  const auto asked = make.request_of(client_id{1}, timestamp{1}, "o");
  CHECK(refusal(principal::of(client_id{1}), frame_of(asked)) == rejection::client_quota);
  CHECK_FALSE(refusal(3, asked));
  CHECK_FALSE(refusal(principal::of(client_id{1}), frame_of(asked), moment{client_pauses::pause}));
}

TEST_CASE_FIXTURE(pipeline_bench, "a vote is compared with the earlier one before a filter drops it (attack 8)") {
  CHECK_FALSE(refusal(2, make.prepare_of(replica_id{2}, proposal)));
  tested.on_position({first_view, true, sequence_number{3}, sequence_number{0}, sequence_number{8}});
  CHECK(refusal(2, conflicting()) == rejection::already_decided);
  CHECK(tested.take_findings().proofs.size() == 1);
  CHECK(tested.take_findings().empty());
}

TEST_CASE_FIXTURE(pipeline_bench, "the votes of a replica that is avoided as primary pass without a comparison") {
  trust now;
  now.avoided_as_primary = {replica_id{2}};
  tested.on_trust(now);
  CHECK_FALSE(refusal(2, make.prepare_of(replica_id{2}, proposal)));
  (void)refusal(2, conflicting());
  CHECK(tested.take_findings().proofs.empty());
}

TEST_CASE_FIXTURE(pipeline_bench, "a signed message that no correct replica sends is evidence") {
  // Replica 0 is the primary of view 0 and must not send a PREPARE (§4.2).
  CHECK(refusal(0, make.prepare_of(replica_id{0}, proposal)) == rejection::primary_voted_prepare);
  CHECK(tested.take_findings().proofs.size() == 1);
}

TEST_CASE_FIXTURE(pipeline_bench, "a sender's VIEW-CHANGEs beyond its share are refused before they are verified") {
  std::uint64_t verified = 0;
  std::optional<rejection> refused;
  for (std::uint64_t view = 1; view <= 100 && !refused; ++view) {
    refused = refusal(2, make.view_change_of(replica_id{2}, view_number{view}, nullptr, {}));
    if (!refused) ++verified;
  }
  CHECK(refused == rejection::overloaded);
  CHECK(verified == costly_message_limit::burst);
  CHECK_FALSE(refusal(3, make.view_change_of(replica_id{3}, view_number{1}, nullptr, {})));
}
