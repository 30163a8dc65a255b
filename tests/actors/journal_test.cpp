#include "actors/journal.hpp"

#include <doctest/doctest.h>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "messages/codec.hpp"
#include "tests/support/message_samples.hpp"
#include "tests/support/simulated_storage.hpp"
#include "tests/support/virtual_bench.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

/// The journal of replica 1 over a disk that the test can inspect.
struct journal_bench : virtual_bench {
  std::shared_ptr<simulated_storage> storage = std::make_shared<simulated_storage>();
  journal_actor tested = connect(system().spawn(journal, identity(), storage, 0, kept_before{}));
  frame_ptr vote = frame_of(make().checkpoint_of(replica_id{1}, sequence_number{4}, named_digest("root")));

  journal_bench() : virtual_bench(replica_id{1}) {}

  void persist(std::vector<storage_record> records, std::vector<outgoing_message> sends) {
    give(tested, persist_and_send{std::make_shared<const std::vector<storage_record>>(std::move(records)),
                                  std::make_shared<const std::vector<outgoing_message>>(std::move(sends))});
  }
  static std::shared_ptr<const state_snapshot> state_of_four() {
    auto chunks = std::make_shared<state_snapshot>();
    for (const std::byte each : {std::byte{1}, std::byte{2}}) {
      const auto bytes = std::make_shared<const byte_vector>(600 * 1024, each);
      chunks->push_back({bytes, state_chunk_digest(*bytes)});
    }
    return chunks;
  }
  storage_record record() const { return {record_kind::checkpoint, view_number{0}, sequence_number{4}, vote}; }
};

}  // namespace

TEST_CASE_FIXTURE(journal_bench, "records are durable before frames leave") {
  std::vector<std::uint64_t> writes_seen;
  on_probe([&](const std::string&) { writes_seen.push_back(storage->writes()); });
  persist({record()}, {{std::nullopt, vote}});
  CHECK(writes_seen == std::vector<std::uint64_t>(3, 1));
  CHECK(storage->holds(record_kind::checkpoint, sequence_number{4}, *vote));
}

TEST_CASE_FIXTURE(journal_bench, "a broadcast goes to every other replica and a message to one") {
  persist({}, {{std::nullopt, vote}, {replica_id{3}, vote}});
  CHECK(order() == std::vector<std::string>{"peer-0", "peer-2", "peer-3", "peer-3"});
}

TEST_CASE_FIXTURE(journal_bench, "a failed write sends nothing and is reported") {
  storage->fail_writes({"the disk is gone", "replace it"});
  persist({record()}, {{std::nullopt, vote}});
  const auto failed = take_observed<node_failed>();
  REQUIRE(failed.size() == 1);
  CHECK(failed.front().error.what == "the disk is gone");
  CHECK(is_quiet());
}

TEST_CASE_FIXTURE(journal_bench, "a node sends nothing after a failed write") {
  storage->fail_writes({"the disk is gone", "replace it"});
  persist({record()}, {});
  forget();
  persist({}, {{std::nullopt, vote}});
  persist({record()}, {{replica_id{0}, vote}});
  give(tested, forget_records{sequence_number{4}});
  CHECK(is_quiet());
}

TEST_CASE_FIXTURE(journal_bench,
                  "frames that come while a write is due are written with it, and leave in their order") {
  const auto group = [&](frame_ptr frame) {
    return persist_and_send{std::make_shared<const std::vector<storage_record>>(std::vector{record()}),
                            std::make_shared<const std::vector<outgoing_message>>(
                                std::vector<outgoing_message>{{replica_id{2}, std::move(frame)}})};
  };
  caf::anon_send(tested, group(vote));
  caf::anon_send(tested, group(vote));
  give(tested, group(vote));
  CHECK(storage->writes() == 1);
  CHECK(storage->records_held() == 3);
  CHECK(order() == std::vector<std::string>(3, "peer-2"));
}

TEST_CASE_FIXTURE(journal_bench, "commit certificates wait for the next vote") {
  auto committed = record();
  committed.kind = record_kind::committed;
  persist({committed}, {});
  CHECK(storage->writes() == 0);
  persist({record()}, {{std::nullopt, vote}});
  CHECK(storage->writes() == 1);
  REQUIRE(storage->records_held() == 2);
  CHECK(storage->records().front().kind == record_kind::committed);
}

TEST_CASE_FIXTURE(journal_bench, "a batch is executed and answered once the own COMMIT for it is durable (attack 9)") {
  const auto batches = [](std::uint64_t sequence) {
    committed_batch batch;
    batch.sequence = sequence_number{sequence};
    batch.body = std::make_shared<const messages::batch>();
    return std::make_shared<const std::vector<committed_batch>>(std::vector{batch});
  };
  const auto none = std::make_shared<const std::vector<outgoing_message>>();
  auto certificate = record();
  certificate.kind = record_kind::committed;
  const auto certificates =
      std::make_shared<const std::vector<storage_record>>(std::vector<storage_record>{certificate});
  std::vector<std::uint64_t> writes_seen;
  on_probe([&](const std::string& name) {
    if (name == "executor") writes_seen.push_back(storage->writes());
  });
  // When the others have committed, this replica's COMMIT is still waiting for the disk.
  caf::anon_send(tested, persist_and_send{std::make_shared<const std::vector<storage_record>>(std::vector{record()}),
                                          none, nullptr});
  give(tested, persist_and_send{certificates, none, batches(1)});
  CHECK(writes_seen == std::vector<std::uint64_t>{1});
  // No vote is waiting, so the certificate alone delays nothing.
  give(tested, persist_and_send{certificates, none, batches(2)});
  CHECK(writes_seen == std::vector<std::uint64_t>{1, 1});
  const auto handed = take<batch_committed>("executor");
  REQUIRE(handed.size() == 2);
  CHECK(handed[1].content.sequence == sequence_number{2});
  persist({record()}, {});
  CHECK(take<batch_committed>("executor").empty());
}

TEST_CASE_FIXTURE(journal_bench, "nothing is executed after a failed write") {
  storage->fail_writes({"the disk is gone", "replace it"});
  persist({record()}, {});
  forget();
  committed_batch batch;
  batch.sequence = sequence_number{1};
  give(tested, persist_and_send{std::make_shared<const std::vector<storage_record>>(),
                                std::make_shared<const std::vector<outgoing_message>>(),
                                std::make_shared<const std::vector<committed_batch>>(std::vector{batch})});
  CHECK(is_quiet());
}

TEST_CASE_FIXTURE(journal_bench, "a transferred state is on disk before the other actors learn of it") {
  const auto snapshot = state_of_four();
  const state_installed installed{sequence_number{4}, std::make_shared<const sessions_by_client>(),
                                  make().certificate_of(sequence_number{4}, state_root(*snapshot))};
  bool was_kept = false;
  on_probe([&](const std::string& name) {
    if (name == "replica") was_kept = storage->read().value().state.has_value();
  });
  give(tested, state_to_keep{installed, snapshot});
  CHECK(was_kept);
  CHECK(take<state_installed>("replica").size() == 1);
  // A state that is already on the disk is reported at once.
  give(tested, state_to_keep{installed, snapshot});
  CHECK(take<state_installed>("replica").size() == 1);
}

TEST_CASE_FIXTURE(journal_bench,
                  "the proof of a transferred state is durable before the older votes are deleted (attack 9)") {
  const auto snapshot = state_of_four();
  const auto proof = make().certificate_of(sequence_number{4}, state_root(*snapshot));
  const state_installed installed{sequence_number{4}, std::make_shared<const sessions_by_client>(), proof};
  auto promise = record();
  promise.kind = record_kind::prepare;
  promise.sequence = sequence_number{3};
  persist({promise}, {});
  // The node crashes while it writes the proof.
  storage->on_write([this](std::size_t count) {
    const bool is_kept = storage->read().value().state.has_value();
    return is_kept ? 0 : count;
  });
  give(tested, state_to_keep{installed, snapshot});
  CHECK(storage->read().value().state.has_value());
  CHECK(storage->holds(record_kind::prepare, sequence_number{3}, *vote));
  CHECK(take<state_installed>("replica").empty());
}

TEST_CASE_FIXTURE(journal_bench,
                  "the proof of a transferred state is not replaced by the proof of an earlier checkpoint (attack 9)") {
  const auto snapshot = state_of_four();
  const auto proof = make().certificate_of(sequence_number{4}, state_root(*snapshot));
  give(tested, state_to_keep{{sequence_number{4}, std::make_shared<const sessions_by_client>(), proof}, snapshot});
  auto earlier = record();
  earlier.kind = record_kind::stable_checkpoint;
  earlier.sequence = sequence_number{3};
  persist({earlier}, {{std::nullopt, vote}});
  CHECK_FALSE(storage->holds(record_kind::stable_checkpoint, sequence_number{3}, *vote));
  auto later = earlier;
  later.sequence = sequence_number{8};
  persist({later}, {{std::nullopt, vote}});
  CHECK(storage->holds(record_kind::stable_checkpoint, sequence_number{8}, *vote));
}

TEST_CASE_FIXTURE(journal_bench, "records below a stable state are deleted once the disk holds the state") {
  auto later = record();
  later.sequence = sequence_number{5};
  auto large = record();
  // The record is large enough for a state of several pieces.
  large.bytes = std::make_shared<const byte_vector>(600 * 1024);
  persist({large, later}, {});
  give(tested, forget_records{sequence_number{4}});
  CHECK(storage->records().size() == 2);
  const auto snapshot = state_of_four();
  give(tested, taken_at(sequence_number{4}, snapshot));
  CHECK(take_observed<state_was_kept>().size() == 1);
  REQUIRE(storage->records().size() == 1);
  CHECK(storage->records().front().sequence == sequence_number{5});
  const auto kept = storage->read().value().state;
  REQUIRE(kept);
  CHECK(kept->sequence == sequence_number{4});
  CHECK(state_root(kept->snapshot) == state_root(*snapshot));
}
