#include "actors/protocol/base/divergence_tracker.hpp"

#include <doctest/doctest.h>

using namespace hypermesh;

TEST_CASE("news of a divergence that an installed state covers says nothing (attack 27)") {
  divergence_tracker own;
  CHECK(own.on_diverged(sequence_number{8}));
  CHECK(own.on_installed(sequence_number{12}));
  CHECK_FALSE(own.on_diverged(sequence_number{12}));
  CHECK_FALSE(own.exists());
  CHECK(own.on_diverged(sequence_number{16}));
  CHECK(own.exists());
}

TEST_CASE("a divergence ends with a state that is no older than its newest sign") {
  divergence_tracker own;
  CHECK_FALSE(own.ends_with(sequence_number{8}));
  (void)own.on_diverged(sequence_number{12});
  (void)own.on_diverged(sequence_number{8});
  CHECK_FALSE(own.ends_with(sequence_number{8}));
  CHECK(own.ends_with(sequence_number{12}));
  CHECK(own.on_installed(sequence_number{12}));
  CHECK_FALSE(own.on_installed(sequence_number{16}));
}

TEST_CASE("each divergence that is over is counted once") {
  divergence_tracker own;
  (void)own.on_installed(sequence_number{4});
  CHECK(own.repairs() == 0);
  (void)own.on_diverged(sequence_number{8});
  CHECK(own.repairs() == 0);
  (void)own.on_installed(sequence_number{8});
  (void)own.on_installed(sequence_number{12});
  CHECK(own.repairs() == 1);
}
