#include <doctest/doctest.h>

#include <string>

#include "messages/codec.hpp"
#include "tests/support/message_samples.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

/// A field of a message and its value as text.
struct named_field {
  std::string name;
  std::string text;
};

/// Collects every field of a message, including the fields of its parts. Two messages are equal when these fields are
/// equal.
class field_writer {
 public:
  std::vector<named_field> fields;

  void operator()(const request& value) {
    id(value.id);
    number("operations", value.operation_count());
    for (std::size_t index = 0; index < value.operation_count(); ++index)
      bytes("operation", value.operation(index));
    bytes("client_signature", value.client_signature.view());
    bytes("signed_bytes", value.signed_bytes());
    bytes("raw", value.raw.view);
  }

  void operator()(const pre_prepare& value) {
    vote(value.header);
    number("requests", value.body->requests.size());
    number("body.bytes", value.body->bytes);
    for (const auto& each : value.body->requests)
      (*this)(each);
    number("system_requests", value.body->system_requests.size());
    for (const auto& each : value.body->system_requests)
      (*this)(each);
  }

  void operator()(const system_request& value) {
    number("name", value.name.value);
    (*this)(*value.shown);
    bytes("raw", value.raw.view);
  }

  void operator()(const prepare& value) { vote(value.vote); }
  void operator()(const commit& value) { vote(value.vote); }
  void operator()(const checkpoint& value) { vote(value.vote); }

  void operator()(const reply& value) {
    id(value.id);
    number("view", value.view.value);
    number("status", static_cast<std::uint64_t>(value.outcome.status));
    number("results", value.outcome.statuses.size());
    for (std::size_t index = 0; index < value.outcome.statuses.size(); ++index) {
      number("operation_status", value.outcome.statuses[index]);
      bytes("result", value.outcome.result(index));
    }
  }

  void operator()(const view_change& value) {
    number("new_view", value.new_view.value);
    number("stable_sequence", value.stable_sequence.value);
    votes("stable_proof", value.stable_proof.votes);
    number("prepared", value.prepared.size());
    for (const auto& each : value.prepared) {
      vote(each.pre_prepare);
      votes("prepares", each.prepares);
    }
    number("replica", value.replica.value);
    bytes("by", value.by.view());
    bytes("raw", value.raw.view);
  }

  void operator()(const new_view& value) {
    number("view", value.view.value);
    number("view_changes", value.view_changes.size());
    for (const auto& each : value.view_changes)
      (*this)(each);
    votes("reproposals", value.reproposals);
    number("replica", value.replica.value);
    bytes("by", value.by.view());
    bytes("raw", value.raw.view);
  }

  void operator()(const status& value) {
    number("replica", value.replica.value);
    number("view", value.view.value);
    number("active", value.active ? 1 : 0);
    number("on_probation", value.on_probation ? 1 : 0);
    number("low_watermark", value.low_watermark.value);
    number("last_decided", value.last_decided.value);
    number("slots", value.slots.size());
    for (const auto& each : value.slots) {
      number("slot", (each.has_pre_prepare ? 1U : 0U) + (each.prepared ? 2U : 0U) + (each.committed ? 4U : 0U));
    }
    bytes("by", value.by.view());
    bytes("raw", value.raw.view);
  }

  void operator()(const checkpoint_proof& value) { votes("certificate", value.certificate.votes); }

  void operator()(const state_request& value) {
    number("sequence", value.sequence.value);
    number("index", value.index);
    number("part", static_cast<std::uint64_t>(value.part));
  }

  void operator()(const state_chunk_message& value) {
    (*this)(value.wanted);
    number("form", value.content.index());
    if (const auto* chunk = std::get_if<std::shared_ptr<const byte_vector>>(&value.content)) bytes("bytes", **chunk);
    if (const auto* why = std::get_if<state_refusal>(&value.content)) number("why", static_cast<std::uint64_t>(*why));
    if (const auto* page = std::get_if<leaf_page>(&value.content)) {
      number("chunk_count", page->chunk_count);
      digests("leaves", page->leaves);
      digests("path", page->path);
    }
  }

  void operator()(const suspicion& value) { vote(value.vote); }
  void operator()(const complaint& value) { vote(value.vote); }
  void operator()(const release& value) { vote(value.vote); }
  void operator()(const readmission& value) { vote(value.vote); }
  void operator()(const hand_over& value) { vote(value.vote); }
  void operator()(const evidence& value) {
    number("items", value.items.size());
    for (const auto& each : value.items) {
      number("kind", static_cast<std::uint64_t>(each.kind));
      if (const auto* said = std::get_if<signed_statement>(&each.content)) vote(*said);
      if (!each.is_statement()) bytes("document", document_of(each).view);
    }
  }

  void operator()(const query& value) {
    id(value.id);
    bytes("operation", value.operation);
    number("is_linearizable", value.is_linearizable ? 1 : 0);
  }

  void operator()(const query_reply& value) {
    id(value.id);
    number("last_executed", value.last_executed.value);
    number("status", value.status);
    bytes("result", value.result);
  }

  void operator()(const node_query& value) { id(value.id); }

  void operator()(const vouch& value) {
    for (const auto& each : value.requests) {
      id(each.id);
      bytes("request", each.content.view());
    }
  }

  void operator()(const receipt_query& value) {
    id(value.id);
    number("index", value.index);
  }

  void operator()(const receipt_reply& value) {
    (*this)(value.asked);
    if (!value.share) return;
    const auto& place = value.share->place;
    number("sequence", place.sequence.value);
    bytes("batch", place.batch.view());
    number("time", static_cast<std::uint64_t>(place.ordered_time.time_since_epoch().count()));
    number("operation_count", place.operation_count);
    digests("operation_path", place.operation_path);
    number("request_count", place.request_count);
    number("request_index", place.request_index);
    digests("request_path", place.request_path);
    bytes("by", value.share->by.view());
  }

  void operator()(const node_report& value) {
    id(value.id);
    number("replica", value.replica.value);
    number("view", value.view.value);
    number("low_watermark", value.low_watermark.value);
    number("high_watermark", value.high_watermark.value);
    number("last_executed", value.last_executed.value);
    number("stable_checkpoint", value.stable_checkpoint.value);
    bytes("state_root", value.state_root.view());
    number("counters", value.counters.size());
    for (const auto& each : value.counters) {
      bytes("name", as_byte_span(each.name));
      number("value", each.value);
    }
  }

 private:
  void number(std::string name, std::uint64_t value) { fields.push_back({std::move(name), std::to_string(value)}); }
  void bytes(std::string name, byte_span value) { fields.push_back({std::move(name), to_hex(value)}); }

  void digests(const std::string& name, const std::vector<digest>& values) {
    number(name, values.size());
    for (const auto& each : values)
      bytes(name, each.view());
  }

  void id(const request_id& value) {
    number("client", value.client.value);
    number("timestamp", value.when.value);
  }

  void vote(const signed_statement& value) {
    number("view", value.content.view.value);
    number("sequence", value.content.sequence.value);
    bytes("digest", value.content.value.view());
    number("replica", value.content.replica.value);
    number("epoch", value.content.epoch.value);
    bytes("signature", value.by.view());
  }

  void votes(std::string name, const std::vector<signed_statement>& values) {
    number(std::move(name), values.size());
    for (const auto& each : values)
      vote(each);
  }
};

std::vector<named_field> fields_of(const message& value) {
  field_writer writer;
  std::visit(writer, value);
  return std::move(writer.fields);
}

/// The first part of `expected` that is not in `found`; empty if there is none.
std::string difference(const message& expected, const message& found) {
  if (kind_of(expected) != kind_of(found)) return "kind";
  const auto left = fields_of(expected);
  const auto right = fields_of(found);
  if (left.size() != right.size()) return "count of fields";
  for (std::size_t index = 0; index < left.size(); ++index) {
    if (left[index].name != right[index].name || left[index].text != right[index].text) {
      return left[index].name + ": " + left[index].text + " became " + right[index].text;
    }
  }
  return {};
}

constexpr std::uint64_t seeds = 20;

void check_round_trips(message_kind kind) {
  for (const auto size : sample_sizes) {
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
      INFO("kind ", to_string(kind), " size ", static_cast<int>(size), " seed ", seed);
      const auto sample = sample_of(kind, size, seed);
      const auto frame = frame_of(sample);
      REQUIRE(kind_of(byte_span{*frame}) == kind);
      const auto decoded = decode(frame);
      REQUIRE(decoded.has_value());
      CHECK(difference(sample, decoded.value()) == "");
      // There is only one encoding, so a decoded message is forwarded with the same bytes.
      CHECK(*frame_of(decoded.value()) == *frame);
    }
  }
}

}  // namespace

TEST_CASE("a REQUEST arrives as it was sent") { check_round_trips(message_kind::request); }

TEST_CASE("a PRE-PREPARE arrives with its header and every request of its batch") {
  check_round_trips(message_kind::pre_prepare);
}

TEST_CASE("a PREPARE arrives as it was sent") { check_round_trips(message_kind::prepare); }

TEST_CASE("a COMMIT arrives as it was sent") { check_round_trips(message_kind::commit); }

TEST_CASE("a REPLY arrives with the status and the result of every operation") {
  check_round_trips(message_kind::reply);
}

TEST_CASE("a CHECKPOINT arrives as it was sent") { check_round_trips(message_kind::checkpoint); }

TEST_CASE("a VIEW-CHANGE arrives with its checkpoint proof and every prepared certificate") {
  check_round_trips(message_kind::view_change);
}

TEST_CASE("a NEW-VIEW arrives with every VIEW-CHANGE as its sender signed it") {
  check_round_trips(message_kind::new_view);
}

TEST_CASE("a STATUS arrives with the progress of every slot") { check_round_trips(message_kind::status); }

TEST_CASE("a CHECKPOINT-PROOF arrives with every vote") { check_round_trips(message_kind::checkpoint_proof); }

TEST_CASE("a STATE-REQUEST arrives as it was sent") { check_round_trips(message_kind::state_request); }

TEST_CASE("a STATE-CHUNK arrives with its bytes, its leaves and their path, or its refusal") {
  check_round_trips(message_kind::state_chunk);
}

TEST_CASE("a SUSPICION arrives as it was sent") { check_round_trips(message_kind::suspicion); }
TEST_CASE("a COMPLAINT arrives as it was sent") { check_round_trips(message_kind::complaint); }
TEST_CASE("a RELEASE arrives as it was sent") { check_round_trips(message_kind::release); }
TEST_CASE("a READMISSION arrives as it was sent") { check_round_trips(message_kind::readmission); }
TEST_CASE("a HAND-OVER arrives as it was sent") { check_round_trips(message_kind::hand_over); }
TEST_CASE("an EVIDENCE arrives as it was sent") { check_round_trips(message_kind::evidence); }

TEST_CASE("a SYSTEM-REQUEST arrives with its name and its evidence") {
  check_round_trips(message_kind::system_request);
}

TEST_CASE("a QUERY arrives as it was sent") { check_round_trips(message_kind::query); }

TEST_CASE("a QUERY-REPLY arrives as it was sent") { check_round_trips(message_kind::query_reply); }

TEST_CASE("a NODE-QUERY arrives as it was sent") { check_round_trips(message_kind::node_query); }

TEST_CASE("a VOUCH arrives as it was sent") { check_round_trips(message_kind::vouch); }

TEST_CASE("a RECEIPT-QUERY arrives as it was sent") { check_round_trips(message_kind::receipt_query); }

TEST_CASE("a RECEIPT-REPLY arrives with its share, or without one") { check_round_trips(message_kind::receipt_reply); }

TEST_CASE("a NODE-REPORT arrives with every counter") { check_round_trips(message_kind::node_report); }

TEST_CASE("equal seeds give equal samples and different seeds different ones") {
  for (const auto kind : all_kinds()) {
    INFO("kind ", to_string(kind));
    const auto first = frame_of(sample_of(kind, sample_size::usual, 1));
    CHECK(*first == *frame_of(sample_of(kind, sample_size::usual, 1)));
    CHECK(*first != *frame_of(sample_of(kind, sample_size::usual, 2)));
  }
}

TEST_CASE("a request taken out of a batch is the frame that its client sent") {
  const auto sample = std::get<pre_prepare>(sample_of(message_kind::pre_prepare, sample_size::large, 5));
  const auto decoded = decode(frame_of(sample)).value();
  const auto& body = *std::get<pre_prepare>(decoded).body;
  REQUIRE(body.requests.size() == sample.body->requests.size());
  for (std::size_t index = 0; index < body.requests.size(); ++index) {
    CHECK(*reframe(body.requests[index]) == *reframe(sample.body->requests[index]));
  }
}

TEST_CASE("a system request taken out of a batch is the frame that its sender sent") {
  const auto sample = std::get<pre_prepare>(sample_of(message_kind::pre_prepare, sample_size::large, 5));
  REQUIRE_FALSE(sample.body->system_requests.empty());
  const auto decoded = decode(frame_of(sample)).value();
  const auto& body = *std::get<pre_prepare>(decoded).body;
  REQUIRE(body.system_requests.size() == sample.body->system_requests.size());
  for (std::size_t index = 0; index < body.system_requests.size(); ++index) {
    CHECK(*reframe(body.system_requests[index]) == *reframe(sample.body->system_requests[index]));
  }
}

TEST_CASE("decoded requests keep alive the frame that they refer to") {
  auto frame = frame_of(sample_of(message_kind::pre_prepare, sample_size::usual, 3));
  const std::weak_ptr<const byte_vector> watched = frame;
  auto decoded = decode(frame);
  auto one = std::get<pre_prepare>(decoded.value()).body->requests.front();
  decoded = rejected(rejection::empty_frame);
  frame.reset();
  CHECK_FALSE(watched.expired());
  CHECK(one.raw.view.size() % 4 == 0);
  one = {};
  CHECK(watched.expired());
}

TEST_CASE("empty operations arrive as they were sent") {
  const request_id id{client_id{3}, timestamp{9}};
  const auto one = std::get<request>(decode(reframe(make_request(id, {{}}, {}))).value());
  CHECK(one.operation_count() == 1);
  CHECK(one.operation(0).empty());
  const auto three = std::get<request>(decode(reframe(make_request(id, {{}, {}, {}}, {}))).value());
  CHECK(three.operation_count() == 3);
  CHECK(three.operation(2).empty());
}
