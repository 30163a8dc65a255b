// Strategies that send frames that are not messages, or whose parts are inconsistent (attack 37).
#include <algorithm>

#include <flatbuffers/flatbuffers.h>

#include "messages/codec.hpp"
#include "messages/limits.hpp"
#include "messages/wire_values.hpp"
#include "schemas/ordering_generated.h"
#include "schemas/recovery_generated.h"
#include "schemas/view_change_generated.h"
#include "tests/byzantine/roles.hpp"

namespace hypermesh::testing {

namespace {

using builder = flatbuffers::FlatBufferBuilder;

byte_vector bytes_of(const builder& buffer) {
  const auto* data = reinterpret_cast<const std::byte*>(buffer.GetBufferPointer());
  return {data, data + buffer.GetSize()};
}

frame_ptr framed(const builder& buffer, message_kind kind) {
  auto bytes = bytes_of(buffer);
  bytes.push_back(static_cast<std::byte>(kind));
  return frame_of_bytes(std::move(bytes));
}

class send_garbage final : public as_heckler {
 public:
  void on_tick(adversary_hands& hands) override {
    for (int count = 0; count < 4; ++count) {
      auto bytes = nonsense_bytes(hands, 1 + hands.chance().below(400));
      bytes.back() = static_cast<std::byte>(message_kind_first + hands.chance().below(message_kind_last));
      hands.send_to_all(frame_of_bytes(std::move(bytes)));
    }
  }
};

class send_unknown_kinds final : public as_heckler {
 public:
  void on_tick(adversary_hands& hands) override {
    auto bytes = nonsense_bytes(hands, 64);
    bytes.back() = static_cast<std::byte>(message_kind_last + 1 + hands.chance().below(200));
    hands.send_to_all(frame_of_bytes(std::move(bytes)));
    hands.send_to_all(frame_of_bytes({}));
  }
};

/// Sends a copy with a few flipped bits before each of its own frames.
class flip_bits final : public adversary {
 public:
  fate on_send(passing_frame& out, adversary_hands& hands) override {
    if (!out.peer.is_replica()) return fate::passes;
    auto bytes = *out.frame;
    for (auto count = 1 + hands.chance().below(4); count > 0; --count)
      bytes[hands.chance().below(bytes.size() - 1)] ^= static_cast<std::byte>(1U << hands.chance().below(8));
    hands.send(out.peer, frame_of_bytes(std::move(bytes)));
    return fate::passes;
  }
};

class cut_frames_short final : public adversary {
 public:
  fate on_send(passing_frame& out, adversary_hands& hands) override {
    if (!out.peer.is_replica()) return fate::passes;
    auto bytes = *out.frame;
    const auto kind = bytes.back();
    bytes.resize(1 + hands.chance().below(bytes.size() - 1));
    bytes.back() = kind;
    hands.send(out.peer, frame_of_bytes(std::move(bytes)));
    return fate::passes;
  }
};

/// Puts one byte in front of each frame, so that every field in it is misaligned.
class misalign final : public adversary {
 public:
  fate on_send(passing_frame& out, adversary_hands& hands) override {
    if (!out.peer.is_replica()) return fate::passes;
    auto bytes = *out.frame;
    bytes.insert(bytes.begin(), std::byte{0});
    hands.send(out.peer, frame_of_bytes(std::move(bytes)));
    return fate::passes;
  }
};

/// Sends batches in which the end offsets of the requests decrease, overlap, or point beyond the last byte.
class lie_about_batch_sizes final : public as_primary {
 protected:
  fate on_proposal(passing_frame& out, const pre_prepare& proposal, adversary_hands& hands) override {
    byte_vector joined;
    for (const auto& each : proposal.body->requests)
      joined.insert(joined.end(), each.raw.view.begin(), each.raw.view.end());
    const auto size = static_cast<std::uint32_t>(joined.size());
    const std::vector<std::uint32_t> lies[] = {{size + 4}, {size, size / 2}, {0xffff'ffffU, size}, {size - 4}};
    builder buffer;
    const auto header = to_wire(proposal.header);
    const auto requests = buffer.CreateVector(reinterpret_cast<const std::uint8_t*>(joined.data()), joined.size());
    const auto ends = buffer.CreateVector(lies[hands.chance().below(std::size(lies))]);
    buffer.Finish(wire::CreatePrePrepare(buffer, &header, requests, ends));
    hands.send(out.peer, framed(buffer, message_kind::pre_prepare));
    return fate::passes;
  }
};

/// Sends a VIEW-CHANGE with a thousand certificates whose offsets all point to the same certificate.
class share_tables final : public as_heckler {
 public:
  void on_tick(adversary_hands& hands) override {
    builder buffer;
    const auto content = own_statement(hands, hands.known().view(), sequence_number{1}, nonsense_digest(hands));
    const auto vote = to_wire(signed_statement_of(hands, message_kind::prepare, content));
    const std::vector<wire::SignedStatement> votes(limits::replicas_max, vote);
    const auto prepares = buffer.CreateVectorOfStructs(votes);
    const auto one = wire::CreatePreparedCertificate(buffer, &vote, prepares);
    const auto all = buffer.CreateVector(std::vector<flatbuffers::Offset<wire::PreparedCertificate>>(1'000, one));
    buffer.Finish(
        wire::CreateViewChange(buffer, hands.known().view().value + 1, 0, 0, all, hands.replica().value));
    hands.send_to_all(sealed(hands, message_kind::view_change, bytes_of(buffer)));
  }
};

/// Sends a list whose length reaches far beyond the end of the frame.
class lie_about_lengths final : public as_heckler {
 public:
  void on_tick(adversary_hands& hands) override {
    builder buffer;
    constexpr std::size_t size = 0x1234;
    const auto slots = buffer.CreateVector(std::vector<std::uint8_t>(size));
    buffer.Finish(wire::CreateStatus(buffer, hands.replica().value, 0, 0, 0, slots));
    auto bytes = bytes_of(buffer);
    constexpr std::byte length[] = {std::byte{0x34}, std::byte{0x12}, std::byte{0}, std::byte{0}};
    const auto at = std::ranges::search(bytes, length);
    std::ranges::fill(at.begin(), at.end(), std::byte{0xff});
    hands.send_to_all(sealed(hands, message_kind::status, std::move(bytes)));
  }
};

/// Sends a frame that is one byte longer than its kind permits.
class exceed_the_frame final : public as_heckler {
 public:
  void on_tick(adversary_hands& hands) override {
    byte_vector bytes(frame_bytes_max_of(message_kind::commit) + 1);
    bytes.back() = static_cast<std::byte>(message_kind::commit);
    hands.send_to_all(frame_of_bytes(std::move(bytes)));
  }
};

/// Sends votes whose view, sequence number or replica is the largest number of its type.
class leave_the_range final : public as_heckler {
 public:
  void on_tick(adversary_hands& hands) override {
    constexpr auto last = ~std::uint64_t{0};
    const auto epoch = hands.cluster().signing.epoch;
    const statement wild[] = {{view_number{last}, sequence_number{1}, {}, hands.replica(), epoch},
                              {hands.known().view(), sequence_number{last}, {}, hands.replica(), epoch},
                              {hands.known().view(), sequence_number{1}, {}, replica_id{0xffff'ffffU}, epoch}};
    for (const auto& each : wild)
      hands.send_to_all(forged_vote(hands, message_kind::commit, each));
  }
};

/// Sends tables without their required fields.
class leave_fields_out final : public as_heckler {
 public:
  void on_tick(adversary_hands& hands) override {
    builder vote;
    vote.Finish(wire::CreateVote(vote));
    hands.send_to_all(framed(vote, message_kind::commit));
    builder proposal;
    proposal.Finish(wire::CreatePrePrepare(proposal));
    hands.send_to_all(framed(proposal, message_kind::pre_prepare));
    builder opened;
    opened.Finish(wire::CreateNewView(opened));
    hands.send_to_all(sealed(hands, message_kind::new_view, bytes_of(opened)));
  }
};

/// Sends a page of leaves with a wrong index, and a part of a state that is both a chunk and a page.
class mix_state_parts final : public as_heckler {
 public:
  void on_tick(adversary_hands& hands) override {
    builder page;
    const auto leaves = page.CreateVectorOfStructs(std::vector<wire::Digest>(3));
    page.Finish(wire::CreateStateChunk(page, 4, 0, 2'000, 0, 0, 1, leaves));
    hands.send_to_all(framed(page, message_kind::state_chunk));
    builder both;
    const auto bytes = both.CreateVector(std::vector<std::uint8_t>(8));
    const auto more = both.CreateVectorOfStructs(std::vector<wire::Digest>(1));
    both.Finish(wire::CreateStateChunk(both, 4, 0, 1, bytes, 0, 1, more));
    hands.send_to_all(framed(both, message_kind::state_chunk));
  }
};

}  // namespace

std::vector<strategy> encoding_strategies() {
  using enum strategy_occasion;
  const auto role = strategy_role::encoding;
  return {
      {"garbage-frames", "sends random bytes under all kinds", role, none, {37}, "I13", false, {"malformed_buffer"}, {},
       make_strategy<send_garbage>},
      {"unknown-kinds", "sends frames of unknown kinds, and empty frames", role, none, {37}, "I13", false,
       {"unknown_kind"}, {}, make_strategy<send_unknown_kinds>},
      {"flipped-bits", "sends a copy of each frame with a few flipped bits", role, none, {7, 37}, "I6 I13", false,
       {"malformed_buffer", "bad_signature"}, {}, make_strategy<flip_bits>},
      {"short-frames", "sends a truncated copy of each frame", role, none, {37}, "I13", false,
       {"malformed_buffer"}, {}, make_strategy<cut_frames_short>},
      {"misaligned-frames", "sends a copy of each frame that is shifted by one byte", role, none, {37}, "I13", false,
       {"malformed_buffer"}, {}, make_strategy<misalign>},
      {"lying-batch-sizes", "proposes batches whose request boundaries are inconsistent",
       role, as_primary, {37}, "I13", false,
       {"inconsistent_sizes", "malformed_buffer"}, {}, make_strategy<lie_about_batch_sizes>},
      {"shared-tables", "sends a VIEW-CHANGE whose thousand certificates share the same bytes",
       role, none, {37}, "I12 I13",
       false, {"inconsistent_sizes"}, {}, make_strategy<share_tables>},
      {"lying-lengths", "sends a list whose length exceeds its frame", role, none, {37}, "I13", false,
       {"malformed_buffer"}, {}, make_strategy<lie_about_lengths>},
      {"frame-too-long", "sends a vote that is longer than any valid vote", role, none, {33, 37}, "I12 I13", false,
       {"frame_too_long"}, {}, make_strategy<exceed_the_frame>},
      {"out-of-range-numbers", "sends votes with the largest representable numbers",
       role, none, {19, 28, 37}, "I13", false,
       {"number_out_of_range"}, {}, make_strategy<leave_the_range>},
      {"missing-fields", "sends messages without required fields",
       role, none, {13, 37}, "I13", false, {"missing_field"}, {},
       make_strategy<leave_fields_out>},
      {"mixed-state-parts", "sends pages of leaves with wrong contents, or with chunks too", role, none, {24, 37},
       "I13", false, {"inconsistent_sizes"}, {}, make_strategy<mix_state_parts>},
  };
}

}  // namespace hypermesh::testing
