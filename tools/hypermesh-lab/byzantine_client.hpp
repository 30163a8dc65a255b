#pragma once

#include <memory>

#include <caf/actor_system.hpp>

#include "runtime/links/links.hpp"
#include "runtime/node_config.hpp"
#include "tests/byzantine/adversary.hpp"

namespace hypermesh::lab {

class adversary_at_client;

/// A client of a real cluster that an adversary controls. It has the product's actor and links, a steady load of
/// operations, and a strategy of tests/byzantine between the actor and the links.
class byzantine_client {
 public:
  [[nodiscard]] static or_error<std::unique_ptr<byzantine_client>> start(caf::actor_system& system,
                                                                         const client_config& config,
                                                                         std::unique_ptr<testing::adversary> strategy,
                                                                         std::uint64_t seed);
  ~byzantine_client();
  byzantine_client(const byzantine_client&) = delete;
  byzantine_client& operator=(const byzantine_client&) = delete;

 private:
  explicit byzantine_client(caf::actor_system& system) : system_(&system) {}

  caf::actor_system* system_;
  client_actor actor_;
  client_links_handle links_;
  std::shared_ptr<adversary_at_client> between_;
};

}  // namespace hypermesh::lab
