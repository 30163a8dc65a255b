#include <doctest/doctest.h>

#include "actors/protocol/ordering/replica_core.hpp"
#include "tests/support/core_cluster.hpp"
#include "tests/support/effect_reader.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

/// Replica 1 of four replicas with `slots` committed sequences whose checkpoint is not stable.
struct holder {
  request_factory factory{small_cluster(4, 4, 64, 256)};
  replica_core core{factory.cluster(), replica_id{1}, factory.keys_of(replica_id{1})};

  explicit holder(std::uint64_t slots, const std::vector<std::string>& operations = {"op"}) {
    for (std::uint64_t n = 1; n <= slots; ++n) {
      const auto body = request_factory::batch_of({factory.request_of(client_id{0}, timestamp{n}, operations)});
      const auto proposal = factory.pre_prepare_of(view_number{0}, sequence_number{n}, body);
      hear(0, proposal);
      for (const std::uint32_t from : {2U, 3U})
        hear(from, factory.prepare_of(replica_id{from}, proposal));
      for (const std::uint32_t from : {0U, 2U})
        hear(from, factory.commit_of(replica_id{from}, proposal));
    }
  }

  replica_effects hear(std::uint32_t from, const message& value) {
    return core.on_message(principal::of(replica_id{from}), value);
  }
  replica_effects ask(std::uint32_t from, std::uint64_t executed, const std::vector<slot_progress>& slots = {}) {
    return hear(from, factory.status_of(replica_id{from}, view_number{0}, {}, sequence_number{executed}, slots));
  }
};

constexpr slot_progress nothing{};
constexpr slot_progress proposed{true, false, false};
constexpr slot_progress prepared{true, true, false};
constexpr slot_progress committed{true, true, true};

}  // namespace

TEST_CASE("a STATUS is answered with exactly the messages that its sender lacks") {
  holder world{4};
  const auto effects = world.ask(3, 0, {nothing, proposed, prepared, committed});
  for (const auto& each : effects.sends)
    CHECK(each.to == replica_id{3});
  std::vector<std::uint64_t> prepares;
  std::vector<std::uint64_t> commits;
  for (const auto& each : sent<prepare>(effects.sends))
    prepares.push_back(each.vote.content.sequence.value);
  for (const auto& each : sent<commit>(effects.sends))
    commits.push_back(each.vote.content.sequence.value);
  CHECK(prepares == std::vector<std::uint64_t>{1, 2});
  CHECK(commits == std::vector<std::uint64_t>{1, 2, 3});
}

TEST_CASE("a replica resends only its own votes") {
  holder world{3};
  const auto effects = world.ask(3, 0);
  for (const auto& each : sent<prepare>(effects.sends))
    CHECK(each.vote.content.replica == replica_id{1});
  for (const auto& each : sent<commit>(effects.sends))
    CHECK(each.vote.content.replica == replica_id{1});
}

TEST_CASE("one STATUS of each replica is answered per tick") {
  holder world{4};
  CHECK_FALSE(world.ask(3, 0).sends.empty());
  const auto second = world.ask(3, 0);
  CHECK(second.sends.empty());
  CHECK(rejections_in(second.observations) == std::vector{rejection::duplicate});
  CHECK_FALSE(world.ask(2, 0).sends.empty());
  (void)world.core.on_tick();
  CHECK_FALSE(world.ask(3, 0).sends.empty());
}

TEST_CASE("the answer to a STATUS is bounded in sequences") {
  holder world{140};
  const auto effects = world.ask(3, 0);
  for (const auto& each : sent<commit>(effects.sends))
    CHECK(each.vote.content.sequence <= sequence_number{128});
  CHECK(sent<commit>(effects.sends).size() == 128);
}

TEST_CASE("a replica with a gap sends a STATUS with each tick, whatever other progress it makes") {
  holder world{3};
  const auto arrive = [&](std::uint64_t n) {
    const auto proposal =
        world.factory.pre_prepare_of(view_number{0}, sequence_number{n}, world.factory.batch_number(n));
    (void)world.hear(0, proposal);
    for (const std::uint32_t from : {2U, 3U})
      (void)world.hear(from, world.factory.prepare_of(replica_id{from}, proposal));
    for (const std::uint32_t from : {0U, 2U})
      (void)world.hear(from, world.factory.commit_of(replica_id{from}, proposal));
  };
  // The batches 4 … 9 were lost and arrive one by one. So there is progress, but still a gap.
  arrive(10);
  for (const std::uint64_t n : {4ULL, 5ULL, 6ULL}) {
    arrive(n);
    CHECK(sent<status>(world.core.on_tick().sends).size() == 1);
  }
}

TEST_CASE("the answer to a STATUS is bounded in bytes") {
  holder world{32, std::vector<std::string>(4, std::string(limits::operation_bytes_max, 'x'))};
  std::size_t most = 0;
  for (int tick = 0; tick < 4; ++tick) {
    std::size_t bytes = 0;
    const auto effects = world.ask(3, 0);
    for (const auto& each : effects.sends)
      bytes += each.frame->size();
    most = std::max(most, bytes);
    CHECK_FALSE(effects.sends.empty());
    (void)world.core.on_tick();
  }
  CHECK(most > limits::batch_bytes_max);
  CHECK(most <= 3 * limits::batch_bytes_max);
}

TEST_CASE("a STATUS from far away or of another view gets no answer") {
  holder world{4};
  CHECK(world.ask(3, limits::sequence_max).sends.empty());
  const auto other = world.factory.status_of(replica_id{2}, view_number{5}, {}, {});
  const auto effects = world.hear(2, other);
  CHECK(effects.sends.empty());
  CHECK(rejections_in(effects.observations) == std::vector{rejection::other_view});
}

TEST_CASE("some backup relays every proposal within n ticks, so that a deaf primary is not needed") {
  request_factory factory{small_cluster(4)};
  const auto proposal = factory.pre_prepare_of(view_number{0}, sequence_number{1}, factory.batch_number(1));
  std::size_t relayed = 0;
  replica_core core{factory.cluster(), replica_id{2}, factory.keys_of(replica_id{2})};
  (void)core.on_message(principal::of(replica_id{0}), proposal);
  for (int tick = 0; tick < 4; ++tick) {
    const auto asked = factory.status_of(replica_id{3}, view_number{0}, {}, {});
    relayed += sent<pre_prepare>(core.on_message(principal::of(replica_id{3}), asked).sends).size();
    (void)core.on_tick();
  }
  CHECK(relayed == 1);
}

TEST_CASE("an idle replica sends a STATUS at a low rate, a stalled one at each tick") {
  request_factory factory{small_cluster(4)};
  replica_core core{factory.cluster(), replica_id{1}, factory.keys_of(replica_id{1})};
  std::size_t idle = 0;
  for (int tick = 0; tick < 8; ++tick)
    idle += sent<status>(core.on_tick().sends).size();
  CHECK(idle == 2);
  (void)core.on_message(principal::of(replica_id{0}),
                        factory.pre_prepare_of(view_number{0}, sequence_number{1}, factory.batch_number(1)));
  std::size_t stalled = 0;
  for (int tick = 0; tick < 4; ++tick)
    stalled += sent<status>(core.on_tick().sends).size();
  CHECK(stalled == 4);
}

TEST_CASE("a STATUS contains the progress of every open slot") {
  request_factory factory{small_cluster(4)};
  replica_core core{factory.cluster(), replica_id{1}, factory.keys_of(replica_id{1})};
  const auto proposal_of = [&](std::uint64_t n) {
    return factory.pre_prepare_of(view_number{0}, sequence_number{n}, factory.batch_number(n));
  };
  (void)core.on_message(principal::of(replica_id{0}), proposal_of(2));
  (void)core.on_message(principal::of(replica_id{0}), proposal_of(3));
  (void)core.on_message(principal::of(replica_id{2}), factory.prepare_of(replica_id{2}, proposal_of(3)));
  const auto told = sent<status>(core.on_tick().sends);
  REQUIRE(told.size() == 1);
  CHECK(told[0].last_decided == sequence_number{0});
  CHECK(told[0].slots == std::vector{nothing, proposed, prepared});
}

TEST_CASE("a replica below the stable checkpoint is sent its proof") {
  holder world{64};
  const auto proof = world.factory.certificate_of(sequence_number{64}, named_digest("state 64"));
  (void)world.core.on_taken(sequence_number{64});
  (void)world.core.on_stable(proof);
  const auto proofs = sent<checkpoint_proof>(world.ask(3, 5).sends);
  REQUIRE(proofs.size() == 1);
  CHECK(proofs[0].certificate.votes == proof->votes);
}

TEST_CASE("a replica that lags fetches the certified state after two ticks without progress, and no sooner") {
  request_factory factory{small_cluster(4)};
  replica_core core{factory.cluster(), replica_id{3}, factory.keys_of(replica_id{3})};
  const auto proof = factory.certificate_of(sequence_number{4}, named_digest("state 4"));
  CHECK(core.on_stable(proof).fetch == nullptr);
  CHECK(core.on_tick().fetch == nullptr);
  CHECK(core.on_tick().fetch == proof);
}

TEST_CASE(
    "a replica that lags by a window fetches after one tick, because the messages it needs are discarded (§4.3)") {
  request_factory factory{small_cluster(4)};
  replica_core core{factory.cluster(), replica_id{3}, factory.keys_of(replica_id{3})};
  const sequence_number high{factory.cluster().watermark_window};
  const auto proof = factory.certificate_of(high, named_digest("state"));
  CHECK(core.on_stable(proof).fetch == nullptr);
  CHECK(core.on_tick().fetch == proof);
}

TEST_CASE("the loss of any single frame between replicas is repaired") {
  // The first run counts the frames without loss. Then the run is repeated once for each frame, without this frame.
  std::size_t frames = 0;
  for (std::size_t lost = 0; lost <= frames; ++lost) {
    core_cluster_options options;
    options.cluster = small_cluster(4, 1);
    core_cluster cluster{options};
    std::size_t seen = 0;
    for (std::uint32_t number = 0; number < 4; ++number) {
      cluster.filter(replica_id{number}, [&seen, lost](principal to, const frame_ptr& frame) {
        const bool drop = to.is_replica() && seen++ == lost;
        return drop ? std::vector<frame_ptr>{} : std::vector{frame};
      });
    }
    for (int number = 0; number < 5; ++number)
      cluster.submit(client_id{0}, "op " + std::to_string(number));
    const bool settled = cluster.settle(2'000);
    INFO(cluster.describe());
    CAPTURE(lost);
    REQUIRE(settled);
    if (frames == 0) frames = seen;
  }
  CHECK(frames > 50);
}
