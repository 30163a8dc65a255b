#pragma once

#include <cstdint>

#include "messages/layers.hpp"

/// The trace of a node (table [trace] of node.toml).
namespace hypermesh::runtime {

struct trace_settings {
  /// The number of the last batches whose way through the phases is kept. With 0, nothing is kept.
  std::uint32_t batches = 0;
};

/// A batch takes at most 6.2 KiB (`trace_ring.hpp`), so the largest trace takes 100 MiB.
inline constexpr std::uint32_t trace_batches_max = 16'384;

}  // namespace hypermesh::runtime
