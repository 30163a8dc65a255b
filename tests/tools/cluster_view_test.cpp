#include "tools/hypermesh/gateway/cluster_view.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/tools/status_bench.hpp"

namespace hypermesh::testing {

namespace {

std::string lines_of(const status_bench& group) {
  const auto seen = view_of(group.reports, group.cluster.parameters(), moment{std::chrono::seconds{7}});
  return cluster_lines(&seen, moment{std::chrono::seconds{10}});
}

}  // namespace

TEST_CASE("INFO shows the view, the primary and the executed batches that f + 1 replicas have reached") {
  status_bench group;
  CHECK(lines_of(group) ==
        "hypermesh_members:4\r\nhypermesh_members_answering:4\r\nhypermesh_view:0\r\nhypermesh_primary:0\r\n"
        "hypermesh_executed:1000\r\n"
        "hypermesh_health:tolerates 1 more fault; safe to restart: 1, 2, 3 (one at a time)\r\n"
        "hypermesh_seen_seconds_ago:3\r\n");
  // A liar moves no number.
  group.inflate(2);
  const auto with_liar = lines_of(group);
  CHECK(with_liar.find("hypermesh_view:0\r\n") != std::string::npos);
  CHECK(with_liar.find("hypermesh_executed:1000\r\n") != std::string::npos);
  for (std::uint32_t number : {0, 1, 3})
    group.report(number).view = view_number{5};
  group.reports[2].reset();
  const auto without_one = lines_of(group);
  CHECK(without_one.find("hypermesh_members_answering:3\r\nhypermesh_view:5\r\nhypermesh_primary:1\r\n") !=
        std::string::npos);
}

TEST_CASE("INFO says that the cluster is unknown if too few replicas answer, in lines of a bounded length") {
  status_bench group{61};
  for (auto& each : group.reports)
    each.reset();
  const auto lines = lines_of(group);
  CHECK(lines.find("hypermesh_members_answering:0\r\nhypermesh_view:unknown\r\nhypermesh_primary:unknown\r\n") !=
        std::string::npos);
  CHECK(lines.size() < 1'024);
  CHECK(std::ranges::count(lines, '\n') == 7);
}

}  // namespace hypermesh::testing
