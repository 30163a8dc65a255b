#include <doctest/doctest.h>

#include <set>

#include "actors/protocol/base/cluster.hpp"
#include "actors/protocol/base/quorum.hpp"
#include "actors/protocol/base/watermarks.hpp"
#include "tests/support/request_factory.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

TEST_CASE("f is the largest number with n >= 3f + 1") {
  for (std::uint32_t n = 1; n <= 100; ++n) {
    const auto f = group_size{n}.faulty_max();
    CAPTURE(n);
    CHECK(n >= 3 * f + 1);
    CHECK(n < 3 * (f + 1) + 1);
  }
}

TEST_CASE("any two quorums share f + 1 replicas, so at least one correct one") {
  for (std::uint32_t n = 1; n <= 100; ++n) {
    const group_size group{n};
    CAPTURE(n);
    CHECK(2 * group.quorum() >= n + group.faulty_max() + 1);
  }
}

TEST_CASE("the correct replicas alone form a quorum") {
  for (std::uint32_t n = limits::replicas_min; n <= 100; ++n) {
    const group_size group{n};
    CAPTURE(n);
    CHECK(group.quorum() <= n - group.faulty_max());
  }
}

TEST_CASE("a quorum is no larger than intersection needs") {
  for (std::uint32_t n = 1; n <= 100; ++n) {
    const group_size group{n};
    CAPTURE(n);
    CHECK(2 * (group.quorum() - 1) < n + group.faulty_max() + 1);
  }
}

TEST_CASE("the quorum is the paper's 2f + 1 for n = 3f + 1") {
  for (std::uint32_t f = 1; f <= 33; ++f) {
    const group_size group{3 * f + 1};
    CHECK(group.quorum() == 2 * f + 1);
    CHECK(group.weak_quorum() == f + 1);
  }
}

TEST_CASE("six replicas need a quorum of four, because two sets of three can be disjoint") {
  CHECK(group_size{6}.faulty_max() == 1);
  CHECK(group_size{6}.quorum() == 4);
}

TEST_CASE("a weak quorum contains a correct replica and the correct ones can form it") {
  for (std::uint32_t n = 4; n <= 100; ++n) {
    const group_size group{n};
    CHECK(group.weak_quorum() > group.faulty_max());
    CHECK(group.weak_quorum() <= n - group.faulty_max());
  }
}

TEST_CASE("the primary rotates over all replicas in order") {
  for (const std::uint32_t n : {4U, 5U, 7U, 100U}) {
    const group_size group{n};
    std::set<replica_id> seen;
    for (std::uint64_t view = 0; view < n; ++view) {
      CHECK(group.primary_of(view_number{view}).value == view);
      CHECK(group.primary_of(view_number{view + n}) == group.primary_of(view_number{view}));
      seen.insert(group.primary_of(view_number{view}));
    }
    CHECK(seen.size() == n);
    CHECK(group.contains(group.primary_of(view_number{limits::view_max})));
  }
}

TEST_CASE("a group contains exactly its members") {
  const group_size group{4};
  CHECK(group.contains(replica_id{0}));
  CHECK(group.contains(replica_id{3}));
  CHECK_FALSE(group.contains(replica_id{4}));
}

TEST_CASE("the window holds h < n <= H") {
  watermarks marks{8};
  CHECK_FALSE(marks.contains(sequence_number{0}));
  CHECK(marks.contains(sequence_number{1}));
  CHECK(marks.contains(sequence_number{8}));
  CHECK_FALSE(marks.contains(sequence_number{9}));
  marks.advance_to(sequence_number{4});
  CHECK(marks.low() == sequence_number{4});
  CHECK(marks.high() == sequence_number{12});
  CHECK_FALSE(marks.contains(sequence_number{4}));
  CHECK(marks.contains(sequence_number{5}));
  CHECK(marks.contains(sequence_number{12}));
  CHECK_FALSE(marks.contains(sequence_number{13}));
}

TEST_CASE("the window at the largest sequence does not wrap") {
  watermarks marks{limits::watermark_window_max};
  marks.advance_to(sequence_number{limits::sequence_max});
  CHECK(marks.high() > marks.low());
  CHECK_FALSE(marks.contains(sequence_number{1}));
}

TEST_CASE("cluster parameters that PBFT cannot run are not valid") {
  const auto good = small_cluster(4);
  CHECK(good.is_valid());
  auto bad = good;
  bad.replicas = 3;
  CHECK_FALSE(bad.is_valid());
  bad.replicas = 101;
  CHECK_FALSE(bad.is_valid());
  bad = good;
  bad.checkpoint_period = 0;
  CHECK_FALSE(bad.is_valid());
  bad = good;
  bad.watermark_window = 2 * bad.checkpoint_period - 1;
  CHECK_FALSE(bad.is_valid());
  bad.watermark_window = limits::watermark_window_max + 1;
  CHECK_FALSE(bad.is_valid());
  bad = good;
  bad.clients = limits::clients_max + 1;
  CHECK_FALSE(bad.is_valid());
}
