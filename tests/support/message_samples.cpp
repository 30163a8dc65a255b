#include "tests/support/message_samples.hpp"

#include <algorithm>
#include <array>

#include "messages/limits.hpp"

namespace hypermesh::testing {

namespace {

std::size_t scaled(sample_size size, std::size_t smallest, std::size_t usual, std::size_t large) {
  return size == sample_size::smallest ? smallest : size == sample_size::usual ? usual : large;
}

blob body_blob(const frame_ptr& frame) { return {frame, body_of(*frame)}; }

request_id sample_id(sample_source& source) {
  return {client_id{static_cast<std::uint32_t>(source.below(limits::clients_max))}, timestamp{source.number()}};
}

/// The id of a request in any session. The request does not open the session.
request_id sample_request_id(sample_source& source) {
  auto id = sample_id(source);
  id.session = session_id{source.below(2) == 0 ? 0 : source.number()};
  id.when = std::max(id.when, timestamp{1});
  return id;
}

view_number sample_view(sample_source& source) { return view_number{source.below(limits::view_max + 1)}; }

sequence_number sample_sequence(sample_source& source) {
  return sequence_number{source.below(limits::sequence_max + 1)};
}

replica_id sample_replica(sample_source& source) {
  return replica_id{static_cast<std::uint32_t>(source.below(limits::replicas_max))};
}

std::vector<signed_statement> sample_statements(sample_source& source, std::size_t count) {
  std::vector<signed_statement> statements;
  while (statements.size() < count)
    statements.push_back(sample_statement(source));
  return statements;
}

std::vector<byte_vector> sample_operations(sample_source& source, std::size_t count, std::size_t bytes_max) {
  std::vector<byte_vector> operations;
  while (operations.size() < count)
    operations.push_back(source.bytes(source.below(bytes_max + 1)));
  return operations;
}

request sample_request(sample_source& source, sample_size size) {
  const auto operations =
      sample_operations(source, scaled(size, 1, 1, 2 + source.below(30)), scaled(size, 0, 300, 200));
  return make_request(sample_request_id(source), operations, source.fixed<signature>());
}

pre_prepare sample_pre_prepare(sample_source& source, sample_size size) {
  auto body = std::make_shared<batch>();
  const auto first = source.below(1U << 30U);
  for (std::size_t index = 0; index < scaled(size, 0, 3, 16); ++index) {
    const request_id id{client_id{static_cast<std::uint32_t>(index)}, timestamp{first + index}};
    const auto operations = sample_operations(source, 1 + index % 3, 100);
    body->requests.push_back(make_request(id, operations, source.fixed<signature>()));
    body->bytes += body->requests.back().raw.view.size();
  }
  for (std::size_t index = 0; index < scaled(size, 0, 1, 4); ++index) {
    body->system_requests.push_back(make_system_request(case_name{first + index}, source.number()));
    body->bytes += body->system_requests.back().raw.view.size();
  }
  if (!body->is_null()) {
    const auto time_ms = source.below(limits::proposed_time_ms_max + 1);
    body->proposed_time = wall_time{std::chrono::milliseconds{static_cast<std::int64_t>(time_ms)}};
  }
  auto header = sample_statement(source);
  header.content.value = digest_of_batch(*body);
  return {header, body, encode_pre_prepare(header, *body)};
}

reply sample_reply(sample_source& source, sample_size size) {
  reply value{sample_request_id(source), sample_view(source), {}, source.fixed<digest>()};
  if (size == sample_size::smallest) {
    value.outcome.status = static_cast<reply_status>(1 + source.below(static_cast<std::uint64_t>(reply_status_last)));
    if (value.outcome.status == reply_status::session_ended) value.outcome.fresh_above = session_id{source.number()};
    return value;
  }
  for (std::size_t index = 0; index < scaled(size, 0, 1, 2 + source.below(40)); ++index) {
    value.outcome.append(static_cast<std::uint8_t>(source.below(4)), source.bytes(source.below(80)));
  }
  return value;
}

view_change sample_view_change(sample_source& source, sample_size size) {
  view_change value;
  value.new_view = sample_view(source);
  value.stable_sequence = sample_sequence(source);
  value.stable_proof.votes = sample_statements(source, scaled(size, 0, 3, 7));
  for (std::size_t index = 0; index < scaled(size, 0, 2, 8); ++index) {
    value.prepared.push_back({sample_statement(source), sample_statements(source, scaled(size, 0, 2, 4))});
  }
  value.replica = sample_replica(source);
  value.by = source.fixed<signature>();
  value.raw = body_blob(seal(message_kind::view_change, view_change_buffer(value), value.by));
  return value;
}

new_view sample_new_view(sample_source& source, sample_size size) {
  new_view value;
  value.view = sample_view(source);
  const auto of_each = size == sample_size::large ? sample_size::usual : size;
  for (std::size_t index = 0; index < scaled(size, 1, 3, 5); ++index) {
    value.view_changes.push_back(sample_view_change(source, of_each));
  }
  value.reproposals = sample_statements(source, scaled(size, 0, 2, 20));
  value.replica = sample_replica(source);
  value.by = source.fixed<signature>();
  value.raw = body_blob(seal(message_kind::new_view, new_view_buffer(value), value.by));
  return value;
}

status sample_status(sample_source& source, sample_size size) {
  status value;
  value.replica = sample_replica(source);
  value.view = sample_view(source);
  value.active = source.below(2) == 1;
  value.last_decided = sample_sequence(source);
  value.low_watermark = sequence_number{source.below(value.last_decided.value + 1)};
  for (std::size_t index = 0; index < scaled(size, 0, 8, 256); ++index) {
    value.slots.push_back({source.below(2) == 1, source.below(2) == 1, source.below(2) == 1});
  }
  value.on_probation = source.below(2) == 1;
  value.by = source.fixed<signature>();
  value.raw = body_blob(seal(message_kind::status, status_buffer(value), value.by));
  return value;
}

vouch sample_vouch(sample_source& source, sample_size size) {
  vouch value;
  for (std::size_t index = 0; index < scaled(size, 1, 5, limits::vouched_requests_max); ++index)
    value.requests.push_back({sample_request_id(source), source.fixed<digest>()});
  return value;
}

receipt_query sample_receipt_query(sample_source& source) {
  return {sample_request_id(source), static_cast<std::uint32_t>(source.below(limits::operations_per_request_max))};
}

receipt_reply sample_receipt_reply(sample_source& source, sample_size size) {
  receipt_reply value{sample_receipt_query(source), std::nullopt};
  if (size == sample_size::smallest) return value;
  const auto digests = [&] {
    std::vector<digest> path(scaled(size, 0, source.below(3), limits::receipt_path_max));
    for (auto& each : path)
      each = source.fixed<digest>();
    return path;
  };
  auto& share = value.share.emplace();
  auto& place = share.place;
  place.sequence = sample_sequence(source);
  place.batch = source.fixed<digest>();
  place.ordered_time = wall_time{std::chrono::milliseconds{source.below(limits::proposed_time_ms_max + 1)}};
  place.operation_count =
      value.asked.index + 1 +
      static_cast<std::uint32_t>(source.below(limits::operations_per_request_max - value.asked.index));
  place.operation_path = digests();
  place.request_count = 1 + static_cast<std::uint32_t>(source.below(limits::requests_per_batch_max));
  place.request_index = static_cast<std::uint32_t>(source.below(place.request_count));
  place.request_path = digests();
  share.by = source.fixed<signature>();
  return value;
}

state_request sample_state_request(sample_source& source) {
  const auto sequence = sample_sequence(source);
  if (source.below(2) == 0) return {sequence, source.below(limits::state_chunks_max), state_part::chunk};
  return {sequence, source.below(limits::state_pages_max), state_part::leaves};
}

/// A state chunk in one of its three forms, which is drawn at random like all other content.
state_chunk_message sample_state_chunk(sample_source& source, sample_size size) {
  state_chunk_message value{sample_state_request(source), {}};
  if (source.below(4) == 0) {
    value.content = source.below(2) == 0 ? state_refusal::not_held : state_refusal::busy;
  } else if (value.wanted.part == state_part::chunk) {
    value.content = std::make_shared<const byte_vector>(source.bytes(scaled(size, 0, 100, 3'000)));
  } else {
    // The page is the last page, so it may be short.
    leaf_page page;
    const auto leaves = scaled(size, 1, 5, 100);
    page.chunk_count = value.wanted.index * limits::state_page_leaves + leaves;
    for (std::size_t index = 0; index < leaves; ++index)
      page.leaves.push_back(source.fixed<digest>());
    for (std::size_t index = 0; index < scaled(size, 0, 3, limits::page_path_max); ++index)
      page.path.push_back(source.fixed<digest>());
    value.content = std::move(page);
  }
  return value;
}

node_report sample_node_report(sample_source& source, sample_size size) {
  node_report value;
  value.id = sample_id(source);
  value.replica = sample_replica(source);
  value.view = sample_view(source);
  value.low_watermark = sample_sequence(source);
  value.high_watermark = sample_sequence(source);
  value.last_executed = sample_sequence(source);
  value.stable_checkpoint = sample_sequence(source);
  value.state_root = source.fixed<digest>();
  for (std::size_t index = 0; index < scaled(size, 0, 3, 40); ++index) {
    value.counters.push_back({"counter_" + std::to_string(source.number()), source.number()});
  }
  return value;
}

evidence sample_evidence(sample_source& source, sample_size size) {
  evidence value;
  constexpr std::array kinds{message_kind::pre_prepare, message_kind::prepare,   message_kind::commit,
                             message_kind::checkpoint,  message_kind::complaint, message_kind::release,
                             message_kind::readmission, message_kind::hand_over};
  for (std::size_t index = 0; index < scaled(size, 1, 2, 30); ++index)
    value.items.push_back({kinds.at(source.below(kinds.size())), sample_statement(source)});
  for (std::size_t index = 0; index < scaled(size, 0, 1, 2); ++index) {
    value.items.push_back(item_of(std::make_shared<const view_change>(sample_view_change(source, size))));
  }
  return value;
}

system_request sample_system_request(sample_source& source, sample_size size) {
  const auto name = case_name{source.number()};
  return encode_system_request(name, std::make_shared<const evidence>(sample_evidence(source, size)));
}

// --- Frames ------------------------------------------------------------------

struct encoder {
  frame_ptr operator()(const request& value) const { return reframe(value); }
  frame_ptr operator()(const system_request& value) const { return reframe(value); }
  frame_ptr operator()(const pre_prepare& value) const { return encode_pre_prepare(value.header, *value.body); }
  frame_ptr operator()(const prepare& value) const { return encode_vote(message_kind::prepare, value.vote); }
  frame_ptr operator()(const commit& value) const { return encode_vote(message_kind::commit, value.vote); }
  frame_ptr operator()(const checkpoint& value) const { return encode_vote(message_kind::checkpoint, value.vote); }
  frame_ptr operator()(const suspicion& value) const { return encode_vote(message_kind::suspicion, value.vote); }
  frame_ptr operator()(const complaint& value) const { return encode_vote(message_kind::complaint, value.vote); }
  frame_ptr operator()(const release& value) const { return encode_vote(message_kind::release, value.vote); }
  frame_ptr operator()(const readmission& value) const { return encode_vote(message_kind::readmission, value.vote); }
  frame_ptr operator()(const hand_over& value) const { return encode_vote(message_kind::hand_over, value.vote); }
  frame_ptr operator()(const view_change& value) const {
    return seal(message_kind::view_change, view_change_buffer(value), value.by);
  }
  frame_ptr operator()(const new_view& value) const {
    return seal(message_kind::new_view, new_view_buffer(value), value.by);
  }
  frame_ptr operator()(const status& value) const { return seal(message_kind::status, status_buffer(value), value.by); }
  template <class Other>
  frame_ptr operator()(const Other& value) const {
    return encode(value);
  }
};

}  // namespace

byte_vector sample_source::bytes(std::size_t count) {
  byte_vector bytes(count);
  for (auto& byte : bytes)
    byte = static_cast<std::byte>(number());
  return bytes;
}

std::vector<message_kind> all_kinds() {
  std::vector<message_kind> kinds;
  for (unsigned kind = message_kind_first; kind <= message_kind_last; ++kind) {
    kinds.push_back(static_cast<message_kind>(kind));
  }
  return kinds;
}

message sample_of(message_kind kind, sample_size size, std::uint64_t seed) {
  sample_source source{seed * 64 + static_cast<std::uint64_t>(kind) * 3 + static_cast<std::uint64_t>(size)};
  switch (kind) {
    case message_kind::request:
      return sample_request(source, size);
    case message_kind::pre_prepare:
      return sample_pre_prepare(source, size);
    case message_kind::prepare:
      return prepare{sample_statement(source)};
    case message_kind::commit:
      return commit{sample_statement(source)};
    case message_kind::reply:
      return sample_reply(source, size);
    case message_kind::checkpoint: {
      auto vote = sample_statement(source);
      vote.content.view = view_number{0};
      return checkpoint{vote};
    }
    case message_kind::view_change:
      return sample_view_change(source, size);
    case message_kind::new_view:
      return sample_new_view(source, size);
    case message_kind::status:
      return sample_status(source, size);
    case message_kind::checkpoint_proof:
      return checkpoint_proof{{sample_statements(source, scaled(size, 1, 3, 40))}};
    case message_kind::state_request:
      return sample_state_request(source);
    case message_kind::state_chunk:
      return sample_state_chunk(source, size);
    case message_kind::suspicion:
      return suspicion{sample_statement(source)};
    case message_kind::query:
      return query{sample_id(source), source.bytes(scaled(size, 0, 60, 2'000)), source.below(2) == 1};
    case message_kind::query_reply: {
      const auto status = static_cast<std::uint8_t>(source.below(4));
      return query_reply{sample_id(source), sample_sequence(source), status, source.bytes(scaled(size, 0, 60, 2'000))};
    }
    case message_kind::node_query:
      return node_query{sample_id(source)};
    case message_kind::node_report:
      return sample_node_report(source, size);
    case message_kind::complaint:
      return complaint{sample_statement(source)};
    case message_kind::release:
      return release{sample_statement(source)};
    case message_kind::readmission:
      return readmission{sample_statement(source)};
    case message_kind::hand_over:
      return hand_over{sample_statement(source)};
    case message_kind::evidence:
      return sample_evidence(source, size);
    case message_kind::system_request:
      return sample_system_request(source, size);
    case message_kind::receipt_query:
      return sample_receipt_query(source);
    case message_kind::receipt_reply:
      return sample_receipt_reply(source, size);
    case message_kind::vouch:
      return sample_vouch(source, size);
  }
  return node_query{};
}

signed_statement sample_statement(sample_source& source) {
  signed_statement value;
  value.content.view = sample_view(source);
  value.content.sequence = sample_sequence(source);
  value.content.value = source.fixed<digest>();
  value.content.replica = sample_replica(source);
  value.content.epoch = epoch_number{static_cast<std::uint32_t>(source.number())};
  value.by = source.fixed<signature>();
  return value;
}

system_request make_system_request(case_name name, std::uint64_t content, std::size_t items) {
  sample_source source{content};
  evidence shown;
  while (shown.items.size() < items)
    shown.items.push_back({message_kind::commit, sample_statement(source)});
  return encode_system_request(name, std::make_shared<const evidence>(std::move(shown)));
}

request make_request(request_id id, const std::vector<byte_vector>& operations, const signature& by) {
  byte_vector joined;
  request value;
  for (const auto& each : operations) {
    joined.insert(joined.end(), each.begin(), each.end());
    value.ends.push_back(static_cast<std::uint32_t>(joined.size()));
  }
  if (operations.size() == 1) value.ends.clear();
  const auto buffer = request_buffer(id, {operations.begin(), operations.end()});
  value.id = id;
  value.client_signature = by;
  value.raw = body_blob(seal(message_kind::request, buffer, by));
  // The operations of a value are inside its bytes. The function searches for them, so it does not need the decoder.
  const auto in = value.raw.view;
  const auto found = std::search(in.begin(), in.end(), joined.begin(), joined.end());
  value.operations = in.subspan(static_cast<std::size_t>(found - in.begin()), joined.size());
  return value;
}

frame_ptr frame_of(const message& value) { return std::visit(encoder{}, value); }

frame_ptr framed(byte_span buffer, message_kind kind) {
  byte_vector frame{buffer.begin(), buffer.end()};
  frame.push_back(static_cast<std::byte>(kind));
  return std::make_shared<const byte_vector>(std::move(frame));
}

frame_ptr framed_with_signature(byte_span buffer, message_kind kind) {
  byte_vector sealed{buffer.begin(), buffer.end()};
  sealed.resize(sealed.size() + signature::size);
  return framed(sealed, kind);
}

}  // namespace hypermesh::testing
