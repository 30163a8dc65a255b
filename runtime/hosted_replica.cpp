#include "runtime/hosted_replica.hpp"

#include <algorithm>
#include <mutex>
#include <thread>

#include <fmt/format.h>
#include <caf/io/middleman.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/protocol/verification/validator.hpp"
#include "runtime/audit/audit_recovery.hpp"
#include "runtime/base/system_wall_clock.hpp"
#include "runtime/config_check.hpp"
#include "runtime/host_reports.hpp"
#include "runtime/links/descriptor_limits.hpp"
#include "runtime/member_identity.hpp"
#include "runtime/metrics/disk_watch.hpp"
#include "runtime/patience.hpp"
#include "runtime/state_machines/registry.hpp"
#include "runtime/storage/storage.hpp"
#include "runtime/thread_limits.hpp"

namespace hypermesh::runtime {

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
  const auto origin = origin_of(config.storage.directory, config.owner());
  if (!origin) return failure_of(origin);
  past.on_probation = *origin != directory_origin::member && !past.readmitted;
  past.may_be_new = *origin == directory_origin::fresh && past.on_probation;
  return {};
}

}  // namespace

void add_runtime_to(caf::actor_system_config& config) {
  initialise_crypto();
  config.add_message_types<caf::id_block::hypermesh>();
  config.load<caf::io::middleman>();
}

runtime_system_config::runtime_system_config() {
  add_runtime_to(*this);
  // At least two workers, because with one worker a long batch delays every timer (measured: tails of tens of
  // milliseconds).
  const auto threads = std::clamp<std::size_t>(std::thread::hardware_concurrency(), 2, 4);
  set("scheduler.max-threads", threads);
  // An actor that handled this many messages lets the others run. CAF sets no bound, so an ingress that always has
  // frames would keep its worker, and two of them would keep all workers: the actors behind them would do nothing.
  set("scheduler.max-throughput", std::size_t{32});
  // All workers share one queue and a condition variable, so an idle worker sleeps until there is work. CAF's default
  // policy polls. Polling costs an idle node processor time, and wakes workers late at each hop of a commit without
  // load.
  set("scheduler.policy", caf::atom("sharing"));
}

or_error<std::unique_ptr<hosted_replica>> hosted_replica::start(caf::actor_system& system, node_config config,
                                                                node_observers observers) {
  auto machine = make_state_machine(config.cluster.state_machine);
  if (!machine) {
    return tl::unexpected(world_error{machine.error(), "start the replica with the host application's own machine",
                                      fault_origin::configuration});
  }
  return start(system, std::move(config), std::move(*machine), std::move(observers));
}

/// The handles of a node that runs, for the handler of failures.
struct hosted_replica::silencer {
  std::mutex guard;
  bool has_failed = false;
  node_actors actors;
  std::vector<caf::actor> links;

  /// A node that failed must not look alive: it leaves its links and votes no more. Does not wait, because the handler
  /// runs on a thread of one of these actors.
  void silence() {
    const std::scoped_lock lock{guard};
    has_failed = true;
    fall_silent();
  }

  /// From now on a failure reaches these actors. One that came before reaches them now.
  void watch(const node_actors& all, std::vector<caf::actor> of_links) {
    const std::scoped_lock lock{guard};
    actors = all;
    links = std::move(of_links);
    if (has_failed) fall_silent();
  }

  /// Releases the handles, because an actor system waits for its actors.
  void forget() {
    const std::scoped_lock lock{guard};
    actors = {};
    links.clear();
  }

 private:
  void fall_silent() {
    if (!actors.monitor) return;
    stop_links_of(links);
    stop_node(actors);
  }
};

hosted_replica::hosted_replica(caf::actor_system& system, replica_id self)
    : system_(&system), self_(self), silencer_(std::make_shared<silencer>()) {}

or_error<std::unique_ptr<hosted_replica>> hosted_replica::start(caf::actor_system& system, node_config config,
                                                                std::unique_ptr<state_machine> machine,
                                                                node_observers observers) {
  if (machine->name() != config.cluster.state_machine) {
    return tl::unexpected(
        world_error{fmt::format("the genesis names the state machine '{}', but the host application passed '{}'",
                                config.cluster.state_machine, machine->name()),
                    "pass the machine that the genesis names", fault_origin::configuration});
  }
  // A part that gets no thread later can only end the process.
  if (auto done = check_threads(threads_of_hosted_node(config.cluster.replicas.size())); !done) return failure_of(done);
  auto keys = load_keys(config.key_file, principal::of(config.self), config.cluster);
  if (!keys) return failure_of(keys);
  const auto& shared_keys = *keys;
  std::unique_ptr<hosted_replica> replica{new hosted_replica{system, config.self}};
  node_parts parts;
  parts.identity = {config.cluster.parameters(), config.self, shared_keys,
                    std::make_shared<const base::system_wall_clock>()};
  replica->identity_ = parts.identity;
  parts.settings = config.settings;
  parts.settings.retained_bytes = std::uint64_t{config.storage.retain_mib} * 1024 * 1024;
  parts.disk_blocks = config.storage.mode != durability::memory;
  auto links = link_settings_of(config.cluster, shared_keys, config.links);
  links.on_event = std::move(observers.on_link);
  // Descriptors are counted before the storage is opened, because a storage that runs out of descriptors looks damaged.
  const auto fitted = fit_to_descriptors(links, http::open_files_of(config.http));
  if (!fitted) return failure_of(fitted);
  parts.on_failure = [condition = replica->condition_, silencer = replica->silencer_,
                      told = std::move(observers.on_failure)](const world_error& error) {
    if (condition->on_failure(error) && told) told(error);
    silencer->silence();
  };
  parts.on_observation = [condition = replica->condition_,
                          also = std::move(observers.on_observation)](const observation& what) {
    condition->on_observation(what);
    if (also) also(what);
  };
  replica->watch_health(config, parts, links);
  if (auto done = replica->restore(config, std::move(machine), parts); !done) return failure_of(done);
  replica->watch_->begin(std::chrono::steady_clock::now());
  replica->prepare_metrics(config, parts, links);
  // Observers learn at once which sequences this run does not execute, and in which view it begins.
  const auto& past = parts.restored.past.replica;
  parts.on_observation(replica_progress{past.view, past.own_change == nullptr, {}, 0});
  parts.on_observation(execution_resumed{parts.restored.state->last_executed()});
  if (auto done = replica->start_audit(config, parts); !done) return failure_of(done);
  if (auto done = replica->run(std::move(parts), std::move(links), config.listen); !done) return failure_of(done);
  replica->links_.notice = *fitted;
  // After an error the destructor stops the node.
  if (auto done = replica->start_http(config); !done) return failure_of(done);
  return replica;
}

or_error<void> hosted_replica::restore(const node_config& config, std::unique_ptr<state_machine> machine,
                                       node_parts& parts) {
  if (auto done = prepare_storage(config); !done) return done;
  auto opened = open_storage(config.storage.directory, config.owner(), config.storage.mode);
  if (!opened) return tl::unexpected(with_trail_hint(std::move(opened.error()), config));
  parts.storage = std::move(*opened);
  try {
    auto contained = std::make_unique<contained_machine>(std::move(machine), machine_, parts.on_failure);
    auto restored = restore_node(parts.identity, *parts.storage, std::move(contained));
    if (!restored) return failure_of(restored);
    parts.restored = std::move(*restored);
  } catch (const machine_failure& failure) {
    // The machine failed in the last run at the same operation, or it cannot read the state of the last run.
    return tl::unexpected(failure.error);
  }
  return note_probation(config, parts.restored.past.replica);
}

or_error<void> hosted_replica::run(node_parts parts, link_settings links, const replica_address& listen) {
  actors_ = spawn_node(*system_, std::move(parts));
  auto started = start_replica_links(
      *system_, std::move(links), listen,
      {actors_.ingress, actors_.executor, actors_.monitor, actors_.coordinator, actors_.client_ingress});
  if (!started) {
    stop_node(actors_);
    wait_for_journal(actors_);
    stop_audit();
    stopped_ = true;
    return failure_of(started);
  }
  links_ = std::move(*started);
  actors_.peers = links_.peers;
  silencer_->watch(actors_, links_.actors);
  connect_node(actors_);
  health_actor_ = system_->spawn(health::health, watch_, keeps_disk_);
  caf::anon_send(health_actor_, wired{std::make_shared<const node_actors>(actors_)});
  self_report_ = system_->spawn(metrics::self_report, hub_);
  caf::anon_send(self_report_, wired{std::make_shared<const node_actors>(actors_)});
  if (auditor_) caf::anon_send(auditor_, wired{std::make_shared<const node_actors>(actors_)});
  return {};
}

or_error<void> hosted_replica::start_audit(const node_config& config, node_parts& parts) {
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
  auditor_ = system_->spawn<caf::detached>(auditor, std::move(trail), queue, audit::entry_clock{wall_clock_us});
  const auto tap = std::make_shared<const audit_tap>(auditor_, queue, config.audit.votes);
  parts.storage = std::make_shared<audited_storage>(std::move(parts.storage), tap);
  parts.on_observation = [tap, also = std::move(parts.on_observation)](const observation& what) {
    tap->on_observed(what);
    if (also) also(what);
  };
  return {};
}

void hosted_replica::watch_health(const node_config& config, node_parts& parts, link_settings& links) {
  keeps_disk_ = config.storage.mode != durability::memory;
  const health::health_subject subject{parts.identity.cluster, config.self, parts.settings.status_period, keeps_disk_};
  watch_ = std::make_shared<shared_health_watch>(
      subject, std::chrono::steady_clock::now(),
      [machine = machine_](std::chrono::milliseconds bound) { return machine->complaint(bound); });
  parts.on_failure = [watch = watch_, also = std::move(parts.on_failure)](const world_error& error) {
    watch->fail(error);
    also(error);
  };
  parts.on_observation = [watch = watch_, also = std::move(parts.on_observation)](const observation& what) {
    watch->note(what, std::chrono::steady_clock::now());
    if (also) also(what);
  };
  links.on_event = [watch = watch_, also = std::move(links.on_event)](const link_event& event) {
    const bool is_change = event.happened == link_event::what::up || event.happened == link_event::what::down;
    if (is_change && event.remote && event.remote->is_replica()) {
      watch->on_link(replica_id{event.remote->number}, event.happened == link_event::what::up,
                     std::chrono::steady_clock::now());
    }
    if (also) also(event);
  };
}

void hosted_replica::prepare_metrics(const node_config& config, node_parts& parts, link_settings& links) {
  const auto& cluster = parts.identity.cluster;
  if (config.http.enabled) {
    tap_ = std::make_shared<const http::node_tap>(config.self, cluster, config.http.event_clients_max,
                                                  config.trace.batches, config.http.pages_max);
    hub_ = tap_->hub();
  } else {
    hub_ = std::make_shared<metrics::metric_hub>(config.self, cluster.replicas, cluster.watermark_window);
  }
  parts.storage = std::make_shared<metrics::measured_storage>(std::move(parts.storage), hub_);
  parts.on_observation = [tap = tap_, hub = hub_, also = std::move(parts.on_observation)](const observation& what) {
    if (tap) {
      tap->on_observed(what);
    } else {
      hub->note(what);
    }
    if (also) also(what);
  };
  if (!tap_) return;
  links.on_event = [tap = tap_, also = std::move(links.on_event)](const link_event& what) {
    tap->on_link(what);
    if (also) also(what);
  };
}

or_error<void> hosted_replica::start_http(const node_config& config) {
  if (!tap_) return {};
  // A node that does not answer within this time is busy or hangs. The next round asks again.
  static constexpr std::chrono::seconds patience{1};
  http::node_questions questions;
  questions.report = [this] { return report(patience, report_wanted{.with_root = false}); };
  questions.reputations = [this] { return reputations(patience); };
  questions.works = [condition = condition_] { return condition->facts().running; };
  questions.health = [watch = watch_] { return watch->report(std::chrono::steady_clock::now()); };
  for (const auto& each : config.cluster.replicas)
    questions.keys.push_back(each.key);
  const bool is_stored = config.storage.mode != durability::memory;
  const metrics::disk_directories directories = {
      is_stored ? config.storage.directory : std::filesystem::path{},
      config.audit.enabled ? config.audit.directory : std::filesystem::path{}};
  const auto disks = std::make_shared<const metrics::disk_watch>(directories);
  questions.disks = [disks] { return disks->facts(); };
  auto started = http::node_endpoint::start(config.http, self_, tap_, links_.counters, std::move(questions));
  if (!started) return failure_of(started);
  endpoint_ = std::move(*started);
  return {};
}

void hosted_replica::wait_for_journal(const node_actors& stopped) {
  constexpr std::chrono::seconds patience{5};
  if (!stopped.journal) return;
  caf::scoped_actor self{*system_};
  self->monitor(stopped.journal);
  self->receive([](const caf::down_msg&) {}, caf::after(patience) >> [] {});
}

void hosted_replica::stop_audit() {
  if (!auditor_) return;
  constexpr std::chrono::seconds patience{5};
  caf::scoped_actor self{*system_};
  self->request(auditor_, patience, close_trail{}).receive([] {}, [](const caf::error&) {});
  auditor_ = auditor_actor{};
}

hosted_replica::~hosted_replica() { stop(); }

void hosted_replica::stop() {
  if (stopped_) return;
  // The sampler asks actors and reads this object on its own thread, so it stops first.
  if (endpoint_) endpoint_->stop();
  stopped_ = true;
  if (watch_) watch_->stop();
  silencer_->forget();
  stop_links_and_wait(*system_, links_.actors);
  caf::anon_send_exit(health_actor_, caf::exit_reason::user_shutdown);
  health_actor_ = health::health_actor{};
  caf::anon_send_exit(self_report_, caf::exit_reason::user_shutdown);
  self_report_ = metrics::self_report_actor{};
  stop_node(actors_);
  wait_for_journal(actors_);
  stop_audit();
  links_ = {};
  actors_ = {};
  endpoint_.reset();
}

std::optional<node_report> hosted_replica::report(std::chrono::milliseconds patience, report_wanted wanted) {
  std::optional<node_report> result;
  if (stopped_) return result;
  caf::scoped_actor self{*system_};
  self->request(actors_.monitor, bounded(patience), wanted)
      .receive([&](node_report& report) { result = std::move(report); }, [](const caf::error&) {});
  return result;
}

std::optional<rejection> hosted_replica::validate_message(principal sender, byte_vector frame) const {
  const validator checks{identity_.cluster, *identity_.keys};
  return checks.check_frame(sender, std::make_shared<const byte_vector>(std::move(frame)));
}

std::optional<std::vector<reputation>> hosted_replica::reputations(std::chrono::milliseconds patience) {
  std::optional<std::vector<reputation>> result;
  if (stopped_) return result;
  caf::scoped_actor self{*system_};
  self->request(actors_.reputation_tracker, bounded(patience), reputation_wanted{})
      .receive([&](reputation_report& report) { result = std::move(report.replicas); }, [](const caf::error&) {});
  return result;
}

std::optional<reputation> hosted_replica::reputation_of(replica_id replica, std::chrono::milliseconds patience) {
  const auto all = reputations(patience);
  if (!all || replica.value >= all->size()) return std::nullopt;
  return (*all)[replica.value];
}

std::optional<std::vector<replica_id>> hosted_replica::quarantined_nodes(std::chrono::milliseconds patience) {
  const auto all = reputations(patience);
  if (!all) return std::nullopt;
  std::vector<replica_id> quarantined;
  for (std::uint32_t number = 0; number < all->size(); ++number) {
    if ((*all)[number].agreed.is_quarantined()) quarantined.push_back(replica_id{number});
  }
  return quarantined;
}

void hosted_replica::release(replica_id replica) {
  if (!stopped_) caf::anon_send(actors_.fault_detector, release_wanted{replica});
}

node_health hosted_replica::health(std::chrono::milliseconds machine_patience) const {
  return shown_of(watch_->report(std::chrono::steady_clock::now(), machine_patience), condition_->facts().running);
}

std::function<node_health()> hosted_replica::health_source() const {
  return [watch = watch_, condition = condition_] {
    return shown_of(watch->report(std::chrono::steady_clock::now()), condition->facts().running);
  };
}

bool hosted_replica::wait_for_failure(std::chrono::milliseconds patience) const {
  return condition_->wait_until(std::chrono::steady_clock::now() + bounded(patience),
                                [](const auto& facts) { return !facts.running; });
}

}  // namespace hypermesh::runtime
