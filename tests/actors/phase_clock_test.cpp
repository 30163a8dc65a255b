#include "actors/phase_clock.hpp"

#include <doctest/doctest.h>

using namespace hypermesh;
using namespace hypermesh::actors;

namespace {

moment after(duration start) { return moment{start}; }

slot_committed committed(std::uint64_t sequence, std::shared_ptr<const batch> body) {
  return {{view_number{0}, sequence_number{sequence}, {}, std::move(body), nullptr}, {}};
}

replica_effects step_with(const std::vector<sequence_number>& proposed,
                          const std::vector<sequence_number>& prepared = {}) {
  replica_effects step;
  for (const auto sequence : proposed)
    step.records.push_back({record_kind::pre_prepare, view_number{0}, sequence, nullptr});
  for (const auto sequence : prepared)
    step.records.push_back({record_kind::prepared, view_number{0}, sequence, nullptr});
  return step;
}

/// The times that the clock gives to the commit of `body` at sequence number 7.
phase_times commit_at(phase_clock& clock, moment now, std::shared_ptr<const batch> body) {
  replica_effects last;
  last.observations.emplace_back(committed(7, std::move(body)));
  clock.note(last, now);
  return std::get<slot_committed>(last.observations.front()).times;
}

}  // namespace

TEST_CASE("a committed batch carries the times of its phases") {
  phase_clock clock;
  const auto body = std::make_shared<const batch>();
  clock.note_cut(body, after(1ms));
  auto proposed = step_with({sequence_number{7}});
  clock.note(proposed, after(2ms));
  auto prepared = step_with({}, {sequence_number{7}});
  clock.note(prepared, after(3ms));
  CHECK(commit_at(clock, after(4ms), body) == phase_times{after(1ms), after(2ms), after(3ms), after(4ms)});
  CHECK(clock.size() == 0);
}

TEST_CASE("a proposal in a later view replaces the time of the earlier one") {
  phase_clock clock;
  auto first = step_with({sequence_number{7}}, {sequence_number{7}});
  clock.note(first, after(2ms));
  auto again = step_with({sequence_number{7}});
  again.view_entered = view_number{1};
  clock.note(again, after(9ms));
  const auto times = commit_at(clock, after(10ms), std::make_shared<const batch>());
  CHECK(times == phase_times{after(0ms), after(9ms), after(0ms), after(10ms)});
}

TEST_CASE("a batch that a NEW-VIEW proposes again has no times of the old view") {
  phase_clock clock;
  auto first = step_with({sequence_number{7}}, {sequence_number{7}});
  clock.note(first, after(2ms));
  replica_effects next;
  SUBCASE("its own VIEW-CHANGE comes first") { next.view_left = std::make_shared<const view_change>(); }
  SUBCASE("the NEW-VIEW comes first") { next.view_entered = view_number{1}; }
  clock.note(next, after(5ms));
  // The body is at hand, so there is no second PRE-PREPARE.
  auto prepared = step_with({}, {sequence_number{7}});
  clock.note(prepared, after(9ms));
  const auto times = commit_at(clock, after(10ms), std::make_shared<const batch>());
  CHECK(times == phase_times{after(0ms), after(0ms), after(0ms), after(10ms)});
}

TEST_CASE("a batch at the address of a dropped one has no time of that one") {
  phase_clock clock;
  // The first batch was dropped, so the allocator may use its address again. Here the address is the same for certain.
  batch place;
  const auto no_delete = [](const batch*) {};
  auto dropped = std::shared_ptr<const batch>{&place, no_delete};
  clock.note_cut(dropped, after(1ms));
  dropped.reset();
  const auto times = commit_at(clock, after(4ms), std::shared_ptr<const batch>{&place, no_delete});
  CHECK(times.requested == moment{});
}

TEST_CASE("batches that never commit are forgotten with their checkpoint and their view") {
  phase_clock clock;
  for (std::uint64_t sequence = 1; sequence <= 100; ++sequence) {
    auto step = step_with({sequence_number{sequence}});
    clock.note(step, after(1ms));
  }
  CHECK(clock.size() == 100);
  replica_effects forgetting;
  forgetting.forget_through = sequence_number{90};
  clock.note(forgetting, after(2ms));
  CHECK(clock.size() == 10);
  std::vector<std::shared_ptr<const batch>> kept;
  for (std::size_t number = 0; number < 3 * limits::watermark_window_max; ++number) {
    kept.push_back(std::make_shared<const batch>());
    clock.note_cut(kept.back(), after(1ms));
  }
  CHECK(clock.size() <= 10 + limits::watermark_window_max);
  replica_effects leaving;
  leaving.view_entered = view_number{1};
  clock.note(leaving, after(3ms));
  CHECK(clock.size() == 0);
}

TEST_CASE("a committed batch carries the votes for it, each replica's first one of each kind") {
  phase_clock clock;
  replica_position here;
  here.high = sequence_number{16};
  const auto vote = [&](auto kind, std::uint32_t from, std::uint8_t value, duration when, std::uint64_t sequence = 7,
                        std::uint64_t view = 0) {
    kind.vote.content = {view_number{view}, sequence_number{sequence}, {}, replica_id{from}, {}};
    kind.vote.content.value.bytes.fill(std::byte{value});
    clock.note_vote(message{kind}, here, after(when));
  };
  vote(prepare{}, 2, 1, 2ms);
  vote(prepare{}, 2, 1, 3ms);
  vote(commit{}, 2, 1, 4ms);
  // Replica 3 voted for another batch first.
  vote(prepare{}, 3, 9, 2ms);
  vote(prepare{}, 3, 1, 3ms);
  // What the replica does not count now is not noted.
  vote(prepare{}, 1, 1, 2ms, 7, 5);
  vote(prepare{}, 1, 1, 2ms, 17);
  vote(prepare{}, 1, 1, 2ms, 0);
  CHECK(clock.size() == 1);
  auto done = committed(7, std::make_shared<const batch>());
  done.content.value.bytes.fill(std::byte{1});
  replica_effects last;
  last.observations.emplace_back(done);
  clock.note(last, after(5ms));
  const std::vector<vote_arrival> expected = {{replica_id{2}, message_kind::prepare, after(2ms)},
                                              {replica_id{2}, message_kind::commit, after(4ms)}};
  CHECK(std::get<slot_committed>(last.observations.front()).votes == expected);
  CHECK(clock.size() == 0);
}

TEST_CASE("noted votes are forgotten with their checkpoint and their view") {
  phase_clock clock;
  replica_position here;
  here.high = sequence_number{100};
  commit said;
  for (std::uint64_t sequence = 1; sequence <= 200; ++sequence) {
    said.vote.content.sequence = sequence_number{sequence};
    clock.note_vote(message{said}, here, after(1ms));
  }
  CHECK(clock.size() == 100);
  replica_effects forgetting;
  forgetting.forget_through = sequence_number{60};
  clock.note(forgetting, after(2ms));
  CHECK(clock.size() == 40);
  here.active = false;
  said.vote.content.sequence = sequence_number{99};
  replica_effects leaving;
  leaving.view_left = std::make_shared<const view_change>();
  clock.note(leaving, after(3ms));
  clock.note_vote(message{said}, here, after(3ms));
  CHECK(clock.size() == 0);
}
