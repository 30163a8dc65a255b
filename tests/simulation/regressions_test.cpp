// Runs that failed once, reduced as far as possible. Each has a description of the defect.
#include <doctest/doctest.h>

#include <string>

#include "tests/simulation/simulated_run.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

run_plan plan_from(const std::string& lines, std::uint64_t schedule) {
  const auto read = plan_of("hypermesh-plan 1\nprofile calm\nkey-seed 1\nscheduling-seed " + std::to_string(schedule) +
                            "\nreplicas 4\nclients 1\ncheckpoint-period 4\nwatermark-window 8\nepoch 0\n" + lines);
  REQUIRE_MESSAGE(read, (read ? std::string{} : read.error()));
  return *read;
}

}  // namespace

// Replica 0 is silent because it lost its disk. Replicas 1 and 2 wait for view 1, but 1 lacks the VIEW-CHANGE of 2, and
// replica 3 has already moved to view 2. No view had a quorum of VIEW-CHANGEs, no f + 1 replicas asked for a later
// view, and no timer ran.
TEST_CASE("a view change with a quorum spread over two views completes") {
  for (std::uint64_t schedule = 1; schedule <= 8; ++schedule) {
    const auto report = run_simulation(
        plan_from("pipeline-depth 1\nrequests-per-batch-max 1\nbundle-operations-max 1\nrequests-in-flight-max 1\n"
                  "retransmit-us 400000\nleaf-bytes 65536\nheals-at 3500.000ms\n"
                  "fault 100.000ms 110.000ms disk-loss replica=0\n"
                  "fault 120.000ms 3500.000ms link-break from=2 to=1\n"
                  "fault 2000.000ms 3500.000ms write-crash replica=2 fate=lost\n"
                  "operation 0.000ms c0 put a 1\noperation 200.000ms c0 put a 2\n",
                  schedule));
    CAPTURE(schedule);
    CHECK_MESSAGE(report.passed(), (report.failure ? report.failure->invariant + ": " + report.failure->what : ""));
  }
}

// The write of a proposal and of the PREPARE for it is torn between the two. After the restart the replica had the
// proposal in its slot but never voted for it. With another replica on probation, the batch never got a quorum.
TEST_CASE("a proposal that was written without the vote for it gets the vote") {
  for (std::uint64_t schedule = 1; schedule <= 8; ++schedule) {
    const auto report = run_simulation(
        plan_from("pipeline-depth 1\nrequests-per-batch-max 1\nbundle-operations-max 1\nrequests-in-flight-max 1\n"
                  "retransmit-us 400000\nleaf-bytes 65536\nheals-at 5252.880ms\n"
                  "fault 5052.176ms 5052.818ms delay min=0.220ms max=11.579ms\n"
                  "fault 5056.149ms 5056.917ms disk-loss replica=1\n"
                  "fault 4876.276ms 5252.880ms write-crash replica=2 fate=torn\n"
                  "fault 5060.620ms 5061.133ms write-crash replica=0 fate=lost\n"
                  "operation 5029.867ms c0 compare-and-swap key-8 value-3 value-521\n"
                  "operation 5052.632ms c0 increment counter-0 -2\n",
                  schedule));
    CAPTURE(schedule);
    CHECK_MESSAGE(report.passed(), (report.failure ? report.failure->invariant + ": " + report.failure->what : ""));
  }
}
