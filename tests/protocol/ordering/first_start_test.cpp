#include "actors/protocol/ordering/first_start.hpp"

#include <doctest/doctest.h>

#include "tests/support/request_factory.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

using finding = first_start::finding;

/// The report of a replica that has accepted, prepared or committed the given slots of `view`.
status report_of(std::uint32_t from, std::vector<slot_progress> slots = {}, std::uint64_t view = 0,
                 std::uint64_t low = 0, std::uint64_t decided = 0) {
  status value;
  value.replica = replica_id{from};
  value.view = view_number{view};
  value.low_watermark = sequence_number{low};
  value.last_decided = sequence_number{decided};
  value.slots = std::move(slots);
  return value;
}

constexpr slot_progress accepted{true, false, false};
constexpr slot_progress prepared{true, true, false};

/// A replica of a group of `replicas` with a new directory.
struct newcomer {
  first_start start;

  explicit newcomer(std::uint32_t replicas = 4, std::uint32_t self = 3)
      : start(small_cluster(replicas), replica_id{self}) {}

  finding hear(const status& value) {
    start.on_status(value);
    return start.found();
  }
  finding wait(std::uint64_t ticks) {
    for (std::uint64_t tick = 0; tick < ticks; ++tick)
      start.on_tick();
    return start.found();
  }
};

}  // namespace

TEST_CASE("a first start is proven at once when all others report no beginning") {
  newcomer replica;
  CHECK(replica.hear(report_of(0)) == finding::open);
  CHECK(replica.hear(report_of(1)) == finding::open);
  CHECK(replica.hear(report_of(2)) == finding::proven);
}

TEST_CASE("a first start needs 2f reports and then the patience for the others") {
  newcomer replica;
  CHECK(replica.wait(1'000) == finding::open);
  CHECK(replica.hear(report_of(0)) == finding::open);
  CHECK(replica.wait(1'000) == finding::open);
  CHECK(replica.hear(report_of(1)) == finding::open);
  CHECK(replica.wait(first_start::patience_ticks - 1) == finding::open);
  CHECK(replica.wait(1) == finding::proven);
}

TEST_CASE("one replica counts once, however often it reports") {
  newcomer replica;
  for (int times = 0; times < 5; ++times)
    CHECK(replica.hear(report_of(0)) == finding::open);
  CHECK(replica.wait(1'000) == finding::open);
  // The own number is another process with the same key.
  CHECK(replica.hear(report_of(3)) == finding::open);
  CHECK(replica.wait(1'000) == finding::open);
}

TEST_CASE("every sign that the group has begun refutes a first start") {
  for (const auto& begun : {report_of(0, {prepared}), report_of(0, {{}, {false, false, true}}), report_of(0, {}, 1),
                            report_of(0, {}, 0, 8), report_of(0, {}, 0, 0, 1)}) {
    newcomer replica;
    CHECK(replica.hear(begun) == finding::open);
    auto second = begun;
    second.replica = replica_id{1};
    CHECK(replica.hear(second) == finding::refuted);
    CHECK(replica.hear(report_of(2)) == finding::refuted);
    CHECK(replica.wait(1'000) == finding::refuted);
  }
}

TEST_CASE("f replicas that lie can neither refute a first start nor prove it") {
  newcomer refused;
  CHECK(refused.hear(report_of(0, {prepared}, 9)) == finding::open);
  CHECK(refused.hear(report_of(1)) == finding::open);
  CHECK(refused.hear(report_of(2)) == finding::proven);
  newcomer large{7, 6};
  for (const std::uint32_t liar : {0U, 1U})
    CHECK(large.hear(report_of(liar)) == finding::open);
  for (const std::uint32_t honest : {2U, 3U})
    CHECK(large.hear(report_of(honest, {}, 0, 8)) == finding::open);
  CHECK(large.hear(report_of(4, {}, 0, 8)) == finding::refuted);
}

TEST_CASE("a proposal that others accepted refutes only the first start of the primary that made it") {
  newcomer backup;
  CHECK(backup.hear(report_of(0, {accepted})) == finding::open);
  CHECK(backup.hear(report_of(1, {accepted})) == finding::open);
  CHECK(backup.hear(report_of(2, {accepted})) == finding::proven);
  newcomer primary{4, 0};
  CHECK(primary.hear(report_of(1, {accepted})) == finding::open);
  CHECK(primary.hear(report_of(2, {accepted})) == finding::refuted);
}
