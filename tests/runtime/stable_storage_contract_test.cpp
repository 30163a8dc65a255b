#include "tests/runtime/stable_storage_contract.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;
using namespace hypermesh::testing::storage_test;

namespace {

/// The history that these records and this state give, in a storage that keeps its content.
std::string expected_text(const contract_storage& subject, const std::vector<storage_record>& records,
                          std::optional<stored_state> state = std::nullopt) {
  if (!subject.keeps()) return {};
  return text_of({std::move(state), records});
}

void keep(stable_storage& storage, std::uint64_t sequence, const state_snapshot& snapshot) {
  expect_done(storage.store_chunks(snapshot));
  expect_done(storage.keep_state(sequence_number{sequence}, leaves_of(snapshot)));
}

}  // namespace

TEST_CASE("a new storage returns nothing") {
  for_each_storage([](const contract_subject& each) {
    const auto subject = each.make();
    CHECK(text_of(subject->reopen()).empty());
    CHECK(subject->storage().bytes_held() == 0);
    expect_done(subject->storage().write({}));
    expect_done(subject->storage().forget_through(sequence_number{5}));
    CHECK(text_of(subject->reopen()).empty());
  });
}

TEST_CASE("a record of each kind survives a restart, and of a replaced kind only the newest one") {
  for_each_storage([](const contract_subject& each) {
    for (const auto kind : all_record_kinds()) {
      CAPTURE(static_cast<unsigned>(kind));
      const auto subject = each.make();
      const auto first = record_of(kind, 7, "first", 1);
      const auto second = record_of(kind, 5, "the second one", 2);
      expect_done(subject->storage().write({{first}}));
      CHECK(text_of(subject->reopen()) == expected_text(*subject, {first}));
      expect_done(subject->storage().write({{second}}));
      const auto left = is_replaced(kind) ? std::vector{second} : std::vector{first, second};
      CHECK(text_of(subject->reopen()) == expected_text(*subject, left));
      CHECK(text_of(subject->reopen()) == expected_text(*subject, left));
    }
  });
}

TEST_CASE("a record of each kind may be empty or large") {
  for_each_storage([](const contract_subject& each) {
    const auto subject = each.make();
    std::vector<storage_record> written;
    for (const auto kind : all_record_kinds()) {
      if (!is_replaced(kind)) written.push_back(record_of(kind, 1, ""));
      written.push_back(record_of(kind, 2, std::string(300'000, 'x')));
    }
    expect_done(subject->storage().write(written));
    CHECK(text_of(subject->reopen()) == expected_text(*subject, written));
  });
}

TEST_CASE("forgetting deletes all records that a state covers, except those of replaced kinds") {
  for_each_storage([](const contract_subject& each) {
    const auto subject = each.make();
    std::vector<storage_record> written;
    std::vector<storage_record> left;
    for (const auto kind : all_record_kinds()) {
      for (const std::uint64_t sequence : {3, 4, 5}) {
        if (is_replaced(kind) && sequence != 4) continue;
        written.push_back(record_of(kind, sequence, "record", sequence));
        if (is_replaced(kind) || sequence == 5) left.push_back(written.back());
      }
    }
    expect_done(subject->storage().write(written));
    const auto held = subject->storage().bytes_held();
    expect_done(subject->storage().forget_through(sequence_number{4}));
    CHECK(subject->storage().bytes_held() <= held);
    CHECK(text_of(subject->reopen()) == expected_text(*subject, left));
    // Repeated calls, also with lower numbers, find no further records to forget.
    expect_done(subject->storage().forget_through(sequence_number{4}));
    expect_done(subject->storage().forget_through(sequence_number{2}));
    CHECK(text_of(subject->reopen()) == expected_text(*subject, left));
  });
}

TEST_CASE("records of all kinds are returned in the order in which they were written") {
  for_each_storage([](const contract_subject& each) {
    const auto subject = each.make();
    std::vector<storage_record> written;
    for (const std::uint64_t sequence : {9, 2, 30, 4}) {
      for (const auto kind : all_record_kinds()) {
        std::erase_if(written, [&](const auto& before) { return before.kind == kind && is_replaced(kind); });
        written.push_back(record_of(kind, sequence, "record " + std::to_string(sequence)));
        expect_done(subject->storage().write({&written.back(), 1}));
      }
      CHECK(text_of(subject->reopen()) == expected_text(*subject, written));
    }
  });
}

TEST_CASE("a state is returned once it is complete, and the next one replaces it") {
  for_each_storage([](const contract_subject& each) {
    const auto subject = each.make();
    const state_snapshot first = {chunk_of("shared"), chunk_of("old"), chunk_of("shared")};
    const state_snapshot second = {chunk_of("new"), chunk_of("shared"), chunk_of("newer")};
    const std::vector<storage_record> vote = {record_of(record_kind::commit, 9, "vote")};
    expect_done(subject->storage().store_chunks(first));
    CHECK(text_of(subject->reopen()).empty());
    keep(subject->storage(), 4, first);
    const auto held = subject->storage().bytes_held();
    CHECK(text_of(subject->reopen()) == expected_text(*subject, {}, stored_state{sequence_number{4}, first}));
    CHECK(subject->storage().bytes_held() == held);
    expect_done(subject->storage().store_chunks({second.data(), 2}));
    expect_done(subject->storage().write(vote));
    expect_done(subject->storage().store_chunks({second.data() + 1, 2}));
    expect_done(subject->storage().keep_state(sequence_number{8}, leaves_of(second)));
    CHECK(text_of(subject->reopen()) == expected_text(*subject, vote, stored_state{sequence_number{8}, second}));
    // Only the chunks that both states share are left of the first state.
    const auto with_both = subject->storage().bytes_held();
    keep(subject->storage(), 12, {chunk_of("shared")});
    CHECK((subject->storage().bytes_held() < with_both) == subject->keeps());
    CHECK(text_of(subject->reopen()) ==
          expected_text(*subject, vote, stored_state{sequence_number{12}, {chunk_of("shared")}}));
  });
}

TEST_CASE("an empty state is a state") {
  for_each_storage([](const contract_subject& each) {
    const auto subject = each.make();
    keep(subject->storage(), 4, {});
    CHECK(text_of(subject->reopen()) == expected_text(*subject, {}, stored_state{sequence_number{4}, {}}));
  });
}
