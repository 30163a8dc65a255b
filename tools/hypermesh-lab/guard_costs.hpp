#pragma once

#include <cstdint>
#include <map>

#include "messages/kinds.hpp"
#include "tools/hypermesh-lab/guard_trace.hpp"

namespace hypermesh::lab {

/// What frames of one kind cost, in microseconds, all of them together.
struct kind_costs {
  std::uint64_t frames = 0;
  std::uint64_t bytes = 0;
  /// Reading the bytes; part of `checks_us`.
  double decoding_us = 0;
  /// Everything between the link and the cores but signature checks.
  double checks_us = 0;
  double signatures_us = 0;

  void add(const kind_costs& other);
  [[nodiscard]] double mean_checks_us() const { return frames == 0 ? 0 : checks_us / static_cast<double>(frames); }
};

struct guard_costs {
  std::map<message_kind, kind_costs> kinds;
  /// Of the part of the trace with the load alone.
  kind_costs under_load;
};

/// Hands all frames of a trace, in their order, to ways in like the node's own (decoding, quotas, statement watch,
/// early filter, validator), several times: with a check of signatures that finds everything good, and with the real
/// one. The difference is what signatures cost. Of each frame the middle of its times counts.
[[nodiscard]] guard_costs measure_guard_costs(const guard_trace& trace);

}  // namespace hypermesh::lab
