#include "tools/hypermesh/bench/overload_verdict.hpp"

#include <algorithm>

#include <hypermesh/expected.hpp>

namespace hypermesh::cli {

std::uint64_t overload_verdict::p99_max_us() const {
  constexpr std::uint64_t slack_us = 10'000;
  return std::max(2 * p99_before_us, p99_before_us + slack_us);
}

void note_overload(const load_result& seen, overload_verdict& into) {
  into.intended = seen.intended;
  into.answered = seen.latency.count();
  into.refused = 0;
  into.unanswered = 0;
  for (const auto& [name, count] : seen.failures) {
    const bool is_refusal =
        name == to_string(client_error::overloaded) || name == to_string(client_error::too_many_pending);
    (is_refusal ? into.refused : into.unanswered) += count;
  }
}

}  // namespace hypermesh::cli
