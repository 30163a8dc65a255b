#include "tools/hypermesh/gateway/outcome_inbox.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

namespace hypermesh::cli {

outcome_inbox::outcome_inbox() : event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void outcome_inbox::put(std::uint64_t token, const submit_outcome& outcome) {
  const std::scoped_lock lock{guard_};
  const bool is_first = outcomes_.empty();
  outcomes_.emplace_back(token, outcome);
  const std::uint64_t one = 1;
  if (is_first) [[maybe_unused]]
    const auto written = write(descriptor(), &one, sizeof one);
}

std::vector<outcome_inbox::entry> outcome_inbox::take() {
  const std::scoped_lock lock{guard_};
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = read(descriptor(), &count, sizeof count);
  return std::exchange(outcomes_, {});
}

}  // namespace hypermesh::cli
