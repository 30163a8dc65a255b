#include "actors/protocol/ordering/phase_clock.hpp"

#include <doctest/doctest.h>

using namespace hypermesh;
using namespace hypermesh::protocol;

namespace {

moment after(duration start) { return moment{start}; }

slot_committed committed(std::uint64_t sequence, std::shared_ptr<const batch> body) {
  return {{view_number{0}, sequence_number{sequence}, {}, std::move(body), nullptr}, {}};
}

phase_times times_in(const replica_effects& step) { return std::get<slot_committed>(step.observations.front()).times; }

replica_effects step_with(const std::vector<sequence_number>& proposed,
                          const std::vector<sequence_number>& prepared = {}) {
  replica_effects step;
  for (const auto sequence : proposed)
    step.records.push_back({record_kind::pre_prepare, view_number{0}, sequence, nullptr});
  for (const auto sequence : prepared)
    step.records.push_back({record_kind::prepared, view_number{0}, sequence, nullptr});
  return step;
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
  replica_effects last;
  last.observations.emplace_back(committed(7, body));
  clock.note(last, after(4ms));
  CHECK(times_in(last) == phase_times{after(1ms), after(2ms), after(3ms), after(4ms)});
  CHECK(clock.size() == 0);
}

TEST_CASE("a proposal in a later view replaces the time of the earlier one") {
  phase_clock clock;
  auto first = step_with({sequence_number{7}}, {sequence_number{7}});
  clock.note(first, after(2ms));
  auto again = step_with({sequence_number{7}});
  again.view_entered = view_number{1};
  clock.note(again, after(9ms));
  replica_effects last;
  last.observations.emplace_back(committed(7, std::make_shared<const batch>()));
  clock.note(last, after(10ms));
  CHECK(times_in(last) == phase_times{after(0ms), after(9ms), after(0ms), after(10ms)});
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
  CHECK(clock.size() == 10);
}
