#include "tests/costs/counters.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <memory>
#include <new>

#include "messages/codec.hpp"
#include "tests/support/message_samples.hpp"

namespace hypermesh::testing {

std::uint64_t buffers_parsed = 0;

namespace {

// The counters need no lock, because the tests of this binary run on one thread.
allocation_counts counted;

void* allocate(std::size_t size) {
  ++counted.all;
  if (size >= allocation_counts::large_bytes) ++counted.large;
  auto* place = std::malloc(size == 0 ? 1 : size);
  if (place == nullptr) throw std::bad_alloc{};
  return place;
}

}  // namespace

allocation_counts allocations() { return counted; }

cost_meter::cost_meter(const counting_authenticator& keys) : keys_(&keys), before_(now()) {}

step_cost cost_meter::now() const { return {buffers_parsed, keys_->verified(), counted.all, counted.large}; }

step_cost cost_meter::take() {
  const auto after = now();
  const step_cost cost{after.parsed - before_.parsed, after.verified - before_.verified,
                       after.allocated - before_.allocated, after.large - before_.large};
  before_ = now();
  return cost;
}

}  // namespace hypermesh::testing

void* operator new(std::size_t size) { return hypermesh::testing::allocate(size); }
void* operator new[](std::size_t size) { return hypermesh::testing::allocate(size); }
void operator delete(void* place) noexcept { std::free(place); }
void operator delete[](void* place) noexcept { std::free(place); }
void operator delete(void* place, std::size_t) noexcept { std::free(place); }
void operator delete[](void* place, std::size_t) noexcept { std::free(place); }

using namespace hypermesh;
using namespace hypermesh::testing;

TEST_CASE("the counters count parses and allocations") {
  const auto before = allocations();
  const auto small = std::make_unique<int>(1);
  const auto large = std::make_unique<byte_vector>(allocation_counts::large_bytes);
  CHECK(allocations().all == before.all + 3);
  CHECK(allocations().large == before.large + 1);
  const auto parsed = buffers_parsed;
  (void)decode(frame_of(sample_of(message_kind::commit, sample_size::usual, 1)));
  CHECK(buffers_parsed == parsed + 1);
}
