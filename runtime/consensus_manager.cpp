#include <hypermesh/consensus_manager.hpp>

#include <array>
#include <utility>

#include <caf/actor_system.hpp>

#include "actors/protocol/verification/validator.hpp"
#include "runtime/audit/audit_recovery.hpp"
#include "runtime/base/system_wall_clock.hpp"
#include "runtime/config_check.hpp"
#include "runtime/links/descriptor_limits.hpp"
#include "runtime/member_identity.hpp"
#include "runtime/thread_limits.hpp"

namespace hypermesh {

using namespace runtime;

std::string_view to_string(event_kind kind) {
  constexpr auto count = static_cast<std::size_t>(event_kind_last) + 1;
  static constexpr std::array<std::string_view, count> names = {
      "view_entered",   "primary_suspected", "checkpoint_stable", "state_installed",
      "state_diverged", "fault_proven",      "standing_changed",  "probation_changed",
      "move_agreed",    "query_failed",      "audit_interrupted", "draining",
      "failed"};
  static_assert(!names.back().empty(), "a name for each kind of event");
  return static_cast<std::size_t>(kind) < count ? names[static_cast<std::size_t>(kind)] : "unknown";
}

/// The order of the members matters: the replica ends before the actor system in which its actors run.
struct consensus_manager::parts {
  parts(replica_id self, std::uint32_t replicas) : feed(std::make_shared<feed::node_feed>(self, replicas)) {}

  std::shared_ptr<feed::node_feed> feed;
  runtime_system_config system_config;
  caf::actor_system system{system_config};
  std::unique_ptr<hosted_replica> replica;
};

runtime_system_config::runtime_system_config() {
  initialise_crypto();
  add_message_types<caf::id_block::hypermesh>();
  load<caf::io::middleman>();
  // At least two workers, because with one worker a long batch delays every timer (measured: tails of tens of
  // milliseconds).
  const auto threads = std::clamp<std::size_t>(std::thread::hardware_concurrency(), 2, 4);
  set("scheduler.max-threads", threads);
  // All workers share one queue and a condition variable, so an idle worker sleeps until there is work. CAF's default
  // policy polls. Polling costs an idle node processor time, and wakes workers late at each hop of a commit without
  // load.
  set("scheduler.policy", caf::atom("sharing"));
}

or_error<std::unique_ptr<consensus_manager>> consensus_manager::start(caf::actor_system& system, node_config config,
                                                                      node_observers observers) {
  auto machine = make_state_machine(config.cluster.state_machine);
  if (!machine) {
    return tl::unexpected(world_error{machine.error(), "start the replica with the host application's own machine",
                                      fault_origin::configuration});
  }
  return start(system, std::move(config), std::move(*machine), std::move(observers));
}

or_error<std::unique_ptr<consensus_manager>> consensus_manager::start(caf::actor_system& system, node_config config,
                                                                      std::unique_ptr<state_machine> machine,
                                                                      node_observers observers) {
  if (machine->name() != config.cluster.state_machine) {
    return tl::unexpected(
        world_error{fmt::format("the genesis names the state machine '{}', but the host application passed '{}'",
                                config.cluster.state_machine, machine->name()),
                    "pass the machine that the genesis names", fault_origin::configuration});
  }
  auto keys = load_keys(config.key_file, principal::of(config.self), config.cluster);
  if (!keys) return failure_of(keys);
  const auto& shared_keys = *keys;
  std::unique_ptr<consensus_manager> manager{new consensus_manager{system, config.self}};
  node_parts parts;
  parts.identity = {config.cluster.parameters(), config.self, shared_keys,
                    std::make_shared<const base::system_wall_clock>()};
  manager->identity_ = parts.identity;
  parts.settings = config.settings;
  parts.settings.retained_bytes = std::uint64_t{config.storage.retain_mib} * 1024 * 1024;
  parts.disk_blocks = config.storage.mode != durability::memory;
  auto links = link_settings_of(config.cluster, shared_keys, config.links);
  links.on_event = std::move(observers.on_link);
  // Descriptors are counted before the storage is opened, because a storage that runs out of descriptors looks damaged.
  const auto fitted = fit_to_descriptors(links);
  if (!fitted) return failure_of(fitted);
  if (auto done = prepare_storage(config); !done) return failure_of(done);
  auto opened = open_storage(config.storage.directory, config.owner(), config.storage.mode);
  if (!opened) return tl::unexpected(with_trail_hint(std::move(opened.error()), config));
  parts.storage = std::move(*opened);
  auto restored = restore_node(parts.identity, *parts.storage, std::move(machine));
  if (!restored) return failure_of(restored);
  parts.restored = std::move(*restored);
  if (auto done = note_probation(config, parts.restored.past.replica); !done) return failure_of(done);
  parts.on_observation = std::move(observers.on_observation);
  if (auto done = manager->start_audit(config, parts); !done) return failure_of(done);
  parts.on_failure = [record = manager->failure_](const world_error& error) {
    const std::scoped_lock lock{record->guard};
    if (record->health) record->health = tl::unexpected(error);
    record->changed.notify_all();
  };
  auto started = machine == nullptr
                     ? hosted_replica::start(made->system, std::move(*read), std::move(observers))
                     : hosted_replica::start(made->system, std::move(*read), std::move(machine), std::move(observers));
  if (!started) return failure_of(started);
  made->replica = std::move(*started);
  return std::unique_ptr<consensus_manager>{new consensus_manager{std::move(made)}};
}

consensus_manager::consensus_manager(std::unique_ptr<parts> of) : parts_(std::move(of)) {}

consensus_manager::~consensus_manager() { stop(); }

replica_id consensus_manager::self() const { return parts_->replica->self(); }

std::uint16_t consensus_manager::port() const { return parts_->replica->port(); }

const std::string& consensus_manager::notice() const { return parts_->replica->notice(); }

or_error<void> consensus_manager::drain(std::chrono::milliseconds patience) {
  parts_->feed->add_event({0, event_kind::draining, {}, {}, principal::of(self()), "this replica is being drained"});
  auto outcome = parts_->replica->drain(patience);
  parts_->feed->close();
  return outcome;
}

void consensus_manager::stop() {
  parts_->replica->stop();
  parts_->feed->close();
}

std::optional<node_state> consensus_manager::state(std::chrono::milliseconds patience) {
  const auto report = parts_->replica->report(patience);
  return report ? std::optional{state_of(*report)} : std::nullopt;
}

node_health consensus_manager::health(std::chrono::milliseconds machine_patience) const {
  return parts_->replica->health(machine_patience);
}

bool consensus_manager::wait_for_failure(std::chrono::milliseconds patience) const {
  return parts_->replica->wait_for_failure(patience);
}

std::optional<std::vector<hypermesh::metric>> consensus_manager::metrics(std::chrono::milliseconds patience) {
  const auto report = parts_->replica->report(patience);
  return report ? std::optional{metrics_of(*report)} : std::nullopt;
}

std::unique_ptr<hypermesh::event_stream> consensus_manager::events() { return feed::events_of(parts_->feed); }

std::unique_ptr<operation_stream> consensus_manager::operations(std::optional<operation_position> from) {
  return feed::operations_of(parts_->feed, from);
}

or_reason<void> consensus_manager::validate_message(principal sender, byte_vector frame) const {
  const auto objection = parts_->replica->validate_message(sender, std::move(frame));
  if (objection) return invalid(std::string{to_string(*objection)});
  return {};
}

std::optional<replica_reputation> consensus_manager::reputation_of(replica_id replica,
                                                                   std::chrono::milliseconds patience) {
  const auto known = parts_->replica->reputation_of(replica, patience);
  return known ? std::optional{shown_of(*known)} : std::nullopt;
}

std::optional<std::vector<replica_id>> consensus_manager::quarantined_nodes(std::chrono::milliseconds patience) {
  return parts_->replica->quarantined_nodes(patience);
}

void consensus_manager::release(replica_id replica) { parts_->replica->release(replica); }

}  // namespace hypermesh
