#include "tools/hypermesh-lab/adversary_at_client.hpp"

#include <fmt/format.h>
#include <caf/actor_cast.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include "runtime/state_machines/key_value_operations.hpp"

namespace hypermesh::lab {

adversary_at_client::adversary_at_client(caf::actor_system& system, client_actor client, std::size_t replicas)
    : adversary_at_member(system), client_(std::move(client)), links_(replicas), stand_ins_(replicas) {}

client_actor adversary_at_client::end() {
  const auto weak = std::weak_ptr{std::static_pointer_cast<adversary_at_client>(shared_from_this())};
  return caf::actor_cast<client_actor>(spawn([weak](caf::event_based_actor*) -> caf::behavior {
    return {[weak](const client_links& links) {
              if (const auto place = weak.lock()) place->open(links);
            },
            [weak](const incoming_frame& in) {
              if (const auto place = weak.lock()) place->arrive(in);
            },
            [weak](const link_changed& changed) {
              if (const auto place = weak.lock()) place->change_link(changed);
            }};
  }));
}

void adversary_at_client::play(testing::adversary_hands hands, std::unique_ptr<testing::adversary> strategy) {
  begin(std::move(hands), std::move(strategy));
}

void adversary_at_client::release() {
  stand_ins_.clear();
  links_.clear();
  client_ = client_actor{};
}

// --- The adversary's world -----------------------------------------------------------

void adversary_at_client::put_on_wire(principal to, const frame_ptr& frame, duration delay) {
  const std::scoped_lock lock{guard_};
  if (!to.is_replica() || to.number >= links_.size() || !links_[to.number]) return;
  send_on(links_[to.number], frame, delay);
}

void adversary_at_client::take_in(principal from, const frame_ptr& frame) {
  const std::scoped_lock lock{guard_};
  if (!client_ || !from.is_replica() || from.number >= stand_ins_.size()) return;
  caf::anon_send(client_, incoming_frame{from, stand_ins_[from.number], frame});
}

// --- Frames ----------------------------------------------------------------------------

void adversary_at_client::open(const client_links& links) {
  const std::scoped_lock lock{guard_};
  if (!client_) return;
  links_ = *links.peers;
  for (std::uint32_t number = 0; number < links_.size(); ++number)
    stand_ins_[number] = spawn_stand_in(principal::of(replica_id{number}));
  caf::anon_send(client_, client_links{std::make_shared<const std::vector<peer_actor>>(stand_ins_)});
}

void adversary_at_client::arrive(const incoming_frame& in) {
  const std::scoped_lock lock{guard_};
  if (!is_playing() || !client_ || in.sender.number >= stand_ins_.size()) return;
  auto frame = received(in);
  if (frame == nullptr) return;
  caf::anon_send(client_, incoming_frame{in.sender, stand_ins_[in.sender.number], std::move(frame), in.credit});
}

void adversary_at_client::change_link(const link_changed& changed) {
  const std::scoped_lock lock{guard_};
  if (client_) caf::anon_send(client_, changed);
}

void adversary_at_client::on_tick() {
  for (auto count = under_way_->load(); count < operations_in_flight; ++count) {
    const auto key = fmt::format("byzantine-{}", asked_++ % operations_in_flight);
    ++*under_way_;
    const auto done = std::make_shared<const completion>([left = under_way_](const submit_outcome&) { --*left; });
    caf::anon_send(client_, submit_operation{key_value::encode(key_value::increment{as_byte_span(key), 1}), done});
  }
}

}  // namespace hypermesh::lab
