#include "actors/protocol/views/planned_end.hpp"

#include <doctest/doctest.h>

#include "tests/support/request_factory.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

TEST_CASE(
    "a view that is to be left ends with the checkpoint period in which the group agreed, and other views go on") {
  const auto cluster = small_cluster(4);
  constexpr view_number here{2};
  constexpr sequence_number at{6};
  const agreed_moves advance{sequence_number{16}, here, {}};
  // A readmission alone ends no view, nor does the step-down from another view.
  CHECK_FALSE(planned_end_of(here, advance, {}, at, cluster));
  CHECK_FALSE(planned_end_of(here, advance, {view_number{1}, view_number{3}}, at, cluster));
  CHECK(planned_end_of(here, advance, {here}, at, cluster) == sequence_number{8});
  const agreed_moves move{sequence_number{8}, view_number{3}, {}};
  CHECK(planned_end_of(here, move, {}, at, cluster) == sequence_number{8});
  CHECK_FALSE(planned_end_of(view_number{3}, move, {}, at, cluster));
  // After a restart the group may be past the end of the period in which it agreed.
  CHECK(planned_end_of(here, move, {}, sequence_number{10}, cluster) == sequence_number{8});
}
