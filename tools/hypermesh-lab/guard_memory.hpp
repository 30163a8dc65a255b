#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hypermesh::lab {

/// What one part of a node's guard holds.
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

/// Makes what the guard of a node holds, and fills it: every other replica has voted for all of the window in two
/// views, sent every checkpoint and a VIEW-CHANGE as large as it gets, and been complained of by all others; f of them
/// sent documents of the largest size that is kept; one view was opened; and all cases that may be open are, each as
/// large as it gets. `nodes` are known: as many replicas as a group can have, the rest clients, one at least. Bytes are
/// those that are allocated, by the allocator's own count.
[[nodiscard]] guard_memory measure_guard_memory(std::uint32_t nodes);

}  // namespace hypermesh::lab
