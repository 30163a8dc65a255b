#include "actors/protocol/admission/pipeline_gauge.hpp"

#include <algorithm>
#include <utility>

#include "messages/limits.hpp"

namespace hypermesh::protocol {

void pipeline_gauge::on_cut(std::size_t requests, moment now) { cut_.push_back({now, requests}); }

void pipeline_gauge::on_executed(std::size_t in_flight, moment now) {
  while (cut_.size() > in_flight) {
    measure(cut_.front(), now);
    cut_.pop_front();
  }
}

void pipeline_gauge::measure(const open_batch& done, moment now) {
  // A clock that is too coarse for a fast machine must not make a batch take no time.
  const auto took = std::max(now - std::min(now, done.at), duration{1});
  // While the batch before this one was executed, the group was busy with that one.
  const auto served = std::max(now - std::min(now, std::max(done.at, executed_at_)), duration{1});
  // Batches that are executed together take no time, and one such batch must not hide the others.
  const auto in_time = std::min(
      done.requests * static_cast<std::size_t>(batch_time / duration{1}) / static_cast<std::size_t>(served.count()),
      limits::requests_per_batch_max);
  executed_in_time_ = (executed_in_time_.value_or(in_time) * (smoothing - 1) + in_time) / smoothing;
  executed_at_ = now;
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

std::size_t pipeline_gauge::requests(std::size_t most) const {
  if (!executed_in_time_) return most;
  return std::clamp(*executed_in_time_, std::min(requests_min, most), most);
}

}  // namespace hypermesh::protocol
