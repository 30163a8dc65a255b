#include "actors/protocol/admission/vouch_board.hpp"

#include <algorithm>

namespace hypermesh::protocol {

vouch_board::vouch_board(group_size group, replica_id self) : group_(group), self_(self), kept_(group.replicas()) {}

bool vouch_board::has_room(const request& value) const {
  const auto share = shares_.find(value.id.client);
  if (share == shares_.end()) return true;
  return share->second.requests < limits::requests_pending_per_client_max &&
         share->second.bytes + value.raw.view.size() <= held_bytes_of_client_max;
}

vouch_board::outcome vouch_board::on_request(const request& value, moment now) {
  drop_old(now);
  const auto what = reference_of(value);
  const auto known = candidates_.find(what);
  const bool needs_room = known == candidates_.end() || (!is_certified(known->second) && !known->second.body);
  // The quota comes first: a VOUCH for a request without room would displace VOUCHes for other clients here, and cost
  // the other replicas the same.
  if (needs_room && !has_room(value)) return outcome::client_quota;
  const auto at = candidates_.try_emplace(what).first;
  auto& one = at->second;
  one.is_received = true;
  // §5.2: requests are authenticated by MACs instead of signatures. The tag of the client's link is the MAC for this
  // replica, and it was verified when the frame arrived.
  if (!one.vouched_at || now >= *one.vouched_at + repeat_pause) {
    one.vouched_at = now;
    vouch_for(at);
  }
  if (is_certified(one)) return outcome::certified;
  if (!one.body) hold(at, value, now);
  return outcome::waits;
}

void vouch_board::hold(candidates::iterator at, const request& value, moment now) {
  const auto bytes = value.raw.view.size();
  auto& share = shares_[value.id.client];
  at->second.body = value;
  ++share.requests;
  share.bytes += bytes;
  ++held_;
  held_bytes_ += bytes;
  waiting_.emplace_back(now, at->first);
  while (held_bytes_ > held_bytes_max)
    drop_oldest();
}

void vouch_board::on_vouch(replica_id from, const request_reference& what) {
  // The own VOUCHes are known already. Only another process with the same key can send them.
  if (from == self_ || !group_.contains(from)) return;
  const auto at = candidates_.try_emplace(what).first;
  auto& one = at->second;
  if (one.vouchers.test(from.value)) return;
  note(from, at);
  // Of f + 1 replicas one is correct, and the first correct one received the request from the client.
  if (!one.vouchers.test(self_.value) && one.vouchers.count() >= group_.weak_quorum()) vouch_for(at);
  if (!one.body || !is_certified(one)) return;
  certified_.push_back(*one.body);
  release(at);
}

/// Adds a VOUCH to those of its replica, and forgets the oldest one if there are too many.
void vouch_board::note(replica_id voucher, candidates::iterator at) {
  at->second.vouchers.set(voucher.value);
  auto& kept = kept_[voucher.value];
  kept.push_back(at->first);
  if (kept.size() <= vouches_kept(group_)) return;
  const auto oldest = kept.front();
  kept.pop_front();
  // The request may have been over, and its VOUCH has come again.
  if (oldest != at->first) forget(voucher, oldest);
}

void vouch_board::vouch_for(candidates::iterator at) {
  vouches_.push_back(at->first);
  if (!at->second.vouchers.test(self_.value)) note(self_, at);
}

void vouch_board::forget(replica_id voucher, const request_reference& what) {
  const auto found = candidates_.find(what);
  if (found == candidates_.end()) return;
  auto& one = found->second;
  one.vouchers.reset(voucher.value);
  if (one.vouchers.any() || one.body) return;
  candidates_.erase(found);
}

/// Gives up the body of a request.
void vouch_board::release(candidates::iterator at) {
  auto& one = at->second;
  if (!one.body) return;
  const auto bytes = one.body->raw.view.size();
  const auto share = shares_.find(at->first.id.client);
  --share->second.requests;
  share->second.bytes -= bytes;
  if (share->second.requests == 0) shares_.erase(share);
  --held_;
  held_bytes_ -= bytes;
  one.body.reset();
}

void vouch_board::drop_old(moment now) {
  while (!waiting_.empty() && now >= waiting_.front().first + held_max)
    drop_oldest();
}

void vouch_board::drop_oldest() {
  const auto oldest = candidates_.find(waiting_.front().second);
  waiting_.pop_front();
  if (oldest == candidates_.end() || !oldest->second.body) return;
  release(oldest);
  if (oldest->second.vouchers.none()) candidates_.erase(oldest);
}

void vouch_board::on_over(request_id id) {
  // A client may have sent different requests with one id. At most one of them is executed.
  auto at = candidates_.lower_bound({id, digest{}});
  while (at != candidates_.end() && at->first.id == id) {
    release(at);
    at = candidates_.erase(at);
  }
}

bool vouch_board::is_certified(const candidate& one) const {
  return one.vouchers.count() >= 2 * group_.faulty_max() + 1;
}

bool vouch_board::is_certified(const request_reference& what) const {
  const auto found = candidates_.find(what);
  return found != candidates_.end() && is_certified(found->second);
}

bool vouch_board::is_authentic(const request_reference& what) const {
  const auto found = candidates_.find(what);
  if (found == candidates_.end()) return false;
  return found->second.is_received || found->second.vouchers.count() >= group_.weak_quorum();
}

}  // namespace hypermesh::protocol
