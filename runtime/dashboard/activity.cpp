#include "runtime/dashboard/activity.hpp"

#include <algorithm>
#include <cmath>

namespace hypermesh::runtime {

void latency_classes::add(std::uint64_t latency_us, std::uint64_t requests) {
  const auto exact = latency_us <= 1 ? 0.0 : 4.0 * std::log2(static_cast<double>(latency_us));
  const auto place = std::min(classes - 1, static_cast<std::size_t>(std::ceil(exact)));
  counts_[place] += requests;
  total_ += requests;
  max_us_ = std::max(max_us_, latency_us);
}

std::uint64_t latency_classes::percentile_us(double part) const {
  const auto wanted = static_cast<std::uint64_t>(std::ceil(part * static_cast<double>(total_)));
  std::uint64_t seen = 0;
  for (std::size_t place = 0; place < classes && total_ > 0; ++place) {
    seen += counts_[place];
    if (seen < wanted || seen == 0) continue;
    const auto bound = static_cast<std::uint64_t>(std::exp2(static_cast<double>(place) / 4.0));
    return std::min(bound, max_us_);
  }
  return max_us_;
}

void activity::note_batch(std::uint64_t requests, duration latency) {
  ++open_.batches;
  open_.requests += requests;
  // A batch that was restored from the disk has moments of two runs, which may be in any order.
  if (requests > 0 && latency > duration{}) latencies_.add(static_cast<std::uint64_t>(latency.count()), requests);
}

void activity::close(wall_time now) {
  open_.at = now;
  open_.latency_p50_us = latencies_.percentile_us(0.5);
  open_.latency_p99_us = latencies_.percentile_us(0.99);
  open_.latency_max_us = latencies_.max_us();
  samples_.push_back(open_);
  if (samples_.size() > samples_max) samples_.pop_front();
  open_ = {};
  latencies_.clear();
}

}  // namespace hypermesh::runtime
