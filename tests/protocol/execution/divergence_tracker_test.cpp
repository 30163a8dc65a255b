#include "actors/protocol/execution/divergence_tracker.hpp"

#include <doctest/doctest.h>

using namespace hypermesh;
using namespace hypermesh::testing;

TEST_CASE("a report of a divergence that an installed state covers is ignored (attack 27)") {
  divergence_tracker own;
  CHECK(own.on_disproven(sequence_number{8}));
  CHECK(own.on_installed(sequence_number{12}));
  CHECK_FALSE(own.on_disproven(sequence_number{12}));
  CHECK_FALSE(own.exists());
  CHECK(own.on_disproven(sequence_number{16}));
  CHECK(own.exists());
}

TEST_CASE("a divergence ends with a state that is no older than its newest sign") {
  divergence_tracker own;
  CHECK_FALSE(own.ends_with(sequence_number{8}));
  (void)own.on_disproven(sequence_number{12});
  (void)own.on_disproven(sequence_number{8});
  CHECK_FALSE(own.ends_with(sequence_number{8}));
  CHECK(own.ends_with(sequence_number{12}));
  CHECK(own.on_installed(sequence_number{12}));
  CHECK_FALSE(own.on_installed(sequence_number{16}));
}
