#include <hypermesh/caf/module.hpp>

#include <utility>

#include <caf/io/middleman.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include "runtime/host_actors/client.hpp"
#include "runtime/host_actors/consensus.hpp"
#include "runtime/host_reports.hpp"
#include "runtime/hosted_client.hpp"
#include "runtime/hosted_replica.hpp"

namespace hypermesh {

using namespace runtime;

struct module::parts {
  explicit parts(caf::actor_system& of) : system(&of) {}

  /// Waits until the actor has ended, because it may hold handles that keep the system alive.
  template <class Handle>
  void end(Handle& actor) {
    if (!actor) return;
    constexpr std::chrono::seconds patience{5};
    caf::scoped_actor self{*system};
    self->monitor(actor);
    self->send(actor, host::end_host_actor{});
    self->receive([](const caf::down_msg&) {}, caf::after(patience) >> [] {});
    actor = Handle{};
  }

  caf::actor_system* system;
  std::shared_ptr<feed::node_feed> feed;
  std::unique_ptr<hosted_replica> replica;
  std::unique_ptr<hosted_client> client;
  host::inner_consensus_actor inner_consensus;
  host::inner_client_actor inner_client;
  host::consensus_actor consensus_handle;
  host::client_actor client_handle;
};

namespace {

or_error<std::unique_ptr<hosted_replica>> start_replica(caf::actor_system& system, node_config config,
                                                        std::unique_ptr<state_machine> machine,
                                                        const std::shared_ptr<feed::node_feed>& feed) {
  auto observers = observers_for(feed);
  if (machine == nullptr) return hosted_replica::start(system, std::move(config), std::move(observers));
  return hosted_replica::start(system, std::move(config), std::move(machine), std::move(observers));
}

}  // namespace

void module::add_to(caf::actor_system_config& config) {
  add_runtime_to(config);
  config.add_message_types<caf::id_block::hypermesh_host>();
}

or_error<std::unique_ptr<module>> module::start(caf::actor_system& system, const module_settings& settings,
                                                std::unique_ptr<state_machine> machine) {
  // The module exists from the beginning, so that a start that fails stops what has started.
  std::unique_ptr<module> result{new module{std::make_unique<parts>(system)}};
  const auto& made = result->parts_;
  if (settings.replica) {
    auto config = read_node_config(settings.replica->file, settings.replica->overrides);
    if (!config) return failure_of(config);
    const auto cluster = config->cluster.parameters();
    made->feed = std::make_shared<feed::node_feed>(config->self, cluster, feed::kept_evidence::newest);
    auto started = start_replica(system, std::move(*config), std::move(machine), made->feed);
    if (!started) return failure_of(started);
    made->replica = std::move(*started);
    const auto& actors = made->replica->actors();
    const auto is_told = std::make_shared<std::atomic<bool>>(false);
    made->inner_consensus =
        system.spawn(host::consensus,
                     host::consensus_sources{cluster, actors.monitor, actors.fault_detector, actors.reputation_tracker,
                                             made->feed, made->replica->health_source(), is_told});
    made->consensus_handle = made->inner_consensus;
    made->feed->set_listener([is_told, actor = made->inner_consensus] {
      if (!is_told->exchange(true)) caf::anon_send(actor, host::look_again{});
    });
  }
  if (settings.client) {
    const auto config = read_client_config(settings.client->file, settings.client->overrides);
    if (!config) return failure_of(config);
    auto connected = hosted_client::connect(system, *config, settings.client_settings);
    if (!connected) return failure_of(connected);
    made->client = std::move(*connected);
    made->inner_client = system.spawn(host::host_client, made->client->actor());
    made->client_handle = made->inner_client;
  }
  return result;
}

module::module(std::unique_ptr<parts> of) :parts_(std::move(of)) {}

module::~module() { stop(); }

const host::consensus_actor& module::consensus() const { return parts_->consensus_handle; }

const host::client_actor& module::client() const { return parts_->client_handle; }

or_error<void> module::drain(std::chrono::milliseconds patience) {
  if (parts_->replica == nullptr) return {};
  parts_->feed->on_draining();
  return parts_->replica->drain(patience);
}

void module::stop() {
  parts_->client_handle = host::client_actor{};
  parts_->end(parts_->inner_client);
  parts_->client = nullptr;
  if (parts_->replica == nullptr) return;
  parts_->replica->stop();
  parts_->feed->close();
  parts_->feed->set_listener({});
  parts_->consensus_handle = host::consensus_actor{};
  parts_->end(parts_->inner_consensus);
}

}  // namespace hypermesh
