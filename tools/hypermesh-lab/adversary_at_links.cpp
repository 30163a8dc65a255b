#include "tools/hypermesh-lab/adversary_at_links.hpp"

#include <algorithm>
#include <chrono>

#include <caf/actor_cast.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

namespace hypermesh::lab {

adversary_at_links::adversary_at_links(caf::actor_system& system, const node_actors& actors, std::size_t replicas)
    : system_(system), behind_(actors), replicas_(replicas) {}

replica_link_ends adversary_at_links::ends() {
  return {spawn_ingress(behind_.ingress), spawn_executor(), behind_.monitor, behind_.coordinator,
          spawn_ingress(behind_.client_ingress)};
}

std::vector<peer_actor> adversary_at_links::peers(replica_id self) {
  const std::scoped_lock lock{guard_};
  std::vector<peer_actor> all(replicas_);
  for (std::uint32_t number = 0; number < replicas_; ++number) {
    if (number != self.value) all[number] = stand_in_of(principal::of(replica_id{number}));
  }
  return all;
}

void adversary_at_links::play(const replica_links& links, testing::adversary_hands hands,
                              std::unique_ptr<testing::adversary> strategy) {
  const std::scoped_lock lock{guard_};
  for (std::uint32_t number = 0; number < replicas_; ++number) {
    if (links.peers[number]) links_[principal::of(replica_id{number})] = {links.peers[number]};
  }
  between_ = std::make_unique<testing::interposer>(std::move(hands), std::move(strategy));
  spawn_clock();
}

void adversary_at_links::stop() {
  const std::scoped_lock lock{guard_};
  between_ = nullptr;
  for (const auto& each : spawned_)
    caf::anon_send_exit(each, caf::exit_reason::user_shutdown);
  spawned_.clear();
  stand_ins_.clear();
  links_.clear();
  behind_ = {};
}

// --- The adversary's world -----------------------------------------------------------

microseconds_t adversary_at_links::now() const {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<microseconds_t>(std::chrono::duration_cast<std::chrono::microseconds>(since).count());
}

void adversary_at_links::put_on_wire(principal to, const frame_ptr& frame, microseconds_t delay_us) {
  const std::scoped_lock lock{guard_};
  const auto found = links_.find(to);
  if (found == links_.end()) return;
  for (const auto& each : found->second) {
    if (delay_us == 0) {
      caf::anon_send(each, outgoing_frame{frame});
    } else {
      caf::delayed_anon_send(each, std::chrono::microseconds{delay_us}, outgoing_frame{frame});
    }
  }
}

void adversary_at_links::take_in(principal from, const frame_ptr& frame) {
  const std::scoped_lock lock{guard_};
  const auto& way_in = from.is_client() ? behind_.client_ingress : behind_.ingress;
  if (way_in) caf::anon_send(way_in, incoming_frame{from, stand_in_of(from), frame});
}

// --- Frames ----------------------------------------------------------------------------

void adversary_at_links::leave(principal to, const outgoing_frame& out) {
  const std::scoped_lock lock{guard_};
  if (between_ == nullptr) return;
  if (auto frame = between_->on_send(to, out.frame)) put_on_wire(to, frame, 0);
}

void adversary_at_links::arrive(const ingress_actor& behind, const incoming_frame& in) {
  const std::scoped_lock lock{guard_};
  if (between_ == nullptr) return;
  auto frame = between_->on_receive(in.sender, in.frame);
  if (frame) caf::anon_send(behind, incoming_frame{in.sender, stand_in_of(in.sender), std::move(frame), in.credit});
}

void adversary_at_links::open(const client_link_opened& opened) {
  const std::scoped_lock lock{guard_};
  if (!behind_.executor) return;
  const auto client = principal::of(opened.client);
  auto& sessions = links_[client];
  sessions.push_back(opened.via);
  // One stand-in represents all sessions of the client.
  if (sessions.size() == 1) caf::anon_send(behind_.executor, client_link_opened{opened.client, stand_in_of(client)});
}

void adversary_at_links::close(const client_link_closed& closed) {
  const std::scoped_lock lock{guard_};
  if (!behind_.executor) return;
  const auto client = principal::of(closed.client);
  auto& sessions = links_[client];
  std::erase(sessions, closed.via);
  if (sessions.empty()) caf::anon_send(behind_.executor, client_link_closed{closed.client, stand_in_of(client)});
}

// --- Actors in between -----------------------------------------------------------------

peer_actor adversary_at_links::stand_in_of(principal who) {
  auto& known = stand_ins_[who];
  if (!known) known = spawn_peer(who);
  return known;
}

peer_actor adversary_at_links::spawn_peer(principal to) {
  const auto made = system_.spawn([to, weak = weak_from_this()](caf::event_based_actor*) -> caf::behavior {
    return {[to, weak](const outgoing_frame& out) {
      if (const auto place = weak.lock()) place->leave(to, out);
    }};
  });
  spawned_.push_back(made);
  return caf::actor_cast<peer_actor>(made);
}

ingress_actor adversary_at_links::spawn_ingress(ingress_actor behind) {
  const auto made = system_.spawn([behind, weak = weak_from_this()](caf::event_based_actor*) -> caf::behavior {
    return {[behind, weak](const incoming_frame& in) {
      if (const auto place = weak.lock()) place->arrive(behind, in);
    }};
  });
  spawned_.push_back(made);
  return caf::actor_cast<ingress_actor>(made);
}

executor_actor adversary_at_links::spawn_executor() {
  const auto made = system_.spawn([weak = weak_from_this()](caf::event_based_actor*) -> caf::behavior {
    return {[weak](const client_link_opened& opened) {
              if (const auto place = weak.lock()) place->open(opened);
            },
            [weak](const client_link_closed& closed) {
              if (const auto place = weak.lock()) place->close(closed);
            }};
  });
  spawned_.push_back(made);
  return caf::actor_cast<executor_actor>(made);
}

void adversary_at_links::spawn_clock() {
  constexpr std::chrono::microseconds period{testing::adversary_tick_us};
  spawned_.push_back(system_.spawn([weak = weak_from_this(), period](caf::event_based_actor* self) -> caf::behavior {
    self->delayed_send(self, period, tick{});
    return {[self, weak, period](const tick&) {
      const auto place = weak.lock();
      if (place == nullptr) return;
      const std::scoped_lock lock{place->guard_};
      if (place->between_ == nullptr) return;
      place->between_->on_tick();
      self->delayed_send(self, period, tick{});
    }};
  }));
}

}  // namespace hypermesh::lab
