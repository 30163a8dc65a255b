#include "tools/hypermesh/bench/knee_search.hpp"

#include <algorithm>
#include <cmath>

namespace hypermesh::cli {

bool knee_search::is_carried(const knee_step& step) const {
  const auto edge = std::min(static_cast<double>(step.p99_us) / 1e6 / step.seconds, knee_bound::edge_max);
  return step.failed == 0 && step.achieved >= (bound_.achieved_min - edge) * step.offered &&
         step.p99_us <= bound_.p99_us_max;
}

void knee_search::note(const knee_step& step) {
  steps_.push_back(step);
  const bool is_good = is_carried(step);
  if (!is_good && !is_doubtful_ && step.achieved >= hopeless * step.offered) {
    is_doubtful_ = true;
    return;
  }
  is_doubtful_ = false;
  if (is_good) {
    carried_ = std::max(carried_, next_);
  } else {
    refused_ = refused_ == 0 ? next_ : std::min(refused_, next_);
  }
  if (refused_ == 0) {
    next_ = 2 * carried_;
  } else if (carried_ == 0) {
    next_ = refused_ / 2;
  } else {
    // The geometric mean, because the interval is wide on the first steps.
    next_ = std::sqrt(carried_ * refused_);
  }
}

bool knee_search::is_over() const {
  if (steps_.size() >= steps_max || next_ < rate_min || next_ > rate_max) return true;
  return carried_ > 0 && refused_ > 0 && refused_ <= narrow_enough * carried_;
}

std::optional<knee_step> knee_search::knee() const {
  std::optional<knee_step> best;
  for (const auto& each : steps_) {
    if (is_carried(each) && (!best || each.offered > best->offered)) best = each;
  }
  return best;
}

}  // namespace hypermesh::cli
