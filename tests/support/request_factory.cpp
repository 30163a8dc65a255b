#include "tests/support/request_factory.hpp"

#include "actors/protocol/views/new_view.hpp"
#include "messages/codec.hpp"
#include "messages/require.hpp"

namespace hypermesh::testing {

cluster_parameters small_cluster(std::uint32_t replicas, std::uint32_t clients, std::uint32_t period,
                                 std::uint32_t window) {
  cluster_parameters cluster;
  cluster.signing.cluster.bytes.fill(std::byte{0x5a});
  cluster.signing.epoch = epoch_number{3};
  cluster.replicas = replicas;
  cluster.clients = clients;
  cluster.checkpoint_period = period;
  cluster.watermark_window = window;
  require(cluster.is_valid(), "a test names a possible cluster");
  return cluster;
}

digest named_digest(std::string_view name) { return digest_of("named by a test", as_byte_span(name)); }

request_factory::request_factory(const cluster_parameters& cluster, std::uint64_t seed)
    : cluster_(cluster), keys_(seed, cluster.replicas, cluster.clients) {}

const authenticator& request_factory::keys_of(principal who) const {
  auto& holder = holders_[who];
  if (holder == nullptr) holder = keys_.of(who);
  return *holder;
}

// --- Clients -----------------------------------------------------------------

namespace {

request sealed_request(const cluster_parameters& cluster, const authenticator& signer, request_id id,
                       const std::vector<byte_span>& operations) {
  auto buffer = request_buffer(id, operations);
  const auto by = signer.sign(signing_input(cluster.signing, message_kind::request, buffer));
  const auto frame = seal(message_kind::request, std::move(buffer), by);
  auto decoded = decode_request({frame, body_of(*frame)});
  require(decoded.has_value(), "what was encoded decodes");
  return std::move(*decoded);
}

}  // namespace

request request_factory::request_of(client_id client, timestamp when, std::string_view operation) const {
  return request_signed_by(keys_of(client), client, when, operation);
}

request request_factory::request_of(client_id client, timestamp when,
                                    const std::vector<std::string>& operations) const {
  std::vector<byte_span> spans;
  for (const auto& each : operations)
    spans.push_back(as_byte_span(each));
  return sealed_request(cluster_, keys_of(client), {client, when}, spans);
}

request request_factory::session_request(client_id client, session_id session, timestamp when, session_mode mode,
                                         std::uint8_t nonce, std::string_view operation_text) const {
  session_opening opening{mode, {}};
  opening.nonce.front() = std::byte{nonce};
  const auto operation = when == timestamp{0} ? operation_of(opening) : to_byte_vector(operation_text);
  return sealed_request(cluster_, keys_of(client), {client, when, session}, {byte_span{operation}});
}

request request_factory::request_signed_by(const authenticator& signer, client_id client, timestamp when,
                                           std::string_view operation) const {
  return sealed_request(cluster_, signer, {client, when}, {as_byte_span(operation)});
}

request request_factory::unsigned_request(client_id client, timestamp when, std::string_view operation) const {
  auto buffer = request_buffer({client, when}, {as_byte_span(operation)});
  const auto sum = request_checksum(cluster_.signing, buffer);
  return std::get<request>(*decode(seal(message_kind::request, std::move(buffer), sum)));
}

std::shared_ptr<const batch> request_factory::batch_of(std::vector<request> requests,
                                                       std::vector<system_request> system_requests) {
  auto content = std::make_shared<batch>();
  for (const auto& each : requests)
    content->bytes += each.raw.view.size();
  for (const auto& each : system_requests)
    content->bytes += each.raw.view.size();
  content->requests = std::move(requests);
  content->system_requests = std::move(system_requests);
  return content;
}

std::shared_ptr<const batch> request_factory::at_time(const batch& original, wall_time proposed) {
  auto content = original;
  content.proposed_time = proposed;
  return std::make_shared<const batch>(std::move(content));
}

std::shared_ptr<const batch> request_factory::batch_number(std::uint64_t number) const {
  return batch_of({request_of(client_id{0}, timestamp{number}, std::to_string(number))});
}

// --- Statements ----------------------------------------------------------------

statement request_factory::content_of(replica_id replica, view_number view, sequence_number sequence,
                                      const digest& value) const {
  return {view, sequence, value, replica, cluster_.signing.epoch};
}

signed_statement request_factory::signed_as(message_kind kind, const statement& content) const {
  return signed_by(keys_of(content.replica), kind, content);
}

signed_statement request_factory::signed_by(const authenticator& signer, message_kind kind,
                                            const statement& content) const {
  return {content, signer.sign(signing_input(cluster_.signing, kind, statement_bytes(content)))};
}

pre_prepare request_factory::pre_prepare_of(view_number view, sequence_number sequence,
                                            std::shared_ptr<const batch> body) const {
  const auto primary = cluster_.group().primary_of(view);
  const auto header = signed_as(message_kind::pre_prepare, content_of(primary, view, sequence, digest_of_batch(*body)));
  const auto frame = encode_pre_prepare(header, *body);
  return {header, std::move(body), frame};
}

prepare request_factory::prepare_of(replica_id replica, const pre_prepare& proposal) const {
  const auto& content = proposal.header.content;
  return {signed_as(message_kind::prepare, content_of(replica, content.view, content.sequence, content.value))};
}

commit request_factory::commit_of(replica_id replica, const pre_prepare& proposal) const {
  const auto& content = proposal.header.content;
  return {signed_as(message_kind::commit, content_of(replica, content.view, content.sequence, content.value))};
}

checkpoint request_factory::checkpoint_of(replica_id replica, sequence_number sequence, const digest& root) const {
  return {signed_as(message_kind::checkpoint, content_of(replica, view_number{0}, sequence, root))};
}

std::shared_ptr<const checkpoint_certificate> request_factory::certificate_of(sequence_number sequence,
                                                                              const digest& root) const {
  std::vector<std::uint32_t> signers;
  for (std::uint32_t number = 0; number < cluster_.group().quorum(); ++number)
    signers.push_back(number);
  return certificate_of(sequence, root, signers);
}

std::shared_ptr<const checkpoint_certificate> request_factory::certificate_of(
    sequence_number sequence, const digest& root, const std::vector<std::uint32_t>& signers) const {
  auto certificate = std::make_shared<checkpoint_certificate>();
  for (const auto number : signers) {
    certificate->votes.push_back(checkpoint_of(replica_id{number}, sequence, root).vote);
  }
  return certificate;
}

suspicion request_factory::suspicion_of(replica_id replica, view_number view) const {
  return {signed_as(message_kind::suspicion, content_of(replica, view, sequence_number{0}, digest{}))};
}

prepared_certificate request_factory::prepared_of(view_number view, sequence_number sequence,
                                                  const digest& value) const {
  const auto group = cluster_.group();
  const auto primary = group.primary_of(view);
  prepared_certificate certificate;
  certificate.pre_prepare = signed_as(message_kind::pre_prepare, content_of(primary, view, sequence, value));
  for (std::uint32_t step = 1; step < group.quorum(); ++step) {
    const replica_id backup{(primary.value + step) % cluster_.replicas};
    certificate.prepares.push_back(signed_as(message_kind::prepare, content_of(backup, view, sequence, value)));
  }
  return certificate;
}

view_change request_factory::view_change_of(replica_id replica, view_number view,
                                            const std::shared_ptr<const checkpoint_certificate>& stable,
                                            std::vector<prepared_certificate> prepared) const {
  view_change value;
  value.new_view = view;
  if (stable != nullptr) value.stable_proof = *stable;
  value.stable_sequence = value.stable_proof.sequence();
  value.prepared = std::move(prepared);
  value.replica = replica;
  return signed_again(std::move(value));
}

view_change request_factory::signed_again(view_change value) const {
  auto buffer = view_change_buffer(value);
  value.by = keys_of(value.replica).sign(signing_input(cluster_.signing, message_kind::view_change, buffer));
  const auto frame = seal(message_kind::view_change, std::move(buffer), value.by);
  value.raw = {frame, body_of(*frame)};
  return value;
}

new_view request_factory::signed_again(new_view value) const {
  auto buffer = new_view_buffer(value);
  value.by = keys_of(value.replica).sign(signing_input(cluster_.signing, message_kind::new_view, buffer));
  const auto frame = seal(message_kind::new_view, std::move(buffer), value.by);
  value.raw = {frame, body_of(*frame)};
  return value;
}

new_view request_factory::new_view_of(view_number view, std::vector<view_change> changes) const {
  new_view value;
  value.view = view;
  value.replica = cluster_.group().primary_of(view);
  value.view_changes = std::move(changes);
  for (const auto& content : reproposals_of(plan_of(value.view_changes), view, value.replica, cluster_.signing.epoch)) {
    value.reproposals.push_back(signed_as(message_kind::pre_prepare, content));
  }
  return signed_again(std::move(value));
}

status request_factory::status_of(replica_id replica, view_number view, sequence_number low,
                                  sequence_number last_decided, const std::vector<slot_progress>& slots) const {
  status value{replica, view, true, low, last_decided, slots, {}, {}};
  auto buffer = status_buffer(value);
  value.by = keys_of(replica).sign(signing_input(cluster_.signing, message_kind::status, buffer));
  const auto frame = seal(message_kind::status, std::move(buffer), value.by);
  value.raw = {frame, body_of(*frame)};
  return value;
}

}  // namespace hypermesh::testing
