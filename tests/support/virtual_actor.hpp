#pragma once

#include <functional>

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/monitorable_actor.hpp>
#include <caf/type_erased_tuple.hpp>

namespace hypermesh::testing {

/// Called with each message, within the step of the actor that sends it.
using virtual_handler = std::function<void(const caf::type_erased_tuple& content)>;

/// An actor without a mailbox: it handles a message at once. The simulated network's ends, the invariant observer and
/// the probes of the actor tests are such actors, so nothing can happen between an actor's step and its check.
/// Single-threaded, like the scheduler.
class virtual_actor final : public caf::monitorable_actor {
 public:
  virtual_actor(caf::actor_config& config, virtual_handler handler);

  void enqueue(caf::mailbox_element_ptr what, caf::execution_unit* host) override;
  [[nodiscard]] const char* name() const override { return "virtual-actor"; }

 private:
  virtual_handler handler_;
};

[[nodiscard]] caf::strong_actor_ptr make_virtual_actor(caf::actor_system& system, virtual_handler handler);

/// The actor as the typed handle that its users expect. Messages of other types reach the handler too.
template <class Handle>
Handle spawn_virtual(caf::actor_system& system, virtual_handler handler) {
  return caf::actor_cast<Handle>(make_virtual_actor(system, std::move(handler)));
}

/// The content if it is a single value of type `Message`, otherwise null.
template <class Message>
const Message* message_if(const caf::type_erased_tuple& content) {
  return content.match_elements<Message>() ? &content.get_as<Message>(0) : nullptr;
}

}  // namespace hypermesh::testing
