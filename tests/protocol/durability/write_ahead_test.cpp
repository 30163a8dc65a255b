#include "actors/protocol/durability/write_ahead.hpp"

#include <doctest/doctest.h>

#include "tests/support/message_samples.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

frame_ptr frame(std::uint8_t number) { return std::make_shared<const byte_vector>(1, std::byte{number}); }

storage_record record(record_kind kind, std::uint64_t sequence) {
  return {kind, view_number{0}, sequence_number{sequence}, frame(0)};
}

persist_and_send step(std::vector<storage_record> records, std::vector<frame_ptr> frames,
                      std::vector<std::uint64_t> committed = {}) {
  std::vector<outgoing_message> sends;
  for (auto& each : frames)
    sends.push_back({std::nullopt, std::move(each)});
  std::vector<committed_batch> batches;
  for (const auto each : committed)
    batches.push_back({view_number{0}, sequence_number{each}, {}, nullptr, nullptr});
  persist_and_send made{std::make_shared<const std::vector<storage_record>>(std::move(records)),
                        std::make_shared<const std::vector<outgoing_message>>(std::move(sends))};
  if (!batches.empty()) made.committed = std::make_shared<const std::vector<committed_batch>>(std::move(batches));
  return made;
}

const auto vote = record(record_kind::prepare, 1);
const auto certificate = record(record_kind::committed, 1);

}  // namespace

TEST_CASE("a frame leaves only after the record of its step is durable (attack 9)") {
  write_ahead tested;
  const auto accepted = tested.on_step(step({vote}, {frame(1)}));
  CHECK(accepted.write_became_due);
  CHECK(accepted.executable == nullptr);
  CHECK(tested.start_write().size() == 1);
  const auto released = tested.on_written();
  REQUIRE(released.size() == 1);
  CHECK(*released[0].sends->at(0).frame == *frame(1));
}

TEST_CASE("steps that come during a write are one write, and leave in their order") {
  write_ahead tested;
  CHECK(tested.on_step(step({vote}, {frame(1)})).write_became_due);
  CHECK(tested.start_write().size() == 1);
  CHECK(tested.on_step(step({vote}, {frame(2)})).write_became_due);
  CHECK_FALSE(tested.on_step(step({vote, vote}, {frame(3)})).write_became_due);
  CHECK(tested.on_written().size() == 1);
  CHECK(tested.start_write().size() == 3);
  const auto released = tested.on_written();
  REQUIRE(released.size() == 2);
  CHECK(*released[0].sends->at(0).frame == *frame(2));
  CHECK(*released[1].sends->at(0).frame == *frame(3));
}

TEST_CASE("a frame without a record waits for the records of the steps before it") {
  write_ahead tested;
  CHECK(tested.on_step(step({vote}, {})).write_became_due);
  CHECK_FALSE(tested.on_step(step({}, {frame(1)})).write_became_due);
  CHECK(tested.start_write().size() == 1);
  CHECK(tested.on_written().size() == 2);
}

TEST_CASE("a commit certificate starts no write, and its batch is executed at once when nothing is due") {
  write_ahead tested;
  const auto alone = tested.on_step(step({certificate}, {}, {1}));
  CHECK_FALSE(alone.write_became_due);
  REQUIRE(alone.executable != nullptr);
  CHECK(alone.executable->at(0).sequence == sequence_number{1});
  // The certificate is written together with the next vote, and its batch is executed once.
  CHECK(tested.on_step(step({vote}, {frame(1)})).write_became_due);
  CHECK(tested.start_write().size() == 2);
  const auto released = tested.on_written();
  REQUIRE(released.size() == 2);
  CHECK(released[0].committed == nullptr);
}

TEST_CASE("a batch is not executed before the own COMMIT under its replies is durable") {
  write_ahead tested;
  CHECK(tested.on_step(step({record(record_kind::commit, 1)}, {frame(1)})).write_became_due);
  const auto committed = tested.on_step(step({certificate}, {}, {1}));
  CHECK(committed.executable == nullptr);
  CHECK(tested.start_write().size() == 2);
  const auto released = tested.on_written();
  REQUIRE(released.size() == 2);
  REQUIRE(released[1].committed != nullptr);
  CHECK(released[1].committed->at(0).sequence == sequence_number{1});
}

TEST_CASE("a batch that is committed during a write is executed after the next write") {
  write_ahead tested;
  CHECK(tested.on_step(step({record(record_kind::commit, 1)}, {frame(1)})).write_became_due);
  CHECK(tested.start_write().size() == 1);
  const auto committed = tested.on_step(step({certificate}, {}, {1}));
  CHECK(committed.executable == nullptr);
  CHECK(committed.write_became_due);
  CHECK(tested.on_written().size() == 1);
  CHECK(tested.start_write().size() == 1);
  const auto released = tested.on_written();
  REQUIRE(released.size() == 1);
  CHECK(released[0].committed != nullptr);
}

TEST_CASE("the proof of an earlier checkpoint does not replace that of an installed state (attack 9)") {
  write_ahead tested;
  tested.on_proof_written(sequence_number{256});
  const auto proof_of = [](std::uint64_t sequence) { return record(record_kind::stable_checkpoint, sequence); };
  CHECK(tested.on_step(step({proof_of(128), vote}, {frame(1)})).write_became_due);
  const auto records = tested.start_write();
  REQUIRE(records.size() == 1);
  CHECK(records[0].kind == record_kind::prepare);
  // The proof is not written, but its frames leave.
  CHECK(tested.on_written().size() == 1);
  CHECK(tested.on_step(step({proof_of(256)}, {frame(1)})).write_became_due);
  CHECK(tested.start_write().size() == 1);
}

TEST_CASE("a write that something else waits for is due once") {
  write_ahead tested;
  CHECK(tested.request_write());
  CHECK_FALSE(tested.request_write());
  CHECK_FALSE(tested.on_step(step({vote}, {frame(1)})).write_became_due);
  CHECK(tested.start_write().size() == 1);
  (void)tested.on_written();
  CHECK(tested.request_write());
}

TEST_CASE("a failed write stops all frames and batches") {
  write_ahead tested;
  CHECK(tested.on_step(step({vote}, {frame(1)}, {1})).write_became_due);
  CHECK(tested.start_write().size() == 1);
  tested.on_failed();
  CHECK(tested.has_failed());
  CHECK_FALSE(tested.request_write());
  const auto later = tested.on_step(step({certificate}, {}, {2}));
  CHECK_FALSE(later.write_became_due);
  CHECK(later.executable == nullptr);
  CHECK(tested.start_write().empty());
}
