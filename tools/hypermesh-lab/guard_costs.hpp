#pragma once

#include <cstdint>
#include <map>

#include "messages/kinds.hpp"
#include "tools/hypermesh-lab/guard_trace.hpp"

namespace hypermesh::lab {

/// The cost of all frames of one kind together, in microseconds.
struct kind_costs {
  std::uint64_t frames = 0;
  std::uint64_t bytes = 0;
  /// The cost of decoding, which is a part of `checks_us`.
  double decoding_us = 0;
  /// The cost of everything between the link and the cores except the signature checks.
  double checks_us = 0;
  double signatures_us = 0;

  void add(const kind_costs& other);
  [[nodiscard]] double mean_checks_us() const { return frames == 0 ? 0 : checks_us / static_cast<double>(frames); }
};

struct guard_costs {
  std::map<message_kind, kind_costs> kinds;
  /// The cost of the part of the trace that has only the load.
  kind_costs under_load;
};

/// Passes all frames of a trace, in their order, through the same steps as in a node's ingress (decoding, rate limits,
/// equivocation detector, pre-verification filter, validator). Some passes use an authenticator that accepts every
/// signature, and some use the real authenticator. The difference is the cost of the signatures. The median time of
/// each frame is used.
[[nodiscard]] guard_costs measure_guard_costs(const guard_trace& trace);

}  // namespace hypermesh::lab
