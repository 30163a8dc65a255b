#include "actors/protocol/admission/pipeline_gauge.hpp"

#include <algorithm>
#include <utility>

namespace hypermesh::protocol {

void pipeline_gauge::on_cut(moment now) { cut_at_.push_back(now); }

void pipeline_gauge::on_executed(std::size_t in_flight, moment now) {
  while (cut_at_.size() > in_flight) {
    measure(now - std::min(now, cut_at_.front()), now);
    cut_at_.pop_front();
  }
}

void pipeline_gauge::measure(duration took, moment now) {
  // A clock that is too coarse for a fast machine must not make a batch take no time.
  took = std::max(took, duration{1});
  typical_ = typical_ ? *typical_ + (took - *typical_) / smoothing : took;
  if (now >= window_at_ + window) {
    shortest_before_ = std::exchange(shortest_, std::nullopt);
    window_at_ = now;
  }
  shortest_ = std::min(took, shortest_.value_or(took));
}

std::size_t pipeline_gauge::depth(std::size_t most) const {
  if (!typical_) return most;
  const auto shortest = std::min(shortest_.value_or(*typical_), shortest_before_.value_or(*typical_));
  const auto typical = static_cast<std::size_t>(typical_->count());
  const auto share = (most * static_cast<std::size_t>(shortest.count()) + typical / 2) / typical;
  return std::clamp(share, std::size_t{1}, most);
}

}  // namespace hypermesh::protocol
