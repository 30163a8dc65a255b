#include "runtime/consensus_manager.hpp"

#include <algorithm>
#include <thread>

#include <fmt/format.h>
#include <caf/io/middleman.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/protocol/verification/validator.hpp"
#include "runtime/audit/audit_recovery.hpp"
#include "runtime/config_check.hpp"
#include "runtime/links/descriptor_limits.hpp"
#include "runtime/member_identity.hpp"
#include "runtime/state_machines/registry.hpp"
#include "runtime/storage/storage.hpp"

namespace hypermesh {

using namespace runtime;

namespace {

or_error<void> prepare_storage(const node_config& config) {
  if (!config.storage.learner) return {};
  if (config.storage.mode == durability::memory) {
    return tl::unexpected(world_error{"a learner needs durable storage; mode \"memory\" stores nothing",
                                      "set 'mode' to \"sync\" or \"async\" in the node's configuration",
                                      fault_origin::configuration});
  }
  return make_learner(config.storage.directory, config.owner());
}

or_error<void> note_probation(const node_config& config, recovered_replica& past) {
  if (config.storage.mode == durability::memory) return {};
  auto learner = is_learner(config.storage.directory, config.owner());
  if (!learner) return failure_of(learner);
  past.on_probation = *learner && !past.readmitted;
  return {};
}

}  // namespace

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
  parts.identity = {config.cluster.parameters(), config.self, shared_keys};
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
  manager->actors_ = spawn_node(system, std::move(parts));
  auto& actors = manager->actors_;
  auto started =
      start_replica_links(system, std::move(links), config.listen,
                          {actors.ingress, actors.executor, actors.monitor, actors.coordinator, actors.client_ingress});
  if (!started) {
    stop_node(actors);
    manager->stop_audit(actors);
    manager->stopped_ = true;
    return failure_of(started);
  }
  manager->links_ = std::move(*started);
  manager->links_.notice = *fitted;
  actors.peers = manager->links_.peers;
  connect_node(actors);
  if (manager->auditor_) caf::anon_send(manager->auditor_, wired{std::make_shared<const node_actors>(actors)});
  return manager;
}

or_error<void> consensus_manager::start_audit(const node_config& config, node_parts& parts) {
  if (!config.audit.enabled) return {};
  trail_settings settings;
  settings.retained_bytes = std::uint64_t{config.audit.retain_mib} * 1024 * 1024;
  const trail_owner owner{parts.identity.cluster.signing, config.self};
  auto opened = open_audit_trail({config.audit.directory}, owner, parts.identity.keys, settings, wall_clock_us());
  if (!opened) return failure_of(opened);
  auto trail = std::make_shared<std::unique_ptr<audit_trail>>(std::move(opened).value());
  const auto& past = parts.restored.past.replica;
  (*trail)->add(wall_clock_us(), run_started{past.view, past.last_executed});
  auto queue = std::make_shared<audit_queue>();
  // The auditor has its own thread, because a disk may hang.
  auditor_ = system_->spawn<caf::detached>(auditor, std::move(trail), queue, wall_clock{wall_clock_us});
  const auto tap = std::make_shared<const audit_tap>(auditor_, queue, config.audit.votes);
  parts.storage = std::make_shared<audited_storage>(std::move(parts.storage), tap);
  parts.on_observation = [tap, also = std::move(parts.on_observation)](const observation& what) {
    tap->on_observed(what);
    if (also) also(what);
  };
  return {};
}

void consensus_manager::stop_audit(const node_actors& stopped) {
  if (!auditor_) return;
  // The last seal must cover the records that the journal still writes. So this function waits for the journal, but
  // only for a limited time, because a disk may hang.
  constexpr std::chrono::seconds patience{5};
  caf::scoped_actor self{*system_};
  self->monitor(stopped.journal);
  self->receive([](const caf::down_msg&) {}, caf::after(patience) >> [] {});
  self->request(auditor_, patience, close_trail{}).receive([] {}, [](const caf::error&) {});
  auditor_ = auditor_actor{};
}

consensus_manager::~consensus_manager() { stop(); }

void consensus_manager::stop() {
  if (stopped_) return;
  stopped_ = true;
  stop_links_and_wait(*system_, links_.actors);
  stop_node(actors_);
  stop_audit(actors_);
  links_ = {};
  actors_ = {};
}

std::optional<node_report> consensus_manager::report(std::chrono::milliseconds patience) {
  std::optional<node_report> result;
  if (stopped_) return result;
  caf::scoped_actor self{*system_};
  self->request(actors_.monitor, patience, report_wanted{})
      .receive([&](node_report& report) { result = std::move(report); }, [](const caf::error&) {});
  return result;
}

std::optional<rejection> consensus_manager::validate_message(principal sender, byte_vector frame) const {
  const validator checks{identity_.cluster, *identity_.keys};
  return checks.check_frame(sender, std::make_shared<const byte_vector>(std::move(frame)));
}

std::optional<std::vector<reputation>> consensus_manager::reputations(std::chrono::milliseconds patience) {
  std::optional<std::vector<reputation>> result;
  if (stopped_) return result;
  caf::scoped_actor self{*system_};
  self->request(actors_.reputation_tracker, patience, reputation_wanted{})
      .receive([&](reputation_report& report) { result = std::move(report.replicas); }, [](const caf::error&) {});
  return result;
}

std::optional<reputation> consensus_manager::reputation_of(replica_id replica, std::chrono::milliseconds patience) {
  const auto all = reputations(patience);
  if (!all || replica.value >= all->size()) return std::nullopt;
  return (*all)[replica.value];
}

std::optional<std::vector<replica_id>> consensus_manager::quarantined_nodes(std::chrono::milliseconds patience) {
  const auto all = reputations(patience);
  if (!all) return std::nullopt;
  std::vector<replica_id> quarantined;
  for (std::uint32_t number = 0; number < all->size(); ++number) {
    if ((*all)[number].agreed.is_quarantined()) quarantined.push_back(replica_id{number});
  }
  return quarantined;
}

void consensus_manager::release(replica_id replica) {
  if (!stopped_) caf::anon_send(actors_.fault_detector, release_wanted{replica});
}

or_error<void> consensus_manager::health() const {
  const std::scoped_lock lock{failure_->guard};
  return failure_->health;
}

bool consensus_manager::wait_for_failure(std::chrono::milliseconds patience) const {
  std::unique_lock lock{failure_->guard};
  return failure_->changed.wait_for(lock, patience, [this] { return !failure_->health.has_value(); });
}

}  // namespace hypermesh
