#include "actors/protocol/early_filter.hpp"

namespace hypermesh {

early_filter::early_filter(const cluster_parameters& cluster) : window_(cluster.watermark_window) {
  at_.high = sequence_number{window_};
}

std::optional<rejection> early_filter::objection_to_place(const statement& content) const {
  // A quorum was verified for what is executed; the rest of its votes is never checked.
  if (content.sequence <= at_.executed) return rejection::already_decided;
  if (content.view != at_.view) return rejection::other_view;
  // The replica may be ahead of what is known here, by a window at most.
  if (content.sequence > at_.high.plus(window_)) return rejection::outside_watermarks;
  return std::nullopt;
}

std::optional<rejection> early_filter::objection_to(const message& value) const {
  if (const auto* it = std::get_if<pre_prepare>(&value)) {
    if (const auto bad = objection_to_place(it->header.content)) return bad;
    const auto known = accepted_.find(it->header.content.sequence);
    const bool same = known != accepted_.end() && known->second == it->header.content;
    return same ? std::optional{rejection::duplicate} : std::nullopt;
  }
  if (const auto* it = std::get_if<prepare>(&value)) return objection_to_place(it->vote.content);
  if (const auto* it = std::get_if<commit>(&value)) return objection_to_place(it->vote.content);
  const auto late = [this](sequence_number sequence) {
    return sequence <= at_.stable ? std::optional{rejection::already_decided} : std::nullopt;
  };
  if (const auto* it = std::get_if<checkpoint>(&value)) return late(it->vote.content.sequence);
  if (const auto* it = std::get_if<checkpoint_proof>(&value)) return late(it->certificate.sequence());
  return std::nullopt;
}

void early_filter::note_passed(const message& value) {
  const auto* proposal = std::get_if<pre_prepare>(&value);
  if (proposal == nullptr) return;
  const auto& content = proposal->header.content;
  // Above H as known here the replica may have dropped it, and it must come through again.
  if (content.view == at_.view && content.sequence <= at_.high) accepted_.emplace(content.sequence, content);
}

void early_filter::on_position(const replica_position& at) {
  if (at.view != at_.view) accepted_.clear();
  at_ = at;
  accepted_.erase(accepted_.begin(), accepted_.upper_bound(at_.executed));
}

}  // namespace hypermesh
