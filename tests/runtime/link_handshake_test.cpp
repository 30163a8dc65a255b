#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "runtime/links/link_counters.hpp"
#include "tests/runtime/link_test_members.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;
using namespace hypermesh::testing::link_test;

namespace {

constexpr principal replica_0 = principal::of(replica_id{0});
constexpr principal replica_1 = principal::of(replica_id{1});
constexpr principal replica_2 = principal::of(replica_id{2});
constexpr principal client_1 = principal::of(client_id{1});

/// Both sides of one connection. The test passes the bytes between them.
struct handshake_pair {
  initiator_handshake initiator;
  responder_handshake responder;

  explicit handshake_pair(principal from = replica_1, principal to = replica_0)
      : handshake_pair(context_of(from), context_of(to), to) {}

  handshake_pair(handshake_context from, handshake_context to, principal responder_name)
      : initiator(std::move(from), responder_name, seed_of(1)), responder(std::move(to), seed_of(2)) {}
};

struct channel_pair {
  secure_channel initiator;
  secure_channel responder;
};

channel_pair complete(handshake_pair& pair) {
  auto answer = pair.responder.feed(pair.initiator.hello());
  REQUIRE(!answer.error);
  auto proof = pair.initiator.feed(answer.send);
  REQUIRE(proof.channel.has_value());
  auto end = pair.responder.feed(proof.send);
  REQUIRE(end.channel.has_value());
  return {std::move(*proof.channel), std::move(*end.channel)};
}

byte_span bytes_of(const wire_buffer& buffer) { return std::as_bytes(std::span{buffer}); }

bool carries(secure_channel& from, secure_channel& to, std::string_view text) {
  wire_buffer wire;
  from.seal(as_byte_span(text), wire);
  const auto received = to.feed(bytes_of(wire));
  return !received.error && received.frames.size() == 1 && as_text(*received.frames.front()) == text;
}

std::optional<link_error> error_of_hello(byte_span hello, principal responder = replica_0) {
  responder_handshake side{context_of(responder), seed_of(2)};
  return side.feed(hello).error;
}

}  // namespace

TEST_CASE("two replicas authenticate each other and share keys in both directions") {
  handshake_pair pair;
  auto channels = complete(pair);
  CHECK(pair.responder.initiator() == replica_1);
  CHECK(carries(channels.initiator, channels.responder, "from the initiator"));
  CHECK(carries(channels.responder, channels.initiator, "from the responder"));
}

TEST_CASE("a client authenticates itself to a replica") {
  handshake_pair pair{client_1, replica_2};
  auto channels = complete(pair);
  CHECK(pair.responder.initiator() == client_1);
  CHECK(carries(channels.initiator, channels.responder, "request"));
}

TEST_CASE("handshake messages may arrive byte by byte and have their fixed sizes") {
  handshake_pair pair;
  byte_vector answer;
  CHECK(pair.responder.bytes_wanted() == hello_bytes);
  for (const auto byte : pair.initiator.hello()) {
    auto step = pair.responder.feed(byte_span{&byte, 1});
    answer.insert(answer.end(), step.send.begin(), step.send.end());
  }
  CHECK(answer.size() == responder_proof_bytes);
  CHECK(pair.responder.bytes_wanted() == initiator_proof_bytes);
  handshake_step proof;
  for (const auto byte : answer)
    proof = pair.initiator.feed(byte_span{&byte, 1});
  REQUIRE(proof.channel.has_value());
  handshake_step end;
  for (const auto byte : proof.send)
    end = pair.responder.feed(byte_span{&byte, 1});
  CHECK(end.channel.has_value());
  CHECK(pair.responder.bytes_wanted() == 0);
}

TEST_CASE("frames that follow the initiator's proof in one piece are not lost") {
  handshake_pair pair;
  auto answer = pair.responder.feed(pair.initiator.hello());
  auto proof = pair.initiator.feed(answer.send);
  wire_buffer frames;
  proof.channel->seal(as_byte_span("early"), frames);
  auto bytes = proof.send;
  const auto more = bytes_of(frames);
  bytes.insert(bytes.end(), more.begin(), more.end());
  auto end = pair.responder.feed(bytes);
  REQUIRE(end.channel.has_value());
  const auto received = end.channel->feed(pair.responder.take_rest());
  REQUIRE(received.frames.size() == 1);
  CHECK(as_text(*received.frames.front()) == "early");
}

TEST_CASE("a flip of any bit of the first message prevents the link") {
  for (std::size_t bit = 0; bit < 8 * hello_bytes; ++bit) {
    handshake_pair pair;
    auto hello = pair.initiator.hello();
    hello[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    auto answer = pair.responder.feed(hello);
    if (answer.error) continue;
    CAPTURE(bit);
    CHECK(pair.initiator.feed(answer.send).error == link_error::bad_signature);
  }
}

TEST_CASE("a flip of any byte of the responder's proof prevents the link") {
  for (std::size_t index = 0; index < responder_proof_bytes; ++index) {
    handshake_pair pair;
    auto answer = pair.responder.feed(pair.initiator.hello()).send;
    answer[index] ^= std::byte{0x10};
    CAPTURE(index);
    CHECK(pair.initiator.feed(answer).error == link_error::bad_signature);
  }
}

TEST_CASE("a flip of any byte of the initiator's proof prevents the link") {
  for (std::size_t index = 0; index < initiator_proof_bytes; ++index) {
    handshake_pair pair;
    auto proof = pair.initiator.feed(pair.responder.feed(pair.initiator.hello()).send).send;
    proof[index] ^= std::byte{0x80};
    CAPTURE(index);
    CHECK(pair.responder.feed(proof).error == link_error::bad_signature);
  }
}

TEST_CASE("a truncated handshake message gives no answer and is reported as truncated") {
  for (std::size_t size = 1; size < hello_bytes; ++size) {
    handshake_pair pair;
    auto step = pair.responder.feed(byte_span{pair.initiator.hello()}.first(size));
    CAPTURE(size);
    CHECK((step.send.empty() && !step.channel && !step.error));
    CHECK(pair.responder.at_end_of_bytes() == link_error::truncated);
  }
  handshake_pair pair;
  const auto answer = pair.responder.feed(pair.initiator.hello()).send;
  for (std::size_t size = 1; size < answer.size(); ++size) {
    initiator_handshake side{context_of(replica_1), replica_0, seed_of(1)};
    auto step = side.feed(byte_span{answer}.first(size));
    CAPTURE(size);
    CHECK((!step.channel && !step.error && side.at_end_of_bytes() == link_error::truncated));
  }
}

TEST_CASE("unexpected bytes end a handshake") {
  handshake_pair pair;
  auto hello = pair.initiator.hello();
  hello.push_back(std::byte{0});
  CHECK(error_of_hello(hello) == link_error::unexpected_bytes);
  auto answer = pair.responder.feed(pair.initiator.hello()).send;
  answer.push_back(std::byte{0});
  CHECK(pair.initiator.feed(answer).error == link_error::unexpected_bytes);
}

TEST_CASE("a wrong protocol, version or cluster is reported as such") {
  handshake_pair pair;
  auto hello = pair.initiator.hello();
  hello[0] = std::byte{'G'};
  CHECK(error_of_hello(hello) == link_error::not_hypermesh);
  hello = pair.initiator.hello();
  hello[4] = std::byte{link_version + 1};
  CHECK(error_of_hello(hello) == link_error::wrong_version);
  const initiator_handshake stranger{context_of(authenticator_of(replica_1), 9), replica_0, seed_of(1)};
  CHECK(error_of_hello(stranger.hello()) == link_error::wrong_cluster);
}

TEST_CASE("a principal that is no member is refused before any cryptography") {
  constexpr std::size_t initiator_at = 4 + 1 + cluster_id::size;
  const handshake_pair pair;
  auto hello = pair.initiator.hello();
  hello[initiator_at + 1] = std::byte{replica_count};
  CHECK(error_of_hello(hello) == link_error::unknown_principal);
  hello = pair.initiator.hello();
  hello[initiator_at] = std::byte{1};
  hello[initiator_at + 1] = std::byte{client_count};
  CHECK(error_of_hello(hello) == link_error::unknown_principal);
  hello[initiator_at] = std::byte{2};
  CHECK(error_of_hello(hello) == link_error::unknown_principal);
}

TEST_CASE("only clients and the replica with the larger number may dial") {
  CHECK(may_dial(replica_2, replica_1));
  CHECK_FALSE(may_dial(replica_1, replica_2));
  CHECK_FALSE(may_dial(replica_1, replica_1));
  CHECK(may_dial(client_1, replica_0));
  CHECK_FALSE(may_dial(replica_2, client_1));
  constexpr std::size_t initiator_at = 4 + 1 + cluster_id::size;
  const handshake_pair pair{replica_2, replica_1};
  auto hello = pair.initiator.hello();
  hello[initiator_at + 1] = std::byte{0};
  CHECK(error_of_hello(hello, replica_1) == link_error::wrong_direction);
  hello[initiator_at + 1] = std::byte{1};
  CHECK(error_of_hello(hello, replica_1) == link_error::wrong_direction);
}

TEST_CASE("a replica that is dialed as another one identifies itself, and opens no link") {
  handshake_pair pair{context_of(replica_2), context_of(replica_0), replica_1};
  const auto answer = pair.responder.feed(pair.initiator.hello());
  CHECK(answer.error == link_error::wrong_responder);
  CHECK_FALSE(answer.channel.has_value());
  REQUIRE(answer.send.size() == responder_proof_bytes);
  const auto step = pair.initiator.feed(answer.send);
  CHECK(step.error == link_error::other_replica);
  CHECK(step.found == replica_id{0});
  CHECK(step.send.empty());
  CHECK_FALSE(step.channel.has_value());
}

TEST_CASE("a client that dials a wrong address learns which replica is there") {
  handshake_pair pair{context_of(client_1), context_of(replica_2), replica_1};
  const auto step = pair.initiator.feed(pair.responder.feed(pair.initiator.hello()).send);
  CHECK(step.found == replica_id{2});
}

TEST_CASE("only a dialer that may dial the named replica gets an answer") {
  // Replica 0 dials no other replica, so this HELLO is forged.
  constexpr std::size_t initiator_at = 4 + 1 + cluster_id::size;
  const handshake_pair pair{replica_2, replica_1};
  auto hello = pair.initiator.hello();
  hello[initiator_at + 1] = std::byte{0};
  responder_handshake side{context_of(principal::of(replica_id{3})), seed_of(2)};
  const auto step = side.feed(hello);
  CHECK(step.error == link_error::wrong_responder);
  CHECK(step.send.empty());
  // The cluster has no replica 9.
  hello = pair.initiator.hello();
  hello[initiator_at + principal_bytes + 1] = std::byte{9};
  responder_handshake other{context_of(replica_0), seed_of(2)};
  CHECK(other.feed(hello).send.empty());
}

TEST_CASE("the identity at a wrong address cannot be forged, replayed or used as a proof") {
  handshake_pair pair{context_of(replica_2), context_of(replica_0), replica_1};
  const auto answer = pair.responder.feed(pair.initiator.hello()).send;
  for (std::size_t at = 0; at < answer.size(); ++at) {
    auto changed = answer;
    changed[at] ^= std::byte{1};
    initiator_handshake same{context_of(replica_2), replica_1, seed_of(1)};
    const auto step = same.feed(changed);
    CAPTURE(at);
    CHECK(step.error == link_error::bad_signature);
    CHECK_FALSE(step.found.has_value());
  }
  initiator_handshake later{context_of(replica_2), replica_1, seed_of(4)};
  CHECK(later.feed(answer).error == link_error::bad_signature);
  // The dialed replica itself never sends this answer.
  initiator_handshake to_sender{context_of(replica_2), replica_0, seed_of(1)};
  CHECK(to_sender.feed(answer).error == link_error::bad_signature);
  // No other node can send this answer in a member's name.
  handshake_pair forged{context_of(replica_2), context_of(impostor_of(replica_0)), replica_1};
  CHECK(forged.initiator.feed(forged.responder.feed(forged.initiator.hello()).send).error == link_error::bad_signature);
}

TEST_CASE("the counters show the address of a misplaced replica until it is right again") {
  link_counters counters;
  const auto gauge = [&counters]() -> std::optional<std::uint64_t> {
    for (const auto& each : counters.snapshot())
      if (each.name == "link_answers_as{replica=\"2\"}") return each.value;
    return std::nullopt;
  };
  counters.note_answer(replica_id{2}, replica_id{2});
  CHECK_FALSE(gauge().has_value());
  counters.note_answer(replica_id{2}, replica_id{3});
  CHECK(gauge() == 4);
  CHECK(counters.misdirected() == std::vector<misdirected_address>{{replica_id{2}, replica_id{3}}});
  counters.note_answer(replica_id{2}, replica_id{2});
  CHECK(gauge() == 0);
  CHECK(counters.misdirected().empty());
}

TEST_CASE("an initiator with another key than the member's is refused") {
  handshake_pair pair{context_of(impostor_of(replica_1)), context_of(replica_0), replica_0};
  auto proof = pair.initiator.feed(pair.responder.feed(pair.initiator.hello()).send);
  CHECK(pair.responder.feed(proof.send).error == link_error::bad_signature);
}

TEST_CASE("a responder with another key than the member's learns no signature of the initiator") {
  handshake_pair pair{context_of(replica_1), context_of(impostor_of(replica_0)), replica_0};
  auto step = pair.initiator.feed(pair.responder.feed(pair.initiator.hello()).send);
  CHECK(step.error == link_error::bad_signature);
  CHECK(step.send.empty());
}

TEST_CASE("a recorded handshake cannot be replayed to either side") {
  handshake_pair recorded;
  const auto hello = recorded.initiator.hello();
  const auto answer = recorded.responder.feed(hello).send;
  const auto proof = recorded.initiator.feed(answer).send;
  responder_handshake fresh_responder{context_of(replica_0), seed_of(3)};
  CHECK(fresh_responder.feed(hello).send.size() == responder_proof_bytes);
  CHECK(fresh_responder.feed(proof).error == link_error::bad_signature);
  initiator_handshake fresh_initiator{context_of(replica_1), replica_0, seed_of(4)};
  CHECK(fresh_initiator.feed(answer).error == link_error::bad_signature);
}

TEST_CASE("a message that is reflected to its sender is refused") {
  handshake_pair pair{replica_1, replica_0};
  CHECK(error_of_hello(pair.initiator.hello(), replica_1) == link_error::wrong_responder);
  const auto answer = pair.responder.feed(pair.initiator.hello()).send;
  const auto reflected = byte_span{answer}.last(initiator_proof_bytes);
  CHECK(pair.responder.feed(reflected).error == link_error::bad_signature);
}

TEST_CASE("a proof for one replica does not verify at another") {
  // Replica 1 is a man in the middle and forwards a client's messages to replica 0.
  initiator_handshake client{context_of(client_1), replica_1, seed_of(1)};
  auto hello = client.hello();
  constexpr std::size_t responder_at = 4 + 1 + cluster_id::size + principal_bytes;
  hello[responder_at + 1] = std::byte{0};
  responder_handshake target{context_of(replica_0), seed_of(2)};
  const auto answer = target.feed(hello).send;
  REQUIRE(answer.size() == responder_proof_bytes);
  CHECK(client.feed(answer).error == link_error::bad_signature);
}

TEST_CASE("an ephemeral key of small order is refused") {
  const handshake_pair pair;
  auto hello = pair.initiator.hello();
  std::fill(hello.end() - ephemeral_key_bytes, hello.end(), std::byte{0});
  CHECK(error_of_hello(hello) == link_error::weak_key);
}

TEST_CASE("random bytes never complete a handshake nor harm it") {
  for (std::uint32_t seed = 0; seed < 3'000; ++seed) {
    std::mt19937 random{seed};
    handshake_pair pair;
    const bool at_responder = random() % 2 == 0;
    byte_vector bytes(random() % 300);
    std::generate(bytes.begin(), bytes.end(), [&random] { return static_cast<std::byte>(random()); });
    // Half of them begin like a valid HELLO.
    if (at_responder && random() % 2 == 0) {
      const auto& hello = pair.initiator.hello();
      std::copy_n(hello.begin(), std::min({bytes.size(), hello.size(), std::size_t{random() % 80}}), bytes.begin());
    }
    CAPTURE(seed);
    if (at_responder) {
      CHECK_FALSE(pair.responder.feed(bytes).channel.has_value());
    } else {
      CHECK_FALSE(pair.initiator.feed(bytes).channel.has_value());
    }
  }
}
