#pragma once

#include <cstdint>

namespace hypermesh::testing {

/// The allocations of this thread since its start. The binary that links `allocation_count.cpp` counts all calls of
/// operator new. The count of a thread, because libraries allocate on threads of their own.
[[nodiscard]] std::uint64_t allocations_of_thread();

}  // namespace hypermesh::testing
