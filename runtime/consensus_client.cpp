#include <hypermesh/consensus_client.hpp>

#include <utility>

#include <caf/actor_system.hpp>

#include "runtime/hosted_client.hpp"
#include "runtime/hosted_replica.hpp"
#include "runtime/thread_limits.hpp"

namespace hypermesh {

using namespace runtime;

/// The order of the members matters: the client ends before the actor system in which its actor runs.
struct consensus_client::parts {
  client_id self;
  runtime_system_config system_config;
  caf::actor_system system{system_config};
  std::unique_ptr<hosted_client> client;
};

or_error<std::unique_ptr<consensus_client>> consensus_client::connect(const configuration& config,
                                                                      const client_settings& settings) {
  auto read = read_client_config(config.file, config.overrides);
  if (!read) return failure_of(read);
  // The limits are checked before the actor system exists, because it cannot report that it is refused a thread.
  if (auto done = check_threads(threads_of_client(read->cluster.replicas.size())); !done) return failure_of(done);
  auto made = std::make_unique<parts>();
  made->self = read->self;
  auto connected = hosted_client::connect(made->system, *read, settings);
  if (!connected) return failure_of(connected);
  made->client = std::move(*connected);
  return std::unique_ptr<consensus_client>{new consensus_client{std::move(made)}};
}

consensus_client::consensus_client(std::unique_ptr<parts> of) : parts_(std::move(of)) {}

consensus_client::~consensus_client() = default;

client_id consensus_client::self() const { return parts_->self; }

std::future<submit_outcome> consensus_client::submit(byte_vector operation) {
  return parts_->client->submit(std::move(operation));
}

void consensus_client::submit(byte_vector operation, completion done) {
  parts_->client->submit(std::move(operation), std::move(done));
}

std::future<receipted_outcome> consensus_client::submit_with_receipt(byte_vector operation) {
  return parts_->client->submit_with_receipt(std::move(operation));
}

std::future<submit_outcome> consensus_client::query(byte_vector operation, read_mode mode) {
  return parts_->client->query(std::move(operation), mode);
}

}  // namespace hypermesh
