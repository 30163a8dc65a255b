#include <flatbuffers/flatbuffers.h>

#include "messages/codec.hpp"
#include "messages/limits.hpp"
#include "messages/require.hpp"
#include "messages/wire_values.hpp"
#include "schemas/client_generated.h"
#include "schemas/ordering_generated.h"
#include "schemas/recovery_generated.h"
#include "schemas/view_change_generated.h"

namespace hypermesh::messages {

namespace {

using builder = flatbuffers::FlatBufferBuilder;

byte_span bytes_of(const builder& buffer) {
  return std::as_bytes(std::span{buffer.GetBufferPointer(), buffer.GetSize()});
}

void append(byte_vector& to, byte_span bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }

/// A list of bytes whose place in the builder stays unwritten. `bytes_around` writes the bytes directly into the frame,
/// because operations and results are large and the builder would copy them twice.
struct unwritten_list {
  flatbuffers::Offset<flatbuffers::Vector<std::uint8_t>> offset;
  std::size_t size = 0;
  /// The number of bytes that follow the list in the finished buffer.
  std::size_t behind = 0;
};

unwritten_list unwritten_list_of(builder& buffer, std::size_t size) {
  std::uint8_t* place = nullptr;
  const auto offset = buffer.CreateUninitializedVector<std::uint8_t>(size, &place);
  // A builder counts offsets from the end of its buffer, and the length of a list precedes its first byte.
  return {offset, size, offset.o - sizeof(flatbuffers::uoffset_t) - size};
}

/// The finished buffer with the bytes that `write` appends in place of `list`. Room for a signature and a kind is
/// reserved, so that `seal` and `frame_of` copy nothing.
template <class Write>
byte_vector bytes_around(const builder& buffer, const unwritten_list& list, Write write) {
  const auto all = bytes_of(buffer);
  byte_vector bytes;
  bytes.reserve(all.size() + signature::size + 1);
  append(bytes, all.first(all.size() - list.behind - list.size));
  write(bytes);
  require(bytes.size() == all.size() - list.behind, "the bytes of a list fill its place");
  append(bytes, all.last(list.behind));
  return bytes;
}

/// The buffer of a document that is signed as a whole.
byte_vector buffer_of(const builder& buffer) {
  return bytes_around(buffer, {}, [](const byte_vector&) {});
}

/// `buffer ‖ kind` for messages that prove themselves or that the link authenticates.
frame_ptr frame_of(message_kind kind, byte_vector buffer) {
  buffer.push_back(static_cast<std::byte>(kind));
  require(buffer.size() <= frame_bytes_max_of(kind), "an encoded frame respects the limit of its kind");
  return std::make_shared<const byte_vector>(std::move(buffer));
}

frame_ptr frame_of(message_kind kind, const builder& buffer) { return frame_of(kind, buffer_of(buffer)); }

auto list_of(builder& buffer, byte_span bytes) {
  return buffer.CreateVector(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

std::uint32_t low_half(std::uint64_t number) { return static_cast<std::uint32_t>(number); }
std::uint32_t high_half(std::uint64_t number) { return static_cast<std::uint32_t>(number >> 32U); }

/// The client and the timestamp. Each table has separate fields for the session.
wire::RequestId to_wire(request_id id) { return {id.client.value, low_half(id.when.value), high_half(id.when.value)}; }

auto statements_of(builder& buffer, const std::vector<signed_statement>& statements) {
  std::vector<wire::SignedStatement> encoded;
  encoded.reserve(statements.size());
  for (const auto& each : statements)
    encoded.push_back(to_wire(each));
  return buffer.CreateVectorOfStructs(encoded);
}

auto digests_of(builder& buffer, const std::vector<digest>& digests) {
  std::vector<wire::Digest> encoded;
  encoded.reserve(digests.size());
  for (const auto& each : digests)
    encoded.push_back(fixed_to_wire<wire::Digest>(each));
  return buffer.CreateVectorOfStructs(encoded);
}

auto certificate_of(builder& buffer, const checkpoint_certificate& value) {
  return wire::CreateCheckpointCertificate(buffer, statements_of(buffer, value.votes));
}

}  // namespace

byte_vector request_buffer(request_id id, const std::vector<byte_span>& operations) {
  require(!operations.empty(), "a request has an operation");
  require(operations.size() <= limits::operations_per_request_max, "a request respects its operation limit");
  std::size_t size = 0;
  std::vector<std::uint32_t> ends;
  ends.reserve(operations.size());
  for (const auto operation : operations) {
    require(operation.size() <= limits::operation_bytes_max, "an operation respects its limit");
    size += operation.size();
    ends.push_back(static_cast<std::uint32_t>(size));
  }
  require(size <= limits::request_bytes_max, "a request respects its limit");
  builder buffer{size + 4 * ends.size() + 128};
  flatbuffers::Offset<flatbuffers::Vector<std::uint32_t>> ends_offset;
  if (ends.size() > 1) ends_offset = buffer.CreateVector(ends);
  const auto list = unwritten_list_of(buffer, size);
  const auto wire_id = to_wire(id);
  buffer.Finish(wire::CreateRequest(buffer, &wire_id, list.offset, ends_offset, low_half(id.session.value),
                                    high_half(id.session.value)));
  return bytes_around(buffer, list, [&](byte_vector& bytes) {
    for (const auto operation : operations)
      append(bytes, operation);
  });
}

byte_vector view_change_buffer(const view_change& value) {
  require(value.prepared.size() <= limits::watermark_window_max, "a VIEW-CHANGE stays inside the window");
  builder buffer{4096};
  std::vector<flatbuffers::Offset<wire::PreparedCertificate>> prepared;
  for (const auto& each : value.prepared) {
    const auto prepares = statements_of(buffer, each.prepares);
    const auto header = to_wire(each.pre_prepare);
    prepared.push_back(wire::CreatePreparedCertificate(buffer, &header, prepares));
  }
  const auto prepared_offset = buffer.CreateVector(prepared);
  const auto proof = certificate_of(buffer, value.stable_proof);
  buffer.Finish(wire::CreateViewChange(buffer, value.new_view.value, value.stable_sequence.value, proof,
                                       prepared_offset, value.replica.value));
  return buffer_of(buffer);
}

byte_vector new_view_buffer(const new_view& value) {
  builder buffer{16384};
  std::vector<flatbuffers::Offset<wire::SignedDocument>> documents;
  for (const auto& each : value.view_changes) {
    documents.push_back(wire::CreateSignedDocument(buffer, list_of(buffer, each.raw.view)));
  }
  const auto documents_offset = buffer.CreateVector(documents);
  const auto reproposals = statements_of(buffer, value.reproposals);
  buffer.Finish(wire::CreateNewView(buffer, value.view.value, documents_offset, reproposals, value.replica.value));
  return buffer_of(buffer);
}

byte_vector status_buffer(const status& value) {
  require(value.slots.size() <= limits::watermark_window_max, "a STATUS stays inside the window");
  builder buffer{value.slots.size() + 128};
  std::vector<std::uint8_t> slots;
  slots.reserve(value.slots.size());
  for (const auto& each : value.slots) {
    slots.push_back(static_cast<std::uint8_t>((each.has_pre_prepare ? 1U : 0U) | (each.prepared ? 2U : 0U) |
                                              (each.committed ? 4U : 0U)));
  }
  const auto slots_offset = buffer.CreateVector(slots);
  buffer.Finish(wire::CreateStatus(buffer, value.replica.value, value.view.value, value.low_watermark.value,
                                   value.last_decided.value, slots_offset, value.active, value.on_probation));
  return buffer_of(buffer);
}

frame_ptr frame_of(message_kind kind, const blob& raw) {
  // A document that was received or sent by itself is a whole frame without the kind. That frame is shared, because a
  // frame never changes.
  const bool is_whole = raw.owner != nullptr && raw.owner->size() == raw.view.size() + 1 &&
                        raw.owner->data() == raw.view.data() && kind_of(byte_span{*raw.owner}) == kind;
  if (is_whole) return raw.owner;
  byte_vector frame;
  frame.reserve(raw.view.size() + 1);
  frame.assign(raw.view.begin(), raw.view.end());
  frame.push_back(static_cast<std::byte>(kind));
  return std::make_shared<const byte_vector>(std::move(frame));
}

frame_ptr seal(message_kind kind, byte_vector buffer, const signature& by) {
  buffer.reserve(buffer.size() + signature::size + 1);
  buffer.insert(buffer.end(), by.bytes.begin(), by.bytes.end());
  buffer.push_back(static_cast<std::byte>(kind));
  require(buffer.size() <= frame_bytes_max_of(kind), "a sealed frame respects the limit of its kind");
  return std::make_shared<const byte_vector>(std::move(buffer));
}

frame_ptr encode_pre_prepare(const signed_statement& header, const batch& body) {
  require(body.requests.size() <= limits::requests_per_batch_max, "a batch respects its request limit");
  require(body.system_requests.size() <= limits::system_requests_per_batch_max, "few system requests are in a batch");
  require(body.bytes <= limits::batch_bytes_max, "a batch respects its limit");
  require(is_valid_time(body), "a proposed time is in its range, and a null request has none");
  std::size_t size = 0;
  std::vector<std::uint32_t> ends;
  ends.reserve(body.requests.size());
  for (const auto& each : body.requests) {
    size += each.raw.view.size();
    ends.push_back(static_cast<std::uint32_t>(size));
  }
  builder buffer{size + 4 * ends.size() + 512};
  flatbuffers::Offset<flatbuffers::Vector<std::uint32_t>> ends_offset;
  unwritten_list list;
  if (!ends.empty()) {
    ends_offset = buffer.CreateVector(ends);
    list = unwritten_list_of(buffer, size);
  }
  std::vector<flatbuffers::Offset<wire::SystemRequestBody>> bodies;
  for (const auto& each : body.system_requests)
    bodies.push_back(wire::CreateSystemRequestBody(buffer, list_of(buffer, each.raw.view)));
  flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<wire::SystemRequestBody>>> bodies_offset;
  if (!bodies.empty()) bodies_offset = buffer.CreateVector(bodies);
  const auto encoded = to_wire(header);
  const auto time_ms = static_cast<std::uint64_t>(body.proposed_time.time_since_epoch().count());
  buffer.Finish(wire::CreatePrePrepare(buffer, &encoded, list.offset, ends_offset, bodies_offset, time_ms));
  return frame_of(message_kind::pre_prepare, bytes_around(buffer, list, [&](byte_vector& bytes) {
                    for (const auto& each : body.requests)
                      append(bytes, each.raw.view);
                  }));
}

frame_ptr encode_vote(message_kind kind, const signed_statement& vote) {
  require(kind == message_kind::prepare || kind == message_kind::commit || kind == message_kind::checkpoint ||
              kind == message_kind::suspicion || kind == message_kind::complaint || kind == message_kind::release ||
              kind == message_kind::readmission || kind == message_kind::hand_over,
          "a vote is of a kind that carries a signed statement");
  builder buffer{256};
  const auto encoded = to_wire(vote);
  buffer.Finish(wire::CreateVote(buffer, &encoded));
  return frame_of(kind, buffer);
}

frame_ptr encode(const reply& value) { return encode_reply(value.id, value.view, value.outcome, value.request); }

frame_ptr encode_reply(request_id to, view_number view, const request_outcome& outcome, const digest& asked) {
  require(outcome.ends.size() == outcome.statuses.size(), "every operation has a status and a result");
  require(outcome.ends.size() <= limits::operations_per_request_max, "a reply respects its operation limit");
  require(outcome.results.size() <= limits::reply_bytes_max, "a reply respects its limit");
  builder buffer{outcome.results.size() + 5 * outcome.ends.size() + 128};
  flatbuffers::Offset<flatbuffers::Vector<std::uint32_t>> ends;
  unwritten_list results;
  flatbuffers::Offset<flatbuffers::Vector<std::uint8_t>> statuses;
  if (outcome.ends.size() > 1) ends = buffer.CreateVector(outcome.ends);
  if (!outcome.results.empty()) results = unwritten_list_of(buffer, outcome.results.size());
  if (!outcome.statuses.empty()) statuses = buffer.CreateVector(outcome.statuses);
  const auto id = to_wire(to);
  const auto request = fixed_to_wire<wire::Digest>(asked);
  const auto session = to.session.value;
  const auto fresh = outcome.fresh_above.value;
  buffer.Finish(wire::CreateReply(buffer, &id, low_half(view.value), high_half(view.value),
                                  static_cast<std::uint8_t>(outcome.status), statuses, results.offset, ends,
                                  low_half(session), high_half(session), &request, low_half(fresh), high_half(fresh)));
  return frame_of(message_kind::reply,
                  bytes_around(buffer, results, [&](byte_vector& bytes) { append(bytes, outcome.results); }));
}

frame_ptr encode(const query& value) {
  require(value.operation.size() <= limits::operation_bytes_max, "an operation respects its limit");
  builder buffer{value.operation.size() + 128};
  const auto operation = list_of(buffer, value.operation);
  const auto id = to_wire(value.id);
  buffer.Finish(wire::CreateQuery(buffer, &id, operation, value.is_linearizable));
  return frame_of(message_kind::query, buffer);
}

frame_ptr encode(const query_reply& value) {
  require(value.result.size() <= limits::result_bytes_max, "a result respects its limit");
  builder buffer{value.result.size() + 128};
  const auto result = list_of(buffer, value.result);
  const auto id = to_wire(value.id);
  buffer.Finish(wire::CreateQueryReply(buffer, &id, value.last_executed.value, value.status, result));
  return frame_of(message_kind::query_reply, buffer);
}

frame_ptr encode(const node_query& value) {
  builder buffer{128};
  const auto id = to_wire(value.id);
  buffer.Finish(wire::CreateNodeQuery(buffer, &id));
  return frame_of(message_kind::node_query, buffer);
}

frame_ptr encode(const node_report& value) {
  require(value.counters.size() <= limits::report_counters_max, "a report respects its limit");
  builder buffer{4096};
  std::vector<flatbuffers::Offset<wire::Counter>> counters;
  for (const auto& each : value.counters) {
    require(each.name.size() <= limits::report_name_bytes_max, "a counter's name respects its limit");
    counters.push_back(wire::CreateCounter(buffer, buffer.CreateString(each.name), each.value));
  }
  const auto counters_offset = buffer.CreateVector(counters);
  const auto id = to_wire(value.id);
  const auto root = fixed_to_wire<wire::Digest>(value.state_root);
  buffer.Finish(wire::CreateNodeReport(buffer, &id, value.replica.value, value.view.value, value.low_watermark.value,
                                       value.high_watermark.value, value.last_executed.value,
                                       value.stable_checkpoint.value, &root, counters_offset));
  return frame_of(message_kind::node_report, buffer);
}

frame_ptr encode(const receipt_query& value) {
  builder buffer{128};
  const auto id = to_wire(value.id);
  const auto session = value.id.session.value;
  buffer.Finish(wire::CreateReceiptQuery(buffer, &id, low_half(session), high_half(session), value.index));
  return frame_of(message_kind::receipt_query, buffer);
}

frame_ptr encode(const receipt_reply& value) {
  builder buffer{512};
  const auto id = to_wire(value.asked.id);
  const auto session = value.asked.id.session.value;
  if (!value.share) {
    buffer.Finish(wire::CreateReceiptReply(buffer, &id, low_half(session), high_half(session), value.asked.index));
    return frame_of(message_kind::receipt_reply, buffer);
  }
  const auto& place = value.share->place;
  require(
      place.operation_path.size() <= limits::receipt_path_max && place.request_path.size() <= limits::receipt_path_max,
      "a path respects its limit");
  const auto batch = fixed_to_wire<wire::Digest>(place.batch);
  const auto by = fixed_to_wire<wire::Signature>(value.share->by);
  const auto time_ms = static_cast<std::uint64_t>(place.ordered_time.time_since_epoch().count());
  const auto operation_path = digests_of(buffer, place.operation_path);
  const auto request_path = digests_of(buffer, place.request_path);
  buffer.Finish(wire::CreateReceiptReply(buffer, &id, low_half(session), high_half(session), value.asked.index,
                                         place.sequence.value, &batch, time_ms, place.operation_count, operation_path,
                                         place.request_count, place.request_index, request_path, &by));
  return frame_of(message_kind::receipt_reply, buffer);
}

frame_ptr encode(const checkpoint_proof& value) {
  builder buffer{128 * value.certificate.votes.size() + 128};
  buffer.Finish(wire::CreateCheckpointProof(buffer, certificate_of(buffer, value.certificate)));
  return frame_of(message_kind::checkpoint_proof, buffer);
}

frame_ptr encode(const vouch& value) {
  require(!value.requests.empty() && value.requests.size() <= limits::vouched_requests_max,
          "a VOUCH has a bounded number of requests");
  std::vector<wire::VouchedRequest> encoded;
  encoded.reserve(value.requests.size());
  for (const auto& [id, content] : value.requests) {
    encoded.emplace_back(id.client.value, low_half(id.when.value), high_half(id.when.value), low_half(id.session.value),
                         high_half(id.session.value), fixed_to_wire<wire::Digest>(content));
  }
  builder buffer{52 * encoded.size() + 64};
  buffer.Finish(wire::CreateVouch(buffer, buffer.CreateVectorOfStructs(encoded)));
  return frame_of(message_kind::vouch, buffer);
}

frame_ptr encode(const state_request& value) {
  builder buffer{128};
  const auto part = static_cast<std::uint8_t>(value.part);
  buffer.Finish(wire::CreateStateRequest(buffer, value.sequence.value, value.index, part));
  return frame_of(message_kind::state_request, buffer);
}

namespace {

void finish_answer(builder& buffer, const state_request& wanted, const std::shared_ptr<const byte_vector>& chunk) {
  require(wanted.part == state_part::chunk, "a chunk answers the request for one");
  require(chunk->size() <= limits::state_chunk_bytes_max, "a chunk respects its limit");
  buffer.Finish(wire::CreateStateChunk(buffer, wanted.sequence.value, wanted.index, 0, list_of(buffer, *chunk)));
}

void finish_answer(builder& buffer, const state_request& wanted, const leaf_page& page) {
  require(wanted.part == state_part::leaves, "a page of leaves answers the request for one");
  require(page.leaves.size() == state_page_size(page.chunk_count, wanted.index), "a page has the leaves it stands for");
  require(page.path.size() <= limits::page_path_max, "a path respects its limit");
  const auto leaves = digests_of(buffer, page.leaves);
  const auto path = digests_of(buffer, page.path);
  buffer.Finish(wire::CreateStateChunk(buffer, wanted.sequence.value, wanted.index, page.chunk_count, 0, path,
                                       static_cast<std::uint8_t>(wanted.part), leaves));
}

void finish_answer(builder& buffer, const state_request& wanted, state_refusal why) {
  buffer.Finish(wire::CreateStateChunk(buffer, wanted.sequence.value, wanted.index, 0, 0, 0,
                                       static_cast<std::uint8_t>(wanted.part), 0, static_cast<std::uint8_t>(why)));
}

}  // namespace

frame_ptr encode(const state_chunk_message& value) {
  const auto* chunk = std::get_if<std::shared_ptr<const byte_vector>>(&value.content);
  builder buffer{chunk != nullptr ? (*chunk)->size() + 128 : 1024};
  std::visit([&](const auto& content) { finish_answer(buffer, value.wanted, content); }, value.content);
  return frame_of(message_kind::state_chunk, buffer);
}

frame_ptr reframe(const request& value) { return frame_of(message_kind::request, value.raw); }

frame_ptr reframe(const system_request& value) { return frame_of(message_kind::system_request, value.raw); }

}  // namespace hypermesh::messages
