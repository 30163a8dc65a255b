#include <doctest/doctest.h>

#include "tests/runtime/audit_test_trail.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;
using namespace hypermesh::testing::audit_test;

namespace {

/// A trail whose run was killed. It is sealed once, and three entries follow the seal.
struct killed_bench : trail_bench {
  std::string clean;
  std::vector<std::size_t> offsets;
  std::size_t sealed_end = 0;

  killed_bench() {
    auto trail = open();
    write(*trail, {committed(1), committed(2)});
    seal(*trail);
    write(*trail, {committed(3), committed(4), committed(5)});
    trail.reset();
    clean = content_of(segment());
    offsets = record_offsets(clean);
    sealed_end = offsets[3];
  }
};

}  // namespace

TEST_CASE_FIXTURE(killed_bench,
                  "a tail that is torn at any byte is cut to the last whole entry, and the trail records it") {
  for (auto size = sealed_end; size < clean.size(); ++size) {
    replace_content(segment(), clean.substr(0, size));
    const auto head = content_of(folder.head_file());
    const auto whole = *std::prev(std::ranges::upper_bound(offsets, size));
    CAPTURE(size);
    {
      const auto before = verify(statement_checks::none);
      CHECK(before.is_sound() == (whole == size));
      auto trail = open();
      expect_done(trail->flush(++now));
    }
    const auto after = verify(statement_checks::none);
    REQUIRE_MESSAGE(after.is_sound(), objection());
    CHECK(after.entries_by_kind.contains(audit_kind::tail_cut) == (whole != size));
    CHECK(content_of(segment()).substr(0, whole) == clean.substr(0, whole));
    replace_content(folder.head_file(), head);
  }
}

TEST_CASE_FIXTURE(killed_bench, "a torn tail is reported with its place") {
  replace_content(segment(), clean.substr(0, offsets[4] + 9));
  write(*open(), {});
  std::vector<tail_was_cut> told;
  const auto walked =
      walk_trail(folder, {[](const segment_header&, byte_span) { return or_reason<void>{}; },
                          [&](const trail_spot&, const audit_entry&, const audit_event& event, const chain_position&) {
                            if (const auto* it = std::get_if<tail_was_cut>(&event)) told.push_back(*it);
                            return or_reason<void>{};
                          }});
  REQUIRE_FALSE(walked->bad);
  REQUIRE(told.size() == 1);
  CHECK(told[0].segment == 1);
  CHECK(told[0].offset == offsets[4]);
  CHECK(told[0].bytes == 9);
  CHECK_FALSE(told[0].head_was_damaged);
}

TEST_CASE_FIXTURE(killed_bench, "a tail of zeros, as after a power failure, is cut") {
  replace_content(segment(), clean + std::string(3'000, '\0'));
  write(*open(), {committed(6)});
  CHECK_MESSAGE(verify().is_sound(), objection());
}

TEST_CASE_FIXTURE(killed_bench, "a record that a power failure left partly zero is cut, wherever the zeros begin") {
  const auto last = *std::prev(offsets.end(), 2);
  REQUIRE(last >= sealed_end);
  const auto head = content_of(folder.head_file());
  for (auto from = last; from + 8 <= clean.size(); ++from) {
    CAPTURE(from);
    replace_content(folder.head_file(), head);
    auto torn = clean;
    std::fill(torn.begin() + static_cast<std::ptrdiff_t>(from), torn.end(), '\0');
    replace_content(segment(), torn);
    write(*open(), {committed(6)});
    REQUIRE_MESSAGE(verify().is_sound(), objection());
  }
}

TEST_CASE_FIXTURE(killed_bench, "an edit in the newest segment is refused, whatever follows it") {
  for (std::size_t at = 0; at < clean.size(); ++at) {
    auto edited = clean;
    edited[at] = static_cast<char>(edited[at] ^ 0x04);
    replace_content(segment(), edited);
    CAPTURE(at);
    const auto why = refusal();
    REQUIRE(contains(why, "was changed after this node wrote it"));
    REQUIRE(contains(why, "000001.log"));
    CHECK(content_of(segment()) == edited);
  }
}

TEST_CASE_FIXTURE(killed_bench, "a trail that ends before its last seal is refused") {
  for (const auto size : {offsets[1], offsets[2], offsets[2] + 5, sealed_end - 1}) {
    replace_content(segment(), clean.substr(0, size));
    CHECK(contains(refusal(), "entries were sealed"));
  }
  // First the whole segment is missing, then the head.
  fs::remove(segment());
  CHECK(contains(refusal(), "the segment is missing"));
  replace_content(segment(), clean);
  fs::remove(folder.head_file());
  CHECK(contains(refusal(), "the file is missing"));
}

TEST_CASE_FIXTURE(killed_bench, "a head with one damaged part is repaired, and one without a genuine part is refused") {
  const auto head = content_of(folder.head_file());
  for (const std::size_t sector : {0U, 1U}) {
    auto edited = head;
    edited[sector * head_sector_bytes + 20] ^= 1;
    replace_content(folder.head_file(), edited);
    replace_content(segment(), clean);
    CHECK(contains(objection(), "one of the two parts of the head"));
    {
      auto trail = open();
      write(*trail, {});
      seal(*trail);
    }
    const auto verdict = verify();
    CHECK_MESSAGE(verdict.is_sound(), objection());
    CHECK(verdict.entries_by_kind.at(audit_kind::tail_cut) == 1);
  }
  auto ruined = head;
  ruined[20] ^= 1;
  ruined[head_sector_bytes + 20] ^= 1;
  replace_content(folder.head_file(), ruined);
  CHECK(contains(refusal(), "neither part of the head is signed by this replica"));
}

TEST_CASE_FIXTURE(trail_bench, "an interrupted creation is completed at the next start") {
  open().reset();
  fs::remove(folder.head_file());
  write(*open(), {committed(1)});
  CHECK_MESSAGE(verify().is_sound(), objection());
}

TEST_CASE_FIXTURE(trail_bench, "an interrupted retention is completed at the next start") {
  trail_settings settings{4'096, 3 * 4'096};
  auto trail = open(settings);
  std::string first;
  for (std::uint64_t sequence = 1; sequence <= 60; ++sequence) {
    write(*trail, {committed(sequence)});
    if (first.empty() && fs::exists(segment(2))) first = content_of(segment(1));
  }
  trail.reset();
  REQUIRE_FALSE(fs::exists(segment(1)));
  const auto oldest = list_segments(folder).value().front();
  REQUIRE(oldest > 1);
  replace_content(segment(1), first);
  open(settings).reset();
  CHECK(list_segments(folder).value().front() == oldest);
  CHECK_MESSAGE(verify().is_sound(), objection());
}

TEST_CASE_FIXTURE(trail_bench, "a trail has one writer, and a reader does not disturb it") {
  auto trail = open();
  CHECK(contains(refusal(), "is in use by another node"));
  write(*trail, {committed(1)});
  CHECK(verify().is_live);
  // While a node is writing, its last record may be incomplete at any byte.
  const auto clean = content_of(segment());
  replace_content(segment(), clean.substr(0, clean.size() - 3));
  CHECK(verify().is_sound());
  CHECK(verify().walk.unfinished_bytes > 0);
  replace_content(segment(), clean);
  trail.reset();
  CHECK_FALSE(verify().is_live);
  CHECK(verify().is_sound());
}

TEST_CASE_FIXTURE(trail_bench, "a folder without a trail is reported as such") {
  fs::create_directories(folder.root);
  const auto verified = verify_trail(folder, make.cluster(), *keys(), statement_checks::all);
  CHECK(contains(verified.error().what, "there is no audit trail"));
  replace_content(segment(),
                  "something else that is longer than the header of a segment is, by some bytes "
                  "and therefore can be read as far as its first word, which is not the one that "
                  "stands at the beginning of a trail");
  CHECK(contains(objection(), "the file is not an audit segment"));
  CHECK(contains(refusal(), "the file is missing"));
}
