#include "actors/ingress.hpp"

#include <doctest/doctest.h>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "messages/codec.hpp"
#include "tests/support/message_samples.hpp"
#include "tests/support/virtual_bench.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

constexpr view_number first_view{0};
constexpr sequence_number one{1};

/// The ingress of replica 1, and functions that send frames to it.
struct ingress_bench : virtual_bench {
  ingress_actor tested = connect(system().spawn(ingress, identity(), frame_rate_limit::usual_rate));
  pre_prepare proposal = make().pre_prepare_of(first_view, one, make().batch_number(1));

  void arrive(principal sender, const frame_ptr& frame, inbound_credit credit = nullptr) {
    give(tested, incoming_frame{sender, link("sender"), frame, std::move(credit)});
  }
  void arrive(replica_id sender, const message& value) { arrive(principal::of(sender), frame_of(value)); }
  void arrive(client_id sender, const message& value) { arrive(principal::of(sender), frame_of(value)); }

  std::vector<rejection> rejections() {
    std::vector<rejection> reasons;
    for (const auto& each : take_observed<frame_rejected>())
      reasons.push_back(each.reason);
    return reasons;
  }

  ingress_bench() : virtual_bench(replica_id{1}) {}
};

using reasons = std::vector<rejection>;

}  // namespace

TEST_CASE_FIXTURE(ingress_bench, "each kind of message reaches exactly the actor that handles it") {
  const auto root = named_digest("root");
  arrive(client_id{0}, make().request_of(client_id{0}, timestamp{1}, "o"));
  CHECK(order() == std::vector<std::string>{"batcher"});
  forget();
  arrive(replica_id{0}, proposal);
  arrive(replica_id{2}, make().prepare_of(replica_id{2}, proposal));
  arrive(replica_id{2}, make().commit_of(replica_id{2}, proposal));
  arrive(replica_id{2}, make().status_of(replica_id{2}, first_view, sequence_number{0}, sequence_number{0}));
  CHECK(order() == std::vector<std::string>(4, "replica"));
  forget();
  arrive(replica_id{2}, make().checkpoint_of(replica_id{2}, sequence_number{4}, root));
  arrive(replica_id{2}, checkpoint_proof{*make().certificate_of(sequence_number{4}, root)});
  CHECK(order() == std::vector<std::string>(2, "checkpointer"));
  forget();
  arrive(replica_id{2}, state_request{sequence_number{4}, 0});
  arrive(replica_id{2}, sample_of(message_kind::state_chunk, sample_size::usual, 1));
  CHECK(order() == std::vector<std::string>(2, "state-transfer"));
  forget();
  evidence shown;
  for (const auto* value : {"A", "B"}) {
    const auto content = make().content_of(replica_id{2}, first_view, one, named_digest(value));
    shown.items.push_back({message_kind::commit, make().signed_as(message_kind::commit, content)});
  }
  const auto about = claim_in(shown, identity().cluster);
  arrive(replica_id{3}, system_request_for(*about, std::make_shared<const evidence>(shown)));
  CHECK(order() == std::vector<std::string>{"fault-detector"});
  forget();
  arrive(client_id{3}, query{{client_id{3}, timestamp{1}}, to_byte_vector("count")});
  CHECK(order() == std::vector<std::string>{"executor"});
  forget();
  arrive(client_id{3}, node_query{{client_id{3}, timestamp{1}}});
  CHECK(take<verified_message>("monitor").size() == 1);
  CHECK(is_quiet());
}

TEST_CASE_FIXTURE(ingress_bench, "a NEW-VIEW reaches the replica with its plan, and a refused one does not") {
  const view_number second{2};
  const auto certificate = make().prepared_of(first_view, one, named_digest("A"));
  std::vector<view_change> changes;
  for (const std::uint32_t number : {0U, 2U, 3U})
    changes.push_back(make().view_change_of(replica_id{number}, second, nullptr, {certificate}));
  const auto opened = make().new_view_of(second, std::move(changes));
  auto other = opened;
  other.reproposals.clear();
  arrive(replica_id{2}, make().signed_again(other));
  CHECK(rejections() == reasons{rejection::bad_certificate});
  // The refused NEW-VIEW is evidence against the primary that signed it.
  CHECK(take<proof_found>("fault-detector").size() == 1);
  forget();
  auto credit = std::make_shared<int>(0);
  arrive(principal::of(replica_id{3}), frame_of(opened), credit);
  CHECK(credit.use_count() == 2);
  const auto verified = take<new_view_verified>("replica");
  REQUIRE(verified.size() == 1);
  CHECK(verified.front().sender == principal::of(replica_id{3}));
  CHECK(verified.front().opened->message().view == second);
  CHECK(verified.front().opened->plan().digests == std::vector{named_digest("A")});
}

TEST_CASE_FIXTURE(ingress_bench, "nothing unverified reaches the replica") {
  const auto impostor = make().keys().impostor_of(principal::of(replica_id{2}));
  const auto content = make().content_of(replica_id{2}, first_view, one, proposal.header.content.value);
  arrive(replica_id{2}, prepare{make().signed_by(*impostor, message_kind::prepare, content)});
  CHECK(rejections() == reasons{rejection::bad_signature});
  // A genuine vote on the link of another replica.
  arrive(replica_id{3}, make().prepare_of(replica_id{2}, proposal));
  CHECK(rejections() == reasons{rejection::sender_is_not_signer});
  // The signature of a PREPARE, presented as a COMMIT.
  arrive(replica_id{2}, commit{make().prepare_of(replica_id{2}, proposal).vote});
  CHECK(rejections() == reasons{rejection::bad_signature});
  arrive(principal::of(replica_id{2}), std::make_shared<const byte_vector>(to_byte_vector("\x03\x03\x03")));
  CHECK(rejections().size() == 1);
  arrive(principal::of(replica_id{2}), std::make_shared<const byte_vector>());
  CHECK(rejections() == reasons{rejection::empty_frame});
  // The rejection counts against the owner of the link, never against the named member (attack 39).
  const auto held = take<misbehaved>("fault-detector");
  REQUIRE(held.size() == 5);
  CHECK(held[0].what == observed_misbehaviour{replica_id{2}, complaint_reason::garbage});
  CHECK(held[1].what == observed_misbehaviour{replica_id{3}, complaint_reason::garbage});
  CHECK(take<misbehaved>("reputation-tracker").size() == 5);
  CHECK(is_quiet());
}

TEST_CASE_FIXTURE(ingress_bench, "two conflicting signed messages go to the fault detector, however late they come") {
  arrive(replica_id{2}, make().prepare_of(replica_id{2}, proposal));
  (void)take<verified_message>("replica");
  give(tested, progress_made{{first_view, true, sequence_number{3}, sequence_number{0}, sequence_number{8}}});
  auto other = make().prepare_of(replica_id{2}, proposal);
  other.vote = make().signed_as(message_kind::prepare,
                                make().content_of(replica_id{2}, first_view, one, named_digest("another")));
  arrive(replica_id{2}, other);
  CHECK(rejections() == reasons{rejection::already_decided});
  const auto found = take<proof_found>("fault-detector");
  REQUIRE(found.size() == 1);
  CHECK(found.front().proof->items.size() == 2);
  // The same conflict is reported only once.
  arrive(replica_id{2}, other);
  CHECK(rejections() == reasons{rejection::already_decided});
  CHECK(is_quiet());
}

TEST_CASE_FIXTURE(ingress_bench, "a client may send only requests and queries") {
  arrive(client_id{2}, make().prepare_of(replica_id{2}, proposal));
  arrive(client_id{2}, proposal);
  arrive(client_id{2}, state_request{sequence_number{4}, 0});
  CHECK(rejections() == reasons(3, rejection::kind_not_allowed_from_sender));
  arrive(client_id{2}, make().request_of(client_id{1}, timestamp{1}, "o"));
  CHECK(rejections() == reasons{rejection::sender_is_not_signer});
  arrive(client_id{99}, make().request_of(client_id{1}, timestamp{1}, "o"));
  CHECK(rejections() == reasons{rejection::not_a_member});
  CHECK(is_quiet());
}

TEST_CASE_FIXTURE(ingress_bench, "a replica may forward a request that a client signed") {
  arrive(replica_id{3}, make().request_of(client_id{1}, timestamp{1}, "o"));
  const auto passed = take<verified_message>("batcher");
  REQUIRE(passed.size() == 1);
  CHECK(passed.front().sender == principal::of(replica_id{3}));
}

TEST_CASE_FIXTURE(ingress_bench, "a message for a decided sequence is dropped before its signature is checked") {
  give(tested, progress_made{{first_view, true, sequence_number{4}, sequence_number{4}, sequence_number{12}}});
  const auto impostor = make().keys().impostor_of(principal::of(replica_id{2}));
  for (const auto sequence : {one, sequence_number{4}}) {
    const auto content = make().content_of(replica_id{2}, first_view, sequence, named_digest("d"));
    arrive(replica_id{2}, commit{make().signed_by(*impostor, message_kind::commit, content)});
    CHECK(rejections() == reasons{rejection::already_decided});
  }
  const auto next = make().content_of(replica_id{2}, first_view, sequence_number{5}, named_digest("d"));
  arrive(replica_id{2}, commit{make().signed_by(*impostor, message_kind::commit, next)});
  CHECK(rejections() == reasons{rejection::bad_signature});
}

TEST_CASE_FIXTURE(ingress_bench, "a frame keeps its credit until its message is handled") {
  auto credit = std::make_shared<int>(0);
  arrive(principal::of(replica_id{0}), frame_of(proposal), credit);
  // The recorded message of the probe holds the credit, as a message in an actor's mailbox would.
  CHECK(credit.use_count() == 2);
  forget();
  CHECK(credit.use_count() == 1);
  arrive(principal::of(replica_id{2}), frame_of(proposal), credit);
  CHECK(credit.use_count() == 2);
  forget();
  // A refused frame holds its credit until the refusal is counted. So garbage fills only the window of its own link.
  arrive(principal::of(replica_id{2}), std::make_shared<const byte_vector>(), credit);
  CHECK(credit.use_count() == 2);
  forget();
  CHECK(credit.use_count() == 1);
}

TEST_CASE("a frame that comes before the node is connected is dropped") {
  virtual_bench bench{replica_id{1}};
  const auto tested = bench.system().spawn(ingress, bench.identity(), frame_rate_limit::usual_rate);
  bench.keep(tested);
  const auto frame = frame_of(bench.make().request_of(client_id{0}, timestamp{1}, "o"));
  bench.give(tested, incoming_frame{principal::of(client_id{0}), bench.link("sender"), frame, nullptr});
  CHECK(bench.is_quiet());
  bench.give(tested, wired{std::make_shared<const node_actors>(bench.probes())});
  bench.give(tested, incoming_frame{principal::of(client_id{0}), bench.link("sender"), frame, nullptr});
  CHECK(bench.take<verified_message>("batcher").size() == 1);
}

TEST_CASE_FIXTURE(ingress_bench, "a sender of many frames takes turns with the other senders (attack 33)") {
  // All frames are in the mailbox before the ingress handles the first frame.
  const auto put = [&](replica_id sender, const message& value) {
    caf::anon_send(tested, incoming_frame{principal::of(sender), link("sender"), frame_of(value), nullptr});
  };
  for (std::uint64_t count = 0; count < 400; ++count)
    put(replica_id{3}, make().request_of(client_id{0}, timestamp{count + 1}, "o"));
  put(replica_id{2}, make().prepare_of(replica_id{2}, proposal));
  settle();
  const auto all = order();
  CHECK(all.size() == 401);
  CHECK(std::ranges::find(all, "replica") - all.begin() < 50);
}

TEST_CASE_FIXTURE(ingress_bench,
                  "requests that a replica forwards have bounded room, and do not take that of votes (attack 33)") {
  const std::string operation(limits::operation_bytes_max, 'o');
  const auto put = [&](replica_id sender, const message& value) {
    caf::anon_send(tested, incoming_frame{principal::of(sender), link("sender"), frame_of(value), nullptr});
  };
  const auto fit = ingress_state::forwarded_bytes_max / limits::operation_bytes_max;
  for (std::uint64_t count = 0; count < fit + 8; ++count)
    put(replica_id{3}, make().request_of(client_id{0}, timestamp{count + 1}, operation));
  put(replica_id{3}, make().prepare_of(replica_id{3}, proposal));
  put(replica_id{2}, make().request_of(client_id{1}, timestamp{1}, operation));
  settle();
  // In one lane the vote would wait behind all these requests.
  const auto handled = order();
  CHECK(std::ranges::find(handled, "replica") < std::ranges::find(handled, "batcher"));
  CHECK(take<verified_message>("replica").size() == 1);
  const auto passed = take<verified_message>("batcher");
  CHECK(passed.size() >= fit - 1);
  CHECK(passed.size() <= fit + 1);
  CHECK(std::ranges::count(passed, principal::of(replica_id{2}), &verified_message::sender) == 1);
  const auto refused = rejections();
  CHECK(refused == reasons(fit + 9 - passed.size(), rejection::overloaded));
  // A correct replica may forward too much, so this is no misbehaviour.
  CHECK(take<misbehaved>("fault-detector").empty());
  // The room is free again.
  arrive(replica_id{3}, make().request_of(client_id{0}, timestamp{1'000}, operation));
  CHECK(take<verified_message>("batcher").size() == 1);
}
