#pragma once

#include <memory>
#include <optional>

#include "actors/ports.hpp"
#include "runtime/links/link_event.hpp"
#include "runtime/links/secure_channel.hpp"

/// Mutual authentication of two principals over a fresh connection, before any frame.
///
/// 1. initiator → responder: HELLO = magic ‖ version ‖ cluster ‖ initiator ‖ responder ‖ X
/// 2. responder → initiator: PROOF = Y ‖ stream header ‖ sign(responder role, H(HELLO ‖ Y ‖ header))
/// 3. initiator → responder: PROOF = stream header ‖ sign(initiator role, H(HELLO ‖ message 2 ‖ header))
///
/// A replica that is dialed as another one, because addresses were swapped, answers once with who it is and ends:
///
///    2'. responder → initiator: ELSEWHERE = 32 zeros ‖ its number and zeros ‖ sign(elsewhere role, H(HELLO ‖ …))
///
/// It is as long as message 2 and costs as much, contains the initiator's fresh X, and under its own role it is nothing
/// that could open a link. A key of 32 zeros has small order, so that no responder has it.
///
/// X and Y are ephemeral X25519 keys. The stream keys come from crypto_kx over X and Y, then keyed by
/// H(HELLO ‖ Y): both sides share keys only if they agree on cluster, version, both principals and both roles.
///
/// Why the responder proves first: the cheap tests of HELLO (size, magic, version, cluster, membership, direction)
/// come before any cryptography, and then one signature (36 µs) is cheaper than the verification (80 µs) that
/// each false initiator would cost in the other order; the key agreement is the same in both. An initiator signs only
/// for a proven responder, and only what contains that responder's fresh Y.
///
/// Against replay: each signature covers the other side's fresh key. Against reflection: the roles are signed and a
/// node does not talk to itself. Against misbinding (Diffie, van Oorschot and Wiener 1992): both names are
/// signed by both. Against identity confusion with consensus messages: another domain tag than messages/signing.cpp.
/// A recorded connection stays secret when an identity key leaks later.
///
/// All three messages have a fixed size, so nothing is parsed or allocated by a length that a stranger chose.
namespace hypermesh {

inline constexpr std::uint8_t link_version = 1;

inline constexpr std::size_t principal_bytes = 5;
inline constexpr std::size_t ephemeral_key_bytes = 32;
inline constexpr std::size_t hello_bytes = 4 + 1 + cluster_id::size + 2 * principal_bytes + ephemeral_key_bytes;
inline constexpr std::size_t responder_proof_bytes = ephemeral_key_bytes + stream_header::size + signature::size;
inline constexpr std::size_t initiator_proof_bytes = stream_header::size + signature::size;

static_assert(hello_bytes == 79 && responder_proof_bytes == 120 && initiator_proof_bytes == 88,
              "the sizes are part of the protocol's version");

/// Seed of an ephemeral key: fresh random bytes for each handshake, a constant in tests only.
using ephemeral_seed = fixed_bytes<struct ephemeral_seed_tag, 32>;

/// What both sides of a handshake know beforehand.
struct handshake_context {
  cluster_id cluster;
  /// Signs as this node and knows all members' keys.
  std::shared_ptr<const authenticator> keys;
  /// Members are numbered 0 … count-1.
  std::uint32_t replica_count = 0;
  std::uint32_t client_count = 0;
};

/// Who dials whom: of two replicas the one with the larger number, and a client dials every replica. So a pair has
/// one connection, and nobody accepts from whom it should dial.
[[nodiscard]] bool may_dial(principal initiator, principal responder);

/// What became of the bytes that were fed.
struct handshake_step {
  /// Bytes for the other side; may be set together with `channel`.
  byte_vector send;
  /// Set once, when the other side is authenticated.
  std::optional<secure_channel> channel;
  /// May be set together with `send`: the responder says who it is instead.
  std::optional<link_error> error;
  /// With `link_error::other_replica`: who proved that it is at the address that was dialed.
  std::optional<replica_id> found;
};

/// A message of fixed size that arrives in pieces. Memory: `size` bytes.
class fixed_message {
 public:
  explicit fixed_message(std::size_t size) : size_(size) {}

  /// Takes what is missing and returns the rest.
  byte_span take(byte_span bytes);
  [[nodiscard]] bool is_complete() const { return bytes_.size() == size_; }
  [[nodiscard]] bool is_partial() const { return !bytes_.empty() && !is_complete(); }
  [[nodiscard]] byte_span bytes() const { return bytes_; }

 private:
  std::size_t size_;
  byte_vector bytes_;
};

/// The dialing side. Pure: its randomness is the seed.
class initiator_handshake {
 public:
  initiator_handshake(handshake_context context, principal responder, const ephemeral_seed& seed);
  ~initiator_handshake();
  initiator_handshake(initiator_handshake&&) noexcept;
  initiator_handshake& operator=(initiator_handshake&&) noexcept;

  /// What to send first.
  [[nodiscard]] const byte_vector& hello() const { return hello_; }

  /// Takes the next bytes of the connection. Bytes behind the responder's proof are an error:
  /// the responder has no right to speak before it has the initiator's proof.
  [[nodiscard]] handshake_step feed(byte_span bytes);

  /// Why the handshake failed when no more bytes come.
  [[nodiscard]] link_error at_end_of_bytes() const;

 private:
  struct secrets;

  [[nodiscard]] handshake_step conclude();
  [[nodiscard]] handshake_step conclude_elsewhere() const;

  handshake_context context_;
  principal responder_;
  byte_vector hello_;
  fixed_message proof_;
  /// The ephemeral secret key, wiped as soon as it was used.
  std::unique_ptr<secrets> secrets_;
  bool over_ = false;
};

/// The accepting side. Pure: its randomness is the seed.
class responder_handshake {
 public:
  responder_handshake(handshake_context context, const ephemeral_seed& seed);
  ~responder_handshake();
  responder_handshake(responder_handshake&&) noexcept;
  responder_handshake& operator=(responder_handshake&&) noexcept;

  /// Takes the next bytes of the connection.
  [[nodiscard]] handshake_step feed(byte_span bytes);

  /// Bytes behind the initiator's proof: the first frames. Only after `channel` was given.
  [[nodiscard]] byte_vector take_rest() { return std::move(rest_); }

  /// What is still missing of the message that is awaited; zero when the handshake is over.
  [[nodiscard]] std::size_t bytes_wanted() const;

  /// Who claims to dial; nothing before HELLO was accepted. Proven when `channel` is given.
  [[nodiscard]] std::optional<principal> initiator() const { return initiator_; }

  /// What HELLO says, also when it was refused; empty before it came as a whole.
  [[nodiscard]] const hello_claim& claim() const { return claim_; }

  /// Why the handshake failed when no more bytes come.
  [[nodiscard]] link_error at_end_of_bytes() const;

 private:
  struct secrets;

  [[nodiscard]] handshake_step answer_hello();
  /// Says who this is to somebody who dialed another replica.
  [[nodiscard]] byte_vector elsewhere() const;
  [[nodiscard]] handshake_step conclude();
  [[nodiscard]] std::optional<link_error> objection_to_hello();

  handshake_context context_;
  fixed_message hello_;
  fixed_message proof_;
  std::optional<principal> initiator_;
  /// The hello is good, but for another replica.
  bool is_for_another_ = false;
  hello_claim claim_;
  byte_vector answer_;
  byte_vector rest_;
  std::optional<secure_channel> channel_;
  /// The ephemeral keys, then the receiving key; wiped when the handshake is over.
  std::unique_ptr<secrets> secrets_;
  bool over_ = false;
};

}  // namespace hypermesh
