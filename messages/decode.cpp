#include <algorithm>

#include "messages/batch_decoder.hpp"
#include "messages/codec.hpp"
#include "messages/limits.hpp"
#include "messages/list_reader.hpp"
#include "messages/receipt_decoder.hpp"
#include "messages/statement_reader.hpp"
#include "messages/verify.hpp"
#include "messages/wire_values.hpp"
#include "schemas/client_generated.h"
#include "schemas/ordering_generated.h"
#include "schemas/recovery_generated.h"
#include "schemas/view_change_generated.h"

namespace hypermesh::messages {

namespace {

byte_vector copy_of(const byte_list* list) {
  const auto view = span_of(list);
  return {view.begin(), view.end()};
}

std::uint64_t joined(std::uint32_t low, std::uint32_t high) { return (static_cast<std::uint64_t>(high) << 32U) | low; }

request_id id_of(const wire::RequestId& id) {
  return {client_id{id.client()}, timestamp{joined(id.timestamp_low(), id.timestamp_high())}};
}

/// The request id in a table that stores the session in separate fields.
template <class Table>
request_id id_of(const Table& encoded) {
  auto id = id_of(*encoded.id());
  id.session = session_id{joined(encoded.session_low(), encoded.session_high())};
  return id;
}

/// Splits `buffer ‖ signature`; false if the bytes are too short.
bool split_signature(byte_span signed_document, byte_span& buffer, signature& by) {
  if (signed_document.size() <= signature::size) return false;
  buffer = signed_document.first(signed_document.size() - signature::size);
  const auto tail = signed_document.last(signature::size);
  std::copy(tail.begin(), tail.end(), by.bytes.begin());
  return true;
}

or_rejection<message> decode_pre_prepare(const frame_ptr& frame) {
  const auto* encoded = verified_root<wire::PrePrepare>(body_of(*frame));
  if (encoded == nullptr) return rejected(rejection::malformed_buffer);
  if (encoded->header() == nullptr) return rejected(rejection::missing_field);
  pre_prepare value{from_wire(*encoded->header()), nullptr, frame};
  if (!is_in_range(value.header.content)) return rejected(rejection::number_out_of_range);
  auto body = decode_batch(*encoded, frame);
  if (!body) return failure_of(body);
  value.body = std::make_shared<const batch>(std::move(*body));
  return value;
}

template <class Value>
or_rejection<message> decode_vote(const frame_ptr& frame) {
  const auto* encoded = verified_root<wire::Vote>(body_of(*frame));
  if (encoded == nullptr) return rejected(rejection::malformed_buffer);
  if (encoded->vote() == nullptr) return rejected(rejection::missing_field);
  const Value value{from_wire(*encoded->vote())};
  if (!is_in_range(value.vote.content)) return rejected(rejection::number_out_of_range);
  return value;
}

or_rejection<message> decode_reply(const frame_ptr& frame) {
  const auto* encoded = verified_root<wire::Reply>(body_of(*frame));
  if (encoded == nullptr) return rejected(rejection::malformed_buffer);
  if (encoded->id() == nullptr || encoded->request() == nullptr) return rejected(rejection::missing_field);
  reply value;
  value.id = id_of(*encoded);
  value.view = view_number{joined(encoded->view_low(), encoded->view_high())};
  value.request = fixed_from_wire<digest>(*encoded->request());
  if (encoded->status() > static_cast<std::uint8_t>(reply_status_last)) return rejected(rejection::number_out_of_range);
  auto& outcome = value.outcome;
  outcome.status = static_cast<reply_status>(encoded->status());
  if (value.view.value > limits::view_max) return rejected(rejection::number_out_of_range);
  if (span_of(encoded->results()).size() > limits::reply_bytes_max) return rejected(rejection::frame_too_long);
  outcome.results = copy_of(encoded->results());
  const auto statuses = span_of(encoded->statuses());
  if (statuses.size() > limits::operations_per_request_max) return rejected(rejection::too_many_items);
  for (const auto each : statuses)
    outcome.statuses.push_back(std::to_integer<std::uint8_t>(each));
  if (encoded->ends() != nullptr) {
    const auto done =
        read_ends(encoded->ends(), outcome.results.size(), 2, limits::operations_per_request_max, outcome.ends);
    if (!done) return failure_of(done);
  } else if (statuses.size() == 1) {
    outcome.ends.push_back(static_cast<std::uint32_t>(outcome.results.size()));
  }
  if (outcome.ends.size() != outcome.statuses.size()) return rejected(rejection::inconsistent_sizes);
  if (outcome.ends.empty() && !outcome.results.empty()) return rejected(rejection::inconsistent_sizes);
  if ((outcome.status == reply_status::executed) == statuses.empty()) return rejected(rejection::inconsistent_sizes);
  outcome.fresh_above = session_id{joined(encoded->fresh_above_low(), encoded->fresh_above_high())};
  if (outcome.status != reply_status::session_ended && outcome.fresh_above != session_id{0}) {
    return rejected(rejection::inconsistent_sizes);
  }
  for (std::size_t index = 0; index < outcome.ends.size(); ++index) {
    if (outcome.result(index).size() > limits::result_bytes_max) return rejected(rejection::frame_too_long);
  }
  return value;
}

or_rejection<checkpoint_certificate> decode_certificate(const wire::CheckpointCertificate* encoded) {
  checkpoint_certificate value;
  if (encoded == nullptr) return value;
  if (auto done = read_statements(encoded->votes(), limits::replicas_max, value.votes); !done) return failure_of(done);
  return value;
}

or_rejection<prepared_certificate> decode_prepared(const wire::PreparedCertificate& encoded) {
  prepared_certificate value;
  if (encoded.pre_prepare() == nullptr) return rejected(rejection::missing_field);
  value.pre_prepare = from_wire(*encoded.pre_prepare());
  if (!is_in_range(value.pre_prepare.content)) return rejected(rejection::number_out_of_range);
  if (auto done = read_statements(encoded.prepares(), limits::replicas_max, value.prepares); !done)
    return failure_of(done);
  return value;
}

or_rejection<view_change> decode_view_change(const blob& raw) {
  view_change value;
  byte_span buffer;
  if (!split_signature(raw.view, buffer, value.by)) return rejected(rejection::malformed_buffer);
  const auto tables_max = limits::watermark_window_max + 8;
  const auto* encoded = verified_root<wire::ViewChange>(buffer, tables_max);
  if (encoded == nullptr) return rejected(rejection::malformed_buffer);
  value.raw = raw;
  value.new_view = view_number{encoded->new_view()};
  value.stable_sequence = sequence_number{encoded->stable_sequence()};
  value.replica = replica_id{encoded->replica()};
  if (value.new_view.value > limits::view_max || value.stable_sequence.value > limits::sequence_max ||
      value.replica.value >= limits::replicas_max) {
    return rejected(rejection::number_out_of_range);
  }
  auto proof = decode_certificate(encoded->stable_proof());
  if (!proof) return failure_of(proof);
  value.stable_proof = std::move(*proof);
  if (encoded->prepared() == nullptr) return value;
  if (encoded->prepared()->size() > limits::watermark_window_max) return rejected(rejection::too_many_items);
  auto statements = value.stable_proof.votes.size();
  for (const auto* each : *encoded->prepared()) {
    auto one = decode_prepared(*each);
    if (!one) return failure_of(one);
    auto& certificate = *one;
    // FlatBuffers offsets may share their target. All statements together must fit into the received bytes, because
    // otherwise a small frame could decode to 4,096 copies of one large certificate (attack 37).
    statements += 1 + certificate.prepares.size();
    if (statements > buffer.size() / sizeof(wire::SignedStatement)) return rejected(rejection::inconsistent_sizes);
    value.prepared.push_back(std::move(certificate));
  }
  return value;
}

or_rejection<new_view> decode_new_view(const blob& raw) {
  new_view value;
  byte_span buffer;
  if (!split_signature(raw.view, buffer, value.by)) return rejected(rejection::malformed_buffer);
  const auto* encoded = verified_root<wire::NewView>(buffer, limits::replicas_max + 8);
  if (encoded == nullptr) return rejected(rejection::malformed_buffer);
  value.raw = raw;
  value.view = view_number{encoded->new_view()};
  value.replica = replica_id{encoded->replica()};
  if (value.view.value > limits::view_max || value.replica.value >= limits::replicas_max) {
    return rejected(rejection::number_out_of_range);
  }
  if (auto done = read_statements(encoded->reproposals(), limits::watermark_window_max, value.reproposals); !done) {
    return failure_of(done);
  }
  // A NEW-VIEW without VIEW-CHANGEs is rejected here, because `plan_of` requires at least one (attack 13).
  if (encoded->view_changes() == nullptr || encoded->view_changes()->size() == 0)
    return rejected(rejection::missing_field);
  if (encoded->view_changes()->size() > limits::replicas_max) return rejected(rejection::too_many_items);
  std::size_t document_bytes = 0;
  for (const auto* each : *encoded->view_changes()) {
    const auto document = span_of(each->bytes());
    if (document.size() > limits::view_change_bytes_max) return rejected(rejection::frame_too_long);
    // Offsets may share their target here too: without this check, documents with shared bytes would multiply the size
    // of the frame by n.
    document_bytes += document.size();
    if (document_bytes > buffer.size()) return rejected(rejection::inconsistent_sizes);
    const auto copy = std::make_shared<const byte_vector>(copy_of(each->bytes()));
    auto one = decode_view_change({copy, byte_span{*copy}});
    if (!one) return failure_of(one);
    value.view_changes.push_back(std::move(*one));
  }
  return value;
}

or_rejection<message> decode_status(const blob& raw) {
  status value;
  byte_span buffer;
  if (!split_signature(raw.view, buffer, value.by)) return rejected(rejection::malformed_buffer);
  const auto* encoded = verified_root<wire::Status>(buffer);
  if (encoded == nullptr) return rejected(rejection::malformed_buffer);
  value.raw = raw;
  value.replica = replica_id{encoded->replica()};
  value.view = view_number{encoded->view()};
  value.active = encoded->active();
  value.on_probation = encoded->on_probation();
  value.low_watermark = sequence_number{encoded->low_watermark()};
  value.last_decided = sequence_number{encoded->last_decided()};
  const auto slots = span_of(encoded->slots());
  if (slots.size() > limits::watermark_window_max) return rejected(rejection::too_many_items);
  if (value.replica.value >= limits::replicas_max || value.view.value > limits::view_max ||
      value.last_decided.value > limits::sequence_max || value.low_watermark > value.last_decided) {
    return rejected(rejection::number_out_of_range);
  }
  for (const auto each : slots) {
    const auto bits = std::to_integer<unsigned>(each);
    if (bits > 7) return rejected(rejection::number_out_of_range);
    value.slots.push_back({(bits & 1U) != 0, (bits & 2U) != 0, (bits & 4U) != 0});
  }
  return value;
}

or_rejection<state_request> read_state_request(std::uint64_t sequence, std::uint64_t index, std::uint8_t part) {
  if (part > static_cast<std::uint8_t>(state_part_last)) return rejected(rejection::number_out_of_range);
  const state_request value{sequence_number{sequence}, index, static_cast<state_part>(part)};
  const auto parts = value.part == state_part::leaves ? limits::state_pages_max : limits::state_chunks_max;
  if (sequence > limits::sequence_max || index >= parts) return rejected(rejection::number_out_of_range);
  return value;
}

or_rejection<leaf_page> decode_leaf_page(const wire::StateChunk& encoded) {
  if (encoded.leaves() == nullptr) return rejected(rejection::missing_field);
  if (encoded.bytes() != nullptr) return rejected(rejection::inconsistent_sizes);
  leaf_page value;
  value.chunk_count = encoded.chunk_count();
  if (value.chunk_count > limits::state_chunks_max) return rejected(rejection::number_out_of_range);
  if (auto done = read_digests(encoded.leaves(), limits::state_page_leaves, value.leaves); !done)
    return failure_of(done);
  if (auto done = read_digests(encoded.path(), limits::page_path_max, value.path); !done) return failure_of(done);
  // The expected size is zero only for a page beyond the last one.
  const auto expected = state_page_size(value.chunk_count, encoded.index());
  if (expected == 0) return rejected(rejection::number_out_of_range);
  if (value.leaves.size() != expected) return rejected(rejection::inconsistent_sizes);
  return value;
}

or_rejection<message> decode_state_chunk(const frame_ptr& frame) {
  const auto* encoded = verified_root<wire::StateChunk>(body_of(*frame));
  if (encoded == nullptr) return rejected(rejection::malformed_buffer);
  const auto wanted = read_state_request(encoded->sequence(), encoded->index(), encoded->part());
  if (!wanted) return failure_of(wanted);
  state_chunk_message value{*wanted, {}};
  if (encoded->refusal() > static_cast<std::uint8_t>(state_refusal_last))
    return rejected(rejection::number_out_of_range);
  if (encoded->refusal() == 0 && value.wanted.part == state_part::leaves) {
    auto page = decode_leaf_page(*encoded);
    if (!page) return failure_of(page);
    value.content = std::move(*page);
    return value;
  }
  // Only a page of leaves may have these fields. A chunk or a refusal with one of them is inconsistent.
  if (encoded->leaves() != nullptr || encoded->path() != nullptr || encoded->chunk_count() != 0) {
    return rejected(rejection::inconsistent_sizes);
  }
  if (encoded->refusal() != 0) {
    if (encoded->bytes() != nullptr) return rejected(rejection::inconsistent_sizes);
    value.content = static_cast<state_refusal>(encoded->refusal());
    return value;
  }
  if (encoded->bytes() == nullptr) return rejected(rejection::missing_field);
  if (encoded->bytes()->size() > limits::state_chunk_bytes_max) return rejected(rejection::frame_too_long);
  value.content = std::make_shared<const byte_vector>(copy_of(encoded->bytes()));
  return value;
}

bool is_in_range(const node_report& value) {
  const auto highest =
      std::max({value.low_watermark, value.high_watermark, value.last_executed, value.stable_checkpoint});
  return value.replica.value < limits::replicas_max && value.view.value <= limits::view_max &&
         highest.value <= limits::sequence_max;
}

or_rejection<message> decode_node_report(const frame_ptr& frame) {
  const auto* encoded = verified_root<wire::NodeReport>(body_of(*frame), limits::report_counters_max + 8);
  if (encoded == nullptr) return rejected(rejection::malformed_buffer);
  if (encoded->id() == nullptr || encoded->state_root() == nullptr) return rejected(rejection::missing_field);
  node_report value;
  value.id = id_of(*encoded->id());
  value.replica = replica_id{encoded->replica()};
  value.view = view_number{encoded->view()};
  value.low_watermark = sequence_number{encoded->low_watermark()};
  value.high_watermark = sequence_number{encoded->high_watermark()};
  value.last_executed = sequence_number{encoded->last_executed()};
  value.stable_checkpoint = sequence_number{encoded->stable_checkpoint()};
  value.state_root = fixed_from_wire<digest>(*encoded->state_root());
  if (!is_in_range(value)) return rejected(rejection::number_out_of_range);
  if (encoded->counters() == nullptr) return value;
  if (encoded->counters()->size() > limits::report_counters_max) return rejected(rejection::too_many_items);
  for (const auto* each : *encoded->counters()) {
    if (each->name() == nullptr) return rejected(rejection::missing_field);
    if (each->name()->size() > limits::report_name_bytes_max) return rejected(rejection::frame_too_long);
    value.counters.push_back({each->name()->str(), each->value()});
  }
  return value;
}

or_rejection<message> decode_query(const frame_ptr& frame) {
  const auto* encoded = verified_root<wire::Query>(body_of(*frame));
  if (encoded == nullptr) return rejected(rejection::malformed_buffer);
  if (encoded->id() == nullptr || encoded->operation() == nullptr) return rejected(rejection::missing_field);
  if (encoded->operation()->size() > limits::operation_bytes_max) return rejected(rejection::frame_too_long);
  return query{id_of(*encoded->id()), copy_of(encoded->operation()), encoded->linearizable()};
}

or_rejection<message> decode_query_reply(const frame_ptr& frame) {
  const auto* encoded = verified_root<wire::QueryReply>(body_of(*frame));
  if (encoded == nullptr) return rejected(rejection::malformed_buffer);
  if (encoded->id() == nullptr) return rejected(rejection::missing_field);
  if (encoded->last_executed() > limits::sequence_max) return rejected(rejection::number_out_of_range);
  if (span_of(encoded->result()).size() > limits::result_bytes_max) return rejected(rejection::frame_too_long);
  return query_reply{id_of(*encoded->id()), sequence_number{encoded->last_executed()}, encoded->status(),
                     copy_of(encoded->result())};
}

or_rejection<message> decode_node_query(const frame_ptr& frame) {
  const auto* encoded = verified_root<wire::NodeQuery>(body_of(*frame));
  if (encoded == nullptr) return rejected(rejection::malformed_buffer);
  if (encoded->id() == nullptr) return rejected(rejection::missing_field);
  return node_query{id_of(*encoded->id())};
}

/// The query in a RECEIPT-QUERY, and in the RECEIPT-REPLY that repeats it.
template <class Table>
or_rejection<receipt_query> read_receipt_query(const Table& encoded) {
  if (encoded.id() == nullptr) return rejected(rejection::missing_field);
  if (encoded.index() >= limits::operations_per_request_max) return rejected(rejection::number_out_of_range);
  return receipt_query{id_of(encoded), encoded.index()};
}

or_rejection<message> decode_receipt_query(const frame_ptr& frame) {
  const auto* encoded = verified_root<wire::ReceiptQuery>(body_of(*frame));
  if (encoded == nullptr) return rejected(rejection::malformed_buffer);
  return read_receipt_query(*encoded).map([](const receipt_query& value) { return message{value}; });
}

or_rejection<message> decode_receipt_reply(const frame_ptr& frame) {
  const auto* encoded = verified_root<wire::ReceiptReply>(body_of(*frame));
  if (encoded == nullptr) return rejected(rejection::malformed_buffer);
  const auto asked = read_receipt_query(*encoded);
  if (!asked) return failure_of(asked);
  // Without a signature: the replica does not hold the operation.
  if (encoded->signature() == nullptr) return receipt_reply{*asked, std::nullopt};
  return decode_receipt_share(*encoded, asked->index).map([&](receipt_share&& share) {
    return message{receipt_reply{*asked, std::move(share)}};
  });
}

or_rejection<message> decode_checkpoint_proof(const frame_ptr& frame) {
  const auto* encoded = verified_root<wire::CheckpointProof>(body_of(*frame));
  if (encoded == nullptr) return rejected(rejection::malformed_buffer);
  auto certificate = decode_certificate(encoded->certificate());
  if (!certificate) return failure_of(certificate);
  if (certificate->votes.empty()) return rejected(rejection::missing_field);
  return checkpoint_proof{std::move(*certificate)};
}

template <class Value>
or_rejection<message> widen(or_rejection<Value> value) {
  return std::move(value).map([](Value&& body) { return message{std::move(body)}; });
}

or_rejection<message> decode_state_request(const frame_ptr& frame) {
  const auto* encoded = verified_root<wire::StateRequest>(body_of(*frame));
  if (encoded == nullptr) return rejected(rejection::malformed_buffer);
  return widen(read_state_request(encoded->sequence(), encoded->index(), encoded->part()));
}

or_rejection<message> decode_vouch(const frame_ptr& frame) {
  const auto* encoded = verified_root<wire::Vouch>(body_of(*frame));
  if (encoded == nullptr) return rejected(rejection::malformed_buffer);
  if (encoded->requests() == nullptr || encoded->requests()->size() == 0) return rejected(rejection::missing_field);
  if (encoded->requests()->size() > limits::vouched_requests_max) return rejected(rejection::too_many_items);
  vouch value;
  value.requests.reserve(encoded->requests()->size());
  for (const auto* each : *encoded->requests()) {
    const request_id id{client_id{each->client()}, timestamp{joined(each->timestamp_low(), each->timestamp_high())},
                        session_id{joined(each->session_low(), each->session_high())}};
    if (id.client.value >= limits::clients_max) return rejected(rejection::number_out_of_range);
    value.requests.push_back({id, fixed_from_wire<digest>(each->request())});
  }
  return value;
}

}  // namespace

or_rejection<request> decode_request(const blob& raw) {
  request value;
  byte_span buffer;
  if (raw.view.size() > limits::client_frame_bytes_max) return rejected(rejection::frame_too_long);
  // The length must be a multiple of four bytes, so that the next request of a batch is aligned.
  if (raw.view.size() % 4 != 0 || !split_signature(raw.view, buffer, value.client_signature)) {
    return rejected(rejection::malformed_buffer);
  }
  const auto* encoded = verified_root<wire::Request>(buffer);
  if (encoded == nullptr) return rejected(rejection::malformed_buffer);
  if (encoded->id() == nullptr || encoded->operations() == nullptr) return rejected(rejection::missing_field);
  value.id = id_of(*encoded);
  if (value.id.client.value >= limits::clients_max) return rejected(rejection::number_out_of_range);
  value.operations = span_of(encoded->operations());
  if (value.operations.size() > limits::request_bytes_max) return rejected(rejection::frame_too_long);
  if (encoded->ends() != nullptr) {
    const auto done =
        read_ends(encoded->ends(), value.operations.size(), 2, limits::operations_per_request_max, value.ends);
    if (!done) return failure_of(done);
  }
  value.raw = raw;
  if (value.id.opens_session() && !opening_in(value)) return rejected(rejection::inconsistent_sizes);
  for (std::size_t index = 0; index < value.operation_count(); ++index) {
    if (value.operation(index).size() > limits::operation_bytes_max) return rejected(rejection::frame_too_long);
  }
  return value;
}

or_rejection<message> decode(const frame_ptr& frame) {
  if (frame->empty()) return rejected(rejection::empty_frame);
  const auto kind = kind_of(byte_span{*frame});
  if (!kind) return rejected(rejection::unknown_kind);
  if (frame->size() > frame_bytes_max_of(*kind)) return rejected(rejection::frame_too_long);
  const blob body{frame, body_of(*frame)};
  switch (*kind) {
    case message_kind::request:
      return widen(decode_request(body));
    case message_kind::pre_prepare:
      return decode_pre_prepare(frame);
    case message_kind::prepare:
      return decode_vote<prepare>(frame);
    case message_kind::commit:
      return decode_vote<commit>(frame);
    case message_kind::reply:
      return decode_reply(frame);
    case message_kind::checkpoint:
      return decode_vote<checkpoint>(frame);
    case message_kind::view_change:
      return widen(decode_view_change(body));
    case message_kind::new_view:
      return widen(decode_new_view(body));
    case message_kind::status:
      return decode_status(body);
    case message_kind::checkpoint_proof:
      return decode_checkpoint_proof(frame);
    case message_kind::state_request:
      return decode_state_request(frame);
    case message_kind::state_chunk:
      return decode_state_chunk(frame);
    case message_kind::suspicion:
      return decode_vote<suspicion>(frame);
    case message_kind::query:
      return decode_query(frame);
    case message_kind::query_reply:
      return decode_query_reply(frame);
    case message_kind::node_query:
      return decode_node_query(frame);
    case message_kind::node_report:
      return decode_node_report(frame);
    case message_kind::complaint:
      return decode_vote<complaint>(frame);
    case message_kind::release:
      return decode_vote<release>(frame);
    case message_kind::evidence:
      return widen(decode_evidence(body_of(*frame)));
    case message_kind::readmission:
      return decode_vote<readmission>(frame);
    case message_kind::hand_over:
      return decode_vote<hand_over>(frame);
    case message_kind::system_request:
      return widen(decode_system_request(body));
    case message_kind::vouch:
      return decode_vouch(frame);
    case message_kind::receipt_query:
      return decode_receipt_query(frame);
    case message_kind::receipt_reply:
      return decode_receipt_reply(frame);
  }
  return rejected(rejection::unknown_kind);
}

}  // namespace hypermesh::messages
