#include <doctest/doctest.h>

#include <flatbuffers/flatbuffers.h>

#include <cstring>
#include <string>

#include "messages/codec.hpp"
#include "messages/limits.hpp"
#include "schemas/client_generated.h"
#include "schemas/recovery_generated.h"
#include "schemas/view_change_generated.h"
#include "tests/support/message_samples.hpp"

/// Small frames that would grow into large values, or into values at forbidden addresses, because FlatBuffers lets
/// offsets share and overlap their targets.
using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

using builder = flatbuffers::FlatBufferBuilder;
using certificate_offset = flatbuffers::Offset<wire::PreparedCertificate>;
using document_offset = flatbuffers::Offset<wire::SignedDocument>;
using byte_list = flatbuffers::Vector<std::uint8_t>;
using statement_list = flatbuffers::Vector<const wire::SignedStatement*>;

byte_span bytes_of(const builder& buffer) {
  return std::as_bytes(std::span{buffer.GetBufferPointer(), buffer.GetSize()});
}

std::string verdict(const frame_ptr& frame) {
  const auto decoded = decode(frame);
  return decoded ? "taken" : std::string{to_string(decoded.error())};
}

/// A VIEW-CHANGE with `count` prepared certificates that all refer to the same certificate with `prepares` PREPAREs.
byte_vector shared_certificates(std::size_t count, std::size_t prepares) {
  builder buffer;
  const wire::SignedStatement header;
  const auto list = buffer.CreateVectorOfStructs(std::vector<wire::SignedStatement>(prepares));
  const auto one = wire::CreatePreparedCertificate(buffer, &header, list);
  const auto prepared = buffer.CreateVector(std::vector<certificate_offset>(count, one));
  buffer.Finish(wire::CreateViewChange(buffer, 1, 2, 0, prepared, 3));
  const auto view = bytes_of(buffer);
  return {view.begin(), view.end()};
}

/// A CHECKPOINT-PROOF with `vote`. Its list is at a multiple of four; `shifted` moves the list by four bytes.
byte_vector proof_at_offset(const signed_statement& vote, bool shifted) {
  const auto direct = encode(checkpoint_proof{{{vote}}});
  const auto* root = flatbuffers::GetRoot<wire::CheckpointProof>(direct->data());
  const auto* statement = root->certificate()->votes()->Data();
  builder buffer;
  const flatbuffers::Offset<statement_list> votes{buffer.CreateVector(statement, sizeof(wire::SignedStatement)).o};
  // Buffers grow towards their front, so later content moves the list. An empty vector consists of its length: four
  // bytes.
  if (shifted) buffer.CreateVector(std::vector<std::uint8_t>{});
  buffer.Finish(wire::CreateCheckpointProof(buffer, wire::CreateCheckpointCertificate(buffer, votes)));
  byte_vector bytes{bytes_of(buffer).begin(), bytes_of(buffer).end()};
  const auto* list = flatbuffers::GetRoot<wire::CheckpointProof>(bytes.data())->certificate()->votes();
  const std::uint32_t count = 1;
  std::memcpy(bytes.data() + (reinterpret_cast<const std::byte*>(list) - bytes.data()), &count, sizeof(count));
  return bytes;
}

std::size_t list_offset(const byte_vector& proof) {
  const auto* list = flatbuffers::GetRoot<wire::CheckpointProof>(proof.data())->certificate()->votes()->Data();
  return static_cast<std::size_t>(reinterpret_cast<const std::byte*>(list) - proof.data());
}

}  // namespace

TEST_CASE("certificates that share their bytes do not multiply a view change") {
  const auto bomb = shared_certificates(limits::watermark_window_max, limits::replicas_max);
  REQUIRE(bomb.size() < 32'000);
  // As a decoded value, this would take 4,096 × 101 × 120 bytes: 50 MB.
  CHECK(verdict(framed_with_signature(bomb, message_kind::view_change)) == "inconsistent_sizes");
  CHECK(verdict(framed_with_signature(shared_certificates(1, 100), message_kind::view_change)) == "taken");
  CHECK(verdict(framed_with_signature(shared_certificates(2, 100), message_kind::view_change)) == "inconsistent_sizes");
}

TEST_CASE("prepared certificates and the checkpoint proof share one budget of bytes") {
  builder buffer;
  const wire::SignedStatement header;
  const auto list = buffer.CreateVectorOfStructs(std::vector<wire::SignedStatement>(100));
  const auto one = wire::CreatePreparedCertificate(buffer, &header, list);
  const auto prepared = buffer.CreateVector(std::vector<certificate_offset>{one});
  const auto proof = wire::CreateCheckpointCertificate(buffer, list);
  buffer.Finish(wire::CreateViewChange(buffer, 1, 2, proof, prepared, 3));
  CHECK(verdict(framed_with_signature(bytes_of(buffer), message_kind::view_change)) == "inconsistent_sizes");
}

TEST_CASE("documents that share their bytes do not multiply a new view") {
  auto document = shared_certificates(1, 50);
  document.resize(document.size() + signature::size);
  for (const bool share_table : {true, false}) {
    builder buffer;
    const auto* data = reinterpret_cast<const std::uint8_t*>(document.data());
    const auto bytes = buffer.CreateVector(data, document.size());
    std::vector<document_offset> documents{wire::CreateSignedDocument(buffer, bytes)};
    while (documents.size() < limits::replicas_max) {
      documents.push_back(share_table ? documents.front() : wire::CreateSignedDocument(buffer, bytes));
    }
    buffer.Finish(wire::CreateNewView(buffer, 1, buffer.CreateVector(documents)));
    REQUIRE(bytes_of(buffer).size() < 10'000);
    CHECK(verdict(framed_with_signature(bytes_of(buffer), message_kind::new_view)) == "inconsistent_sizes");
  }
}

TEST_CASE("a small new view around a small bomb is refused before it grows") {
  auto document = shared_certificates(limits::watermark_window_max, limits::replicas_max);
  document.resize(document.size() + signature::size);
  builder buffer;
  const auto* data = reinterpret_cast<const std::uint8_t*>(document.data());
  const auto one = wire::CreateSignedDocument(buffer, buffer.CreateVector(data, document.size()));
  buffer.Finish(wire::CreateNewView(buffer, 1, buffer.CreateVector(std::vector<document_offset>(100, one))));
  CHECK(verdict(framed_with_signature(bytes_of(buffer), message_kind::new_view)) == "inconsistent_sizes");
}

TEST_CASE("a list of 16,000 offsets to one table is refused after as many tables as the kind allows") {
  builder buffer;
  const auto name = buffer.CreateString("n");
  const auto one = wire::CreateCounter(buffer, name, 1);
  const std::vector<flatbuffers::Offset<wire::Counter>> counters(16'000, one);
  const wire::RequestId id{1, 2, 3};
  const wire::Digest root;
  buffer.Finish(wire::CreateNodeReport(buffer, &id, 1, 2, 3, 4, 5, 6, &root, buffer.CreateVector(counters)));
  CHECK(verdict(framed(bytes_of(buffer), message_kind::node_report)) == "malformed_buffer");
}

TEST_CASE("a length beyond its frame never allocates a value of twice the frame") {
  for (const std::uint32_t length : {0x0010'0000U, 0x7fff'ffffU, 0x8000'0000U, 0xffff'ffffU}) {
    for (const auto kind : {message_kind::query, message_kind::query_reply, message_kind::state_chunk}) {
      const auto frame = frame_of(sample_of(kind, sample_size::usual, 1));
      // Each aligned word of the frame is replaced by the length once.
      for (std::size_t at = 0; at + 4 < frame->size(); at += 4) {
        auto bytes = *frame;
        std::memcpy(bytes.data() + at, &length, sizeof(length));
        const auto decoded = decode(std::make_shared<const byte_vector>(bytes));
        if (!decoded) continue;
        const auto& value = *decoded;
        CHECK(frame_of(value)->size() <= 2 * bytes.size());
      }
    }
  }
}

TEST_CASE("statements at unaligned addresses are read like any others") {
  sample_source source{11};
  const auto vote = sample_statement(source);
  bool met_unaligned = false;
  for (const bool shifted : {false, true}) {
    const auto bytes = proof_at_offset(vote, shifted);
    met_unaligned = met_unaligned || list_offset(bytes) % 8 != 0;
    const auto decoded = decode(framed(bytes, message_kind::checkpoint_proof));
    REQUIRE(decoded.has_value());
    CHECK(std::get<checkpoint_proof>(decoded.value()).certificate.votes.front() == vote);
  }
  CHECK(met_unaligned);
}
