#include <doctest/doctest.h>

#include <flatbuffers/flatbuffers.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "messages/codec.hpp"
#include "messages/limits.hpp"
#include "schemas/client_generated.h"
#include "schemas/ordering_generated.h"
#include "schemas/recovery_generated.h"
#include "schemas/view_change_generated.h"
#include "tests/support/message_samples.hpp"

/// Attack 37: buffers that the FlatBuffers verifier accepts although they contradict themselves.
using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

using builder = flatbuffers::FlatBufferBuilder;
using byte_offset = flatbuffers::Offset<flatbuffers::Vector<std::uint8_t>>;
using end_offset = flatbuffers::Offset<flatbuffers::Vector<std::uint32_t>>;
using ends_list = std::vector<std::uint32_t>;

const wire::RequestId some_id{1, 2, 3};

byte_span bytes_of(const builder& buffer) {
  return std::as_bytes(std::span{buffer.GetBufferPointer(), buffer.GetSize()});
}

byte_offset list_of(builder& buffer, byte_span bytes) {
  return buffer.CreateVector(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

/// Returns "taken", or the reason of the rejection.
std::string verdict(const frame_ptr& frame) {
  const auto decoded = decode(frame);
  return decoded ? "taken" : std::string{to_string(decoded.error())};
}

std::string verdict_on_request(std::size_t bytes, const ends_list& ends) {
  builder buffer;
  const auto operations = buffer.CreateVector(std::vector<std::uint8_t>(bytes));
  buffer.Finish(wire::CreateRequest(buffer, &some_id, operations, buffer.CreateVector(ends)));
  return verdict(framed_with_signature(bytes_of(buffer), message_kind::request));
}

std::string verdict_on_reply(std::uint8_t status, std::size_t statuses, std::size_t bytes, const ends_list* ends) {
  builder buffer;
  const auto results = buffer.CreateVector(std::vector<std::uint8_t>(bytes));
  const auto statuses_offset = buffer.CreateVector(std::vector<std::uint8_t>(statuses));
  const auto ends_offset = ends == nullptr ? end_offset{} : buffer.CreateVector(*ends);
  const wire::Digest request;
  buffer.Finish(
      wire::CreateReply(buffer, &some_id, 0, 0, status, statuses_offset, results, ends_offset, 0, 0, &request));
  return verdict(framed(bytes_of(buffer), message_kind::reply));
}

std::string verdict_on_batch(byte_span requests, const ends_list& ends) {
  builder buffer;
  const auto requests_offset = list_of(buffer, requests);
  const wire::SignedStatement header;
  buffer.Finish(wire::CreatePrePrepare(buffer, &header, requests_offset, buffer.CreateVector(ends)));
  return verdict(framed(bytes_of(buffer), message_kind::pre_prepare));
}

/// Two REQUESTs of one client in one buffer, and the end of the first REQUEST.
struct request_pair {
  byte_vector bytes;
  std::uint32_t middle = 0;
  std::uint32_t end = 0;
};

request_pair pair_of(std::uint64_t first, std::uint64_t second) {
  request_pair pair;
  for (const auto when : {first, second}) {
    const auto one = make_request({client_id{1}, timestamp{when}}, {to_byte_vector("operation")}, {});
    pair.bytes.insert(pair.bytes.end(), one.raw.view.begin(), one.raw.view.end());
    if (pair.middle == 0) pair.middle = static_cast<std::uint32_t>(pair.bytes.size());
  }
  pair.end = static_cast<std::uint32_t>(pair.bytes.size());
  return pair;
}

}  // namespace

TEST_CASE("the ends of operations ascend and reach the total") {
  CHECK(verdict_on_request(10, {4, 10}) == "taken");
  CHECK(verdict_on_request(10, {0, 0, 10, 10}) == "taken");
  CHECK(verdict_on_request(10, {6, 4, 10}) == "inconsistent_sizes");
  CHECK(verdict_on_request(10, {4, 11}) == "inconsistent_sizes");
  CHECK(verdict_on_request(10, {4, 0xffff'ffff}) == "inconsistent_sizes");
  CHECK(verdict_on_request(10, {0xffff'ffff, 10}) == "inconsistent_sizes");
  CHECK(verdict_on_request(10, {4, 9}) == "inconsistent_sizes");
  CHECK(verdict_on_request(0, {0, 0}) == "taken");
}

TEST_CASE("a request with one operation has one encoding: without ends") {
  CHECK(verdict_on_request(10, {10}) == "inconsistent_sizes");
  CHECK(verdict_on_request(10, {}) == "inconsistent_sizes");
  CHECK(verdict_on_request(0, {}) == "inconsistent_sizes");
}

TEST_CASE("a request without id or operations is rejected") {
  builder no_id;
  no_id.Finish(wire::CreateRequest(no_id, nullptr, no_id.CreateVector(std::vector<std::uint8_t>(4))));
  CHECK(verdict(framed_with_signature(bytes_of(no_id), message_kind::request)) == "missing_field");
  builder no_operations;
  no_operations.Finish(wire::CreateRequest(no_operations, &some_id));
  CHECK(verdict(framed_with_signature(bytes_of(no_operations), message_kind::request)) == "missing_field");
}

TEST_CASE("the results of a reply match its statuses and its status") {
  const ends_list two{3, 8};
  const ends_list one{8};
  const ends_list falling{8, 3};
  const ends_list none;
  CHECK(verdict_on_reply(0, 2, 8, &two) == "taken");
  CHECK(verdict_on_reply(0, 1, 8, nullptr) == "taken");
  CHECK(verdict_on_reply(1, 0, 0, nullptr) == "taken");
  CHECK(verdict_on_reply(2, 0, 0, nullptr) == "taken");
  CHECK(verdict_on_reply(3, 0, 0, nullptr) == "taken");
  CHECK(verdict_on_reply(4, 0, 0, nullptr) == "number_out_of_range");
  CHECK(verdict_on_reply(0, 0, 0, nullptr) == "inconsistent_sizes");
  CHECK(verdict_on_reply(1, 1, 8, nullptr) == "inconsistent_sizes");
  CHECK(verdict_on_reply(1, 0, 8, nullptr) == "inconsistent_sizes");
  CHECK(verdict_on_reply(0, 2, 8, nullptr) == "inconsistent_sizes");
  CHECK(verdict_on_reply(0, 3, 8, &two) == "inconsistent_sizes");
  CHECK(verdict_on_reply(0, 1, 8, &two) == "inconsistent_sizes");
  CHECK(verdict_on_reply(0, 1, 8, &one) == "inconsistent_sizes");
  CHECK(verdict_on_reply(0, 1, 8, &none) == "inconsistent_sizes");
  CHECK(verdict_on_reply(0, 2, 8, &falling) == "inconsistent_sizes");
  CHECK(verdict_on_reply(0, 2, 9, &two) == "inconsistent_sizes");
}

TEST_CASE("the ends of a batch cut it into whole requests") {
  const auto pair = pair_of(1, 2);
  CHECK(verdict_on_batch(pair.bytes, {pair.middle, pair.end}) == "taken");
  CHECK(verdict_on_batch(pair.bytes, {pair.end, pair.middle}) == "inconsistent_sizes");
  CHECK(verdict_on_batch(pair.bytes, {pair.middle, pair.end + 4}) == "inconsistent_sizes");
  CHECK(verdict_on_batch(pair.bytes, {pair.middle}) == "inconsistent_sizes");
  CHECK(verdict_on_batch(pair.bytes, {}) == "inconsistent_sizes");
  CHECK(verdict_on_batch({}, {}) == "inconsistent_sizes");
  CHECK(verdict_on_batch({}, {0}) == "malformed_buffer");
  CHECK(verdict_on_batch(pair.bytes, {0, pair.middle, pair.end}) == "malformed_buffer");
  CHECK(verdict_on_batch(pair.bytes, {pair.middle, pair.middle, pair.end}) == "malformed_buffer");
  CHECK(verdict_on_batch(pair.bytes, {pair.middle - 4, pair.end}) != "taken");
}

TEST_CASE("a request inside a batch never starts at an unaligned byte") {
  const auto pair = pair_of(1, 2);
  for (const std::uint32_t shift : {1U, 2U, 3U}) {
    // The first request grows by a number of bytes that would move the second request off its alignment.
    auto bytes = pair.bytes;
    bytes.insert(bytes.begin() + pair.middle, shift, std::byte{0});
    CHECK(verdict_on_batch(bytes, {pair.middle + shift, pair.end + shift}) == "malformed_buffer");
    CHECK(verdict_on_batch(pair.bytes, {pair.middle - shift, pair.end}) == "malformed_buffer");
  }
}

TEST_CASE("a batch with bytes and no ends is rejected, and without either it is the null request") {
  const auto pair = pair_of(1, 2);
  const wire::SignedStatement header;
  builder lost_ends;
  lost_ends.Finish(wire::CreatePrePrepare(lost_ends, &header, list_of(lost_ends, pair.bytes)));
  CHECK(verdict(framed(bytes_of(lost_ends), message_kind::pre_prepare)) == "missing_field");
  builder null_request;
  null_request.Finish(wire::CreatePrePrepare(null_request, &header));
  const auto decoded = decode(framed(bytes_of(null_request), message_kind::pre_prepare)).value();
  CHECK(digest_of_batch(*std::get<pre_prepare>(decoded).body) == null_request_digest());
  builder no_header;
  no_header.Finish(wire::CreatePrePrepare(no_header, nullptr));
  CHECK(verdict(framed(bytes_of(no_header), message_kind::pre_prepare)) == "missing_field");
}

TEST_CASE("a time outside of its range, or in a null request, is rejected (attack 42)") {
  const auto pair = pair_of(1, 2);
  const wire::SignedStatement header;
  const auto verdict_on_time = [&](bool has_requests, std::uint64_t time_ms) {
    builder buffer;
    const auto bytes = has_requests ? list_of(buffer, pair.bytes) : byte_offset{};
    const auto ends = has_requests ? buffer.CreateVector(ends_list{pair.middle, pair.end}) : end_offset{};
    buffer.Finish(wire::CreatePrePrepare(buffer, &header, bytes, ends, 0, time_ms));
    return verdict(framed(bytes_of(buffer), message_kind::pre_prepare));
  };
  CHECK(verdict_on_time(true, 0) == "taken");
  CHECK(verdict_on_time(true, limits::proposed_time_ms_max) == "taken");
  CHECK(verdict_on_time(true, limits::proposed_time_ms_max + 1) == "number_out_of_range");
  CHECK(verdict_on_time(true, ~std::uint64_t{0}) == "number_out_of_range");
  CHECK(verdict_on_time(false, 0) == "taken");
  CHECK(verdict_on_time(false, 1) == "number_out_of_range");
}

TEST_CASE("a batch that names a request twice is rejected") {
  const auto twice = pair_of(7, 7);
  CHECK(verdict_on_batch(twice.bytes, {twice.middle, twice.end}) == "duplicate_request_in_batch");
  // The repeated requests are not adjacent: they are the first and the last request of a longer batch.
  batch body;
  for (const std::uint64_t when : {5, 1, 9, 3, 5}) {
    body.requests.push_back(make_request({client_id{1}, timestamp{when}}, {to_byte_vector("x")}, {}));
  }
  CHECK(verdict(encode_pre_prepare({}, body)) == "duplicate_request_in_batch");
  body.requests.back() = make_request({client_id{2}, timestamp{5}}, {to_byte_vector("x")}, {});
  CHECK(verdict(encode_pre_prepare({}, body)) == "taken");
}

namespace {

/// A PRE-PREPARE with these system requests. With `shared`, all tables point to the bytes of the first system request.
std::string verdict_on_system_requests(const std::vector<system_request>& wanted, bool shared = false) {
  const wire::SignedStatement header;
  builder buffer;
  std::vector<byte_offset> bytes;
  std::vector<flatbuffers::Offset<wire::SystemRequestBody>> bodies;
  for (const auto& each : wanted) {
    if (bytes.empty() || !shared) bytes.push_back(list_of(buffer, each.raw.view));
    bodies.push_back(wire::CreateSystemRequestBody(buffer, bytes.back()));
  }
  const auto list = buffer.CreateVector(bodies);
  buffer.Finish(wire::CreatePrePrepare(buffer, &header, 0, 0, list));
  return verdict(framed(bytes_of(buffer), message_kind::pre_prepare));
}

}  // namespace

TEST_CASE("a batch has no more system requests than a backup may verify at once (attack 33)") {
  std::vector<system_request> wanted;
  for (std::uint64_t name = 1; name <= limits::system_requests_per_batch_max; ++name)
    wanted.push_back(make_system_request(case_name{name}));
  CHECK(verdict_on_system_requests(wanted) == "taken");
  wanted.push_back(make_system_request(case_name{100}));
  CHECK(verdict_on_system_requests(wanted) == "too_many_items");
}

TEST_CASE("the system requests of a batch have no more bytes than one of the largest (attack 33)") {
  const auto small = make_system_request(case_name{1});
  const auto junk_of = [](std::size_t size) {
    const auto bytes = std::make_shared<const byte_vector>(size);
    auto one = make_system_request(case_name{2});
    one.raw = {bytes, *bytes};
    return one;
  };
  const auto room = limits::system_request_bytes_per_batch_max - small.raw.view.size();
  // Bytes within the bound are decoded and found to be malformed. Bytes beyond the bound are not decoded.
  CHECK(verdict_on_system_requests({small, junk_of(room - 1)}) == "malformed_buffer");
  CHECK(verdict_on_system_requests({small, junk_of(room + 1)}) == "frame_too_long");
}

TEST_CASE("system requests of a batch do not share their bytes (attack 37)") {
  const std::vector<system_request> wanted(4, make_system_request(case_name{1}, 1, 20));
  CHECK(verdict_on_system_requests(wanted) == "duplicate_request_in_batch");
  CHECK(verdict_on_system_requests(wanted, true) == "inconsistent_sizes");
}

TEST_CASE("one bad request spoils its batch") {
  auto pair = pair_of(1, 2);
  for (std::uint32_t index = pair.middle; index < pair.middle + 4; ++index)
    pair.bytes[index] = std::byte{0xff};
  CHECK(verdict_on_batch(pair.bytes, {pair.middle, pair.end}) == "malformed_buffer");
}

TEST_CASE("an empty new view is an error, not a crash") {
  CHECK(verdict(frame_of(new_view{})) == "missing_field");
  builder nothing;
  nothing.Finish(wire::CreateNewView(nothing));
  CHECK(verdict(framed_with_signature(bytes_of(nothing), message_kind::new_view)) == "missing_field");
}

TEST_CASE("a document without bytes inside a new view is rejected") {
  builder buffer;
  const std::vector<flatbuffers::Offset<wire::SignedDocument>> documents{wire::CreateSignedDocument(buffer)};
  buffer.Finish(wire::CreateNewView(buffer, 1, buffer.CreateVector(documents)));
  CHECK(verdict(framed_with_signature(bytes_of(buffer), message_kind::new_view)) == "malformed_buffer");
}

TEST_CASE("a prepared certificate without its pre-prepare is rejected") {
  builder buffer;
  const std::vector<flatbuffers::Offset<wire::PreparedCertificate>> prepared{wire::CreatePreparedCertificate(buffer)};
  buffer.Finish(wire::CreateViewChange(buffer, 1, 2, 0, buffer.CreateVector(prepared)));
  CHECK(verdict(framed_with_signature(bytes_of(buffer), message_kind::view_change)) == "missing_field");
}

TEST_CASE("a message without a required field is rejected") {
  const auto empty_table = [](message_kind kind) {
    builder buffer;
    buffer.Finish(flatbuffers::Offset<flatbuffers::Table>{buffer.EndTable(buffer.StartTable())});
    return verdict(framed(bytes_of(buffer), kind));
  };
  for (const auto kind :
       {message_kind::pre_prepare, message_kind::prepare, message_kind::commit, message_kind::reply,
        message_kind::checkpoint, message_kind::checkpoint_proof, message_kind::state_chunk, message_kind::suspicion,
        message_kind::query, message_kind::query_reply, message_kind::node_query, message_kind::node_report,
        message_kind::receipt_query, message_kind::receipt_reply, message_kind::vouch}) {
    INFO(to_string(kind));
    CHECK(empty_table(kind) == "missing_field");
  }
}

TEST_CASE("a STATE-CHUNK has one form: a chunk, a page of leaves or a refusal") {
  const auto of = [](bool bytes, std::uint64_t count, bool path, std::uint8_t part, bool leaves, std::uint8_t refusal) {
    builder buffer;
    const auto digests = [&buffer](bool present) {
      using digest_offset = flatbuffers::Offset<flatbuffers::Vector<const wire::Digest*>>;
      return present ? buffer.CreateVectorOfStructs(std::vector<wire::Digest>(1)) : digest_offset{};
    };
    const auto bytes_offset = bytes ? buffer.CreateVector(std::vector<std::uint8_t>(3)) : byte_offset{};
    const auto path_offset = digests(path);
    const auto leaves_offset = digests(leaves);
    buffer.Finish(wire::CreateStateChunk(buffer, 4, 0, count, bytes_offset, path_offset, part, leaves_offset, refusal));
    return verdict(framed(bytes_of(buffer), message_kind::state_chunk));
  };
  CHECK(of(true, 0, false, 0, false, 0) == "taken");
  CHECK(of(false, 1, false, 1, true, 0) == "taken");
  for (const std::uint8_t part : {std::uint8_t{0}, std::uint8_t{1}}) {
    CHECK(of(false, 0, false, part, false, 1) == "taken");
    CHECK(of(false, 0, false, part, false, 0) == "missing_field");
    CHECK(of(true, 0, false, part, false, 1) == "inconsistent_sizes");
    CHECK(of(false, 1, false, part, true, 2) == "inconsistent_sizes");
    CHECK(of(false, 1, false, part, false, 2) == "inconsistent_sizes");
    CHECK(of(false, 0, true, part, false, 1) == "inconsistent_sizes");
    CHECK(of(true, 1, false, part, true, 0) == "inconsistent_sizes");
    CHECK(of(false, 0, false, part, false, 3) == "number_out_of_range");
  }
  CHECK(of(true, 1, false, 0, false, 0) == "inconsistent_sizes");
  CHECK(of(true, 0, true, 0, false, 0) == "inconsistent_sizes");
  CHECK(of(true, 0, false, 2, false, 0) == "number_out_of_range");
}

TEST_CASE("a frame without kind, or of an unknown one, is rejected") {
  CHECK(verdict(std::make_shared<const byte_vector>()) == "empty_frame");
  for (unsigned last = 0; last < 256; ++last) {
    const bool known = last >= message_kind_first && last <= message_kind_last;
    const byte_vector bytes(1, static_cast<std::byte>(last));
    CHECK(verdict(std::make_shared<const byte_vector>(bytes)) == (known ? "malformed_buffer" : "unknown_kind"));
  }
}

TEST_CASE("a document shorter than a signature is rejected") {
  for (const auto kind :
       {message_kind::request, message_kind::view_change, message_kind::new_view, message_kind::status}) {
    for (std::size_t count = 0; count <= signature::size + 7; ++count) {
      CHECK(verdict(framed(byte_vector(count), kind)) == "malformed_buffer");
    }
    // The signature is missing, so the decoder takes the last bytes of the buffer for the signature.
    auto bytes = *frame_of(sample_of(kind, sample_size::smallest, 1));
    bytes.erase(bytes.end() - 1 - signature::size, bytes.end() - 1);
    CHECK(verdict(std::make_shared<const byte_vector>(bytes)) != "taken");
  }
}

TEST_CASE("a size prefix before the buffer is ignored") {
  for (const auto kind : all_kinds()) {
    for (const auto size : sample_sizes) {
      const auto frame = frame_of(sample_of(kind, size, 4));
      const auto length = static_cast<std::uint32_t>(frame->size() - 1);
      for (const std::uint32_t prefix : {length, 0U, 4U, length + 1, 0xffff'ffffU, 0x7fff'ffffU}) {
        byte_vector bytes(4);
        std::memcpy(bytes.data(), &prefix, sizeof(prefix));
        bytes.insert(bytes.end(), frame->begin(), frame->end());
        INFO(to_string(kind), " prefix ", prefix);
        const auto decoded = decode(std::make_shared<const byte_vector>(bytes));
        // Four zeros at the end are a table without fields, which is a STATE-REQUEST for nothing. No kind with a
        // required field can be made of them.
        if (!decoded) continue;
        const auto& value = *decoded;
        REQUIRE(kind == message_kind::state_request);
        CHECK(std::get<state_request>(value).sequence == sequence_number{0});
        CHECK(std::get<state_request>(value).index == 0);
      }
    }
  }
}

TEST_CASE("bytes after the kind make another kind, and bytes before the signature are signed") {
  const auto sample = std::get<request>(sample_of(message_kind::request, sample_size::usual, 1));
  byte_vector bytes{sample.raw.view.begin(), sample.raw.view.end() - signature::size};
  bytes.resize(bytes.size() + 4, std::byte{7});
  const auto decoded = decode(framed_with_signature(bytes, message_kind::request));
  // Slack is accepted, because the signature covers it. So only the client can add slack.
  const auto& value = std::get<request>(decoded.value());
  CHECK(value.signed_bytes().size() == bytes.size());
  CHECK(std::equal(bytes.begin(), bytes.end(), value.signed_bytes().begin()));
}

TEST_CASE("a request opens a session in one form only") {
  const auto verdict_on = [](std::uint64_t session, const std::vector<byte_vector>& operations) {
    const request_id id{client_id{1}, timestamp{0}, session_id{session}};
    std::vector<byte_span> spans;
    for (const auto& each : operations)
      spans.emplace_back(each);
    const auto decoded = decode(seal(message_kind::request, request_buffer(id, spans), {}));
    return std::string{decoded ? "taken" : to_string(decoded.error())};
  };
  const auto opening = operation_of(session_opening{});
  CHECK(verdict_on(7, {opening}) == "taken");
  CHECK(verdict_on(7, {opening, opening}) == "inconsistent_sizes");
  CHECK(verdict_on(7, {{}}) == "inconsistent_sizes");
  auto unknown = opening;
  unknown.front() = std::byte{2};
  CHECK(verdict_on(7, {unknown}) == "inconsistent_sizes");
  auto longer = opening;
  longer.push_back(std::byte{0});
  CHECK(verdict_on(7, {longer}) == "inconsistent_sizes");
  // Session 0 is never opened. The order refuses its timestamp 0.
  CHECK(verdict_on(0, {to_byte_vector("op")}) == "taken");
}
