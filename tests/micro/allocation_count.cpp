#include "tests/micro/allocation_count.hpp"

#include <cstdlib>
#include <new>

namespace hypermesh::testing {

namespace {

thread_local std::uint64_t counted = 0;

void* allocate(std::size_t size) {
  ++counted;
  auto* place = std::malloc(size == 0 ? 1 : size);
  if (place == nullptr) throw std::bad_alloc{};
  return place;
}

}  // namespace

std::uint64_t allocations_of_thread() { return counted; }

}  // namespace hypermesh::testing

void* operator new(std::size_t size) { return hypermesh::testing::allocate(size); }
void* operator new[](std::size_t size) { return hypermesh::testing::allocate(size); }
void operator delete(void* place) noexcept { std::free(place); }
void operator delete[](void* place) noexcept { std::free(place); }
void operator delete(void* place, std::size_t) noexcept { std::free(place); }
void operator delete[](void* place, std::size_t) noexcept { std::free(place); }
