#include "runtime/hosted_client.hpp"

#include <sodium.h>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/client.hpp"
#include "actors/protocol/receipts/receipt_verifier.hpp"
#include "runtime/member_identity.hpp"
#include "runtime/patience.hpp"

namespace hypermesh::runtime {

namespace {

/// The number of random bits in a session's number. The bits above them are the milliseconds since 1970, which need 41
/// bits until 2039 and 42 bits until 2109.
constexpr unsigned session_random_bits = 22;

/// Makes a number above the sessions of earlier processes, provided that the clock is right. If the clock is wrong, the
/// replicas refuse to open the session and reply with a free number (see `client_sessions`). This costs one more
/// message.
session_id new_session() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  const auto now =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count());
  return session_id{(now << session_random_bits) + randombytes_uniform(1U << session_random_bits)};
}

/// Makes a callback that fulfils `promise`.
template <class Value, class Callback>
std::shared_ptr<const Callback> fulfilling(std::shared_ptr<std::promise<Value>> promise) {
  return std::make_shared<const Callback>([promise](const Value& value) { promise->set_value(value); });
}

/// The same callback, whose exceptions are dropped. An exception in a handler ends an actor, and with it the operations
/// of everybody else.
std::shared_ptr<const completion> contained(completion done) {
  return std::make_shared<const completion>([done = std::move(done)](const submit_outcome& outcome) noexcept {
    try {
      if (done) done(outcome);
    } catch (...) {
      return;
    }
  });
}

}  // namespace

or_error<std::unique_ptr<hosted_client>> hosted_client::connect(caf::actor_system& system, const client_config& config,
                                                                client_settings settings) {
  if (auto done = check_client_settings(settings); !done) return failure_of(done);
  auto loaded = load_keys(config.key_file, principal::of(config.self), config.cluster);
  if (!loaded) return failure_of(loaded);
  const auto& keys = *loaded;
  std::unique_ptr<hosted_client> result{new hosted_client{system}};
  result->group_ = config.cluster.parameters().group();
  if (settings.sampling_seed == 0) randombytes_buf(&settings.sampling_seed, sizeof settings.sampling_seed);
  result->actor_ = system.spawn(
      client, client_identity{config.cluster.parameters(), config.self, keys, timestamp{1}, new_session()}, settings);
  result->links_ = start_client_links(system, link_settings_of(config.cluster, keys), result->actor_);
  return result;
}

hosted_client::~hosted_client() {
  // The actor ends by itself after `client_stop`. An exit message would be handled first and leave promises
  // unfulfilled.
  caf::anon_send(actor_, client_stop{});
  stop_links_of(links_.actors);
}

void hosted_client::submit(byte_vector operation, completion done) {
  caf::anon_send(actor_, submit_operation{std::move(operation), contained(std::move(done))});
}

void hosted_client::read(byte_vector operation, completion done) {
  caf::anon_send(actor_,
                 query_operation{std::move(operation), contained(std::move(done)), read_mode::linearizable, false});
}

std::future<submit_outcome> hosted_client::submit(byte_vector operation) {
  const auto promise = std::make_shared<std::promise<submit_outcome>>();
  caf::anon_send(actor_, submit_operation{std::move(operation), fulfilling<submit_outcome, completion>(promise)});
  return promise->get_future();
}

std::future<receipted_outcome> hosted_client::submit_with_receipt(byte_vector operation) {
  const auto promise = std::make_shared<std::promise<receipted_outcome>>();
  const auto done = std::make_shared<const receipt_completion>([promise, group = group_](const receipted& collected) {
    receipted_outcome value{collected.outcome};
    if (collected.proof) {
      value.receipt = bytes_of(*collected.proof);
      value.strength = strength_of(collected.proof->signatures.size(), group);
    }
    promise->set_value(std::move(value));
  });
  caf::anon_send(actor_, submit_for_receipt{std::move(operation), done});
  return promise->get_future();
}

std::future<submit_outcome> hosted_client::query(byte_vector operation, read_mode mode) {
  const auto promise = std::make_shared<std::promise<submit_outcome>>();
  caf::anon_send(actor_, query_operation{std::move(operation), fulfilling<submit_outcome, completion>(promise), mode});
  return promise->get_future();
}

std::optional<client_report> hosted_client::own_report(std::chrono::milliseconds patience) {
  std::optional<client_report> result;
  caf::scoped_actor self{*system_};
  self->request(actor_, bounded(patience), client_report_wanted{})
      .receive([&](client_report& report) { result = std::move(report); }, [](const caf::error&) {});
  return result;
}

void hosted_client::tell_replicas(frame_ptr frame) { caf::anon_send(actor_, outgoing_frame{std::move(frame)}); }

std::future<std::optional<node_report>> hosted_client::report(replica_id replica) {
  const auto promise = std::make_shared<std::promise<std::optional<node_report>>>();
  caf::anon_send(actor_,
                 report_of_replica{replica, fulfilling<std::optional<node_report>, report_completion>(promise)});
  return promise->get_future();
}

}  // namespace hypermesh::runtime
