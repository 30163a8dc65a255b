#include "actors/client.hpp"

#include <doctest/doctest.h>

#include <caf/event_based_actor.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "messages/codec.hpp"
#include "tests/support/message_samples.hpp"
#include "tests/support/virtual_bench.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

namespace {

/// Client 2 with a probe for the link to each replica: "0" … "3".
struct client_bench : virtual_bench {
  client_actor tested;
  std::vector<submit_outcome> outcomes;

  client_bench() : virtual_bench(replica_id{0}) {
    client_identity who{make().cluster(), client_id{2}, make().keys().of(principal::of(client_id{2})), timestamp{100}};
    tested = system().spawn(client, std::move(who), client_settings{});
    keep(tested);
    auto links = std::make_shared<std::vector<peer_actor>>();
    for (const auto* name : {"0", "1", "2", "3"})
      links->push_back(link(name));
    give(tested, client_links{std::move(links)});
  }

  void submit(const std::string& operation) {
    const auto done = [this](const submit_outcome& outcome) { outcomes.push_back(outcome); };
    give(tested, submit_operation{to_byte_vector(operation), std::make_shared<const completion>(done)});
  }
  void answer(std::uint32_t replica, std::uint64_t when, const std::string& result) {
    reply value;
    value.id = {client_id{2}, timestamp{when}};
    value.request = content_of(when);
    value.outcome.append(0, as_byte_span(result));
    arrive(principal::of(replica_id{replica}), value);
  }
  /// The digest of the request in progress.
  [[nodiscard]] digest content_of(std::uint64_t when) const {
    using pointer = client_actor::stateful_pointer<client_state>;
    const auto* inside = dynamic_cast<pointer>(caf::actor_cast<caf::abstract_actor*>(tested));
    REQUIRE(inside != nullptr);
    return inside->state.core->content_of(timestamp{when}).value_or(digest{});
  }
  void arrive(principal sender, const message& value) {
    give(tested, incoming_frame{sender, link("back"), frame_of(value), nullptr});
  }
  std::size_t requests(const std::string& to) { return take<outgoing_frame>(to).size(); }
  std::string result(std::size_t place) const {
    return std::string{as_text(std::get<operation_result>(outcomes.at(place)).payload)};
  }
};

}  // namespace

TEST_CASE_FIXTURE(client_bench, "a request goes to the primary, signed") {
  submit("o");
  const auto sent = take_frames("0");
  REQUIRE(sent.size() == 1);
  const auto& value = std::get<request>(sent.front());
  CHECK(value.id == request_id{client_id{2}, timestamp{100}});
  const auto input = signing_input(make().cluster().signing, message_kind::request, value.signed_bytes());
  CHECK(make().keys_of(replica_id{0}).verify(principal::of(client_id{2}), input, value.client_signature));
  CHECK(is_quiet());
}

TEST_CASE_FIXTURE(client_bench, "an operation is answered when f+1 replicas agree") {
  submit("o");
  answer(3, 100, "forged");
  answer(3, 100, "forged");
  CHECK(outcomes.empty());
  answer(1, 100, "true");
  CHECK(outcomes.empty());
  answer(2, 100, "true");
  REQUIRE(outcomes.size() == 1);
  CHECK(result(0) == "true");
  answer(0, 100, "true");
  CHECK(outcomes.size() == 1);
}

TEST_CASE_FIXTURE(client_bench, "a client without a reply asks all replicas, at growing intervals") {
  submit("o");
  forget();
  advance(480ms);
  CHECK(is_quiet());
  advance(20ms);
  for (const auto* name : {"0", "1", "2", "3"})
    CHECK(requests(name) == 1);
  advance(980ms);
  CHECK(requests("1") == 0);
  advance(40ms);
  CHECK(requests("1") == 1);
}

TEST_CASE_FIXTURE(client_bench, "an operation without an answer fails at its deadline") {
  submit("o");
  advance(29s);
  CHECK(outcomes.empty());
  advance(2s);
  REQUIRE(outcomes.size() == 1);
  CHECK(std::get<client_error>(outcomes.front()) == client_error::timed_out);
  // There is nothing left to do, so an idle client sets no timer.
  forget();
  advance(60s);
  CHECK(is_quiet());
}

TEST_CASE_FIXTURE(client_bench, "a request that was sent into a closed link is sent again when the link opens") {
  submit("o");
  forget();
  give(tested, link_changed{replica_id{0}, true});
  CHECK(requests("0") == 1);
  // A backup may have executed the request and lost its reply. A backup that has already answered gets no copy.
  give(tested, link_changed{replica_id{1}, true});
  CHECK(requests("1") == 1);
  answer(1, 100, "true");
  give(tested, link_changed{replica_id{1}, true});
  CHECK(is_quiet());
}

TEST_CASE_FIXTURE(client_bench, "a client without a link to the primary asks all replicas") {
  submit("o");
  forget();
  give(tested, link_changed{replica_id{1}, false});
  CHECK(is_quiet());
  give(tested, link_changed{replica_id{0}, false});
  for (const auto* name : {"0", "1", "2", "3"})
    CHECK(requests(name) == 1);
  forget();
  submit("p");
  CHECK(requests("2") == 1);
}

TEST_CASE_FIXTURE(client_bench, "a stop fails the pending operations and ends the client") {
  submit("a");
  submit("b");
  give(tested, client_stop{});
  REQUIRE(outcomes.size() == 2);
  for (const auto& each : outcomes)
    CHECK(std::get<client_error>(each) == client_error::stopped);
}

TEST_CASE_FIXTURE(client_bench, "frames that are not replies change nothing") {
  submit("o");
  forget();
  arrive(principal::of(replica_id{1}), sample_of(message_kind::commit, sample_size::usual, 1));
  arrive(principal::of(client_id{1}), sample_of(message_kind::reply, sample_size::usual, 1));
  give(tested, incoming_frame{principal::of(replica_id{1}), link("back"),
                              std::make_shared<const byte_vector>(to_byte_vector("\x05")), nullptr});
  // These replies are for another client, or come from a link that belongs to no member.
  reply foreign;
  foreign.id = {client_id{1}, timestamp{100}};
  foreign.outcome.append(0, as_byte_span("true"));
  arrive(principal::of(replica_id{1}), foreign);
  arrive(principal::of(replica_id{2}), foreign);
  answer(17, 100, "true");
  answer(18, 100, "true");
  CHECK(outcomes.empty());
}

TEST_CASE_FIXTURE(client_bench,
                  "a missing report ends the query without a result, and a report of another replica does not count") {
  std::vector<bool> came;
  const auto done = [&](const std::optional<node_report>& report) { came.push_back(report.has_value()); };
  give(tested, report_of_replica{replica_id{1}, std::make_shared<const report_completion>(done)});
  const auto asked = take_frames("1");
  REQUIRE(asked.size() == 1);
  node_report report;
  report.id = std::get<node_query>(asked.front()).id;
  report.replica = replica_id{3};
  arrive(principal::of(replica_id{3}), report);
  CHECK(came.empty());
  advance(6s);
  CHECK(came == std::vector<bool>{false});
  give(tested, report_of_replica{replica_id{1}, std::make_shared<const report_completion>(done)});
  report.id = std::get<node_query>(take_frames("1").front()).id;
  report.replica = replica_id{1};
  arrive(principal::of(replica_id{1}), report);
  CHECK(came == std::vector<bool>{false, true});
}

namespace {

/// A client that wants a receipt for one operation, and has its result.
struct receipt_bench : client_bench {
  std::vector<receipted> collected;
  executed_operation what;
  receipt_query asked;

  receipt_bench() {
    const auto done = [this](const receipted& value) { collected.push_back(value); };
    give(tested, submit_for_receipt{to_byte_vector("o"), std::make_shared<const receipt_completion>(done)});
    forget();
    what = {{client_id{2}, timestamp{100}}, content_of(100),       0, to_byte_vector("o"),
            operation_status::applied,      to_byte_vector("true")};
    asked = {what.id, 0};
    answer(1, 100, "true");
    answer(2, 100, "true");
  }
  void sign(std::uint32_t replica) {
    receipt_share share;
    share.place.sequence = sequence_number{5};
    share.place.operation_count = share.place.request_count = 1;
    const auto value = receipt_value_of(what, share.place);
    const auto input =
        receipt_signing_input(make().cluster().signing, share.place.sequence, *value, replica_id{replica});
    share.by = make().keys_of(replica_id{replica}).sign(input);
    arrive(principal::of(replica_id{replica}), receipt_reply{asked, share});
  }
};

}  // namespace

TEST_CASE_FIXTURE(receipt_bench,
                  "a client that wants a receipt asks all replicas after the result, until a quorum signs") {
  for (const auto* name : {"0", "1", "2", "3"}) {
    const auto sent = take_frames(name);
    REQUIRE(sent.size() == 1);
    CHECK(std::get<receipt_query>(sent.front()) == asked);
  }
  sign(0);
  sign(3);
  CHECK(collected.empty());
  sign(2);
  REQUIRE(collected.size() == 1);
  CHECK(as_text(std::get<operation_result>(collected[0].outcome).payload) == "true");
  REQUIRE(collected[0].proof);
  CHECK(collected[0].proof->signatures.size() == 3);
  CHECK(collected[0].proof->what == what);
}

TEST_CASE_FIXTURE(receipt_bench, "at the deadline of the operation f + 1 signatures are the receipt") {
  sign(0);
  sign(3);
  advance(29s);
  CHECK(collected.empty());
  advance(2s);
  REQUIRE(collected.size() == 1);
  REQUIRE(collected[0].proof);
  CHECK(collected[0].proof->signatures.size() == 2);
}

TEST_CASE_FIXTURE(receipt_bench, "a stop ends a receipt with the result that is known") {
  give(tested, client_stop{});
  REQUIRE(collected.size() == 1);
  CHECK(std::holds_alternative<operation_result>(collected[0].outcome));
  CHECK_FALSE(collected[0].proof);
}

TEST_CASE_FIXTURE(client_bench, "an operation that is not executed has no receipt") {
  std::vector<receipted> collected;
  const auto done = [&](const receipted& value) { collected.push_back(value); };
  give(tested, submit_for_receipt{byte_vector(limits::operation_bytes_max + 1),
                                  std::make_shared<const receipt_completion>(done)});
  REQUIRE(collected.size() == 1);
  CHECK(std::get<client_error>(collected[0].outcome) == client_error::too_large);
  CHECK_FALSE(collected[0].proof);
}

TEST_CASE_FIXTURE(client_bench, "an actor can order an operation as a request") {
  std::string got;
  system().spawn(
      [&got](caf::event_based_actor* self, const client_actor& ordering) {
        self->request(ordering, std::chrono::seconds{60}, ordered_operation{to_byte_vector("o")})
            .then([&got](const operation_outcome& outcome) { got = std::string{as_text(outcome.payload)}; },
                  [&got](const caf::error&) { got = "an error"; });
      },
      tested);
  settle();
  answer(0, 100, "true");
  answer(1, 100, "true");
  CHECK(got == "true");
}
