#include "actors/protocol/client/send_window.hpp"

#include <cstdint>
#include <utility>

namespace hypermesh::protocol {

namespace {

/// The usual time moves by this part of the difference with each answer.
constexpr std::int64_t smoothing = 8;

}  // namespace

void send_window::on_answered(moment sent_at, std::size_t under_way, moment now) {
  const auto took = now - std::min(now, sent_at);
  measure(took, now);
  if (sent_at < shrunk_at_) return;
  if (took > late_after()) {
    shrink(size_ * 3 / 4, now);
  } else if (2 * under_way >= size_) {
    grow();
  }
}

void send_window::on_lost(moment sent_at, moment now) {
  if (sent_at >= shrunk_at_) shrink(size_ / 2, now);
}

void send_window::grow() {
  if (size_ >= most_) return;
  // Above `growth_until_` a whole round of answers adds one request.
  if (size_ >= growth_until_ && ++answered_ < size_) return;
  answered_ = 0;
  ++size_;
}

void send_window::shrink(std::size_t to, moment now) {
  size_ = std::max(to, std::min(least, most_));
  growth_until_ = size_;
  answered_ = 0;
  shrunk_at_ = now;
}

void send_window::measure(duration took, moment now) {
  if (now >= period_at_ + period) {
    shortest_before_ = std::exchange(shortest_, std::nullopt);
    period_at_ = now;
  }
  shortest_ = std::min(took, shortest_.value_or(took));
  usual_ = usual_ ? *usual_ + (took - *usual_) / smoothing : took;
}

duration send_window::late_after() const {
  const auto shortest = std::min(shortest_.value_or(duration{}), shortest_before_.value_or(duration::max()));
  return std::max(retransmit_after_ * 2 / 5, shortest + shortest / 4);
}

}  // namespace hypermesh::protocol
