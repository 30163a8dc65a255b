#include <doctest/doctest.h>

#include "tests/runtime/audit_test_trail.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;
using namespace hypermesh::testing::audit_test;

namespace {

/// A new trail over a disk that fills up.
struct filling_bench : trail_bench {
  filling_sink* disk = nullptr;
  std::unique_ptr<audit_trail> trail;

  explicit filling_bench(trail_settings settings = {}) {
    // The trail is begun in the usual way, and then opened again with the sink.
    open().reset();
    auto files = audit_files::open(folder).value();
    expect_done(files->resume(1));
    trail_place place;
    place.at = chain_start(owner());
    place.head.turn = 1;
    place.head.sealed = place.at;
    place.segments[1] = segment_header_bytes;
    auto sink = std::make_unique<filling_sink>(std::move(files));
    disk = sink.get();
    trail = std::make_unique<audit_trail>(owner(), keys(), std::move(sink), settings, place);
    expect_done(trail->begin_run());
  }

  bool try_write(const std::vector<audit_event>& events) {
    for (const auto& each : events)
      trail->add(++now, each);
    return trail->flush(++now).has_value();
  }
  /// The losses that the trail records, in order.
  std::vector<entries_were_lost> losses() {
    std::vector<entries_were_lost> all;
    const auto walked = walk_trail(
        folder, {[](const segment_header&, byte_span) { return or_reason<void>{}; },
                 [&](const trail_spot&, const audit_entry&, const audit_event& event, const chain_position&) {
                   if (const auto* it = std::get_if<entries_were_lost>(&event)) all.push_back(*it);
                   return or_reason<void>{};
                 }});
    CHECK_FALSE(walked->bad);
    return all;
  }
};

struct small_segments_bench : filling_bench {
  small_segments_bench() : filling_bench(trail_settings{2'048, 1'000'000}) {}
};

}  // namespace

TEST_CASE_FIXTURE(trail_bench, "a trail continues over restarts, one chain for all runs") {
  for (int run = 0; run < 3; ++run) {
    auto trail = open();
    write(*trail, {run_started{view_number{0}, sequence_number{0}}, committed(5)});
    seal(*trail, 4, run < 2);
  }
  const auto verdict = verify();
  CHECK_MESSAGE(verdict.is_sound(), objection());
  CHECK(verdict.walk.end.next_index == 9);
  CHECK(verdict.seals.size() == 3);
  CHECK(verdict.entries_by_kind.at(audit_kind::started) == 3);
}

TEST_CASE_FIXTURE(trail_bench, "segments have a bounded size, each ends with a seal, and the oldest are deleted") {
  trail_settings settings;
  settings.segment_bytes = 4'096;
  settings.retained_bytes = 3 * 4'096;
  auto trail = open(settings);
  for (std::uint64_t sequence = 1; sequence <= 100; ++sequence) {
    write(*trail, {committed(sequence)});
    CHECK(trail->progress().bytes <= settings.retained_bytes + settings.segment_bytes);
  }
  const auto numbers = list_segments(folder).value();
  CHECK(numbers.front() > 1);
  CHECK(numbers.size() <= 4);
  for (const auto number : numbers)
    CHECK(fs::file_size(segment(number)) <= settings.segment_bytes + 200);
  const auto verdict = verify();
  CHECK_MESSAGE(verdict.is_sound(), objection());
  CHECK(verdict.walk.first->segment == numbers.front());
  CHECK(verdict.walk.first->start.next_index > 0);
  CHECK(verdict.walk.end.next_index == trail->progress().entries);
  // The remaining trail is sound by itself, but a front that was removed beyond retention is detected.
  trail.reset();
  fs::remove(segment(numbers.front()));
  CHECK(contains(objection(), "the segment is missing: according to the head, the trail begins with segment"));
  CHECK(contains(refusal(), "the segment is missing"));
}

TEST_CASE_FIXTURE(trail_bench, "a segment accepts an entry that is longer than a segment") {
  trail_settings settings;
  settings.segment_bytes = 1'024;
  auto trail = open(settings);
  const guard_noted large{audit_kind::conviction,          principal::of(replica_id{2}), {}, {}, "",
                          byte_vector(5'000, std::byte{7})};
  write(*trail, {committed(1), large, committed(2), large});
  seal(*trail);
  const auto verdict = verify();
  CHECK_MESSAGE(verdict.is_sound(), objection());
  CHECK(verdict.entries_by_kind.at(audit_kind::conviction) == 2);
  CHECK(verdict.walk.last_segment >= 4);
}

TEST_CASE_FIXTURE(filling_bench, "a full disk loses entries, which the trail records once there is room again") {
  REQUIRE(try_write({committed(1), committed(2)}));
  disk->room = 150;
  const auto first_lost = now + 1;
  CHECK_FALSE(try_write({committed(3), committed(4)}));
  CHECK_FALSE(try_write({committed(5)}));
  CHECK(trail->progress().lost == 3);
  disk->room = 1'000'000;
  REQUIRE(try_write({committed(6)}));
  seal(*trail);
  CHECK_MESSAGE(verify().is_sound(), objection());
  const auto told = losses();
  REQUIRE(told.size() == 1);
  CHECK(told[0].reason == loss_reason::write_failed);
  CHECK(told[0].entries == 3);
  CHECK(told[0].since_us == first_lost);
  // The indexes have no gap: the entry about the loss is between the existing entries.
  CHECK(trail->progress().entries == 5);
  REQUIRE(try_write({committed(7)}));
  CHECK(losses().size() == 1);
}

TEST_CASE_FIXTURE(filling_bench, "a disk that cannot remove a partial write is not written to before it can") {
  disk->room = 100;
  CHECK_FALSE(try_write({committed(1)}));
  disk->room = 1'000'000;
  disk->refuses_cuts = true;
  CHECK_FALSE(try_write({committed(2)}));
  disk->refuses_cuts = false;
  REQUIRE(try_write({committed(3)}));
  seal(*trail);
  CHECK_MESSAGE(verify().is_sound(), objection());
  REQUIRE(losses().size() == 1);
  CHECK(losses()[0].entries == 2);
}

TEST_CASE_FIXTURE(filling_bench,
                  "entries that are dropped for lack of memory are counted beside those that the disk refused") {
  trail->note_lost(loss_reason::overload, 12, now);
  trail->note_lost(loss_reason::overload, 30, now + 5);
  disk->room = 0;
  CHECK_FALSE(try_write({committed(1)}));
  disk->room = 1'000'000;
  REQUIRE(try_write({}));
  const auto told = losses();
  REQUIRE(told.size() == 2);
  CHECK(told[0].reason == loss_reason::overload);
  CHECK(told[0].entries == 42);
  CHECK(told[0].since_us < told[1].since_us);
  CHECK(told[1].entries == 1);
  CHECK(trail->progress().lost == 43);
}

TEST_CASE_FIXTURE(small_segments_bench, "a disk that fills up between two segments leaves a trail that continues") {
  std::uint64_t written = 0;
  for (std::uint64_t room = 0; room < 4'000; room += 37) {
    disk->room = room;
    std::uint64_t sequence = 1;
    while (try_write({committed(sequence)}))
      ++sequence;
    disk->room = 1'000'000;
    REQUIRE(try_write({committed(50)}));
    written = trail->progress().entries;
  }
  seal(*trail);
  const auto verdict = verify(statement_checks::none);
  CHECK_MESSAGE(verdict.is_sound(), objection());
  CHECK(verdict.walk.end.next_index == written + 1);
  CHECK(verdict.entries_lost == trail->progress().lost);
  CHECK(verdict.walk.last_segment > 10);
}

TEST_CASE_FIXTURE(filling_bench, "only a seal waits for the disk") {
  REQUIRE(try_write({committed(1), committed(2)}));
  CHECK(disk->syncs == 0);
  seal(*trail);
  CHECK(disk->syncs == 1);
  CHECK(trail->progress().sealed == 3);
}
