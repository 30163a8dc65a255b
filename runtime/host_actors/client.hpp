#pragma once

#include <map>

#include <caf/typed_response_promise.hpp>

#include "runtime/host_actors/host_messages.hpp"

namespace hypermesh::host {

/// `client_actor` with the messages that it sends to itself.
using inner_client_actor = client_actor::extend<caf::reacts_to<operation_finished>, caf::reacts_to<end_host_actor>>;

/// The client of the host, as an actor: translates requests of the host's processes into those of the client's actor.
/// Memory: one promise for each operation that the client has accepted, so `client_settings::operations_pending_max`.
struct host_client_state {
  static inline const char* name = "host-client";

  /// The first member, because CAF gives the actor itself to a state that can be constructed from it, as a handle can.
  std::map<std::uint64_t, caf::typed_response_promise<outcome>> waiting;
  actors::client_actor inner;
  std::uint64_t next_token = 1;
  /// The module stops: no further operation is accepted.
  bool is_ending = false;
};

inner_client_actor::behavior_type host_client(inner_client_actor::stateful_pointer<host_client_state> self,
                                              actors::client_actor inner);

}  // namespace hypermesh::host
