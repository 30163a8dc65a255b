#include "actors/protocol/client/receipt_collector.hpp"

#include <algorithm>
#include <utility>

#include "messages/codec.hpp"
#include "messages/require.hpp"

namespace hypermesh::protocol {

void receipt_collector::ask(const receipt_query& what, const open_receipt& open, receipt_effects& out) const {
  const auto frame = encode(what);
  // Each replica answers for itself. A replica whose share is known is not asked again.
  for (replica_id replica{0}; replica.value < cluster_.replicas; replica = replica_id{replica.value + 1}) {
    if (!open.shares.contains(replica)) out.sends.push_back({replica, frame});
  }
}

receipt_effects receipt_collector::collect(operation_token token, executed_operation what, moment now,
                                           moment deadline) {
  require(pending() < receipts_pending_max, "the caller bounds the receipts under way");
  const receipt_query asked{what.id, what.index};
  open_receipt open{token, std::move(what), {}, retry_after, now + retry_after, deadline};
  receipt_effects out;
  ask(asked, open, out);
  const bool is_new = open_.emplace(asked, std::move(open)).second;
  require(is_new, "a client never uses the name of a request twice");
  return out;
}

receipt_effects receipt_collector::on_reply(replica_id from, const receipt_reply& value) {
  receipt_effects out;
  const auto found = open_.find(value.asked);
  if (found == open_.end() || !cluster_.group().contains(from)) return out;
  auto& open = found->second;
  // The replica has not executed the operation yet, or no longer holds it. It is asked again until the deadline.
  if (!value.share || open.shares.contains(from)) return out;
  const auto& place = value.share->place;
  // D(n) is computed from the client's own operation and the result that f + 1 replicas agreed on, never from what the
  // replica says about them (attack 44).
  const auto root = receipt_value_of(open.what, place);
  if (!root || !is_signed(cluster_.signing, place.sequence, *root, {from, value.share->by}, *members_)) {
    ++wrong_shares_[from];
    return out;
  }
  const statement_key key{place.sequence, *root};
  open.shares.emplace(from, share_of_replica{key, *value.share});
  const auto equal = std::ranges::count_if(open.shares, [&](const auto& each) { return each.second.of == key; });
  if (static_cast<std::uint32_t>(equal) < cluster_.group().quorum()) return out;
  out.done.push_back({open.token, best_of(open)});
  open_.erase(found);
  return out;
}

/// The receipt of the statement that most replicas signed; nothing if fewer than f + 1 signed it.
std::optional<receipt> receipt_collector::best_of(const open_receipt& open) const {
  std::map<statement_key, std::vector<receipt_signature>> groups;
  for (const auto& [replica, each] : open.shares)
    groups[each.of].push_back({replica, each.share.by});
  const auto best = std::ranges::max_element(groups, {}, [](const auto& group) { return group.second.size(); });
  if (best == groups.end() || best->second.size() < cluster_.group().weak_quorum()) return std::nullopt;
  const auto& place = open.shares.at(best->second.front().replica).share.place;
  return receipt{cluster_.signing, open.what, place, best->second};
}

receipt_effects receipt_collector::on_tick(moment now) {
  receipt_effects out;
  for (auto place = open_.begin(); place != open_.end();) {
    auto& open = place->second;
    if (now >= open.deadline) {
      out.done.push_back({open.token, best_of(open)});
      place = open_.erase(place);
      continue;
    }
    if (now >= open.next_ask) {
      open.interval = std::min(2 * open.interval, retry_max);
      open.next_ask = now + open.interval;
      ask(place->first, open, out);
    }
    ++place;
  }
  return out;
}

receipt_effects receipt_collector::on_stop() {
  receipt_effects out;
  for (const auto& [asked, open] : std::exchange(open_, {}))
    out.done.push_back({open.token, best_of(open)});
  return out;
}

}  // namespace hypermesh::protocol
