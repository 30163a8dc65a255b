#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/runtime/scheduler_steps.hpp"

namespace hypermesh::testing {

using namespace scheduler_steps;
using scheduler::demand;

namespace {

constexpr std::size_t small_leaves = 128;

/// Records of a scheduler with one node and its event.
struct record_maker {
  const demand half{500, 500, 0, 0, {}};
  const std::string page_key = scheduler::event_log::key_of(0);
  scheduler::header_record header{5, 1, 2, 1, {}, 0, 0};

  static byte_vector node_at(std::uint64_t number, std::uint64_t event) {
    return scheduler::encode_record(scheduler::node_record{number, event, false, {"", 1'000, 1'000, 1, "G2"}});
  }
  [[nodiscard]] byte_vector in_state(scheduler::task_state state, std::uint64_t ticket, const std::string& where,
                                     int lease = 0) const {
    scheduler::task_record record;
    record.state = state;
    record.needs = half;
    record.ticket = ticket;
    record.node = where;
    record.event = 1;
    record.lease = std::chrono::milliseconds{lease};
    record.deadline = scheduler::ordered_time{record.lease};
    return scheduler::encode_record(record);
  }
  static byte_vector page(const scheduler::event& only = {scheduler::event_kind::node_registered, {}, "", "n", 0, {}}) {
    byte_writer events;
    scheduler::write_event(events, scheduler::view_of(only));
    return events.take();
  }
  static byte_vector submission(std::uint64_t ticket, const scheduler::change_result& first = {1, {}}) {
    const auto result = scheduler::encode_result(first);
    return scheduler::encode_record(scheduler::submission_record{ticket, {}, result});
  }
  static std::string key(const std::string& text) { return scheduler::submission_key(client_id{0}, text); }

  /// Whether a scheduler restores the node, its event and `more`. After a failure it is unchanged.
  [[nodiscard]] bool attempt(const std::vector<std::pair<std::string, byte_vector>>& more) const {
    authenticated_map records{small_leaves};
    const auto put = [&](const std::string& name, const byte_vector& value) { records.put(as_byte_span(name), value); };
    put("h", scheduler::encode_record(header));
    put("nn", node_at(0, 1));
    put(page_key, page());
    for (const auto& [name, value] : more)
      put(name, value);
    resource_scheduler machine{small_leaves};
    add_node(machine, "present", 1, 1);
    const auto root = machine.root();
    const auto done = machine.restore(records.snapshot());
    CHECK((machine.root() == root) != done.has_value());
    return done.has_value();
  }
};

}  // namespace

TEST_CASE_FIXTURE(record_maker, "restore refuses contradictory records and keeps the present state") {
  using scheduler::task_state;
  CHECK(attempt({{"ta", in_state(task_state::placed, 2, "n")}, {"tb", in_state(task_state::pending, 4, "")}}));
  CHECK(attempt({{"ta", in_state(task_state::placed, 2, "n", 5)}, {key("k"), submission(1)}}));
  // The node of a released task may be gone.
  CHECK(attempt({{"ta", in_state(task_state::released, 4, "gone")}}));
  // Three tasks that each take half of a node are placed on one node.
  CHECK(attempt({{"ta", in_state(task_state::placed, 3, "n")}, {"tb", in_state(task_state::placed, 1, "n")}}));
  CHECK_FALSE(attempt({{"ta", in_state(task_state::placed, 3, "n")},
                       {"tb", in_state(task_state::placed, 1, "n")},
                       {"tc", in_state(task_state::placed, 2, "n")}}));
  // The node does not exist; tickets are in the future or repeated; a second release was not counted.
  CHECK_FALSE(attempt({{"ta", in_state(task_state::placed, 1, "m")}}));
  CHECK_FALSE(attempt({{"ta", in_state(task_state::placed, 0, "n")}}));
  CHECK_FALSE(attempt({{"ta", in_state(task_state::pending, 5, "")}}));
  CHECK_FALSE(attempt({{"ta", in_state(task_state::placed, 5, "n")}}));
  CHECK_FALSE(attempt({{"ta", in_state(task_state::pending, 1, "")}, {"tb", in_state(task_state::pending, 1, "")}}));
  CHECK_FALSE(attempt({{"ta", in_state(task_state::placed, 1, "n")}, {"tb", in_state(task_state::placed, 1, "n")}}));
  CHECK_FALSE(
      attempt({{"ta", in_state(task_state::released, 1, "n")}, {"tb", in_state(task_state::released, 2, "n")}}));
  // Keys of no kind, empty and invalid names, a node number of the future or repeated, records that end early.
  CHECK_FALSE(attempt({{"x", {}}}));
  CHECK_FALSE(attempt({{"hh", {}}}));
  CHECK_FALSE(attempt({{"t", in_state(task_state::submitted, 0, "")}}));
  CHECK_FALSE(attempt({{"ta b", in_state(task_state::submitted, 0, "")}}));
  CHECK_FALSE(attempt({{"nm", node_at(1, 1)}}));
  CHECK_FALSE(attempt({{"nm", node_at(0, 1)}}));
  CHECK_FALSE(attempt({{"nn", node_at(0, 2)}}));
  CHECK_FALSE(attempt({{"ta", {}}}));
  CHECK_FALSE(attempt({{"h", {}}}));
}

TEST_CASE_FIXTURE(record_maker, "restore refuses contradictory keys of submissions, and events") {
  // Keys of submissions: a ticket of the future, doubled, an empty key, a record without a result.
  CHECK_FALSE(attempt({{key("k"), submission(5)}}));
  CHECK_FALSE(attempt({{key("k"), submission(1)}, {key("l"), submission(1)}}));
  CHECK_FALSE(attempt({{key(""), submission(1)}}));
  CHECK_FALSE(attempt({{key("k"), scheduler::encode_record(scheduler::submission_record{1, {}, {}})}}));
  // Events: none, one too many, a page of the future.
  CHECK_FALSE(attempt({{page_key, {}}}));
  auto twice = page();
  const auto again = page();
  twice.insert(twice.end(), again.begin(), again.end());
  CHECK_FALSE(attempt({{page_key, twice}}));
  CHECK_FALSE(attempt({{scheduler::event_log::key_of(1), page()}}));
  CHECK_FALSE(attempt({{scheduler::event_log::key_of(~std::uint64_t{0}), page()}}));
}

TEST_CASE_FIXTURE(record_maker, "restore refuses numbers that could wrap, and a sweep of tasks that do not wait") {
  CHECK(attempt({}));
  const auto refuses = [&](const scheduler::header_record& other) {
    header = other;
    return !attempt({{"ta", in_state(scheduler::task_state::pending, 4, "")}});
  };
  const auto beyond = scheduler::counter_max + 1;
  const scheduler::ordered_time time{};
  CHECK_FALSE(refuses({scheduler::counter_max, 1, 2, 1, time, 0, 0}));
  CHECK(refuses({beyond, 1, 2, 1, time, 0, 0}));
  CHECK(refuses({5, beyond, 2, 1, time, 0, 0}));
  CHECK(refuses({5, 1, 2, beyond, time, 0, 0}));
  CHECK_FALSE(refuses({5, 1, 2, 1, time, 5, 1}));
  CHECK(refuses({5, 1, 2, 1, time, 6, 1}));
  CHECK(refuses({5, 1, 2, 1, time, 5, 2}));
}

TEST_CASE_FIXTURE(record_maker,
                  "restore refuses what no scheduler writes: tickets of two kinds, deadlines, GPUs, names") {
  using scheduler::event_kind;
  using scheduler::task_state;
  const scheduler::ordered_time later{std::chrono::milliseconds{1}};
  // One ticket of a waiting and of a placed task, of a task and of a key.
  CHECK_FALSE(attempt({{"ta", in_state(task_state::placed, 2, "n")}, {"tb", in_state(task_state::pending, 2, "")}}));
  CHECK_FALSE(attempt({{"ta", in_state(task_state::placed, 2, "n")}, {key("k"), submission(2)}}));
  // A deadline beyond the longest lease, and one without a lease.
  scheduler::task_record record;
  record.state = task_state::pending;
  record.needs = half;
  record.ticket = 2;
  record.deadline = later;
  CHECK_FALSE(attempt({{"ta", scheduler::encode_record(record)}}));
  record.lease = std::chrono::milliseconds{7};
  CHECK(attempt({{"ta", scheduler::encode_record(record)}}));
  record.deadline = scheduler::ordered_time{scheduler::lease_max + std::chrono::milliseconds{1}};
  CHECK_FALSE(attempt({{"ta", scheduler::encode_record(record)}}));
  // A released task with a GPU that it did not ask for.
  record = {task_state::released, half, {}, {}, 2, "n", 1, 0, {}};
  CHECK_FALSE(attempt({{"ta", scheduler::encode_record(record)}}));
  // First results of submissions: two placements, no valid name, an event of the future.
  CHECK(attempt({{key("k"), submission(1, {1, {{"t", "n", 0}}})}}));
  CHECK_FALSE(attempt({{key("k"), submission(1, {1, {{"t", "n", 0}, {"t", "n", 0}}})}}));
  CHECK_FALSE(attempt({{key("k"), submission(1, {1, {{"t t", "n", 0}}})}}));
  CHECK_FALSE(attempt({{key("k"), submission(1, {2, {}})}}));
  CHECK_FALSE(attempt({{key("k"), submission(1, {0, {}})}}));
  // Events: an invalid name, the fields of another kind, a time of the future, an empty page behind the newest event.
  const auto with = [&](const scheduler::event& only) { return attempt({{page_key, page(only)}}); };
  CHECK(with({event_kind::task_placed, {}, "t", "n", 1, later}));
  CHECK_FALSE(with({event_kind::task_placed, {}, "t t", "n", 1, {}}));
  CHECK_FALSE(with({event_kind::task_placed, later, "t", "n", 1, {}}));
  CHECK_FALSE(with({event_kind::task_released, {}, "t", "n", 1, later}));
  CHECK_FALSE(with({event_kind::task_waits, {}, "t", "n", 0, {}}));
  CHECK_FALSE(with({event_kind::node_drained, {}, "t", "n", 0, {}}));
  CHECK_FALSE(with({event_kind::node_drained, {}, "", "", 0, {}}));
  CHECK_FALSE(attempt({{scheduler::event_log::key_of(1), {}}}));
}

TEST_CASE("a snapshot without the scheduler's header is refused") {
  resource_scheduler machine{small_leaves};
  CHECK_FALSE(machine.restore({}).has_value());
}

}  // namespace hypermesh::testing
