#include "tools/hypermesh-lab/adversary_at_member.hpp"

#include <caf/actor_cast.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include "tools/hypermesh-lab/steady_moment.hpp"

namespace hypermesh::lab {

void adversary_at_member::begin(testing::adversary_hands hands, std::unique_ptr<testing::adversary> strategy) {
  const std::scoped_lock lock{guard_};
  between_ = std::make_unique<testing::interposer>(std::move(hands), std::move(strategy));
  spawn_clock();
}

void adversary_at_member::stop() {
  const std::scoped_lock lock{guard_};
  between_ = nullptr;
  for (const auto& each : spawned_)
    caf::anon_send_exit(each, caf::exit_reason::user_shutdown);
  spawned_.clear();
  release();
}

moment adversary_at_member::now() const { return moment_of(std::chrono::steady_clock::now()); }

void adversary_at_member::send_on(const peer_actor& link, const frame_ptr& frame, duration delay) {
  if (delay == 0us) {
    caf::anon_send(link, outgoing_frame{frame});
  } else {
    caf::delayed_anon_send(link, delay, outgoing_frame{frame});
  }
}

void adversary_at_member::leave(principal to, const outgoing_frame& out) {
  const std::scoped_lock lock{guard_};
  if (between_ == nullptr) return;
  if (auto frame = between_->on_send(to, out.frame)) put_on_wire(to, frame, 0us);
}

peer_actor adversary_at_member::spawn_stand_in(principal to) {
  return caf::actor_cast<peer_actor>(spawn([to, weak = weak_from_this()](caf::event_based_actor*) -> caf::behavior {
    return {[to, weak](const outgoing_frame& out) {
      if (const auto place = weak.lock()) place->leave(to, out);
    }};
  }));
}

void adversary_at_member::spawn_clock() {
  constexpr auto period = testing::adversary_tick;
  spawn([weak = weak_from_this(), period](caf::event_based_actor* self) -> caf::behavior {
    self->delayed_send(self, period, tick{});
    return {[self, weak, period](const tick&) {
      const auto place = weak.lock();
      if (place == nullptr) return;
      const std::scoped_lock lock{place->guard_};
      if (place->between_ == nullptr) return;
      place->between_->on_tick();
      place->on_tick();
      self->delayed_send(self, period, tick{});
    }};
  });
}

}  // namespace hypermesh::lab
