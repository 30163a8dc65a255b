#include "tools/hypermesh-lab/byzantine_client.hpp"

#include <chrono>
#include <set>

#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/client.hpp"
#include "runtime/member_identity.hpp"
#include "tools/hypermesh-lab/adversary_at_client.hpp"

namespace hypermesh::lab {

namespace {

/// After this time an operation that the strategy spoiled makes room for another one.
constexpr duration deadline = 2s;

/// A session number above all sessions that this key has used, as long as the clock does not go back.
session_id first_session() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return session_id{
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(since_epoch).count())};
}

}  // namespace

or_error<std::unique_ptr<byzantine_client>> byzantine_client::start(caf::actor_system& system,
                                                                    const client_config& config,
                                                                    std::unique_ptr<testing::adversary> strategy,
                                                                    std::uint64_t seed) {
  auto loaded = load_keys(config.key_file, principal::of(config.self), config.cluster);
  if (!loaded) return failure_of(loaded);
  const auto& keys = *loaded;
  const auto cluster = config.cluster.parameters();
  client_settings settings;
  settings.deadline = deadline;
  // The session is independent, because in an ordered session no request after the first spoiled request is executed.
  settings.mode = session_mode::independent;
  settings.sampling_seed = seed;
  std::unique_ptr<byzantine_client> client{new byzantine_client{system}};
  client->actor_ = system.spawn(actors::client,
                                client_identity{cluster, config.self, keys, timestamp{1}, first_session()}, settings);
  client->between_ = std::make_shared<adversary_at_client>(system, client->actor_, cluster.replicas);
  client->links_ = start_client_links(system, link_settings_of(config.cluster, keys), client->between_->end());
  const auto nobody = std::make_shared<const std::set<replica_id>>();
  client->between_->play({*client->between_, cluster, keys, nobody, seed}, std::move(strategy));
  return client;
}

byzantine_client::~byzantine_client() {
  stop_links_and_wait(*system_, links_.actors);
  between_->stop();
  caf::anon_send(actor_, client_stop{});
  links_ = {};
  actor_ = client_actor{};
}

}  // namespace hypermesh::lab
