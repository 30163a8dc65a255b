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

request decoded_request(byte_span operation) {
  const auto frame = seal(message_kind::request, request_buffer({system_client, timestamp{1}}, {operation}), {});
  return std::get<request>(std::get<message>(decode(frame)));
}

/// Evidence with this document in place of a VIEW-CHANGE.
byte_vector evidence_with(message_kind kind, blob raw) {
  // The encoder asks only for the bytes of a document.
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
    const auto operation = evidence_buffer({{item}});
    const auto value = decoded_request(operation);
    REQUIRE(value.shown != nullptr);
    REQUIRE(value.shown->items.size() == 1);
    const auto& shown = value.shown->items.front();
    CHECK(shown.kind == item.kind);
    CHECK(shown.content.index() == item.content.index());
    CHECK(std::ranges::equal(document_of(shown).view, document_of(item).view));
    // What is decoded is encoded as it came.
    CHECK(evidence_buffer(*value.shown) == operation);
  }
  const auto decoded = decoded_request(evidence_buffer({{item_of(change)}}));
  const auto* inside = document_in<view_change>(decoded.shown->items.front());
  REQUIRE(inside != nullptr);
  CHECK(inside->new_view == change->new_view);
  CHECK(inside->by == change->by);
  CHECK(inside->prepared.size() == change->prepared.size());
}

TEST_CASE("a system request without valid evidence is decoded without it, and a client's has none") {
  CHECK(decoded_request(as_byte_span("no evidence")).shown == nullptr);
  CHECK(sample_document<request>(message_kind::request, 4)->shown == nullptr);
}

TEST_CASE("evidence with a document that is none of its kind is refused") {
  const auto asked = sample_document<request>(message_kind::request, 5);
  const auto change = sample_document<view_change>(message_kind::view_change, 6);
  CHECK(std::holds_alternative<evidence>(decode_evidence(evidence_with(message_kind::request, asked->raw))));
  CHECK(std::holds_alternative<rejection>(decode_evidence(evidence_with(message_kind::new_view, asked->raw))));
  CHECK(std::holds_alternative<rejection>(decode_evidence(evidence_with(message_kind::request, change->raw))));
}

TEST_CASE("a system request inside of evidence is refused, so evidence has no depth (attack 37)") {
  auto operation = evidence_buffer({{item_of(sample_document<view_change>(message_kind::view_change, 7))}});
  for (int depth = 0; depth < 3; ++depth) {
    const auto value = decoded_request(operation);
    CHECK((value.shown != nullptr) == (depth == 0));
    operation = evidence_with(message_kind::request, value.raw);
  }
  const auto refused = decode_evidence(operation);
  REQUIRE(std::holds_alternative<rejection>(refused));
  CHECK(std::get<rejection>(refused) == rejection::number_out_of_range);
}

TEST_CASE("the frame of a whole document is shared, and that of a part of a frame is copied") {
  const auto frame = frame_of(sample_of(message_kind::view_change, sample_size::usual, 8));
  const blob whole{frame, body_of(*frame)};
  CHECK(hypermesh::frame_of(message_kind::view_change, whole) == frame);
  // Under another kind it is another frame.
  CHECK(hypermesh::frame_of(message_kind::status, whole) != frame);
  const blob part{frame, whole.view.first(whole.view.size() - 1)};
  const auto copy = hypermesh::frame_of(message_kind::view_change, part);
  CHECK(copy != frame);
  CHECK(copy->size() == part.view.size() + 1);
}
