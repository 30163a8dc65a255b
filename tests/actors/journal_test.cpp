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

/// The journal of replica 1 over a disk that can be looked into.
struct journal_bench : virtual_bench {
  std::shared_ptr<simulated_storage> storage = std::make_shared<simulated_storage>();
  journal_actor tested = connect(system().spawn(journal, identity(), storage));
  frame_ptr vote = frame_of(make().checkpoint_of(replica_id{1}, sequence_number{4}, named_digest("root")));

  journal_bench() : virtual_bench(replica_id{1}) {}

  void persist(std::vector<storage_record> records, std::vector<outgoing_message> sends) {
    give(tested, persist_and_send{std::make_shared<const std::vector<storage_record>>(std::move(records)),
                                  std::make_shared<const std::vector<outgoing_message>>(std::move(sends))});
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

TEST_CASE_FIXTURE(journal_bench, "a failed write sends nothing and reports") {
  storage->fail_writes({"the disk is gone", "replace it"});
  persist({record()}, {{std::nullopt, vote}});
  const auto failed = take_observed<node_failed>();
  REQUIRE(failed.size() == 1);
  CHECK(failed.front().error.what == "the disk is gone");
  CHECK(is_quiet());
}

TEST_CASE_FIXTURE(journal_bench, "after a failed write the node says nothing any more") {
  storage->fail_writes({"the disk is gone", "replace it"});
  persist({record()}, {});
  forget();
  persist({}, {{std::nullopt, vote}});
  persist({record()}, {{replica_id{0}, vote}});
  give(tested, forget_records{sequence_number{4}});
  CHECK(is_quiet());
}

TEST_CASE_FIXTURE(journal_bench, "records below a stable checkpoint are forgotten") {
  auto later = record();
  later.sequence = sequence_number{5};
  persist({record(), later}, {});
  give(tested, forget_records{sequence_number{4}});
  REQUIRE(storage->records().size() == 1);
  CHECK(storage->records().front().sequence == sequence_number{5});
  CHECK(storage->bytes_held() == vote->size());
}
