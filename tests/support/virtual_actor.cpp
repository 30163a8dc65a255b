#include "tests/support/virtual_actor.hpp"

#include <caf/actor_config.hpp>
#include <caf/actor_registry.hpp>
#include <caf/make_actor.hpp>

namespace hypermesh::testing {

virtual_actor::virtual_actor(caf::actor_config& config, virtual_handler handler)
    : caf::monitorable_actor(config), handler_(std::move(handler)) {}

void virtual_actor::enqueue(caf::mailbox_element_ptr what, caf::execution_unit*) { handler_(what->content()); }

caf::strong_actor_ptr make_virtual_actor(caf::actor_system& system, virtual_handler handler) {
  caf::actor_config config;
  return caf::make_actor<virtual_actor, caf::strong_actor_ptr>(system.next_actor_id(), system.node(), &system, config,
                                                               std::move(handler));
}

}  // namespace hypermesh::testing
