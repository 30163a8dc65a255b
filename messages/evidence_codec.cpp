// The codec of evidence: statements and documents that other principals signed.
#include <span>

#include "messages/codec.hpp"
#include "messages/require.hpp"
#include "messages/statement_reader.hpp"
#include "messages/verify.hpp"
#include "schemas/guard_generated.h"

namespace hypermesh::messages {

namespace {

using builder = flatbuffers::FlatBufferBuilder;

byte_span bytes_of(const flatbuffers::Vector<std::uint8_t>* list) {
  return list == nullptr ? byte_span{} : std::as_bytes(std::span{list->data(), list->size()});
}

/// Whether a signed statement of this kind may be evidence.
bool is_of_statement(message_kind kind) {
  return kind == message_kind::pre_prepare || kind == message_kind::prepare || kind == message_kind::commit ||
         kind == message_kind::checkpoint || kind == message_kind::complaint || kind == message_kind::release ||
         kind == message_kind::readmission || kind == message_kind::hand_over;
}

bool is_of_document(message_kind kind) {
  return kind == message_kind::view_change || kind == message_kind::new_view || kind == message_kind::request;
}

/// Copies the documents, because the buffer of a document has to start at an aligned address. Each copy has room for
/// the kind, which `decode_document` appends to make a frame.
or_rejection<void> read_documents(const wire::Evidence& encoded, std::vector<byte_vector>& out) {
  if (encoded.documents() == nullptr) return {};
  if (encoded.documents()->size() > limits::evidence_item_documents_max) return rejected(rejection::too_many_items);
  for (const auto* each : *encoded.documents()) {
    const auto bytes = bytes_of(each->bytes());
    if (bytes.size() <= signature::size) return rejected(rejection::missing_field);
    if (bytes.size() > limits::evidence_item_bytes_max) return rejected(rejection::frame_too_long);
    auto& copy = out.emplace_back();
    copy.reserve(bytes.size() + 1);
    copy.assign(bytes.begin(), bytes.end());
  }
  return {};
}

/// Decodes a document with all checks of a frame, because a faulty sender may write anything in it. A SYSTEM-REQUEST is
/// not a document, so a sender cannot nest evidence in evidence and make the decoder recurse without limit.
or_rejection<evidence_item> decode_document(message_kind kind, byte_vector document) {
  document.push_back(static_cast<std::byte>(kind));
  const auto frame = std::make_shared<const byte_vector>(std::move(document));
  auto decoded = decode(frame);
  if (!decoded) return failure_of(decoded);
  auto& value = *decoded;
  if (auto* asked = std::get_if<request>(&value)) {
    return item_of(std::make_shared<const request>(std::move(*asked)));
  }
  if (auto* change = std::get_if<view_change>(&value)) {
    return item_of(std::make_shared<const view_change>(std::move(*change)));
  }
  return item_of(std::make_shared<const new_view>(std::move(std::get<new_view>(value))));
}

flatbuffers::Offset<wire::Evidence> to_wire(builder& buffer, const evidence& value) {
  std::vector<std::uint8_t> kinds;
  std::vector<wire::SignedStatement> statements;
  std::vector<flatbuffers::Offset<wire::SignedDocument>> documents;
  for (const auto& each : value.items) {
    kinds.push_back(static_cast<std::uint8_t>(each.kind));
    if (const auto* said = std::get_if<signed_statement>(&each.content)) {
      require(documents.empty(), "statements come before documents");
      statements.push_back(to_wire(*said));
      continue;
    }
    const auto bytes = document_of(each).view;
    require(bytes.size() <= limits::evidence_item_bytes_max, "a document in evidence respects its limit");
    documents.push_back(wire::CreateSignedDocument(
        buffer, buffer.CreateVector(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size())));
  }
  require(statements.size() <= limits::evidence_max && documents.size() <= limits::evidence_item_documents_max,
          "evidence respects its limits");
  flatbuffers::Offset<flatbuffers::Vector<const wire::SignedStatement*>> statements_offset;
  flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<wire::SignedDocument>>> documents_offset;
  if (!statements.empty()) statements_offset = buffer.CreateVectorOfStructs(statements);
  if (!documents.empty()) documents_offset = buffer.CreateVector(documents);
  const auto kinds_offset = buffer.CreateVector(kinds);
  return wire::CreateEvidence(buffer, kinds_offset, statements_offset, documents_offset);
}

/// The frame of a finished buffer: its bytes, then the kind.
frame_ptr frame_of(const builder& buffer, message_kind kind) {
  const auto view = std::as_bytes(std::span{buffer.GetBufferPointer(), buffer.GetSize()});
  byte_vector frame;
  frame.reserve(view.size() + 1);
  frame.assign(view.begin(), view.end());
  frame.push_back(static_cast<std::byte>(kind));
  require(frame.size() <= frame_bytes_max_of(kind), "evidence fits a frame");
  return std::make_shared<const byte_vector>(std::move(frame));
}

or_rejection<evidence> read_evidence(const wire::Evidence& encoded) {
  std::vector<signed_statement> statements;
  if (const auto done = read_statements(encoded.statements(), limits::evidence_max, statements); !done)
    return failure_of(done);
  std::vector<byte_vector> documents;
  if (const auto done = read_documents(encoded, documents); !done) return failure_of(done);
  const auto kinds = bytes_of(encoded.kinds());
  if (kinds.empty()) return rejected(rejection::missing_field);
  if (kinds.size() != statements.size() + documents.size()) return rejected(rejection::inconsistent_sizes);
  evidence value;
  for (std::size_t index = 0; index < kinds.size(); ++index) {
    const auto kind = static_cast<message_kind>(std::to_integer<std::uint8_t>(kinds[index]));
    const bool stated = index < statements.size();
    if (stated ? !is_of_statement(kind) : !is_of_document(kind)) return rejected(rejection::number_out_of_range);
    if (stated) {
      value.items.push_back({kind, statements[index]});
      continue;
    }
    auto document = decode_document(kind, std::move(documents[index - statements.size()]));
    if (!document) return failure_of(document);
    value.items.push_back(std::move(*document));
  }
  return value;
}

}  // namespace

or_rejection<evidence> decode_evidence(byte_span bytes) {
  const auto* encoded = verified_root<wire::Evidence>(bytes);
  if (encoded == nullptr) return rejected(rejection::malformed_buffer);
  return read_evidence(*encoded);
}

or_rejection<system_request> decode_system_request(const blob& raw) {
  const auto* encoded = verified_root<wire::SystemRequest>(raw.view);
  if (encoded == nullptr) return rejected(rejection::malformed_buffer);
  if (encoded->evidence() == nullptr) return rejected(rejection::missing_field);
  auto shown = read_evidence(*encoded->evidence());
  if (!shown) return failure_of(shown);
  return system_request{case_name{encoded->name()}, std::make_shared<const evidence>(std::move(*shown)), raw};
}

byte_vector evidence_buffer(const evidence& value) {
  builder buffer{1'024};
  buffer.Finish(to_wire(buffer, value));
  const auto view = std::as_bytes(std::span{buffer.GetBufferPointer(), buffer.GetSize()});
  return {view.begin(), view.end()};
}

system_request encode_system_request(case_name name, std::shared_ptr<const evidence> shown) {
  require(shown != nullptr && !shown->items.empty(), "a system request shows evidence");
  builder buffer{1'024};
  const auto evidence_offset = to_wire(buffer, *shown);
  buffer.Finish(wire::CreateSystemRequest(buffer, name.value, evidence_offset));
  const auto frame = frame_of(buffer, message_kind::system_request);
  return {name, std::move(shown), {frame, body_of(*frame)}};
}

frame_ptr encode(const evidence& value) {
  builder buffer{1'024};
  buffer.Finish(to_wire(buffer, value));
  return frame_of(buffer, message_kind::evidence);
}

}  // namespace hypermesh::messages
