#include <doctest/doctest.h>

#include "runtime/storage/acknowledged_mark.hpp"
#include "runtime/storage/storage_totals_tracker.hpp"
#include "runtime/storage/stored_values.hpp"
#include "tests/runtime/storage_test_directory.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;
using namespace hypermesh::testing::storage_test;
using namespace hypermesh::storage::stored_values;

namespace {

constexpr std::uint64_t origin = 0x0123'4567'89ab'cdef;

struct mark_fixture {
  scratch_folder folder;
  std::filesystem::path path = folder.path() / "mark";

  mark_fixture() { expect_done(acknowledged_mark::create(*system_environment(), path, origin)); }

  [[nodiscard]] acknowledged_mark open() const {
    auto read = acknowledged_mark::open(*system_environment(), path);
    REQUIRE(read);
    return std::move(*read);
  }
};

template <class Decode>
void expect_no_flip_to_pass(const byte_vector& value, const Decode& decode) {
  REQUIRE(decode(value).has_value());
  for (std::size_t bit = 0; bit < 8 * value.size(); ++bit) {
    CAPTURE(bit);
    auto changed = value;
    changed[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    CHECK_FALSE(decode(changed).has_value());
  }
  for (std::size_t size = 0; size < value.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(decode(byte_span{value}.first(size)).has_value());
  }
}

}  // namespace

TEST_CASE("every flipped bit and every missing end of a stored value is found") {
  const auto record = record_of(record_kind::prepare, 77, "some bytes", 3);
  const auto head = encode(head_of(record, 12));
  byte_vector value{head.begin(), head.end()};
  value.insert(value.end(), record.bytes->begin(), record.bytes->end());
  expect_no_flip_to_pass(value, decode_record);
  const std::vector<digest> leaves = {chunk_of("a").leaf, chunk_of("b").leaf};
  expect_no_flip_to_pass(encode_manifest(sequence_number{5}, leaves).bytes, decode_manifest);
  expect_no_flip_to_pass(encode(stored_values::storage_totals{origin, 9, 8, 7, 6, {sequence_number{5}, 4}}),
                         decode_totals);
}

TEST_CASE("stored values are returned as they were") {
  const auto record = record_of(record_kind::prepare, 77, "some bytes", 3);
  const auto head = head_of(record, 12);
  const auto encoded = encode(head);
  byte_vector value{encoded.begin(), encoded.end()};
  value.insert(value.end(), record.bytes->begin(), record.bytes->end());
  const auto decoded = decode_record(value);
  REQUIRE(decoded.has_value());
  CHECK(decoded->head.order == 12);
  CHECK(decoded->record.view == view_number{3});
  CHECK(decoded->record.sequence == sequence_number{77});
  CHECK(*decoded->record.bytes == *record.bytes);
  const stored_values::storage_totals totals{origin, 9, 8, 7, 6, {sequence_number{5}, 4}};
  CHECK(decode_totals(encode(totals)) == totals);
}

TEST_CASE("the keys of records sort in the order of writing") {
  const std::vector<std::uint64_t> orders = {0, 1, 255, 256, 65'535, 65'536, 1ULL << 40U, ~0ULL};
  CHECK(std::ranges::is_sorted(orders, {}, [](std::uint64_t order) { return key_of(order); }));
}

TEST_CASE("the totals depend on the held records, not on their history") {
  const auto head = [](record_kind kind, std::uint64_t sequence, std::uint64_t order) {
    return head_of(record_of(kind, sequence, "x"), order);
  };
  storage_totals_tracker first;
  for (int count = 0; count < 4; ++count)
    (void)first.take_order();
  first.add(head(record_kind::commit, 1, 0), 1);
  first.add(head(record_kind::new_view, 0, 1), 1);
  first.add(head(record_kind::commit, 2, 2), 1);
  first.add(head(record_kind::new_view, 0, 3), 1);
  CHECK(first.lowest_order() == 0);
  CHECK(first.forget_through(sequence_number{1}));
  CHECK_FALSE(first.forget_through(sequence_number{1}));
  CHECK(first.lowest_order() == 2);
  storage_totals_tracker second;
  second.add(head(record_kind::new_view, 0, 3), 1);
  second.add(head(record_kind::commit, 2, 2), 1);
  CHECK(first.totals().items == second.totals().items);
  CHECK(first.totals().sum == second.totals().sum);
  CHECK(first.bytes() == second.bytes());
  CHECK(first.forget_through(sequence_number{2}));
  CHECK(first.lowest_order() == 4);
}

TEST_CASE_FIXTURE(mark_fixture, "the mark returns its last value") {
  for (std::uint64_t changes = 1; changes < 600; ++changes) {
    {
      auto mark = open();
      expect_done(mark.advance(changes));
    }
    const auto mark = open();
    CHECK(mark.origin() == origin);
    CHECK(mark.last().changes == changes);
    CHECK_FALSE(mark.last().closed);
  }
  {
    auto mark = open();
    expect_done(mark.settle({1'000, true}));
  }
  CHECK(open().last().changes == 1'000);
  CHECK(open().last().closed);
}

TEST_CASE_FIXTURE(mark_fixture,
                  "a torn sector of the mark leaves the value before, and two torn sectors are an error") {
  {
    auto mark = open();
    expect_done(mark.advance(41));
    expect_done(mark.advance(42));
  }
  const auto content = content_of(path);
  for (const std::size_t sector : {0, 1}) {
    auto torn = content;
    torn.replace(512 * sector, 512, 512, '\0');
    replace_content(path, torn);
    CHECK(open().last().changes >= 41);
  }
  replace_content(path, std::string(1'024, '\0'));
  const auto read = acknowledged_mark::open(*system_environment(), path);
  REQUIRE(!read);
  CHECK(contains(read.error().what, "damaged"));
}

TEST_CASE_FIXTURE(mark_fixture, "a value in both sectors survives the loss of either") {
  {
    auto mark = open();
    expect_done(mark.settle({7, true}));
  }
  const auto content = content_of(path);
  for (const std::size_t sector : {0, 1}) {
    auto torn = content;
    torn.replace(512 * sector, 512, 512, 'x');
    replace_content(path, torn);
    CHECK(open().last().changes == 7);
    CHECK(open().last().closed);
  }
}

TEST_CASE("the ledger has room for each kind of record") {
  storage_totals_tracker ledger;
  for (auto number = static_cast<unsigned>(record_kind_first); number <= static_cast<unsigned>(record_kind_last);
       ++number) {
    CAPTURE(number);
    const auto kind = static_cast<record_kind>(number);
    const auto items = ledger.totals().items;
    const auto bytes = ledger.bytes();
    ledger.add(head_of(record_of(kind, 1, "first"), ledger.take_order()), 5);
    CHECK(ledger.totals().items == items + 1);
    ledger.add(head_of(record_of(kind, 1, "second"), ledger.take_order()), 6);
    CHECK(ledger.totals().items == items + (is_replaced(kind) ? 1 : 2));
    CHECK(ledger.bytes() == bytes + (is_replaced(kind) ? 6 : 11));
  }
}
