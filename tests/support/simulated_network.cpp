#include "tests/support/simulated_network.hpp"

#include <algorithm>

#include "messages/require.hpp"
#include "tests/support/time_draws.hpp"
#include "tests/support/virtual_actor.hpp"

namespace hypermesh::testing {

bool network_partition::separates(endpoint from, endpoint to, moment now) const {
  if (now < begin || now >= end) return false;
  const bool from_inside = side.contains(from);
  if (from_inside == side.contains(to)) return false;
  return from_inside ? cuts_outbound : cuts_inbound;
}

bool network_faults::separate(endpoint from, endpoint to, moment now) const {
  const auto is_cut = [&](const network_partition& each) { return each.separates(from, to, now); };
  const auto is_broken = [&](const broken_links& each) { return each.separates(from, to); };
  return std::ranges::any_of(partitions, is_cut) || std::ranges::any_of(broken, is_broken);
}

simulated_network::simulated_network(virtual_scheduler& scheduler, splitmix64& chance)
    : scheduler_(scheduler), chance_(chance) {}

peer_actor simulated_network::link(endpoint from, endpoint to) {
  if (to.who.is_replica()) to.is_copy = false;
  auto& known = links_[{from, to}];
  if (!known) {
    known = spawn_virtual<peer_actor>(scheduler_.system(), [this, from, to](const caf::type_erased_tuple& content) {
      if (const auto* sent = message_if<outgoing_frame>(content))
        send({from.who, to.who, sent->frame, from.is_copy, to.is_copy});
    });
  }
  return known;
}

void simulated_network::attach(endpoint machine, receiver into) { receivers_[machine] = std::move(into); }

void simulated_network::silence(endpoint machine, bool silent) {
  if (silent) {
    silent_.insert(machine);
  } else {
    silent_.erase(machine);
  }
}

void simulated_network::meddle(endpoint machine, frame_meddler* who) {
  if (who == nullptr) {
    meddlers_.erase(machine);
  } else {
    meddlers_[machine] = who;
  }
}

void simulated_network::send(const frame_transit& transit) {
  const auto found = meddlers_.find(transit.source());
  if (found == meddlers_.end()) return put_on_wire(transit);
  auto changed = transit;
  changed.frame = found->second->on_leaving(transit.to, transit.frame);
  if (changed.frame != nullptr) put_on_wire(changed);
}

void simulated_network::put_on_wire(const frame_transit& transit) {
  require(transit.frame != nullptr, "a frame that is sent has bytes");
  if (silent_.contains(transit.source())) return;
  ++counters_.sent;
  if (on_sent_) on_sent_(transit);
  dispatch(transit, judge_ ? judge_(transit) : verdict::pass);
  if (transit.to.is_client()) return;
  auto second = transit;
  second.to_copy = true;
  if (receivers_.contains(second.target())) dispatch(second, judge_ ? judge_(second) : verdict::pass);
}

void simulated_network::dispatch(const frame_transit& transit, verdict decided) {
  if (decided == verdict::hold) return held_.push_back(transit);
  if (faults_.separate(transit.source(), transit.target(), scheduler_.now())) {
    ++counters_.cut;
  } else if (decided == verdict::drop || happens(faults_.loss_permille)) {
    ++counters_.lost;
  } else {
    schedule(transit);
    if (happens(faults_.duplicate_permille)) {
      ++counters_.duplicated;
      schedule(transit);
    }
  }
}

void simulated_network::schedule(const frame_transit& transit) {
  auto due = scheduler_.now() + faults_.delay_min;
  if (faults_.delay_max > faults_.delay_min) due += draw_below(chance_, faults_.delay_max - faults_.delay_min);
  if (happens(faults_.straggle_permille)) due += draw_below(chance_, faults_.straggle_max + 1us);
  if (!faults_.reorders) {
    auto& last = last_due_[{transit.source(), transit.target()}];
    due = std::max(due, last);
    last = due;
  }
  under_way_.push({due, next_order_++, transit});
}

std::size_t simulated_network::release(const std::function<bool(const frame_transit&)>& which) {
  std::vector<frame_transit> released;
  std::vector<frame_transit> kept;
  for (auto& each : held_)
    (which(each) ? released : kept).push_back(std::move(each));
  held_ = std::move(kept);
  for (const auto& each : released)
    dispatch(each, verdict::pass);
  return released.size();
}

std::optional<moment> simulated_network::next_arrival() const {
  if (under_way_.empty()) return std::nullopt;
  return under_way_.top().due;
}

void simulated_network::deliver_next() {
  require(!under_way_.empty() && under_way_.top().due <= scheduler_.now(), "a frame that arrives is due");
  const auto transit = under_way_.top().transit;
  under_way_.pop();
  ++counters_.delivered;
  if (on_delivered_) on_delivered_(transit);
  const auto meddler = meddlers_.find(transit.target());
  const auto frame =
      meddler == meddlers_.end() ? transit.frame : meddler->second->on_arriving(transit.from, transit.frame);
  if (frame != nullptr) hand_in(transit.target(), transit.source(), frame);
}

void simulated_network::hand_in(endpoint machine, endpoint from, const frame_ptr& frame) {
  const auto found = receivers_.find(machine);
  if (found != receivers_.end() && found->second) found->second({from.who, link(machine, from), frame, nullptr});
}

}  // namespace hypermesh::testing
