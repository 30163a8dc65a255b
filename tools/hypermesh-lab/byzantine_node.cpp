#include "tools/hypermesh-lab/byzantine_node.hpp"

#include "runtime/member_identity.hpp"
#include "runtime/state_machines/registry.hpp"
#include "runtime/storage/storage.hpp"
#include "tools/hypermesh-lab/adversary_at_node.hpp"

namespace hypermesh::lab {

namespace {

/// Opens and restores the disk as the product's start does.
or_error<void> restore(const node_config& config, node_parts& parts) {
  auto machine = make_state_machine(config.cluster.state_machine);
  if (!machine)
    return tl::unexpected(world_error{machine.error(), "use a cluster with one of the product's state machines"});
  auto opened = open_storage(config.storage.directory, config.owner(), config.storage.mode);
  if (!opened) return failure_of(opened);
  parts.storage = std::move(*opened);
  auto restored = restore_node(parts.identity, *parts.storage, std::move(*machine));
  if (!restored) return failure_of(restored);
  parts.restored = std::move(*restored);
  return {};
}

}  // namespace

or_error<std::unique_ptr<byzantine_node>> byzantine_node::start(caf::actor_system& system, const node_config& config,
                                                                std::unique_ptr<testing::adversary> strategy,
                                                                std::set<replica_id> accomplices, std::uint64_t seed) {
  auto keys = load_keys(config.key_file, principal::of(config.self), config.cluster);
  if (!keys) return failure_of(keys);
  const auto& held = *keys;
  const auto cluster = config.cluster.parameters();
  node_parts parts;
  auto clock = std::make_shared<stepped_wall_clock>();
  parts.identity = {cluster, config.self, held, clock};
  parts.settings = config.settings;
  parts.settings.retained_bytes = std::uint64_t{config.storage.retain_mib} * 1024 * 1024;
  parts.disk_blocks = config.storage.mode != durability::memory;
  if (auto done = restore(config, parts); !done) return failure_of(done);
  std::unique_ptr<byzantine_node> node{new byzantine_node{system}};
  node->actors_ = spawn_node(system, std::move(parts));
  node->between_ = std::make_shared<adversary_at_node>(system, node->actors_, cluster.replicas, std::move(clock));
  auto started = start_replica_links(system, link_settings_of(config.cluster, held, config.links), config.listen,
                                     node->between_->ends());
  if (!started) return failure_of(started);
  node->links_ = std::move(*started);
  accomplices.insert(config.self);
  const auto together = std::make_shared<const std::set<replica_id>>(std::move(accomplices));
  node->between_->play(node->links_, {*node->between_, cluster, held, together, seed}, std::move(strategy));
  node->actors_.peers = node->between_->peers(config.self);
  connect_node(node->actors_);
  return node;
}

byzantine_node::~byzantine_node() {
  stop_links_and_wait(*system_, links_.actors);
  if (between_ != nullptr) between_->stop();
  stop_node(actors_);
  // The handles are reset here, because they keep actors alive that wait for each other's end.
  links_ = {};
  actors_ = {};
}

}  // namespace hypermesh::lab
