#include "tools/hypermesh-lab/adversary_at_client.hpp"

#include <chrono>

#include <fmt/format.h>
#include <caf/actor_cast.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include "runtime/state_machines/key_value_operations.hpp"

namespace hypermesh::lab {

adversary_at_client::adversary_at_client(caf::actor_system& system, client_actor client, std::size_t replicas)
    : system_(system), client_(std::move(client)), links_(replicas), stand_ins_(replicas) {}

client_actor adversary_at_client::end() {
  const auto made = system_.spawn([weak = weak_from_this()](caf::event_based_actor*) -> caf::behavior {
    return {[weak](const client_links& links) {
              if (const auto place = weak.lock()) place->open(links);
            },
            [weak](const incoming_frame& in) {
              if (const auto place = weak.lock()) place->arrive(in);
            },
            [weak](const link_changed& changed) {
              const auto place = weak.lock();
              if (place == nullptr) return;
              const std::scoped_lock lock{place->guard_};
              if (place->client_) caf::anon_send(place->client_, changed);
            }};
  });
  spawned_.push_back(made);
  return caf::actor_cast<client_actor>(made);
}

void adversary_at_client::play(testing::adversary_hands hands, std::unique_ptr<testing::adversary> strategy) {
  const std::scoped_lock lock{guard_};
  between_ = std::make_unique<testing::interposer>(std::move(hands), std::move(strategy));
  spawn_clock();
}

void adversary_at_client::stop() {
  const std::scoped_lock lock{guard_};
  between_ = nullptr;
  for (const auto& each : spawned_)
    caf::anon_send_exit(each, caf::exit_reason::user_shutdown);
  spawned_.clear();
  stand_ins_.clear();
  links_.clear();
  client_ = client_actor{};
}

// --- The adversary's world -----------------------------------------------------------

microseconds_t adversary_at_client::now() const {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<microseconds_t>(std::chrono::duration_cast<std::chrono::microseconds>(since).count());
}

void adversary_at_client::put_on_wire(principal to, const frame_ptr& frame, microseconds_t delay_us) {
  const std::scoped_lock lock{guard_};
  if (!to.is_replica() || to.number >= links_.size() || !links_[to.number]) return;
  if (delay_us == 0) {
    caf::anon_send(links_[to.number], outgoing_frame{frame});
  } else {
    caf::delayed_anon_send(links_[to.number], std::chrono::microseconds{delay_us}, outgoing_frame{frame});
  }
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
  for (std::uint32_t number = 0; number < links_.size(); ++number) {
    const auto to = principal::of(replica_id{number});
    const auto made = system_.spawn([to, weak = weak_from_this()](caf::event_based_actor*) -> caf::behavior {
      return {[to, weak](const outgoing_frame& out) {
        if (const auto place = weak.lock()) place->leave(to, out);
      }};
    });
    spawned_.push_back(made);
    stand_ins_[number] = caf::actor_cast<peer_actor>(made);
  }
  caf::anon_send(client_, client_links{std::make_shared<const std::vector<peer_actor>>(stand_ins_)});
}

void adversary_at_client::leave(principal to, const outgoing_frame& out) {
  const std::scoped_lock lock{guard_};
  if (between_ == nullptr) return;
  if (auto frame = between_->on_send(to, out.frame)) put_on_wire(to, frame, 0);
}

void adversary_at_client::arrive(const incoming_frame& in) {
  const std::scoped_lock lock{guard_};
  if (between_ == nullptr || !client_ || in.sender.number >= stand_ins_.size()) return;
  auto frame = between_->on_receive(in.sender, in.frame);
  if (frame == nullptr) return;
  caf::anon_send(client_, incoming_frame{in.sender, stand_ins_[in.sender.number], std::move(frame), in.credit});
}

void adversary_at_client::keep_asking() {
  for (auto count = under_way_->load(); count < operations_in_flight; ++count) {
    const auto key = fmt::format("byzantine-{}", asked_++ % operations_in_flight);
    ++*under_way_;
    const auto done = std::make_shared<const completion>([left = under_way_](const submit_outcome&) { --*left; });
    caf::anon_send(client_, submit_operation{key_value::encode(key_value::increment{as_byte_span(key), 1}), done});
  }
}

void adversary_at_client::spawn_clock() {
  constexpr std::chrono::microseconds period{testing::adversary_tick_us};
  spawned_.push_back(system_.spawn([weak = weak_from_this(), period](caf::event_based_actor* self) -> caf::behavior {
    self->delayed_send(self, period, tick{});
    return {[self, weak, period](const tick&) {
      const auto place = weak.lock();
      if (place == nullptr) return;
      const std::scoped_lock lock{place->guard_};
      if (place->between_ == nullptr) return;
      place->between_->on_tick();
      place->keep_asking();
      self->delayed_send(self, period, tick{});
    }};
  }));
}

}  // namespace hypermesh::lab
