#include "actors/protocol/ordering/future_messages.hpp"

#include "messages/require.hpp"

namespace hypermesh::protocol {

namespace {

/// The bytes of the body of a PRE-PREPARE, and 0 for a vote. Votes are limited by number and bodies by bytes, because a
/// PRE-PREPARE may have 2 MiB.
std::size_t body_bytes_of(const message& value) {
  const auto* proposal = std::get_if<pre_prepare>(&value);
  return proposal == nullptr ? 0 : proposal->body->bytes;
}

}  // namespace

bool future_messages::hold(replica_id sender, const statement& content, const message& value,
                           std::optional<duration> lateness) {
  require(sender.value < held_.size(), "a sender is a member");
  auto& share = held_[sender.value];
  const auto bytes = body_bytes_of(value);
  // Each sender fills its own share only, so a flood of one replica displaces no message of another (attack 33).
  if (share.messages.size() >= votes_max_ || share.body_bytes + bytes > body_bytes_max) return false;
  // The first message of a sender for a place counts, as it does in a slot.
  const place where{content.view, content.sequence, kind_of(value)};
  if (share.messages.contains(where)) return true;
  share.messages.emplace(where, early_message{sender, value, lateness});
  share.body_bytes += bytes;
  return true;
}

std::vector<early_message> future_messages::drain(view_number view, const watermarks& marks) {
  std::vector<early_message> due;
  for (std::uint32_t number = 0; number < held_.size(); ++number) {
    auto& share = held_[number];
    for (auto at = share.messages.begin(); at != share.messages.end();) {
      const auto& [where, early] = *at;
      // A message is past when its view is over or a stable checkpoint covers its sequence number.
      const bool past = where.view < view || where.sequence <= marks.low();
      const bool now = where.view == view && marks.contains(where.sequence);
      // The view of the message is still to come, or the message is still above H.
      if (!past && !now) {
        ++at;
        continue;
      }
      share.body_bytes -= body_bytes_of(early.value);
      if (now) due.push_back(std::move(at->second));
      at = share.messages.erase(at);
    }
  }
  return due;
}

std::size_t future_messages::size() const {
  std::size_t all = 0;
  for (const auto& share : held_)
    all += share.messages.size();
  return all;
}

}  // namespace hypermesh::protocol
