#include "runtime/host_actors/client.hpp"

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "runtime/host_actors/translation.hpp"

namespace hypermesh::host {

namespace {

using client_self = inner_client_actor::stateful_pointer<host_client_state>;

/// Sends an operation to the client, as `message_of` makes it. Its callback runs in the other actor, so it only sends a
/// message to this one.
template <class Make>
caf::result<outcome> carry_out(client_self self, const std::string& operation, Make message_of) {
  auto& state = self->state;
  if (state.is_ending) return shown_of(submit_outcome{client_error::stopped});
  const auto token = state.next_token++;
  auto promise = self->make_response_promise<outcome>();
  state.waiting.emplace(token, promise);
  const auto handle = caf::actor_cast<inner_client_actor>(self);
  const auto done = std::make_shared<const completion>([handle, token](const submit_outcome& result) {
    caf::anon_send(handle, operation_finished{token, result});
  });
  self->send(state.inner, message_of(to_byte_vector(operation), done));
  return promise;
}

void end_if_done(client_self self) {
  if (self->state.is_ending && self->state.waiting.empty()) self->quit(caf::exit_reason::user_shutdown);
}

}  // namespace

inner_client_actor::behavior_type host_client(client_self self, actors::client_actor inner) {
  self->state.inner = std::move(inner);
  return {
      [self](const submit& wanted) {
        return carry_out(self, wanted.operation, [](byte_vector operation, const auto& done) {
          return submit_operation{std::move(operation), done};
        });
      },
      [self](const query& wanted) {
        const auto mode = wanted.is_linearizable ? read_mode::linearizable : read_mode::committed;
        return carry_out(self, wanted.operation, [mode](byte_vector operation, const auto& done) {
          return query_operation{std::move(operation), done, mode};
        });
      },
      [self](const operation_finished& finished) {
        auto found = self->state.waiting.find(finished.token);
        if (found == self->state.waiting.end()) return;
        found->second.deliver(shown_of(finished.result));
        self->state.waiting.erase(found);
        end_if_done(self);
      },
      [self](const end_host_actor&) {
        // The client fails what it has, so each request gets its outcome.
        self->state.is_ending = true;
        self->send(self->state.inner, client_stop{});
        end_if_done(self);
      },
  };
}

}  // namespace hypermesh::host
