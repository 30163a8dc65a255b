#include <hypermesh/consensus_manager.hpp>

#include <array>
#include <utility>

#include <caf/actor_system.hpp>

#include "messages/kinds.hpp"
#include "runtime/base/safe_text.hpp"
#include "runtime/feed/node_feed.hpp"
#include "runtime/host_reports.hpp"
#include "runtime/hosted_replica.hpp"
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

or_error<std::unique_ptr<consensus_manager>> consensus_manager::start(const configuration& config,
                                                                      std::unique_ptr<state_machine> machine) {
  auto read = read_node_config(config.file, config.overrides);
  if (!read) return failure_of(read);
  // The limits are checked before the actor system exists, because it cannot report that it is refused a thread.
  const auto replicas = static_cast<std::uint32_t>(read->cluster.replicas.size());
  if (auto done = check_threads(threads_of_node(replicas)); !done) return failure_of(done);
  auto made = std::make_unique<parts>(read->self, replicas);
  node_observers observers;
  observers.on_observation = [feed = made->feed](const observation& what) { feed->on_observation(what); };
  observers.on_failure = [feed = made->feed, self = read->self](const world_error& error) {
    feed->add_event({0, event_kind::failed, {}, {}, principal::of(self), base::visible_text(error.what)});
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
  // The destructor of the manager stops the node after an error.
  if (auto done = manager->start_http(config, std::move(observers.health)); !done) return failure_of(done);
  return manager;
}

void consensus_manager::prepare_http(const node_config& config, node_parts& parts, link_settings& links) {
  if (!config.http.enabled) return;
  const auto& cluster = parts.identity.cluster;
  tap_ = std::make_shared<const node_tap>(config.self, cluster.replicas, cluster.watermark_window,
                                          config.http.event_clients_max);
  parts.storage = std::make_shared<measured_storage>(std::move(parts.storage), tap_->hub());
  parts.on_observation = [tap = tap_, also = std::move(parts.on_observation)](const observation& what) {
    tap->on_observed(what);
    if (also) also(what);
  };
  links.on_event = [tap = tap_, also = std::move(links.on_event)](const link_event& what) {
    tap->on_link(what);
    if (also) also(what);
  };
}

or_error<void> consensus_manager::start_http(const node_config& config, health_port health) {
  if (!tap_) return {};
  // A node that does not answer within this time is busy or hangs; the next round asks again.
  static constexpr std::chrono::seconds patience{1};
  node_questions questions;
  questions.report = [this] { return ask_report(patience, report_wanted{.with_root = false}); };
  questions.reputations = [this] { return reputations(patience); };
  questions.works = [this] { return this->health(); };
  questions.health = std::move(health);
  const bool is_stored = config.storage.mode != durability::memory;
  disk_directories directories = {is_stored ? config.storage.directory : std::filesystem::path{},
                                  config.audit.enabled ? config.audit.directory : std::filesystem::path{}};
  auto started =
      node_endpoint::start(config.http, self_, tap_, links_.counters, std::move(directories), std::move(questions));
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
