#include "actors/protocol/durability/recovery.hpp"

#include <doctest/doctest.h>

#include <map>
#include <set>
#include <utility>

#include "actors/protocol/ordering/replica_core.hpp"
#include "messages/codec.hpp"
#include "tests/support/counting_machine.hpp"
#include "tests/support/effect_reader.hpp"
#include "tests/support/message_samples.hpp"
#include "tests/support/request_factory.hpp"
#include "tests/support/simulated_storage.hpp"
#include "tests/support/verified_messages.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

constexpr view_number v0{0};
constexpr sequence_number n1{1};

/// A replica with a disk, which may be killed between any two events.
struct durable_replica {
  request_factory factory{small_cluster(4)};
  replica_id self;
  simulated_storage disk;
  std::unique_ptr<replica_core> core;
  std::vector<outgoing_message> sends;
  std::vector<committed_batch> committed;

  explicit durable_replica(std::uint32_t number) : self{number} { restart(); }

  [[nodiscard]] recovered_node read() {
    auto history = disk.read();
    REQUIRE(history);
    auto past = recover(factory.cluster(), self, *history);
    if (!past) FAIL(past.error().what);
    return std::move(past).value();
  }
  void restart() {
    core = std::make_unique<replica_core>(factory.cluster(), self, factory.keys_of(self));
    core->restore(read().replica);
    carry_out(core->on_start());
  }
  void carry_out(replica_effects effects) {
    if (!effects.records.empty()) REQUIRE(disk.write(effects.records).has_value());
    sends.insert(sends.end(), effects.sends.begin(), effects.sends.end());
    committed.insert(committed.end(), effects.committed.begin(), effects.committed.end());
    for (const auto& each : effects.committed) {
      if (factory.cluster().is_checkpoint(each.sequence)) carry_out(core->on_taken(each.sequence));
    }
  }
  void hear(std::uint32_t from, const message& value) {
    carry_out(testing::hear(*core, factory, principal::of(replica_id{from}), value));
  }
  [[nodiscard]] pre_prepare proposal(std::uint64_t n, std::uint64_t content, view_number view = v0) const {
    return factory.pre_prepare_of(view, sequence_number{n}, factory.batch_number(content));
  }
  void commit_here(std::uint64_t n, view_number view = v0) {
    const auto given = proposal(n, n, view);
    const auto primary = factory.cluster().group().primary_of(view);
    hear(primary.value, given);
    for (std::uint32_t from = 0; from < 4; ++from) {
      if (replica_id{from} != self && replica_id{from} != primary)
        hear(from, factory.prepare_of(replica_id{from}, given));
    }
    for (std::uint32_t from = 0; from < 4; ++from) {
      if (replica_id{from} != self) hear(from, factory.commit_of(replica_id{from}, given));
    }
  }
  template <class Message>
  [[nodiscard]] std::vector<Message> take() {
    auto found = sent<Message>(sends);
    sends.clear();
    return found;
  }
};

}  // namespace

TEST_CASE("a replica that prepared a batch does not prepare another after a restart (attack 9)") {
  durable_replica replica{1};
  replica.hear(0, replica.proposal(1, 1));
  CHECK(replica.take<prepare>().size() == 1);
  replica.restart();
  replica.sends.clear();
  replica.hear(0, replica.proposal(1, 2));
  CHECK(replica.take<prepare>().empty());
}

TEST_CASE("a primary that proposed a sequence does not propose another after a restart") {
  durable_replica primary{0};
  primary.carry_out(primary.core->on_batch(v0, primary.factory.batch_number(1)));
  CHECK(primary.take<pre_prepare>().size() == 1);
  primary.restart();
  primary.carry_out(primary.core->on_batch(v0, primary.factory.batch_number(2)));
  const auto proposals = primary.take<pre_prepare>();
  REQUIRE(proposals.size() == 1);
  CHECK(proposals[0].header.content.sequence == sequence_number{2});
}

TEST_CASE("committed batches are executed again from the disk alone, to the same state") {
  durable_replica replica{1};
  for (std::uint64_t n = 1; n <= 6; ++n)
    replica.commit_here(n);
  REQUIRE(replica.committed.size() == 6);
  replicated_state before{std::make_unique<counting_machine>(), cluster_parameters{}};
  for (const auto& each : replica.committed)
    (void)before.execute(each.sequence, *each.body);
  const auto past = replica.read();
  CHECK(past.replica.last_executed == sequence_number{6});
  replicated_state after{std::make_unique<counting_machine>(), cluster_parameters{}};
  const auto history = replica.disk.read().value();
  const auto taken = replay(replica.factory.cluster(), history, past, after);
  REQUIRE(taken);
  CHECK(taken->size() == 1);
  CHECK(after.root() == before.root());
  replica.restart();
  CHECK(replica.core->last_executed() == sequence_number{6});
}

TEST_CASE("h does not move to a state of the restart before it was compared with its certificate (attack 27)") {
  durable_replica replica{1};
  for (std::uint64_t n = 1; n <= 6; ++n)
    replica.commit_here(n);
  replica.restart();
  const auto low = [&] { return replica.core->marks().low(); };
  replica.carry_out(replica.core->on_stable(replica.factory.certificate_of(sequence_number{4}, named_digest("state"))));
  CHECK(low() == sequence_number{0});
  // The checkpointer has found that this replica's root after 4 is equal, and the state is on its way to the disk.
  replica.carry_out(replica.core->on_taken(sequence_number{4}));
  CHECK(low() == sequence_number{4});
}

TEST_CASE("a stored state replaces the execution before it, and the rest is executed after it") {
  durable_replica replica{1};
  replicated_state state{std::make_unique<counting_machine>(), cluster_parameters{}};
  for (std::uint64_t n = 1; n <= 4; ++n) {
    replica.commit_here(n);
    (void)state.execute(sequence_number{n}, *replica.factory.batch_number(n));
  }
  const auto snapshot = state.snapshot();
  const auto proof = replica.factory.certificate_of(sequence_number{4}, state_root(snapshot));
  replica.carry_out(replica.core->on_stable(proof));
  std::vector<digest> leaves;
  for (const auto& chunk : snapshot)
    leaves.push_back(chunk.leaf);
  REQUIRE(replica.disk.store_chunks(snapshot).has_value());
  REQUIRE(replica.disk.keep_state(sequence_number{4}, leaves).has_value());
  REQUIRE(replica.disk.forget_through(sequence_number{4}).has_value());
  replica.commit_here(5);
  (void)state.execute(sequence_number{5}, *replica.factory.batch_number(5));
  replica.restart();
  CHECK(replica.core->last_executed() == sequence_number{5});
  CHECK(replica.core->marks().low() == sequence_number{4});
  const auto past = replica.read();
  replicated_state after{std::make_unique<counting_machine>(), cluster_parameters{}};
  const auto history = replica.disk.read().value();
  REQUIRE(replay(replica.factory.cluster(), history, past, after).has_value());
  CHECK(after.root() == state.root());
  SUBCASE("a state other than the certified one is noticed") {
    simulated_storage other;
    counting_machine wrong;
    replicated_state forged{std::make_unique<counting_machine>(), cluster_parameters{}};
    for (std::uint64_t n = 1; n <= 4; ++n)
      (void)forged.execute(sequence_number{n}, *replica.factory.batch_number(n + 100));
    auto changed = history;
    changed.state->snapshot = forged.snapshot();
    replicated_state third{std::make_unique<counting_machine>(), cluster_parameters{}};
    CHECK(!replay(replica.factory.cluster(), changed, past, third));
  }
}

TEST_CASE("a restart during a view change stays in the requested view, with the same VIEW-CHANGE (attack 21)") {
  durable_replica replica{2};
  replica.commit_here(1);
  replica.carry_out(replica.core->on_change_view(view_number{1}));
  const auto before = replica.take<view_change>();
  REQUIRE(before.size() == 1);
  replica.restart();
  CHECK(replica.core->view() == view_number{1});
  CHECK_FALSE(replica.core->is_active());
  replica.hear(0, replica.proposal(2, 2));
  CHECK(replica.take<prepare>().empty());
  replica.carry_out(replica.core->on_change_view(view_number{2}));
  const auto after = replica.take<view_change>();
  REQUIRE(after.size() == 1);
  REQUIRE(after[0].prepared.size() == 1);
  CHECK(after[0].prepared[0].pre_prepare.content == before[0].prepared[0].pre_prepare.content);
}

TEST_CASE("a restart in a later view returns to it, with the votes for the reproposals of its NEW-VIEW") {
  durable_replica replica{2};
  replica.hear(0, replica.proposal(1, 1));
  std::vector<view_change> changes;
  const auto prepared = replica.factory.prepared_of(v0, n1, digest_of_batch(*replica.factory.batch_number(1)));
  for (const std::uint32_t from : {0U, 1U, 3U}) {
    changes.push_back(replica.factory.view_change_of(replica_id{from}, view_number{1}, nullptr, {prepared}));
  }
  (void)replica.take<prepare>();
  replica.hear(1, replica.factory.new_view_of(view_number{1}, changes));
  CHECK(replica.take<prepare>().size() == 1);
  replica.restart();
  CHECK(replica.core->view() == view_number{1});
  CHECK(replica.core->is_active());
  replica.sends.clear();
  const auto again = replica.proposal(1, 1, view_number{1});
  replica.hear(3, replica.factory.prepare_of(replica_id{3}, again));
  CHECK(replica.take<commit>().size() == 1);
}

TEST_CASE("a disk without the state that its stable checkpoint names is refused") {
  durable_replica replica{1};
  const auto proof = replica.factory.certificate_of(sequence_number{4}, named_digest("state"));
  const auto frame = encode(checkpoint_proof{*proof});
  const std::vector<storage_record> records = {{record_kind::stable_checkpoint, v0, sequence_number{4}, frame}};
  REQUIRE(replica.disk.write(records).has_value());
  const auto history = replica.disk.read().value();
  const auto past = recover(replica.factory.cluster(), replica.self, history);
  REQUIRE(!past);
  CHECK(past.error().what.find("sequence 4 is stable") != std::string::npos);
  CHECK(past.error().remedy.find("--learner") != std::string::npos);
}

TEST_CASE("a record of another replica or without a valid content is refused") {
  durable_replica replica{1};
  const auto foreign = replica.factory.prepare_of(replica_id{2}, replica.proposal(1, 1));
  const auto of = [&](record_kind kind, frame_ptr bytes) {
    const stored_history history{std::nullopt, {{kind, v0, n1, std::move(bytes)}}};
    return !recover(replica.factory.cluster(), replica.self, history);
  };
  CHECK(of(record_kind::prepare, encode_vote(message_kind::prepare, foreign.vote)));
  CHECK(of(record_kind::commit, encode_vote(message_kind::prepare, foreign.vote)));
  CHECK(of(record_kind::prepared, encode_statements(std::vector{foreign.vote})));
  CHECK(of(record_kind::committed, std::make_shared<const byte_vector>(7)));
  CHECK(of(record_kind::new_view, std::make_shared<const byte_vector>()));
}

TEST_CASE("a replica that is killed at any moment under an equivocating primary never contradicts itself") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    sample_source random{seed};
    durable_replica replica{1 + static_cast<std::uint32_t>(seed % 3)};
    std::map<std::tuple<message_kind, view_number, sequence_number>, digest> said;
    const auto note = [&](message_kind kind, const statement& content) {
      if (content.replica != replica.self) return;
      const auto [place, added] = said.emplace(std::tuple{kind, content.view, content.sequence}, content.value);
      CHECK(place->second == content.value);
    };
    view_number view = v0;
    for (int event = 0; event < 60; ++event) {
      const auto given = replica.proposal(1 + random.below(6), 1 + random.below(3), view);
      const auto from = static_cast<std::uint32_t>(random.below(4));
      const auto primary = replica.factory.cluster().group().primary_of(view);
      switch (random.below(6)) {
        case 0:
          replica.restart();
          break;
        case 1:
        case 2:
          if (primary != replica.self) replica.hear(primary.value, given);
          break;
        case 3:
          if (replica_id{from} != primary && replica_id{from} != replica.self)
            replica.hear(from, replica.factory.prepare_of(replica_id{from}, given));
          break;
        case 4:
          if (replica_id{from} != replica.self) replica.hear(from, replica.factory.commit_of(replica_id{from}, given));
          break;
        default:
          if (random.below(8) != 0) break;
          view = view.next();
          replica.carry_out(replica.core->on_change_view(view));
          std::vector<view_change> changes;
          for (std::uint32_t other = 0; other < 4; ++other) {
            if (replica_id{other} == replica.self) continue;
            changes.push_back(replica.factory.view_change_of(replica_id{other}, view, nullptr, {}));
          }
          const auto opened = replica.factory.new_view_of(view, changes);
          if (opened.replica != replica.self) replica.hear(opened.replica.value, opened);
          break;
      }
      for (const auto& each : std::exchange(replica.sends, {})) {
        const auto value = read_frame(each.frame);
        if (const auto* it = std::get_if<pre_prepare>(&value)) note(message_kind::pre_prepare, it->header.content);
        if (const auto* it = std::get_if<prepare>(&value)) note(message_kind::prepare, it->vote.content);
        if (const auto* it = std::get_if<commit>(&value)) note(message_kind::commit, it->vote.content);
        if (const auto* it = std::get_if<view_change>(&value)) {
          note(message_kind::view_change,
               statement{it->new_view, {}, digest_of("change", it->raw.view), it->replica, {}});
        }
      }
    }
  }
}

TEST_CASE("a committed null request survives a restart (attack 16)") {
  durable_replica replica{2};
  const auto& make = replica.factory;
  std::vector<view_change> changes;
  const auto two = make.prepared_of(v0, sequence_number{2}, digest_of_batch(*make.batch_number(2)));
  for (const std::uint32_t from : {0U, 1U, 3U})
    changes.push_back(make.view_change_of(replica_id{from}, view_number{1}, nullptr, {two}));
  replica.hear(1, make.new_view_of(view_number{1}, changes));
  const auto vote = [&](message_kind kind, std::uint32_t from) {
    return make.signed_as(kind, make.content_of(replica_id{from}, view_number{1}, n1, null_request_digest()));
  };
  replica.hear(3, prepare{vote(message_kind::prepare, 3)});
  for (const std::uint32_t from : {0U, 1U})
    replica.hear(from, commit{vote(message_kind::commit, from)});
  REQUIRE(replica.committed.size() == 1);
  replica.restart();
  CHECK(replica.core->last_executed() == n1);
}

TEST_CASE("a certificate that names this replica proves that it prepared (attack 9)") {
  durable_replica replica{1};
  const auto given = replica.proposal(1, 1);
  replica.hear(0, given);
  for (const std::uint32_t other : {2U, 3U})
    replica.hear(other, replica.factory.prepare_of(replica_id{other}, given));
  // The disk has the certificate but not the vote.
  simulated_storage rest;
  for (const auto& each : replica.disk.records()) {
    if (each.kind == record_kind::prepared) REQUIRE(rest.write({{each}}).has_value());
  }
  REQUIRE(rest.records_held() == 1);
  replica.disk = rest;
  replica.restart();
  replica.sends.clear();
  replica.hear(0, replica.proposal(1, 2));
  CHECK(replica.take<prepare>().empty());
}

TEST_CASE("the checkpoint of the NEW-VIEW is learned again after a restart") {
  durable_replica replica{2};
  const auto& make = replica.factory;
  const auto stable = make.certificate_of(sequence_number{8}, named_digest("state"));
  std::vector<view_change> changes;
  for (const std::uint32_t from : {0U, 1U, 3U})
    changes.push_back(make.view_change_of(replica_id{from}, view_number{1}, stable, {}));
  replica.hear(1, make.new_view_of(view_number{1}, changes));
  replica_core again{make.cluster(), replica.self, make.keys_of(replica.self)};
  again.restore(replica.read().replica);
  const auto learned = again.on_start().learned;
  REQUIRE(learned != nullptr);
  CHECK(learned->sequence() == sequence_number{8});
}

TEST_CASE("a restarted replica knows what it had prepared, also in a view that it has left (attack 35)") {
  durable_replica replica{1};
  const auto given = replica.proposal(3, 3);
  replica.hear(0, given);
  replica.hear(2, replica.factory.prepare_of(replica_id{2}, given));
  REQUIRE(replica.take<commit>().size() == 1);
  const auto known_after_restart = [&] {
    replica_core again{replica.factory.cluster(), replica.self, replica.factory.keys_of(replica.self)};
    again.restore(replica.read().replica);
    return again.on_start().prepared_through;
  };
  CHECK(known_after_restart() == sequence_number{3});
  replica.carry_out(replica.core->on_change_view(view_number{1}));
  CHECK(known_after_restart() == sequence_number{3});
}

TEST_CASE("a stored proposal without this replica's vote gets the vote after the restart") {
  durable_replica replica{1};
  replica.hear(0, replica.proposal(1, 1));
  simulated_storage torn;
  REQUIRE(torn.write({{replica.disk.records().front()}}).has_value());
  replica.disk = torn;
  replica.sends.clear();
  replica.restart();
  const auto votes = replica.take<prepare>();
  REQUIRE(votes.size() == 1);
  CHECK(votes[0].vote.content.value == replica.proposal(1, 1).header.content.value);
  // The vote is sent only once.
  replica.restart();
  CHECK(replica.take<prepare>().empty());
}
