#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hypermesh::lab {

/// The memory of one part of a node's guard.
struct guard_part {
  std::string name;
  std::uint64_t bytes = 0;
};

struct guard_memory {
  std::uint32_t replicas = 0;
  std::uint32_t clients = 0;
  std::uint32_t window = 0;
  std::vector<guard_part> parts;

  [[nodiscard]] std::uint64_t bytes() const;
};

/// Constructs the guard of a node and fills it to its bounds. Every other replica has voted for the whole window in two
/// views, has sent every checkpoint and a VIEW-CHANGE of the largest size, and all others have complained about it. f
/// of them sent documents of the largest size that is kept. One view was opened. As many cases are open as allowed,
/// each of the largest size. `nodes` members are known: as many replicas as a group can have, and clients for the rest,
/// at least one. Bytes are allocated bytes by the allocator's own count.
[[nodiscard]] guard_memory measure_guard_memory(std::uint32_t nodes);

}  // namespace hypermesh::lab
