#include <doctest/doctest.h>

#include "messages/codec.hpp"
#include "messages/limits.hpp"
#include "tests/support/message_samples.hpp"

/// Measures the bytes of a message on the wire in addition to its payload. `schemas/README.md` shows these numbers.
using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

/// The bytes that a link adds to a frame: a length of three bytes, and the tag and authenticator of secretstream.
constexpr std::size_t link_bytes = 3 + 17;

std::size_t wire_bytes(const frame_ptr& frame) { return frame->size() + link_bytes; }

request request_of(std::size_t count, std::size_t operation_bytes, std::uint64_t when = 1) {
  const std::vector<byte_vector> operations(count, byte_vector(operation_bytes));
  return make_request({client_id{1}, timestamp{when}}, operations, {});
}

/// The bytes of a request on the wire in addition to its operations.
std::size_t request_overhead(std::size_t count, std::size_t operation_bytes) {
  return wire_bytes(reframe(request_of(count, operation_bytes))) - count * operation_bytes;
}

/// The bytes of a PRE-PREPARE on the wire in addition to the requests that the clients signed.
std::size_t pre_prepare_overhead(std::size_t requests) {
  batch body;
  for (std::size_t when = 0; when < requests; ++when) {
    body.requests.push_back(request_of(1, 100, when));
    body.bytes += body.requests.back().raw.view.size();
  }
  return wire_bytes(encode_pre_prepare({}, body)) - body.bytes;
}

/// The bytes of a VIEW-CHANGE in a group with f faulty replicas when a whole window is prepared.
std::size_t view_change_bytes(std::size_t f, std::size_t window) {
  view_change value;
  value.stable_proof.votes.resize(2 * f + 1);
  value.prepared.resize(window);
  for (auto& each : value.prepared)
    each.prepares.resize(2 * f);
  return view_change_buffer(value).size() + signature::size + 1;
}

}  // namespace

TEST_CASE("an individually signed request costs at most 128 bytes beyond its operation") {
  std::size_t most = 0;
  for (std::size_t size = 0; size <= 300; ++size) {
    INFO("operation of ", size, " bytes");
    CHECK(request_overhead(1, size) <= 128);
    most = std::max(most, request_overhead(1, size));
  }
  CHECK(most == 124);
  CHECK(request_overhead(1, 100) == 121);
  for (const std::size_t size : {1'023U, 1'024U, 1'025U, 4'096U, 65'537U, 262'144U}) {
    CHECK(request_overhead(1, size) <= 128);
  }
}

TEST_CASE("an operation in a bundle of 64 costs at most 24 bytes beyond itself") {
  for (std::size_t size = 0; size <= 300; ++size) {
    INFO("operations of ", size, " bytes");
    CHECK(request_overhead(64, size) <= 64 * 24);
  }
  CHECK(request_overhead(64, 100) <= 64 * 7);
  CHECK(request_overhead(64, 1'024) <= 64 * 7);
}

TEST_CASE("a vote takes at most 200 bytes whatever its content") {
  for (const auto kind : {message_kind::prepare, message_kind::commit, message_kind::checkpoint}) {
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
      INFO(to_string(kind), " seed ", seed);
      CHECK(wire_bytes(frame_of(sample_of(kind, sample_size::usual, seed))) <= 200);
    }
    CHECK(wire_bytes(encode_vote(kind, {})) == 157);
  }
}

TEST_CASE("a pre-prepare costs four bytes for each request and at most 200 for all") {
  for (const std::size_t requests : {0U, 1U, 2U, 3U, 10U, 64U, 1'000U, 1'024U}) {
    INFO(requests, " requests");
    CHECK(pre_prepare_overhead(requests) <= 200 + 4 * requests);
  }
  CHECK(pre_prepare_overhead(1) <= 200);
}

TEST_CASE("bundled operations of one KiB in a full batch cost less than two per cent") {
  batch body;
  std::size_t payload = 0;
  for (std::size_t when = 0; when < 31; ++when) {
    body.requests.push_back(request_of(64, 1'024, when));
    body.bytes += body.requests.back().raw.view.size();
    payload += 64 * 1'024;
  }
  const auto sent = wire_bytes(encode_pre_prepare({}, body));
  CHECK((sent - payload) * 100 < 2 * payload);
}

TEST_CASE("a session costs a request at most 16 bytes") {
  const auto with_session = [](session_id session) {
    const request_id id{client_id{1}, timestamp{1}, session};
    return wire_bytes(reframe(make_request(id, {byte_vector(100)}, {})));
  };
  CHECK(with_session(session_id{~0ULL}) <= with_session(session_id{0}) + 16);
}

TEST_CASE("a reply costs at most 144 bytes and eight for each result") {
  for (const std::size_t count : {1U, 2U, 64U, 1'024U}) {
    reply value;
    value.id.session = session_id{~0ULL};
    for (std::size_t index = 0; index < count; ++index)
      value.outcome.append(0, byte_vector(16));
    INFO(count, " results");
    CHECK(wire_bytes(encode(value)) - 16 * count <= 144 + 8 * count);
  }
}

TEST_CASE("a chunk of state costs at most 72 bytes beyond itself, and its leaf 32") {
  std::size_t most = 0;
  for (std::size_t size = 0; size <= 300; ++size) {
    const state_chunk_message given{{sequence_number{4}, 7}, std::make_shared<const byte_vector>(size)};
    most = std::max(most, wire_bytes(encode(given)) - size);
  }
  CHECK(most == 72);
  leaf_page page{limits::state_page_leaves, std::vector<digest>(limits::state_page_leaves), {}};
  const state_request first{sequence_number{4}, 0, state_part::leaves};
  CHECK(wire_bytes(encode(state_chunk_message{first, page})) - 32 * page.leaves.size() == 85);
  CHECK(wire_bytes(encode(state_chunk_message{first, state_refusal::busy})) == 61);
  CHECK(wire_bytes(encode(first)) == 53);
}

TEST_CASE("a VOUCH costs 52 bytes for each request, and 45 beyond them") {
  for (const std::size_t count : {std::size_t{1}, std::size_t{7}, limits::vouched_requests_max}) {
    CHECK(wire_bytes(encode(vouch{std::vector<request_reference>(count)})) == 52 * count + 45);
  }
}

TEST_CASE("the overhead around a body is below envelope_bytes_max") {
  for (const auto kind : all_kinds()) {
    INFO(to_string(kind));
    const auto bytes = frame_of(sample_of(kind, sample_size::smallest, 1))->size();
    // The smallest NEW-VIEW contains a VIEW-CHANGE, and the smallest CHECKPOINT-PROOF contains a statement.
    CHECK(2 * bytes <= limits::envelope_bytes_max);
  }
}

TEST_CASE("a view change of the widest window fits its frame up to f = 3, and a new view up to f = 1") {
  constexpr std::size_t window = limits::watermark_window_max;
  CHECK(view_change_bytes(1, window) <= limits::view_change_bytes_max);
  CHECK(view_change_bytes(2, window) <= limits::view_change_bytes_max);
  CHECK(view_change_bytes(3, window) <= limits::view_change_bytes_max);
  CHECK(3 * view_change_bytes(1, window) + 120 * window + limits::envelope_bytes_max <= limits::new_view_bytes_max);
  // Larger groups need a narrower window. schemas/README.md gives the widths.
  CHECK(5 * view_change_bytes(2, window) > limits::new_view_bytes_max);
  CHECK(view_change_bytes(4, window) > limits::view_change_bytes_max);
}
