#include <hypermesh/consensus_manager.hpp>

#include <algorithm>
#include <utility>

#include <caf/actor_system.hpp>

#include "messages/kinds.hpp"
#include "runtime/events/event_table.hpp"
#include "runtime/feed/node_feed.hpp"
#include "runtime/host_reports.hpp"
#include "runtime/hosted_replica.hpp"
#include "runtime/links/descriptor_limits.hpp"
#include "runtime/member_identity.hpp"
#include "runtime/thread_limits.hpp"

namespace hypermesh {

using namespace runtime;

std::string_view to_string(event_kind kind) {
  const auto row = std::ranges::find(event_table(), std::optional{kind}, &event_row::for_hosts);
  return row == event_table().end() ? "unknown" : row->name;
}

/// The order of the members matters: the replica ends before the actor system in which its actors run.
struct consensus_manager::parts {
  explicit parts(const node_config& config)
      : feed(std::make_shared<feed::node_feed>(config.self, config.cluster.parameters())) {}

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
  if (auto done = check_threads(threads_of_node(read->cluster.replicas.size())); !done) return failure_of(done);
  auto made = std::make_unique<parts>(*read);
  auto observers = observers_for(made->feed);
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
  parts_->feed->on_draining();
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
  const auto report = parts_->replica->report(patience, report_wanted{.with_root = false});
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
