#pragma once

#include <memory>
#include <set>

#include <caf/actor_system.hpp>

#include "runtime/links/links.hpp"
#include "runtime/node_config.hpp"
#include "tests/byzantine/adversary.hpp"

namespace hypermesh::lab {

class adversary_at_node;

/// A replica of a real cluster that an adversary controls. It has the product's actors, disk and links, and a strategy
/// of tests/byzantine between the actors and the links. The strategy sees all frames and signs with the replica's own
/// key.
class byzantine_node {
 public:
  /// Starts a replica that plays together with `accomplices`, which may contain this replica. The error says why the
  /// node cannot start.
  [[nodiscard]] static or_error<std::unique_ptr<byzantine_node>> start(caf::actor_system& system,
                                                                       const node_config& config,
                                                                       std::unique_ptr<testing::adversary> strategy,
                                                                       std::set<replica_id> accomplices,
                                                                       std::uint64_t seed);
  ~byzantine_node();
  byzantine_node(const byzantine_node&) = delete;
  byzantine_node& operator=(const byzantine_node&) = delete;

  [[nodiscard]] std::uint16_t port() const { return links_.port; }

 private:
  explicit byzantine_node(caf::actor_system& system) : system_(&system) {}

  caf::actor_system* system_;
  node_actors actors_;
  replica_links links_;
  std::shared_ptr<adversary_at_node> between_;
};

}  // namespace hypermesh::lab
