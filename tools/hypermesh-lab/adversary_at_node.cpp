#include "tools/hypermesh-lab/adversary_at_node.hpp"

#include <algorithm>

#include <caf/actor_cast.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

namespace hypermesh::lab {

adversary_at_node::adversary_at_node(caf::actor_system& system, const node_actors& actors, std::size_t replicas,
                                     std::shared_ptr<stepped_wall_clock> clock)
    : adversary_at_member(system), behind_(actors), replicas_(replicas), clock_(std::move(clock)) {}

replica_link_ends adversary_at_node::ends() {
  return {spawn_ingress(behind_.ingress), spawn_executor(), behind_.monitor, behind_.coordinator,
          spawn_ingress(behind_.client_ingress)};
}

std::vector<peer_actor> adversary_at_node::peers(replica_id self) {
  const std::scoped_lock lock{guard_};
  std::vector<peer_actor> all(replicas_);
  for (std::uint32_t number = 0; number < replicas_; ++number) {
    if (number != self.value) all[number] = stand_in_of(principal::of(replica_id{number}));
  }
  return all;
}

void adversary_at_node::play(const replica_links& links, testing::adversary_hands hands,
                             std::unique_ptr<testing::adversary> strategy) {
  const std::scoped_lock lock{guard_};
  for (std::uint32_t number = 0; number < replicas_; ++number) {
    if (links.peers[number]) links_[principal::of(replica_id{number})] = {links.peers[number]};
  }
  begin(std::move(hands), std::move(strategy));
}

void adversary_at_node::release() {
  stand_ins_.clear();
  links_.clear();
  behind_ = {};
}

// --- The adversary's world -----------------------------------------------------------

void adversary_at_node::put_on_wire(principal to, const frame_ptr& frame, duration delay) {
  const std::scoped_lock lock{guard_};
  const auto found = links_.find(to);
  if (found == links_.end()) return;
  for (const auto& each : found->second)
    send_on(each, frame, delay);
}

void adversary_at_node::take_in(principal from, const frame_ptr& frame) {
  const std::scoped_lock lock{guard_};
  const auto& way_in = from.is_client() ? behind_.client_ingress : behind_.ingress;
  if (way_in) caf::anon_send(way_in, incoming_frame{from, stand_in_of(from), frame});
}

// --- Frames ----------------------------------------------------------------------------

void adversary_at_node::arrive(const ingress_actor& behind, const incoming_frame& in) {
  const std::scoped_lock lock{guard_};
  if (!is_playing()) return;
  auto frame = received(in);
  if (frame) caf::anon_send(behind, incoming_frame{in.sender, stand_in_of(in.sender), std::move(frame), in.credit});
}

void adversary_at_node::open(const client_link_opened& opened) {
  const std::scoped_lock lock{guard_};
  if (!behind_.executor) return;
  const auto client = principal::of(opened.client);
  auto& sessions = links_[client];
  sessions.push_back(opened.via);
  // One stand-in actor represents all sessions of the client.
  if (sessions.size() == 1) caf::anon_send(behind_.executor, client_link_opened{opened.client, stand_in_of(client)});
}

void adversary_at_node::close(const client_link_closed& closed) {
  const std::scoped_lock lock{guard_};
  if (!behind_.executor) return;
  const auto client = principal::of(closed.client);
  auto& sessions = links_[client];
  std::erase(sessions, closed.via);
  if (sessions.empty()) caf::anon_send(behind_.executor, client_link_closed{closed.client, stand_in_of(client)});
}

// --- Actors in between -----------------------------------------------------------------

peer_actor adversary_at_node::stand_in_of(principal who) {
  auto& known = stand_ins_[who];
  if (!known) known = spawn_stand_in(who);
  return known;
}

std::weak_ptr<adversary_at_node> adversary_at_node::weak_place() {
  return std::static_pointer_cast<adversary_at_node>(shared_from_this());
}

ingress_actor adversary_at_node::spawn_ingress(ingress_actor behind) {
  return caf::actor_cast<ingress_actor>(spawn([behind, weak = weak_place()](caf::event_based_actor*) -> caf::behavior {
    return {[behind, weak](const incoming_frame& in) {
      if (const auto place = weak.lock()) place->arrive(behind, in);
    }};
  }));
}

executor_actor adversary_at_node::spawn_executor() {
  return caf::actor_cast<executor_actor>(spawn([weak = weak_place()](caf::event_based_actor*) -> caf::behavior {
    return {[weak](const client_link_opened& opened) {
              if (const auto place = weak.lock()) place->open(opened);
            },
            [weak](const client_link_closed& closed) {
              if (const auto place = weak.lock()) place->close(closed);
            }};
  }));
}

}  // namespace hypermesh::lab
