#include <doctest/doctest.h>

#include <algorithm>
#include <memory>

#include "messages/codec.hpp"
#include "messages/signing.hpp"
#include "tests/support/message_samples.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

template <class Document>
std::shared_ptr<const Document> sample_document(message_kind kind, std::uint64_t seed) {
  return std::make_shared<const Document>(std::get<Document>(sample_of(kind, sample_size::usual, seed)));
}

or_rejection<message> decoded_again(const evidence& shown) {
  const auto made = encode_system_request(case_name{7}, std::make_shared<const evidence>(shown));
  return decode(reframe(made));
}

/// Evidence that contains this document in place of a VIEW-CHANGE.
byte_vector evidence_with(message_kind kind, blob raw) {
  // The encoder needs only the bytes of a document.
  auto carrier = std::make_shared<view_change>();
  carrier->raw = std::move(raw);
  auto item = item_of(std::shared_ptr<const view_change>{std::move(carrier)});
  item.kind = kind;
  return evidence_buffer({{item}});
}

}  // namespace

TEST_CASE("a system request is decoded with its evidence, and the evidence with its documents") {
  const auto change = sample_document<view_change>(message_kind::view_change, 1);
  const auto opened = sample_document<new_view>(message_kind::new_view, 2);
  const auto asked = sample_document<request>(message_kind::request, 3);
  for (const auto& item : {item_of(change), item_of(opened), item_of(asked)}) {
    const auto decoded = decoded_again({{item}});
    const auto& value = std::get<system_request>(decoded.value());
    CHECK(value.name == case_name{7});
    REQUIRE(value.shown->items.size() == 1);
    const auto& shown = value.shown->items.front();
    CHECK(shown.kind == item.kind);
    CHECK(shown.content.index() == item.content.index());
    CHECK(std::ranges::equal(document_of(shown).view, document_of(item).view));
    // Decoded evidence is encoded to the same bytes.
    CHECK(evidence_buffer(*value.shown) == evidence_buffer({{item}}));
  }
  const auto decoded = decoded_again({{item_of(change)}});
  const auto& items = std::get<system_request>(decoded.value()).shown->items;
  const auto* inside = document_in<view_change>(items.front());
  REQUIRE(inside != nullptr);
  CHECK(inside->new_view == change->new_view);
  CHECK(inside->by == change->by);
  CHECK(inside->prepared.size() == change->prepared.size());
}

TEST_CASE("a system request without evidence is refused") {
  const auto buffer = request_buffer({client_id{1}, timestamp{1}}, {as_byte_span("no evidence")});
  CHECK(!decode(framed(buffer, message_kind::system_request)));
  // An EVIDENCE is not a system request, because it has no name.
  const auto shown = evidence_buffer({{item_of(sample_document<view_change>(message_kind::view_change, 4))}});
  CHECK(!decode(framed(shown, message_kind::system_request)));
}

TEST_CASE("evidence with a document of another kind is refused") {
  const auto asked = sample_document<request>(message_kind::request, 5);
  const auto change = sample_document<view_change>(message_kind::view_change, 6);
  CHECK(decode_evidence(evidence_with(message_kind::request, asked->raw)));
  CHECK(!decode_evidence(evidence_with(message_kind::new_view, asked->raw)));
  CHECK(!decode_evidence(evidence_with(message_kind::request, change->raw)));
}

TEST_CASE("a system request inside of evidence is refused, so evidence has no depth (attack 37)") {
  const auto inner = make_system_request(case_name{1});
  const auto refused = decode_evidence(evidence_with(message_kind::system_request, inner.raw));
  REQUIRE(!refused);
  CHECK(refused.error() == rejection::number_out_of_range);
}

TEST_CASE("the client number of system requests is no client's, so no REQUEST passes for a system request") {
  const auto frame =
      seal(message_kind::request, request_buffer({client_id{0xFFFF'FFFF}, timestamp{7}}, {as_byte_span("case")}), {});
  const auto decoded = decode(frame);
  REQUIRE(!decoded);
  CHECK(decoded.error() == rejection::number_out_of_range);
}

TEST_CASE("the digest of a batch differs between a request and a system request with the same bytes") {
  const auto wanted = make_system_request(case_name{3});
  batch as_system;
  as_system.system_requests = {wanted};
  batch as_request;
  as_request.requests.resize(1);
  as_request.requests.front().raw = wanted.raw;
  CHECK(digest_of_batch(as_system) != digest_of_batch(as_request));
  CHECK(digest_of_batch(as_system) != null_request_digest());
  CHECK_FALSE(as_system.is_null());
}

namespace {

std::optional<rejection> verdict_on_batch(std::vector<system_request> wanted) {
  batch body;
  body.system_requests = std::move(wanted);
  for (const auto& each : body.system_requests)
    body.bytes += each.raw.view.size();
  sample_source source{1};
  const auto decoded = decode(encode_pre_prepare(sample_statement(source), body));
  return decoded ? std::nullopt : std::optional{decoded.error()};
}

}  // namespace

TEST_CASE("a batch names no system request twice, whatever its evidence (attack 18)") {
  CHECK_FALSE(verdict_on_batch({make_system_request(case_name{1}, 1), make_system_request(case_name{2}, 1)}));
  CHECK(verdict_on_batch({make_system_request(case_name{1}, 1), make_system_request(case_name{1}, 2)}) ==
        rejection::duplicate_request_in_batch);
}

TEST_CASE("the frame of a whole document is shared, and the frame of a part is copied") {
  const auto frame = frame_of(sample_of(message_kind::view_change, sample_size::usual, 8));
  const blob whole{frame, body_of(*frame)};
  CHECK(messages::frame_of(message_kind::view_change, whole) == frame);
  // The same content under another kind makes another frame.
  CHECK(messages::frame_of(message_kind::status, whole) != frame);
  const blob part{frame, whole.view.first(whole.view.size() - 1)};
  const auto copy = messages::frame_of(message_kind::view_change, part);
  CHECK(copy != frame);
  CHECK(copy->size() == part.view.size() + 1);
}
