#pragma once

#include <utility>

#include <caf/actor_config.hpp>
#include <caf/behavior.hpp>
#include <caf/io/broker.hpp>

namespace hypermesh::links {

/// A broker whose mailbox closes when it quits. The mailbox of a CAF 0.17.6 broker stays open. Messages to a closed
/// session would then pile up for as long as any actor has its handle, and a delayed message to itself would keep the
/// broker alive for ever.
class link_broker : public caf::io::broker {
 public:
  explicit link_broker(caf::actor_config& config) : caf::io::broker(config) {}

  bool cleanup(caf::error&& reason, caf::execution_unit* host) override {
    close_all();
    return caf::scheduled_actor::cleanup(std::move(reason), host);
  }
};

}  // namespace hypermesh::links

template <>
class caf::behavior_type_of<hypermesh::links::link_broker> {
 public:
  using type = caf::behavior;
};
