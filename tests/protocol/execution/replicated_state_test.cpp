#include <doctest/doctest.h>

#include "actors/protocol/execution/replicated_state.hpp"
#include "messages/byte_codec.hpp"
#include "messages/limits.hpp"
#include "tests/support/counting_machine.hpp"
#include "tests/support/request_factory.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

struct state_world {
  request_factory factory{small_cluster(4)};
  replicated_state state{std::make_unique<counting_machine>(), cluster_parameters{}};

  std::vector<replicated_state::answered_request> execute(std::vector<request> requests) {
    return state.execute(state.last_executed().next(), *request_factory::batch_of(std::move(requests)));
  }
  [[nodiscard]] request ask(std::uint32_t client, std::uint64_t when, std::string_view operation) const {
    return factory.request_of(client_id{client}, timestamp{when}, operation);
  }
  /// Installs the snapshot under its own root.
  installation install(std::uint64_t sequence, const state_snapshot& snapshot) {
    return state.install(sequence_number{sequence}, state_root(snapshot), snapshot).what;
  }
  [[nodiscard]] std::string applied() const {
    return std::string{as_text(state.query(as_byte_span("count"))->payload)};
  }
};

state_chunk chunk_of(byte_vector bytes) {
  const auto leaf = state_chunk_digest(bytes);
  return {std::make_shared<const byte_vector>(std::move(bytes)), leaf};
}

/// The layout chunk, the first chunk of a snapshot, with numbers that the test chooses.
state_chunk layout(std::uint64_t sequence, std::uint64_t machine_chunks, std::string_view name,
                   std::uint64_t ordered_time_ms = 0) {
  byte_writer out;
  out.number<std::uint64_t>(sequence);
  out.number<std::uint64_t>(ordered_time_ms);
  out.number<std::uint64_t>(machine_chunks);
  out.number<std::uint32_t>(static_cast<std::uint32_t>(name.size()));
  out.bytes(as_byte_span(name));
  return chunk_of(out.take());
}

}  // namespace

TEST_CASE("each operation of a request has its own status and result") {
  state_world world;
  const auto answers = world.execute(
      {world.factory.request_of(client_id{0}, timestamp{1}, std::vector<std::string>{"a", "!no", "", "b"})});
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].request.first_time);
  const auto& outcome = *answers[0].answer.outcome;
  using status_of = operation_status;
  CHECK(outcome.statuses ==
        std::vector{static_cast<std::uint8_t>(status_of::applied), static_cast<std::uint8_t>(status_of::refused),
                    static_cast<std::uint8_t>(status_of::malformed), static_cast<std::uint8_t>(status_of::applied)});
  CHECK(as_text(outcome.result(0)).starts_with("1 "));
  CHECK(as_text(outcome.result(3)).starts_with("2 "));
}

TEST_CASE("a request that is ordered again does nothing and gets the cached reply (attack 18)") {
  state_world world;
  const auto asked = world.ask(0, 1, "a");
  const auto first = world.execute({asked});
  const auto root = world.state.machine_root();
  const auto second = world.execute({asked});
  REQUIRE(second.size() == 1);
  CHECK_FALSE(second[0].request.first_time);
  CHECK(second[0].answer.outcome == first[0].answer.outcome);
  CHECK(world.state.machine_root() == root);
  CHECK(world.state.last_executed() == sequence_number{2});
}

TEST_CASE("another operation under an executed timestamp does not run") {
  state_world world;
  (void)world.execute({world.ask(0, 1, "a")});
  const auto second = world.execute({world.ask(0, 1, "b")});
  CHECK_FALSE(second[0].request.first_time);
  CHECK(world.applied() == "1");
}

TEST_CASE("a past request is refused at every replica in the same way, and does not run") {
  state_world world;
  for (std::uint64_t when = 2; when <= 2 + limits::requests_in_flight_max; ++when)
    (void)world.execute({world.ask(0, when, "a")});
  const auto count = world.applied();
  const auto late = world.execute({world.ask(0, 1, "late")});
  REQUIRE(late[0].answer.outcome != nullptr);
  CHECK(late[0].answer.outcome->status == reply_status::stale_timestamp);
  CHECK_FALSE(late[0].request.first_time);
  CHECK(world.applied() == count);
}

TEST_CASE("a result that is too large is replaced, but the operation has run") {
  state_world world;
  const auto answers = world.execute({world.ask(0, 1, "large:" + std::to_string(limits::result_bytes_max + 1))});
  CHECK(answers[0].answer.outcome->statuses[0] == static_cast<std::uint8_t>(operation_status::result_too_large));
  CHECK(answers[0].answer.outcome->results.empty());
  CHECK(world.applied() == "1");
}

TEST_CASE("the results of one request stay within the bound of a reply") {
  state_world world;
  const std::vector<std::string> operations(8, "large:" + std::to_string(limits::result_bytes_max));
  const auto answers = world.execute({world.factory.request_of(client_id{0}, timestamp{1}, operations)});
  CHECK(answers[0].answer.outcome->results.size() <= limits::reply_bytes_max);
  CHECK(answers[0].answer.outcome->statuses.size() == 8);
}

TEST_CASE("equal batches give equal roots and another order another root") {
  state_world one;
  state_world same;
  state_world other;
  (void)one.execute({one.ask(0, 1, "a"), one.ask(1, 1, "b")});
  (void)same.execute({same.ask(0, 1, "a"), same.ask(1, 1, "b")});
  (void)other.execute({other.ask(1, 1, "b"), other.ask(0, 1, "a")});
  CHECK(one.state.root() == same.state.root());
  CHECK(one.state.root() != other.state.root());
}

TEST_CASE("the client table is part of the root (attack 25)") {
  state_world one;
  state_world other;
  (void)one.execute({one.ask(0, 1, "!refused")});
  (void)other.execute({other.ask(0, 2, "!refused")});
  CHECK(one.state.machine_root() == other.state.machine_root());
  CHECK(one.state.root() != other.state.root());
}

TEST_CASE("an installed state equals the donor's: root, replies and executed requests") {
  state_world donor;
  for (std::uint64_t when = 1; when <= 20; ++when)
    (void)donor.execute({donor.ask(static_cast<std::uint32_t>(when % 3), when, "op " + std::to_string(when))});
  state_world laggard;
  (void)laggard.execute({laggard.ask(0, 3, "op 3")});
  REQUIRE(laggard.install(20, donor.state.snapshot()) == installation::installed);
  CHECK(laggard.state.root() == donor.state.root());
  CHECK(laggard.state.last_executed() == sequence_number{20});
  CHECK(laggard.state.sessions() == donor.state.sessions());
  const auto again = donor.ask(1, 4, "op 4");
  CHECK(*laggard.execute({again})[0].answer.outcome == *donor.execute({again})[0].answer.outcome);
  CHECK(laggard.state.root() == donor.state.root());
}

TEST_CASE("a false layout of a state is refused, and the own state stays as it was") {
  state_world donor;
  for (std::uint64_t when = 1; when <= 4; ++when)
    (void)donor.execute({donor.ask(0, when, "op")});
  const auto snapshot = donor.state.snapshot();
  constexpr std::uint64_t chunks = 1 + counting_machine::bucket_count;
  const std::vector<state_chunk> lies = {layout(5, chunks, "counting"),
                                         layout(4, chunks - 1, "counting"),
                                         layout(4, chunks + 1, "counting"),
                                         layout(4, 0, "counting"),
                                         layout(4, ~0ULL, "counting"),
                                         layout(4, chunks, "another machine"),
                                         layout(4, chunks, "counting", limits::proposed_time_ms_max + 1),
                                         chunk_of({}),
                                         chunk_of(to_byte_vector("short"))};
  for (const auto& lie : lies) {
    state_world laggard;
    (void)laggard.execute({laggard.ask(1, 1, "kept")});
    const auto before = laggard.state.root();
    auto told = snapshot;
    told.front() = lie;
    CHECK(laggard.install(4, told) == installation::unreadable);
    CHECK_FALSE(laggard.state.has_diverged());
    CHECK(laggard.state.root() == before);
    CHECK(laggard.state.last_executed() == sequence_number{1});
  }
  state_world laggard;
  CHECK(laggard.install(4, {}) == installation::unreadable);
  auto trailing = snapshot;
  auto longer = *trailing.front().bytes;
  longer.push_back(std::byte{0});
  trailing.front() = chunk_of(std::move(longer));
  CHECK(laggard.install(4, trailing) == installation::unreadable);
}

TEST_CASE("a frozen state stays what it was while execution continues") {
  state_world world;
  state_world same;
  for (std::uint64_t when = 1; when <= 4; ++when) {
    (void)world.execute({world.ask(0, when, "op " + std::to_string(when))});
    (void)same.execute({same.ask(0, when, "op " + std::to_string(when))});
  }
  const auto frozen = world.state.freeze();
  (void)world.execute({world.ask(1, 1, "later")});
  CHECK(frozen.sequence() == sequence_number{4});
  CHECK(state_root(frozen.assemble()) == same.state.root());
  // A second call gives the same chunks.
  CHECK(state_root(frozen.assemble()) == same.state.root());
  CHECK(world.state.root() != same.state.root());
}

TEST_CASE("a snapshot without its client table is another state, and no crash") {
  state_world donor;
  (void)donor.execute({donor.ask(0, 1, "op")});
  auto cut = donor.state.snapshot();
  cut.resize(2 + counting_machine::bucket_count);
  state_world laggard;
  REQUIRE(laggard.install(1, cut) == installation::installed);
  CHECK(laggard.state.root() != donor.state.root());
}

TEST_CASE("a query changes nothing, and an operation that writes is refused as a query") {
  state_world world;
  (void)world.execute({world.ask(0, 1, "a")});
  const auto before = world.state.root();
  CHECK(as_text(world.state.query(as_byte_span("count"))->payload) == "1");
  CHECK(world.state.query(as_byte_span("a"))->status == operation_status::refused);
  CHECK(world.state.root() == before);
}

TEST_CASE("a state that execution has reached is not installed") {
  state_world donor;
  state_world ahead;
  for (std::uint64_t when = 1; when <= 6; ++when) {
    if (when <= 4) (void)donor.execute({donor.ask(0, when, "op")});
    (void)ahead.execute({ahead.ask(0, when, "op")});
  }
  const auto before = ahead.state.root();
  CHECK(ahead.install(4, donor.state.snapshot()) == installation::overtaken);
  CHECK(ahead.state.root() == before);
  CHECK(ahead.state.last_executed() == sequence_number{6});
}

// --- Attack 27: the own state is not the certified one ---------------------------

namespace {

/// A replica that has executed 1 … 6, wrongly from 3 on, and a donor that has executed 1 … 4 correctly.
struct diverged_world : state_world {
  state_world donor;

  diverged_world() {
    for (std::uint64_t when = 1; when <= 6; ++when) {
      if (when <= 4) (void)donor.execute({donor.ask(0, when, "op")});
      (void)execute({ask(0, when, when < 3 ? "op" : "something else")});
    }
  }
};

}  // namespace

TEST_CASE("a diverged state answers no client and executes nothing") {
  diverged_world world;
  CHECK(world.state.on_disproven(sequence_number{4}));
  CHECK(world.state.has_diverged());
  CHECK(world.state.answer_to({{client_id{0}, timestamp{1}}, {}}).outcome == nullptr);
  CHECK(world.state.refuse(reply_status::overloaded) == nullptr);
  CHECK_FALSE(world.state.query(as_byte_span("count")));
  for (const std::uint64_t sequence : {4ULL, 6ULL, 7ULL, 8ULL, 100ULL})
    CHECK_FALSE(world.state.awaits(sequence_number{sequence}));
}

TEST_CASE("the certified state replaces a diverged one, even one that is further ahead, and answers again") {
  diverged_world world;
  CHECK(world.state.on_disproven(sequence_number{4}));
  REQUIRE(world.install(4, world.donor.state.snapshot()) == installation::installed);
  CHECK_FALSE(world.state.has_diverged());
  CHECK(world.state.last_executed() == sequence_number{4});
  CHECK(world.state.root() == world.donor.state.root());
  CHECK(world.applied() == "4");
  CHECK(world.state.answer_to({{client_id{0}, timestamp{4}}, {}}).outcome != nullptr);
  CHECK(world.state.refuse(reply_status::overloaded) != nullptr);
  CHECK(*world.execute({world.ask(0, 5, "op")})[0].answer.outcome ==
        *world.donor.execute({world.donor.ask(0, 5, "op")})[0].answer.outcome);
}

TEST_CASE("batches that came during the divergence are dropped until the order starts again after the new state") {
  diverged_world world;
  CHECK(world.state.on_disproven(sequence_number{4}));
  REQUIRE(world.install(4, world.donor.state.snapshot()) == installation::installed);
  for (const std::uint64_t late : {7ULL, 8ULL, 3ULL})
    CHECK_FALSE(world.state.awaits(sequence_number{late}));
  for (std::uint64_t sequence = 5; sequence <= 8; ++sequence) {
    REQUIRE(world.state.awaits(sequence_number{sequence}));
    (void)world.execute({world.ask(0, sequence, "op")});
  }
}

TEST_CASE("a diverged state is replaced by a later certified one, and never by an earlier one") {
  state_world early;
  state_world late;
  for (std::uint64_t when = 1; when <= 12; ++when) {
    if (when <= 2) (void)early.execute({early.ask(0, when, "op")});
    (void)late.execute({late.ask(0, when, "op")});
  }
  diverged_world world;
  CHECK(world.state.on_disproven(sequence_number{4}));
  const auto before = world.state.root();
  CHECK(world.install(2, early.state.snapshot()) == installation::too_old);
  CHECK(world.state.root() == before);
  CHECK(world.state.has_diverged());
  REQUIRE(world.install(12, late.state.snapshot()) == installation::installed);
  CHECK(world.state.root() == late.state.root());
}

TEST_CASE("a report of a divergence that the installed state has ended changes nothing") {
  diverged_world world;
  CHECK(world.state.on_disproven(sequence_number{4}));
  REQUIRE(world.install(4, world.donor.state.snapshot()) == installation::installed);
  CHECK_FALSE(world.state.on_disproven(sequence_number{4}));
  CHECK_FALSE(world.state.has_diverged());
  CHECK(world.state.on_disproven(sequence_number{8}));
  CHECK(world.state.has_diverged());
}

TEST_CASE("a restored state must have the certified root, else no part of it is visible") {
  // A machine that restores another state than the given state.
  class forgetful_machine final : public state_machine {
   public:
    [[nodiscard]] std::string_view name() const override { return inner_.name(); }
    operation_result apply(const operation_context& context, byte_span operation) override {
      return inner_.apply(context, operation);
    }
    [[nodiscard]] operation_result query(byte_span operation) const override { return inner_.query(operation); }
    [[nodiscard]] state_snapshot snapshot() override { return inner_.snapshot(); }
    [[nodiscard]] or_reason<void> restore(const state_snapshot&) override { return {}; }
    [[nodiscard]] digest root() override { return inner_.root(); }

   private:
    counting_machine inner_;
  };
  state_world donor;
  (void)donor.execute({donor.ask(0, 1, "op")});
  replicated_state state{std::make_unique<forgetful_machine>(), cluster_parameters{}};
  const auto snapshot = donor.state.snapshot();
  const auto outcome = state.install(sequence_number{1}, state_root(snapshot), snapshot);
  CHECK(outcome.what == installation::unreadable);
  CHECK_FALSE(outcome.why.empty());
  CHECK(state.has_diverged());
  CHECK_FALSE(state.query(as_byte_span("count")));
  CHECK_FALSE(state.awaits(sequence_number{2}));
}

TEST_CASE("a session executes its requests in its order, in whatever order they are committed") {
  state_world world;
  const auto ask = [&](std::uint64_t when) {
    return world.factory.session_request(client_id{0}, session_id{7}, timestamp{when});
  };
  // The request is too early before the session is open, and before its turn.
  CHECK(world.execute({ask(1)})[0].request.too_early);
  CHECK(world.execute({ask(0)})[0].request.opened == session_mode::ordered);
  const auto reordered = world.execute({ask(3), ask(2), ask(1)});
  CHECK(reordered[0].request.too_early);
  CHECK(reordered[0].answer.outcome == nullptr);
  CHECK(reordered[1].request.too_early);
  CHECK(reordered[2].request.first_time);
  const auto again = world.execute({ask(2), ask(3), ask(1)});
  CHECK(again[0].request.first_time);
  CHECK(again[1].request.first_time);
  CHECK_FALSE(again[2].request.first_time);
  CHECK(*again[2].answer.outcome == *reordered[2].answer.outcome);
}

TEST_CASE("the reply names the executed request, also to a client that asks with another one") {
  state_world world;
  const auto first = world.ask(0, 1, "a");
  const auto other = world.ask(0, 1, "b");
  CHECK(world.execute({first})[0].answer.request == digest_of_request(first));
  CHECK(world.execute({other})[0].answer.request == digest_of_request(first));
  CHECK(world.state.answer_to(reference_of(other)).request == digest_of_request(first));
}

TEST_CASE("a session that has ended is refused, and the refusal names the free numbers") {
  state_world world;
  const auto open = [&](std::uint64_t session) {
    return world.factory.session_request(client_id{0}, session_id{session}, timestamp{0});
  };
  for (std::uint64_t session = 1; session <= limits::sessions_per_client_max + 1; ++session)
    REQUIRE(world.execute({open(session)})[0].request.first_time);
  const auto refused = world.execute({open(1)})[0];
  CHECK_FALSE(refused.request.first_time);
  CHECK(refused.answer.outcome->status == reply_status::session_ended);
  CHECK(refused.answer.outcome->fresh_above == session_id{1});
}

TEST_CASE("the ordered time is in the certified state, and goes on from there (I19)") {
  constexpr wall_time noon{std::chrono::hours{12}};
  const auto execute_at = [](state_world& world, std::uint64_t n, wall_time time) {
    const auto body = request_factory::batch_of({world.ask(0, n, "op")});
    (void)world.state.execute(sequence_number{n}, *request_factory::at_time(*body, time));
  };
  state_world early;
  execute_at(early, 1, noon);
  state_world late;
  execute_at(late, 1, noon + 1ms);
  // Two replicas with different times would have different roots, so the difference would be found.
  CHECK(early.state.root() != late.state.root());
  state_world laggard;
  CHECK(laggard.install(1, late.state.snapshot()) == installation::installed);
  CHECK(laggard.state.ordered_time() == noon + 1ms);
  execute_at(laggard, 2, noon);
  CHECK(laggard.state.ordered_time() == noon + 1ms);
}
