#include <doctest/doctest.h>

#include <flatbuffers/flatbuffers.h>

#include <optional>
#include <string>

#include "messages/codec.hpp"
#include "messages/limits.hpp"
#include "schemas/client_generated.h"
#include "schemas/ordering_generated.h"
#include "schemas/recovery_generated.h"
#include "schemas/view_change_generated.h"
#include "tests/support/message_samples.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

using builder = flatbuffers::FlatBufferBuilder;

const wire::RequestId some_id{1, 2, 3};

byte_span bytes_of(const builder& buffer) {
  return std::as_bytes(std::span{buffer.GetBufferPointer(), buffer.GetSize()});
}

/// Returns "taken", or the reason of the rejection.
std::string verdict(const frame_ptr& frame) {
  const auto decoded = decode(frame);
  return decoded ? "taken" : std::string{to_string(decoded.error())};
}

/// Decodes a REQUEST with operations of these sizes. The request is built without the encoder's assertions.
std::string verdict_on_operations(const std::vector<std::size_t>& sizes) {
  builder buffer;
  std::vector<std::uint32_t> ends;
  std::uint32_t total = 0;
  for (const auto size : sizes)
    ends.push_back(total += static_cast<std::uint32_t>(size));
  const auto operations = buffer.CreateVector(std::vector<std::uint8_t>(total));
  flatbuffers::Offset<flatbuffers::Vector<std::uint32_t>> ends_offset;
  if (ends.size() > 1) ends_offset = buffer.CreateVector(ends);
  buffer.Finish(wire::CreateRequest(buffer, &some_id, operations, ends_offset));
  return verdict(framed_with_signature(bytes_of(buffer), message_kind::request));
}

std::string verdict_on_reply(std::size_t statuses, const std::vector<std::uint32_t>& ends, std::uint64_t view) {
  builder buffer;
  const auto results = buffer.CreateVector(std::vector<std::uint8_t>(ends.back()));
  const auto statuses_offset = buffer.CreateVector(std::vector<std::uint8_t>(statuses));
  flatbuffers::Offset<flatbuffers::Vector<std::uint32_t>> ends_offset;
  if (ends.size() > 1) ends_offset = buffer.CreateVector(ends);
  const wire::Digest request;
  buffer.Finish(wire::CreateReply(buffer, &some_id, static_cast<std::uint32_t>(view),
                                  static_cast<std::uint32_t>(view >> 32U), 0, statuses_offset, results, ends_offset, 0,
                                  0, &request));
  return verdict(framed(bytes_of(buffer), message_kind::reply));
}

std::string verdict_on_chunk(std::uint64_t sequence, std::uint64_t index, std::size_t bytes) {
  builder buffer;
  const auto bytes_offset = buffer.CreateVector(std::vector<std::uint8_t>(bytes));
  buffer.Finish(wire::CreateStateChunk(buffer, sequence, index, 0, bytes_offset));
  return verdict(framed(bytes_of(buffer), message_kind::state_chunk));
}

std::string verdict_on_leaves(std::uint64_t sequence, std::uint64_t page, std::uint64_t count, std::size_t leaves,
                              std::size_t path) {
  builder buffer;
  const auto leaves_offset = buffer.CreateVectorOfStructs(std::vector<wire::Digest>(leaves));
  const auto path_offset = buffer.CreateVectorOfStructs(std::vector<wire::Digest>(path));
  buffer.Finish(wire::CreateStateChunk(buffer, sequence, page, count, 0, path_offset, 1, leaves_offset));
  return verdict(framed(bytes_of(buffer), message_kind::state_chunk));
}

/// Decodes a STATUS of replica 1 with `slots` octets of this value.
std::string verdict_on_status(std::size_t slots, std::uint8_t octet, std::uint64_t low, std::uint64_t executed) {
  builder buffer;
  const auto offset = buffer.CreateVector(std::vector<std::uint8_t>(slots, octet));
  buffer.Finish(wire::CreateStatus(buffer, 1, 2, low, executed, offset));
  return verdict(framed_with_signature(bytes_of(buffer), message_kind::status));
}

std::string verdict_on_report(std::size_t counters, std::size_t name_bytes) {
  builder buffer;
  std::vector<flatbuffers::Offset<wire::Counter>> offsets;
  for (std::size_t index = 0; index < counters; ++index) {
    offsets.push_back(wire::CreateCounter(buffer, buffer.CreateString(std::string(name_bytes, 'x')), 1));
  }
  const wire::Digest root;
  buffer.Finish(wire::CreateNodeReport(buffer, &some_id, 1, 2, 3, 4, 5, 6, &root, buffer.CreateVector(offsets)));
  return verdict(framed(bytes_of(buffer), message_kind::node_report));
}

/// A VIEW-CHANGE buffer with `prepared` certificates of `prepares` PREPAREs each, and a proof of `votes` votes.
byte_vector view_change_of(std::size_t prepared, std::size_t prepares, std::size_t votes) {
  builder buffer;
  const std::vector<wire::SignedStatement> statements(prepares);
  const wire::SignedStatement header;
  std::vector<flatbuffers::Offset<wire::PreparedCertificate>> certificates;
  for (std::size_t index = 0; index < prepared; ++index) {
    const auto list = buffer.CreateVectorOfStructs(statements);
    certificates.push_back(wire::CreatePreparedCertificate(buffer, &header, list));
  }
  const auto certificates_offset = buffer.CreateVector(certificates);
  const auto votes_offset = buffer.CreateVectorOfStructs(std::vector<wire::SignedStatement>(votes));
  const auto proof = wire::CreateCheckpointCertificate(buffer, votes_offset);
  buffer.Finish(wire::CreateViewChange(buffer, 1, 2, proof, certificates_offset, 3));
  const auto view = bytes_of(buffer);
  return {view.begin(), view.end()};
}

std::string verdict_on_view_change(std::size_t prepared, std::size_t prepares, std::size_t votes) {
  return verdict(framed_with_signature(view_change_of(prepared, prepares, votes), message_kind::view_change));
}

/// Decodes a NEW-VIEW with copies of `document`, which includes its signature.
std::string verdict_on_new_view(std::size_t documents, const byte_vector& document, std::size_t reproposals) {
  builder buffer;
  const auto* data = reinterpret_cast<const std::uint8_t*>(document.data());
  std::vector<flatbuffers::Offset<wire::SignedDocument>> offsets;
  for (std::size_t index = 0; index < documents; ++index) {
    offsets.push_back(wire::CreateSignedDocument(buffer, buffer.CreateVector(data, document.size())));
  }
  const auto documents_offset = buffer.CreateVector(offsets);
  const auto reproposals_offset = buffer.CreateVectorOfStructs(std::vector<wire::SignedStatement>(reproposals));
  buffer.Finish(wire::CreateNewView(buffer, 1, documents_offset, reproposals_offset, 2));
  return verdict(framed_with_signature(bytes_of(buffer), message_kind::new_view));
}

byte_vector signed_document(byte_vector buffer) {
  buffer.resize(buffer.size() + signature::size);
  return buffer;
}

/// Decodes a PRE-PREPARE with requests whose received bytes have these sizes.
std::string verdict_on_batch(const std::vector<std::size_t>& raw_sizes) {
  byte_vector joined;
  std::vector<std::uint32_t> ends;
  const auto fixed = make_request({}, {byte_vector(400)}, {}).raw.view.size() - 400;
  for (const auto size : raw_sizes) {
    const request_id id{client_id{1}, timestamp{ends.size()}};
    const auto one = make_request(id, {byte_vector(size - fixed)}, {});
    REQUIRE(one.raw.view.size() == size);
    joined.insert(joined.end(), one.raw.view.begin(), one.raw.view.end());
    ends.push_back(static_cast<std::uint32_t>(joined.size()));
  }
  builder buffer;
  const auto* data = reinterpret_cast<const std::uint8_t*>(joined.data());
  const auto requests = buffer.CreateVector(data, joined.size());
  const auto ends_offset = buffer.CreateVector(ends);
  const wire::SignedStatement header;
  buffer.Finish(wire::CreatePrePrepare(buffer, &header, requests, ends_offset));
  return verdict(framed(bytes_of(buffer), message_kind::pre_prepare));
}

signed_statement statement_of(std::uint64_t view, std::uint64_t sequence, std::uint32_t replica) {
  return {{view_number{view}, sequence_number{sequence}, {}, replica_id{replica}, {}}, {}};
}

template <class Value, class Change>
std::string verdict_on_changed(message_kind kind, Change&& change) {
  auto value = std::get<Value>(sample_of(kind, sample_size::usual, 1));
  change(value);
  return verdict(frame_of(value));
}

}  // namespace

TEST_CASE("statements name views, sequences and replicas up to their limits and none beyond") {
  const auto view = limits::view_max;
  const auto sequence = limits::sequence_max;
  const auto replica = limits::replicas_max - 1;
  for (const auto kind : {message_kind::prepare, message_kind::commit, message_kind::checkpoint}) {
    CHECK(verdict(encode_vote(kind, statement_of(view, sequence, replica))) == "taken");
    CHECK(verdict(encode_vote(kind, statement_of(view + 1, sequence, replica))) == "number_out_of_range");
    CHECK(verdict(encode_vote(kind, statement_of(view, sequence + 1, replica))) == "number_out_of_range");
    CHECK(verdict(encode_vote(kind, statement_of(view, sequence, replica + 1))) == "number_out_of_range");
    CHECK(verdict(encode_vote(kind, statement_of(~0ULL, ~0ULL, ~0U))) == "number_out_of_range");
  }
  CHECK(verdict(encode_pre_prepare(statement_of(view, sequence, replica), {})) == "taken");
  CHECK(verdict(encode_pre_prepare(statement_of(view, sequence + 1, replica), {})) == "number_out_of_range");
}

TEST_CASE("every statement of a certificate is held to the limits, not only the first") {
  checkpoint_proof proof{{{statement_of(0, 4, 0), statement_of(0, 4, 1), statement_of(0, 4, limits::replicas_max)}}};
  CHECK(verdict(frame_of(proof)) == "number_out_of_range");
  const auto spoil = [](auto&& choose) {
    return verdict_on_changed<view_change>(message_kind::view_change, [&](view_change& value) {
      choose(value).content.sequence.value = limits::sequence_max + 1;
    });
  };
  CHECK(spoil([](view_change & value) -> auto& { return value.stable_proof.votes.back(); }) == "number_out_of_range");
  CHECK(spoil([](view_change & value) -> auto& { return value.prepared.back().pre_prepare; }) == "number_out_of_range");
  CHECK(spoil([](view_change & value) -> auto& { return value.prepared.back().prepares.back(); }) ==
        "number_out_of_range");
}

TEST_CASE("clients are numbered up to their limit") {
  const auto of = [](std::uint32_t client) {
    return verdict(reframe(make_request({client_id{client}, timestamp{~0ULL}}, {{}}, {})));
  };
  CHECK(of(limits::clients_max - 1) == "taken");
  CHECK(of(limits::clients_max) == "number_out_of_range");
}

TEST_CASE("a request has at most operations_per_request_max operations") {
  const auto most = limits::operations_per_request_max;
  CHECK(verdict_on_operations(std::vector<std::size_t>(most, 1)) == "taken");
  CHECK(verdict_on_operations(std::vector<std::size_t>(most + 1, 1)) == "too_many_items");
}

TEST_CASE("an operation has at most operation_bytes_max bytes wherever it stands") {
  const auto most = limits::operation_bytes_max;
  CHECK(verdict_on_operations({most}) == "taken");
  CHECK(verdict_on_operations({most + 1}) == "frame_too_long");
  CHECK(verdict_on_operations({1, most, 1}) == "taken");
  CHECK(verdict_on_operations({most + 1, 1}) == "frame_too_long");
  CHECK(verdict_on_operations({1, most + 1}) == "frame_too_long");
}

TEST_CASE("a request has at most request_bytes_max bytes of operations") {
  const auto most = limits::operation_bytes_max;
  CHECK(verdict_on_operations({most, most, most, most}) == "taken");
  CHECK(verdict_on_operations({most, most, most, most, 1}) == "frame_too_long");
}

TEST_CASE("the longest request with the most operations fits its frame") {
  const byte_vector operation(limits::request_bytes_max / limits::operations_per_request_max);
  const std::vector<byte_span> operations(limits::operations_per_request_max, operation);
  const auto frame_bytes = request_buffer({}, operations).size() + signature::size + 1;
  CHECK(frame_bytes <= frame_bytes_max_of(message_kind::request));
}

TEST_CASE("a batch has at most requests_per_batch_max requests") {
  const auto most = limits::requests_per_batch_max;
  CHECK(verdict_on_batch(std::vector<std::size_t>(most, 200)) == "taken");
  CHECK(verdict_on_batch(std::vector<std::size_t>(most + 1, 200)) == "too_many_items");
}

TEST_CASE("a batch has at most batch_bytes_max bytes") {
  std::vector<std::size_t> sizes(16, limits::batch_bytes_max / 16);
  CHECK(verdict_on_batch(sizes) == "taken");
  sizes.back() += 4;
  CHECK(verdict_on_batch(sizes) == "frame_too_long");
}

TEST_CASE("a reply stays inside the limits of operations, results and views") {
  const auto most = static_cast<std::uint32_t>(limits::operations_per_request_max);
  std::vector<std::uint32_t> ends;
  for (std::uint32_t index = 1; index <= most; ++index)
    ends.push_back(index);
  CHECK(verdict_on_reply(most, ends, limits::view_max) == "taken");
  CHECK(verdict_on_reply(most, ends, limits::view_max + 1) == "number_out_of_range");
  ends.push_back(most + 1);
  CHECK(verdict_on_reply(most + 1, ends, 0) == "too_many_items");
  CHECK(verdict_on_reply(most, ends, 0) == "too_many_items");
  const auto longest = static_cast<std::uint32_t>(limits::result_bytes_max);
  CHECK(verdict_on_reply(1, {longest}, 0) == "taken");
  CHECK(verdict_on_reply(1, {longest + 1}, 0) == "frame_too_long");
  CHECK(verdict_on_reply(4, {longest, 2 * longest, 3 * longest, 4 * longest}, 0) == "taken");
  CHECK(verdict_on_reply(5, {longest, 2 * longest, 3 * longest, 4 * longest, 4 * longest + 1}, 0) == "frame_too_long");
}

TEST_CASE("a state chunk is one of at most state_chunks_max and has a bounded size") {
  const auto count = limits::state_chunks_max;
  const auto bytes = limits::state_chunk_bytes_max;
  CHECK(verdict_on_chunk(limits::sequence_max, count - 1, bytes) == "taken");
  CHECK(verdict_on_chunk(limits::sequence_max + 1, 0, 0) == "number_out_of_range");
  CHECK(verdict_on_chunk(1, count, 0) == "number_out_of_range");
  CHECK(verdict_on_chunk(1, ~0ULL, 0) == "number_out_of_range");
  CHECK(verdict_on_chunk(1, 0, bytes + 1) == "frame_too_long");
}

TEST_CASE("a page of leaves has the index and length that its count implies, and a bounded path") {
  const auto count = limits::state_chunks_max;
  const auto full = limits::state_page_leaves;
  const auto path = limits::page_path_max;
  CHECK(verdict_on_leaves(limits::sequence_max, limits::state_pages_max - 1, count, full, path) == "taken");
  CHECK(verdict_on_leaves(1, 0, 1, 1, 0) == "taken");
  CHECK(verdict_on_leaves(1, 2, 2 * full + 1, 1, 0) == "taken");
  CHECK(verdict_on_leaves(limits::sequence_max + 1, 0, 1, 1, 0) == "number_out_of_range");
  CHECK(verdict_on_leaves(1, 0, count + 1, full, 0) == "number_out_of_range");
  CHECK(verdict_on_leaves(1, limits::state_pages_max, count, full, 0) == "number_out_of_range");
  CHECK(verdict_on_leaves(1, 0, ~0ULL, full, 0) == "number_out_of_range");
  CHECK(verdict_on_leaves(1, ~0ULL, ~0ULL, full, 0) == "number_out_of_range");
  CHECK(verdict_on_leaves(1, 0, 0, 0, 0) == "number_out_of_range");
  CHECK(verdict_on_leaves(1, 1, full, full, 0) == "number_out_of_range");
  for (const auto leaves : {0UL, full - 1})
    CHECK(verdict_on_leaves(1, 0, count, leaves, 0) == "inconsistent_sizes");
  CHECK(verdict_on_leaves(1, 2, 2 * full + 1, 2, 0) == "inconsistent_sizes");
  CHECK(verdict_on_leaves(1, 0, count, full + 1, 0) == "too_many_items");
  CHECK(verdict_on_leaves(1, 0, 1, 1, path + 1) == "too_many_items");
}

TEST_CASE("a state request names a possible chunk or a possible page") {
  const auto of = [](std::uint64_t sequence, std::uint64_t index, unsigned part) {
    return verdict(encode(state_request{sequence_number{sequence}, index, static_cast<state_part>(part)}));
  };
  CHECK(of(limits::sequence_max, limits::state_chunks_max - 1, 0) == "taken");
  CHECK(of(limits::sequence_max, limits::state_pages_max - 1, 1) == "taken");
  CHECK(of(limits::sequence_max + 1, 0, 0) == "number_out_of_range");
  CHECK(of(1, limits::state_chunks_max, 0) == "number_out_of_range");
  CHECK(of(1, limits::state_pages_max, 1) == "number_out_of_range");
  CHECK(of(1, 0, 2) == "number_out_of_range");
}

TEST_CASE("a VOUCH names a bounded number of requests of possible clients") {
  const auto of = [](std::size_t count, std::uint32_t client) {
    flatbuffers::FlatBufferBuilder buffer;
    const std::vector<wire::VouchedRequest> all(count, wire::VouchedRequest{client, 1, 0, 0, 0, wire::Digest{}});
    buffer.Finish(wire::CreateVouch(buffer, buffer.CreateVectorOfStructs(all)));
    return verdict(framed(bytes_of(buffer), message_kind::vouch));
  };
  CHECK(of(0, 0) == "missing_field");
  CHECK(of(1, limits::clients_max - 1) == "taken");
  CHECK(of(1, limits::clients_max) == "number_out_of_range");
  CHECK(of(limits::vouched_requests_max, 0) == "taken");
  CHECK(of(limits::vouched_requests_max + 1, 0) == "too_many_items");
}

TEST_CASE("a suspicion names a possible view") {
  const auto of = [](std::uint64_t view) {
    return verdict(encode_vote(message_kind::suspicion, {{view_number{view}, {}, {}, {}, {}}, {}}));
  };
  CHECK(of(limits::view_max) == "taken");
  CHECK(of(limits::view_max + 1) == "number_out_of_range");
}

TEST_CASE("a status stays inside the window and uses three bits") {
  const auto most = static_cast<std::size_t>(limits::watermark_window_max);
  CHECK(verdict_on_status(most, 7, 1, 2) == "taken");
  CHECK(verdict_on_status(most + 1, 7, 1, 2) == "too_many_items");
  CHECK(verdict_on_status(1, 8, 1, 2) == "number_out_of_range");
  CHECK(verdict_on_status(1, 0xff, 1, 2) == "number_out_of_range");
  CHECK(verdict_on_status(0, 0, 3, 2) == "number_out_of_range");
  CHECK(verdict_on_status(0, 0, limits::sequence_max, limits::sequence_max) == "taken");
  CHECK(verdict_on_status(0, 0, 0, limits::sequence_max + 1) == "number_out_of_range");
}

TEST_CASE("a query and its answer have bounded sizes") {
  const auto asked = [](std::size_t size) {
    builder buffer;
    const auto operation = buffer.CreateVector(std::vector<std::uint8_t>(size));
    buffer.Finish(wire::CreateQuery(buffer, &some_id, operation));
    return verdict(framed(bytes_of(buffer), message_kind::query));
  };
  CHECK(asked(limits::operation_bytes_max) == "taken");
  CHECK(asked(limits::operation_bytes_max + 1) == "frame_too_long");
  const auto answered = [](std::size_t size, std::uint64_t executed) {
    builder buffer;
    const auto result = buffer.CreateVector(std::vector<std::uint8_t>(size));
    buffer.Finish(wire::CreateQueryReply(buffer, &some_id, executed, 0, result));
    return verdict(framed(bytes_of(buffer), message_kind::query_reply));
  };
  CHECK(answered(limits::result_bytes_max, limits::sequence_max) == "taken");
  CHECK(answered(limits::result_bytes_max + 1, 0) == "frame_too_long");
  CHECK(answered(0, limits::sequence_max + 1) == "number_out_of_range");
}

TEST_CASE("a receipt has bounded numbers and paths") {
  const auto of = [](auto&& change) { return verdict_on_changed<receipt_reply>(message_kind::receipt_reply, change); };
  const std::uint32_t operations = limits::operations_per_request_max;
  const std::uint32_t requests = limits::requests_per_batch_max;
  CHECK(of([&](receipt_reply& value) { value.share->place.operation_count = operations; }) == "taken");
  CHECK(of([&](receipt_reply& value) { value.share->place.operation_count = operations + 1; }) ==
        "number_out_of_range");
  CHECK(of([&](receipt_reply& value) { value.share->place.request_count = requests; }) == "taken");
  CHECK(of([&](receipt_reply& value) { value.share->place.request_count = requests + 1; }) == "number_out_of_range");
  CHECK(of([&](receipt_reply& value) { value.asked.index = operations; }) == "number_out_of_range");
  CHECK(of([](receipt_reply& value) { value.asked.index = value.share->place.operation_count; }) ==
        "inconsistent_sizes");
  CHECK(of([](receipt_reply& value) { value.share->place.request_index = value.share->place.request_count; }) ==
        "inconsistent_sizes");
  CHECK(of([](receipt_reply& value) { value.share->place.sequence.value = limits::sequence_max + 1; }) ==
        "number_out_of_range");
  CHECK(of([](receipt_reply& value) {
          value.share->place.ordered_time = wall_time{std::chrono::milliseconds{limits::proposed_time_ms_max + 1}};
        }) == "number_out_of_range");
}

TEST_CASE("a node report has bounded counters, names and numbers") {
  CHECK(verdict_on_report(limits::report_counters_max, limits::report_name_bytes_max) == "taken");
  CHECK(verdict_on_report(limits::report_counters_max + 1, 1) == "too_many_items");
  CHECK(verdict_on_report(1, limits::report_name_bytes_max + 1) == "frame_too_long");
  const auto of = [](auto&& change) { return verdict_on_changed<node_report>(message_kind::node_report, change); };
  CHECK(of([](node_report& value) { value.replica.value = limits::replicas_max; }) == "number_out_of_range");
  CHECK(of([](node_report& value) { value.view.value = limits::view_max + 1; }) == "number_out_of_range");
  CHECK(of([](node_report& value) { value.high_watermark.value = ~0ULL; }) == "number_out_of_range");
  CHECK(of([](node_report& value) { value.stable_checkpoint.value = ~0ULL; }) == "number_out_of_range");
}

TEST_CASE("a checkpoint proof has one to replicas_max votes") {
  const auto of = [](std::size_t count) {
    return verdict(encode(checkpoint_proof{{std::vector<signed_statement>(count)}}));
  };
  CHECK(of(0) == "missing_field");
  CHECK(of(1) == "taken");
  CHECK(of(limits::replicas_max) == "taken");
  CHECK(of(limits::replicas_max + 1) == "too_many_items");
}

TEST_CASE("a view change has bounded votes, certificates and prepares") {
  const std::size_t replicas = limits::replicas_max;
  const std::size_t window = limits::watermark_window_max;
  CHECK(verdict_on_view_change(0, 0, replicas) == "taken");
  CHECK(verdict_on_view_change(0, 0, replicas + 1) == "too_many_items");
  CHECK(verdict_on_view_change(1, replicas, 0) == "taken");
  CHECK(verdict_on_view_change(1, replicas + 1, 0) == "too_many_items");
  CHECK(verdict_on_view_change(window, 1, 0) == "taken");
  CHECK(verdict_on_view_change(window + 1, 1, 0) == "too_many_items");
  CHECK(verdict_on_view_change(2 * window, 0, 0) == "malformed_buffer");
}

TEST_CASE("a view change names a possible view, sequence and sender") {
  const auto of = [](auto&& change) { return verdict_on_changed<view_change>(message_kind::view_change, change); };
  CHECK(of([](view_change& value) { value.new_view.value = limits::view_max; }) == "taken");
  CHECK(of([](view_change& value) { value.new_view.value = limits::view_max + 1; }) == "number_out_of_range");
  CHECK(of([](view_change& value) { value.stable_sequence.value = ~0ULL; }) == "number_out_of_range");
  CHECK(of([](view_change& value) { value.replica.value = limits::replicas_max; }) == "number_out_of_range");
}

TEST_CASE("a new view has one to replicas_max view changes and bounded reproposals") {
  const auto document = signed_document(view_change_of(1, 2, 3));
  CHECK(verdict_on_new_view(1, document, limits::watermark_window_max) == "taken");
  CHECK(verdict_on_new_view(1, document, limits::watermark_window_max + 1) == "too_many_items");
  CHECK(verdict_on_new_view(limits::replicas_max, document, 0) == "taken");
  CHECK(verdict_on_new_view(limits::replicas_max + 1, document, 0) == "too_many_items");
}

TEST_CASE("a view change inside a new view has the same limits as a separate one") {
  CHECK(verdict_on_new_view(2, signed_document(view_change_of(limits::watermark_window_max + 1, 0, 0)), 0) ==
        "too_many_items");
  CHECK(verdict_on_new_view(1, signed_document(view_change_of(0, 0, limits::replicas_max + 1)), 0) == "too_many_items");
  const auto longest = view_change_of(990, 34, 0);
  REQUIRE(longest.size() + signature::size < limits::view_change_bytes_max);
  CHECK(verdict_on_new_view(1, signed_document(longest), 0) == "taken");
  const auto too_long = view_change_of(1'100, 34, 0);
  REQUIRE(too_long.size() > limits::view_change_bytes_max);
  CHECK(verdict(framed_with_signature(too_long, message_kind::view_change)) == "frame_too_long");
  CHECK(verdict_on_new_view(1, signed_document(too_long), 0) == "frame_too_long");
}

TEST_CASE("each kind refuses a frame above its limit, and accepts one at the limit") {
  for (const auto kind : all_kinds()) {
    INFO(to_string(kind));
    byte_vector bytes(frame_bytes_max_of(kind));
    bytes.back() = static_cast<std::byte>(kind);
    CHECK(verdict(std::make_shared<const byte_vector>(bytes)) != "frame_too_long");
    bytes.insert(bytes.begin(), std::byte{0});
    CHECK(verdict(std::make_shared<const byte_vector>(bytes)) == "frame_too_long");
    CHECK(frame_bytes_max_of(kind) <= limits::frame_bytes_max);
  }
}
