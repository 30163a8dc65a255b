#include "actors/state_transfer.hpp"

#include <doctest/doctest.h>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "messages/codec.hpp"
#include "tests/support/counting_machine.hpp"
#include "tests/support/donor_crowd.hpp"
#include "tests/support/virtual_bench.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

constexpr std::chrono::milliseconds period{200};
constexpr sequence_number four{4};

/// The state transfer of replica 3, which fetches a state that replicas 0, 1 and 2 have certified.
struct transfer_bench : virtual_bench {
  state_transfer_actor tested = connect(system().spawn(state_transfer, identity(), period, donor_settings{}));
  std::shared_ptr<const state_snapshot> snapshot =
      std::make_shared<const state_snapshot>(counting_machine{}.snapshot());
  std::shared_ptr<const checkpoint_certificate> certificate = make().certificate_of(four, state_root(*snapshot));
  honest_donor donor{four, snapshot};

  struct question {
    std::uint32_t donor = 0;
    state_request wanted;
    friend bool operator==(const question&, const question&) = default;
  };
  using questions = std::vector<question>;
  const state_request first_page{four, 0, state_part::leaves};

  transfer_bench() : virtual_bench(replica_id{3}) {}

  /// The requests that were passed to the journal, by donor.
  questions asked() {
    questions all;
    for (const auto& each : take<persist_and_send>("journal")) {
      for (const auto& sent : *each.sends) {
        const auto decoded = decode(sent.frame).value();
        all.push_back({sent.to->value, std::get<state_request>(decoded)});
      }
    }
    return all;
  }
  void say(std::uint32_t from, state_chunk_message what) {
    give_verified(tested, principal::of(replica_id{from}), std::move(what));
  }
  void answer(const question& to) { say(to.donor, donor(to.wanted)); }
  void refuse(const question& to, state_refusal why) { say(to.donor, {to.wanted, why}); }
  void lie(const question& to) {
    say(to.donor, {to.wanted, std::make_shared<const byte_vector>(to_byte_vector("garbage"))});
  }
  /// Answers all requests until there are no further requests.
  void answer_all() {
    for (auto open = asked(); !open.empty(); open = asked()) {
      for (const auto& each : open)
        answer(each);
    }
  }
  std::vector<std::string> replaced() {
    std::vector<std::string> all;
    for (const auto& each : take_observed<donor_replaced>())
      all.push_back(std::to_string(each.replica.value) + " " + std::string{to_string(each.reason)});
    return all;
  }
  state_chunk_message ask(std::uint32_t from, const state_request& wanted) {
    give_verified(tested, principal::of(replica_id{from}), wanted, link("asker"));
    const auto answers = take_frames("asker");
    REQUIRE(answers.size() == 1);
    return std::get<state_chunk_message>(answers.front());
  }
};

using refused = std::vector<std::string>;

}  // namespace

TEST_CASE_FIXTURE(transfer_bench, "the leaves are requested first, and then the chunks from all donors in turn") {
  give(tested, fetch_state{certificate});
  CHECK(asked() == questions{{0, first_page}});
  answer({0, first_page});
  const auto rest = asked();
  REQUIRE(rest.size() == snapshot->size());
  for (std::size_t place = 0; place < rest.size(); ++place)
    CHECK(rest[place] == question{static_cast<std::uint32_t>((place + 1) % 3), {four, place}});
}

TEST_CASE_FIXTURE(transfer_bench, "a state with all its chunks verified is handed over once") {
  give(tested, fetch_state{certificate});
  answer_all();
  const auto handed = take<install_state>("executor");
  REQUIRE(handed.size() == 1);
  CHECK(state_root(*handed.front().snapshot) == state_root(*snapshot));
  answer({1, {four, 1}});
  CHECK(take<install_state>("executor").empty());
}

TEST_CASE_FIXTURE(transfer_bench, "a donor that lies is counted and reported, and its requests go to others") {
  give(tested, fetch_state{certificate});
  answer({0, first_page});
  forget();
  lie({1, {four, 0}});
  const auto counted = take_observed<frame_rejected>();
  REQUIRE(counted.size() == 1);
  CHECK(counted.front().sender == principal::of(replica_id{1}));
  CHECK(counted.front().reason == rejection::wrong_digest);
  CHECK(replaced() == refused{"1 lied"});
  const auto again = asked();
  CHECK_FALSE(again.empty());
  for (const auto& each : again)
    CHECK(each.donor != 1);
}

TEST_CASE_FIXTURE(transfer_bench, "a donor that refuses is replaced at once") {
  give(tested, fetch_state{certificate});
  forget();
  refuse({0, first_page}, state_refusal::not_held);
  CHECK(replaced() == refused{"0 refused"});
  CHECK(asked() == questions{{1, first_page}});
}

TEST_CASE_FIXTURE(transfer_bench, "a silent donor gets a second one beside it after a period and is late after three") {
  give(tested, fetch_state{certificate});
  CHECK(asked() == questions{{0, first_page}});
  advance(period);
  CHECK(asked() == questions{{1, first_page}});
  CHECK(replaced().empty());
  advance(2 * period);
  CHECK(replaced() == refused{"0 late"});
}

TEST_CASE_FIXTURE(transfer_bench, "chunks that were not requested are refused") {
  answer({0, {four, 0}});
  give(tested, fetch_state{certificate});
  answer({0, {four, 5}});
  const auto counted = take_observed<frame_rejected>();
  REQUIRE(counted.size() == 2);
  for (const auto& each : counted)
    CHECK(each.reason == rejection::unsolicited);
}

TEST_CASE_FIXTURE(transfer_bench, "chunks in the own checkpoints are not fetched") {
  counting_machine older;
  static_cast<void>(older.apply({}, as_byte_span("x")));
  const auto own = std::make_shared<const state_snapshot>(older.snapshot());
  give(tested, taken_at(sequence_number{2}, own));
  give(tested, fetch_state{certificate});
  forget();
  answer({0, first_page});
  // The operation changed only the head and one bucket. Before the operation, this bucket had the same content as the
  // others.
  CHECK(asked() == questions{{1, {four, 0}}});
}

TEST_CASE_FIXTURE(transfer_bench,
                  "a donor answers over the link that asked, and refuses a state that it does not hold") {
  give(tested, taken_at(four, snapshot));
  const auto page = std::get<leaf_page>(ask(2, first_page).content);
  CHECK(verify_merkle_page(state_root(*snapshot), page.chunk_count, 0, limits::state_page_leaves, page.leaves,
                           page.path));
  CHECK(state_chunk_digest(*std::get<chunk_bytes>(ask(2, {four, 1}).content)) == page.leaves[1]);
  CHECK(std::get<state_refusal>(ask(2, {sequence_number{8}, 0}).content) == state_refusal::not_held);
  CHECK(std::get<state_refusal>(ask(2, {four, 1'000}).content) == state_refusal::not_held);
}

TEST_CASE_FIXTURE(transfer_bench, "a state is donated once the checkpointer has hashed it, unless it diverged") {
  counting_machine machine;
  const auto frozen = [&] {
    checkpoint_parts parts{four, {}, {}, std::make_shared<known_state>(machine.snapshot()), {}};
    return std::make_shared<frozen_checkpoint>(std::move(parts), std::make_shared<root_tree>());
  };
  const auto taken = frozen();
  give(tested, checkpoint_taken{four, taken});
  CHECK(std::get<state_refusal>(ask(2, first_page).content) == state_refusal::not_held);
  (void)taken->finish();
  SUBCASE("the next question finds it") { CHECK(std::holds_alternative<leaf_page>(ask(2, first_page).content)); }
  SUBCASE("a state that diverged meanwhile is not donated") {
    give(tested, state_diverged{four});
    CHECK(std::get<state_refusal>(ask(2, first_page).content) == state_refusal::not_held);
  }
  SUBCASE("a state that was taken before an installed one is not used") {
    give(tested, checkpoint_installed{sequence_number{8}, state_root(*snapshot), snapshot});
    CHECK(std::get<state_refusal>(ask(2, first_page).content) == state_refusal::not_held);
  }
}

TEST_CASE_FIXTURE(transfer_bench, "a tick gives each fetcher a new share") {
  give(tested, taken_at(four, snapshot));
  for (unsigned count = 0; count < state_donor::refusals_per_tick_max; ++count)
    static_cast<void>(ask(2, {sequence_number{8}, 0}));
  give_verified(tested, principal::of(replica_id{2}), state_request{sequence_number{8}, 0}, link("asker"));
  CHECK(take_frames("asker").empty());
  advance(period);
  CHECK(std::get<state_refusal>(ask(2, {sequence_number{8}, 0}).content) == state_refusal::not_held);
}

TEST_CASE_FIXTURE(transfer_bench, "the state that is known to be stable is kept longest") {
  give(tested, taken_at(four, snapshot));
  give(tested, checkpoint_stable{certificate});
  for (std::uint64_t n = 2; n < 20; ++n)
    give(tested, taken_at(sequence_number{4 * n}, snapshot));
  CHECK(std::holds_alternative<leaf_page>(ask(2, first_page).content));
  CHECK(std::get<state_refusal>(ask(2, {sequence_number{8}, 0}).content) == state_refusal::not_held);
}

TEST_CASE_FIXTURE(transfer_bench, "a fetch ends once its state is in place") {
  give(tested, fetch_state{certificate});
  give(tested, checkpoint_installed{four, state_root(*snapshot), snapshot});
  forget();
  advance(10 * period);
  // There is also no new fetch when the replica, which learns from the disk that the state is installed, asks again.
  give(tested, fetch_state{certificate});
  CHECK(asked().empty());
}

TEST_CASE_FIXTURE(transfer_bench, "a state that the executor could not restore is not fetched again") {
  give(tested, fetch_state{certificate});
  answer_all();
  give(tested, install_refused{four, true});
  give(tested, fetch_state{certificate});
  advance(10 * period);
  CHECK(asked().empty());
}

TEST_CASE_FIXTURE(transfer_bench, "a state that the executor did not need may be fetched again") {
  give(tested, fetch_state{certificate});
  answer_all();
  give(tested, install_refused{four, false});
  give(tested, fetch_state{certificate});
  CHECK(asked() == questions{{0, first_page}});
}

TEST_CASE_FIXTURE(transfer_bench,
                  "a wrong state is donated to no replica, and the state that replaces it to all (attack 27)") {
  give(tested, taken_at(four, snapshot));
  give(tested, state_diverged{four});
  CHECK(std::get<state_refusal>(ask(2, first_page).content) == state_refusal::not_held);
  give(tested, checkpoint_installed{four, state_root(*snapshot), snapshot});
  CHECK(std::holds_alternative<leaf_page>(ask(2, first_page).content));
}

TEST_CASE_FIXTURE(transfer_bench, "a wrong own state does not end the fetch of the state that replaces it") {
  const auto wrong = std::make_shared<const state_snapshot>(counting_machine{}.snapshot());
  // 1. The checkpointer compares the root at 4 and asks for the certified state.
  give(tested, fetch_state{certificate, fetch_reason::own_state_wrong});
  // 2. The executor has not handled `own_root_disproven` yet, and reaches the next checkpoint.
  give(tested, taken_at(sequence_number{8}, wrong));
  // 3. The executor learns of the divergence.
  give(tested, state_diverged{four});
  answer_all();
  CHECK(take<install_state>("executor").size() == 1);
  // 4. The executor installs the state. Then nothing is left to ask for.
  give(tested, checkpoint_installed{four, state_root(*snapshot), snapshot});
  forget();
  advance(10 * period);
  CHECK(asked().empty());
}

TEST_CASE_FIXTURE(transfer_bench, "a wish for a repair that overtakes no report is not lost either") {
  give(tested, taken_at(sequence_number{8}, snapshot));
  give(tested, state_diverged{four});
  give(tested, fetch_state{certificate, fetch_reason::own_state_wrong});
  answer_all();
  CHECK(take<install_state>("executor").size() == 1);
}
