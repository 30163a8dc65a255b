#include <doctest/doctest.h>

#include <algorithm>

#include "tests/runtime/audit_test_trail.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;
using namespace hypermesh::testing::audit_test;

namespace {

/// The bytes of the segment with its records in another order.
std::string rearranged(const std::string& segment, const std::vector<std::size_t>& records) {
  const auto offsets = record_offsets(segment);
  auto out = segment.substr(0, segment_header_bytes);
  for (const auto record : records)
    out += segment.substr(offsets[record], offsets[record + 1] - offsets[record]);
  return out;
}

std::vector<std::size_t> all_records(const std::string& segment) {
  std::vector<std::size_t> all(record_offsets(segment).size() - 1);
  for (std::size_t index = 0; index < all.size(); ++index)
    all[index] = index;
  return all;
}

/// The records, chained again from the header on. This needs no key, because seals keep their old signatures.
std::string rechained(const std::string& segment, const std::function<void(std::size_t, byte_vector&)>& edit) {
  const auto bytes = as_byte_span(segment);
  auto at = decode_header(bytes).value().start;
  auto read_at = at;
  byte_vector out(bytes.begin(), bytes.begin() + segment_header_bytes);
  const auto offsets = record_offsets(segment);
  for (std::size_t record = 0; record + 1 < offsets.size(); ++record) {
    const auto reading = read_record(bytes.subspan(offsets[record]), read_at);
    REQUIRE(reading.fault == record_fault::none);
    read_at = {reading.entry.index + 1, reading.entry.hash};
    byte_vector payload(reading.entry.payload.begin(), reading.entry.payload.end());
    edit(record, payload);
    append_record(out, at, reading.entry.time_us, reading.entry.kind, payload);
  }
  return std::string{as_text(out)};
}

}  // namespace

TEST_CASE_FIXTURE(trail_bench, "an untouched trail is sound, with all its entries counted") {
  write_small_trail();
  const auto verdict = verify();
  CHECK_MESSAGE(verdict.is_sound(), objection());
  CHECK(verdict.walk.first->owner == owner());
  CHECK(verdict.walk.end.next_index == events().size() + 3);
  CHECK(verdict.seals.size() == 2);
  CHECK(verdict.unsealed() == 0);
  CHECK(verdict.entries_lost == 7);
  CHECK(verdict.contradictions.empty());
  CHECK(verdict.entries_by_kind.at(audit_kind::committed) == 2);
  for (const auto& each : events())
    CHECK(verdict.entries_by_kind.at(kind_of(each)) >= 1);
}

TEST_CASE_FIXTURE(trail_bench, "any single changed byte of a trail is found, at its entry (attack 40)") {
  write_small_trail();
  const auto clean = content_of(segment());
  const auto offsets = record_offsets(clean);
  REQUIRE(offsets.back() == clean.size());
  for (std::size_t at = 0; at < clean.size(); ++at) {
    for (const unsigned mask : {0x01U, 0x80U, 0xffU}) {
      auto edited = clean;
      edited[at] = static_cast<char>(static_cast<unsigned char>(edited[at]) ^ mask);
      replace_content(segment(), edited);
      const auto verdict = verify(statement_checks::none);
      CAPTURE(at);
      CAPTURE(mask);
      REQUIRE(verdict.walk.bad);
      const auto next = std::ranges::upper_bound(offsets, at);
      const auto expected = at < segment_header_bytes ? 0 : *std::prev(next);
      REQUIRE(verdict.walk.bad->spot.segment == 1);
      REQUIRE(verdict.walk.bad->spot.offset == expected);
    }
  }
  replace_content(segment(), clean);
  const auto head = content_of(folder.head_file());
  REQUIRE(head.size() == head_bytes);
  for (std::size_t at = 0; at < head.size(); ++at) {
    auto edited = head;
    edited[at] = static_cast<char>(edited[at] ^ 0x10);
    replace_content(folder.head_file(), edited);
    CAPTURE(at);
    REQUIRE_FALSE(verify(statement_checks::none).is_sound());
  }
}

TEST_CASE_FIXTURE(trail_bench, "a trail with any one entry cut out is not sound") {
  write_small_trail();
  const auto clean = content_of(segment());
  const auto records = all_records(clean);
  for (const auto gone : records) {
    auto left = records;
    left.erase(left.begin() + static_cast<std::ptrdiff_t>(gone));
    replace_content(segment(), rearranged(clean, left));
    const auto verdict = verify();
    CAPTURE(gone);
    REQUIRE(verdict.walk.bad);
    CHECK(verdict.walk.bad->spot.index == gone);
    CHECK(verdict.walk.bad->spot.offset == record_offsets(clean)[gone]);
  }
}

TEST_CASE_FIXTURE(trail_bench, "a trail with any two entries swapped or one entry doubled is not sound") {
  write_small_trail();
  const auto clean = content_of(segment());
  const auto records = all_records(clean);
  for (std::size_t first = 0; first + 1 < records.size(); ++first) {
    auto swapped = records;
    std::swap(swapped[first], swapped[first + 1]);
    replace_content(segment(), rearranged(clean, swapped));
    const auto verdict = verify();
    CAPTURE(first);
    REQUIRE(verdict.walk.bad);
    CHECK(verdict.walk.bad->spot.index == first);
    CHECK(contains(verdict.walk.bad->what, "removed, inserted or moved"));
    auto doubled = records;
    doubled.insert(doubled.begin() + static_cast<std::ptrdiff_t>(first), records[first]);
    replace_content(segment(), rearranged(clean, doubled));
    CHECK(verify().walk.bad->spot.index == first + 1);
  }
}

TEST_CASE_FIXTURE(trail_bench, "a tail that is cut off at any byte is noticed") {
  write_small_trail();
  const auto clean = content_of(segment());
  for (std::size_t size = 0; size < clean.size(); ++size) {
    replace_content(segment(), clean.substr(0, size));
    CAPTURE(size);
    REQUIRE_FALSE(verify(statement_checks::none).is_sound());
  }
  // Only the head shows the loss. Without the head the loss cannot be detected, and the report says this.
  replace_content(segment(), clean.substr(0, record_offsets(clean)[4]));
  CHECK(contains(objection(), "the end was cut off"));
  replace_content(segment(), clean);
  fs::remove(folder.head_file());
  CHECK(contains(objection(), "the head is missing"));
}

TEST_CASE_FIXTURE(trail_bench, "an older trail does not match the head, and sectors of two heads make none") {
  auto trail = open();
  write(*trail, events());
  seal(*trail);
  const auto older_head = content_of(folder.head_file());
  const auto older_trail = content_of(segment());
  write(*trail, {committed(9)});
  seal(*trail);
  const auto newer_head = content_of(folder.head_file());
  trail.reset();
  CHECK(objection() == "");
  // A sector of the old head and a sector of the new head are not a valid head, because their turns are not
  // consecutive.
  replace_content(segment(), older_trail);
  CHECK(contains(objection(), "the end was cut off"));
  const auto mixed = older_head.substr(0, head_sector_bytes) + newer_head.substr(head_sector_bytes);
  const auto other = newer_head.substr(0, head_sector_bytes) + older_head.substr(head_sector_bytes);
  for (const auto& each : {mixed, other}) {
    if (each == older_head || each == newer_head) continue;
    replace_content(folder.head_file(), each);
    CHECK_FALSE(verify().is_sound());
  }
}

TEST_CASE_FIXTURE(trail_bench, "an edited trail that is chained anew is found by the next seal") {
  write_small_trail();
  const auto clean = content_of(segment());
  CHECK(rechained(clean, [](std::size_t, byte_vector&) {}) == clean);
  const auto suspicion = 6U;
  replace_content(segment(), rechained(clean, [&](std::size_t record, byte_vector& payload) {
                    if (record == suspicion) payload.back() = std::byte{0};
                  }));
  const auto verdict = verify();
  REQUIRE(verdict.walk.bad);
  CHECK(verdict.walk.bad->spot.index == events().size());
  CHECK(contains(verdict.walk.bad->what, "did not sign this seal"));
}

TEST_CASE_FIXTURE(trail_bench, "no entry can be added behind the seal of a node that stopped") {
  write_small_trail();
  const auto clean = content_of(segment());
  auto bytes = as_byte_span(clean);
  auto at = verify().walk.end;
  byte_vector longer(bytes.begin(), bytes.end());
  append_record(longer, at, now, audit_kind::divergence, encode_audit_payload(divergence_found{sequence_number{1}}));
  replace_content(segment(), as_text(longer));
  CHECK(contains(objection(), "follow the seal that the node wrote when it stopped"));
  CHECK(contains(refusal(), "follow the seal that the node wrote when it stopped"));
}

TEST_CASE_FIXTURE(trail_bench, "a front that is cut off, and a missing, renamed or foreign segment, are found") {
  trail_settings small;
  small.segment_bytes = 4'096;
  auto trail = open(small);
  for (std::uint64_t sequence = 1; sequence <= 40; ++sequence)
    write(*trail, {committed(sequence)});
  seal(*trail, 8, true);
  trail.reset();
  const auto numbers = list_segments(folder).value();
  REQUIRE(numbers.size() >= 4);
  REQUIRE(objection() == "");
  std::vector<std::string> contents;
  for (const auto number : numbers)
    contents.push_back(content_of(segment(number)));

  fs::remove(segment(1));
  CHECK(contains(objection(), "000001.log: the segment is missing"));
  fs::remove(segment(2));
  CHECK(contains(objection(), "000001.log: the segment is missing"));
  replace_content(segment(1), contents[0]);
  CHECK(contains(objection(), "000002.log: the segment is missing"));
  replace_content(segment(2), contents[2]);
  CHECK(contains(objection(), "the file holds segment 3"));
  replace_content(segment(2), contents[1]);
  CHECK(objection() == "");

  // A segment with the same events from another node of the same cluster.
  trail_bench other;
  auto foreign = other.open(small, 2);
  for (std::uint64_t sequence = 1; sequence <= 40; ++sequence)
    other.write(*foreign, {other.committed(sequence)});
  foreign.reset();
  replace_content(segment(2), content_of(other.segment(2)));
  CHECK(contains(objection(), "belongs to replica 2"));
  // The segment has this node's name, but not its signature.
  auto header = decode_header(as_byte_span(contents[1])).value();
  const auto forged = encode_header(header, *keys(2));
  replace_content(segment(2), std::string{as_text(forged)} + contents[1].substr(segment_header_bytes));
  CHECK(contains(objection(), "the header is not signed by replica 1"));
}

TEST_CASE_FIXTURE(trail_bench, "a whole trail of another cluster or node is reported as such") {
  write_small_trail();
  auto other = small_cluster(4);
  other.signing.cluster.bytes.fill(std::byte{0x11});
  const auto verified = verify_trail(folder, other, *keys(0), statement_checks::all);
  CHECK(contains(verified->walk.bad->what, "but the genesis file to cluster 11111111"));
  auto opened = try_open({}, 2);
  CHECK(!opened);
}
