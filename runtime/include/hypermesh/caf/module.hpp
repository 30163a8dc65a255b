#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <hypermesh/caf/messages.hpp>
#include <hypermesh/expected.hpp>
#include <hypermesh/settings.hpp>
#include <hypermesh/state_machine.hpp>

namespace hypermesh {

/// What a module starts: a replica, a client, or both.
struct module_settings {
  std::optional<configuration> replica = {};
  std::optional<configuration> client = {};
  hypermesh::client_settings client_settings = {};
};

/// The product in a host that is an actor system itself. The module spawns its actors into the host's system, and gives
/// the host two typed actors: `consensus`, its replica, and `client`. `hypermesh/caf/messages.hpp` documents their
/// messages one by one.
///
///     caf::actor_system_config config;
///     hypermesh::module::add_to(config);
///     caf::actor_system system{config};
///     auto module = hypermesh::module::start(system, {.replica = hypermesh::configuration{"node.toml"}});
///
/// The host destroys the module before its actor system. No actor may call a function of this class, because they wait
/// for actors. It is not a `caf::actor_system::module`, because CAF 0.17 has a fixed list of those, and because a
/// start can fail with an error that the host should see.
class module {
 public:
  /// Adds the messages of the product and the network to the configuration. Call it once for each configuration.
  static void add_to(caf::actor_system_config& config);

  /// Starts what `settings` name. The machine is the one of the replica; see `consensus_manager::start`.
  [[nodiscard]] static or_error<std::unique_ptr<module>> start(caf::actor_system& system,
                                                               const module_settings& settings,
                                                               std::unique_ptr<state_machine> machine = nullptr);

  /// Stops both.
  ~module();
  module(const module&) = delete;
  module& operator=(const module&) = delete;

  /// The handle is empty if the settings name no replica.
  [[nodiscard]] const host::consensus_actor& consensus() const;
  /// The handle is empty if the settings name no client.
  [[nodiscard]] const host::client_actor& client() const;

  /// Ends the replica without harm to clients; see `consensus_manager::drain`. The client stays.
  [[nodiscard]] or_error<void> drain(std::chrono::milliseconds patience);

  /// Stops the client, then the replica. Requests that wait are answered. A second call does nothing.
  void stop();

 private:
  struct parts;
  explicit module(std::unique_ptr<parts> of);

  std::unique_ptr<parts> parts_;
};

}  // namespace hypermesh
