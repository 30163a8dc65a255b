#pragma once

#include <memory>
#include <optional>

#include "actors/ports.hpp"
#include "runtime/links/link_event.hpp"
#include "runtime/links/secure_channel.hpp"

/// Mutual authentication of two principals over a fresh connection, before any frame is sent.
///
/// 1. initiator → responder: HELLO = magic ‖ version ‖ cluster ‖ initiator ‖ responder ‖ X
/// 2. responder → initiator: PROOF = Y ‖ stream header ‖ sign(responder role, H(HELLO ‖ Y ‖ header))
/// 3. initiator → responder: PROOF = stream header ‖ sign(initiator role, H(HELLO ‖ message 2 ‖ header))
///
/// A replica that is dialed under another replica's number, because addresses were swapped, answers once with its own
/// number and ends the handshake:
///
///    2'. responder → initiator: ELSEWHERE = 32 zeros ‖ its number and zeros ‖ sign(elsewhere role, H(HELLO ‖ …))
///
/// ELSEWHERE is as long as message 2 and costs no more. Its signature covers the initiator's fresh X and has a role of
/// its own, so it cannot open a link. A key of 32 zeros has small order, so no responder has it.
///
/// X and Y are ephemeral X25519 keys. Each stream key is a hash of H(HELLO ‖ Y), keyed with a session key that
/// crypto_kx derives from X and Y. So both sides share keys only if they agree on cluster, version, both principals and
/// both roles.
///
/// Why the responder proves its identity first: the cheap checks of HELLO (size, magic, version, cluster, membership,
/// direction) come before any cryptography. After these checks the responder makes one signature (36 µs). In the other
/// order, each false initiator would cost it a verification (80 µs); the key agreement costs the same in both orders.
/// An initiator signs only after the responder's proof, and only bytes that depend on that responder's fresh Y.
///
/// Against replay, each signature covers the other side's fresh key. Against reflection, the roles are signed, and a
/// node does not open a link to itself. Against misbinding (Diffie, van Oorschot and Wiener 1992), both sides sign both
/// names. Against confusion with consensus messages, the domain differs from those in messages/signing.cpp. A recorded
/// connection stays secret when an identity key leaks later.
///
/// All three messages have a fixed size, so nothing is parsed or allocated by a length that a stranger chose.
namespace hypermesh::links {

inline constexpr std::uint8_t link_version = 3;

inline constexpr std::size_t principal_bytes = 5;
inline constexpr std::size_t ephemeral_key_bytes = 32;
inline constexpr std::size_t hello_bytes = 4 + 1 + cluster_id::size + 2 * principal_bytes + ephemeral_key_bytes;
inline constexpr std::size_t responder_proof_bytes = ephemeral_key_bytes + stream_header::size + signature::size;
inline constexpr std::size_t initiator_proof_bytes = stream_header::size + signature::size;

static_assert(hello_bytes == 79 && responder_proof_bytes == 120 && initiator_proof_bytes == 88,
              "the sizes are part of the protocol's version");

/// Seed of an ephemeral key. Each handshake uses fresh random bytes; only tests use a constant.
using ephemeral_seed = fixed_bytes<struct ephemeral_seed_tag, 32>;

/// The facts that each side of a handshake knows before it begins.
struct handshake_context {
  cluster_id cluster;
  /// Verifies the signatures of all members, and signs as this node.
  std::shared_ptr<const authenticator> keys;
  /// Members are numbered 0 … count-1.
  std::uint32_t replica_count = 0;
  std::uint32_t client_count = 0;
};

/// Whether `initiator` dials `responder`. Of two replicas, the replica with the larger number dials. A client dials
/// every replica. So a pair of replicas has only one connection, and no node accepts a connection from a node that it
/// dials.
[[nodiscard]] bool may_dial(principal initiator, principal responder);

/// The result of a call of `feed`.
struct handshake_step {
  /// Bytes to send to the other side. May be set together with `channel`.
  byte_vector send;
  /// The channel. It is set once, when the other side is authenticated.
  std::optional<secure_channel> channel;
  /// May be set together with `send`, which then contains ELSEWHERE.
  std::optional<link_error> error;
  /// With `link_error::other_replica`: the replica that answered at the dialed address and proved its identity.
  std::optional<replica_id> found;
};

/// A message of fixed size that arrives in pieces. Memory: `size` bytes.
class fixed_message {
 public:
  explicit fixed_message(std::size_t size) : size_(size) {}

  /// Takes the missing bytes of the message from the front of `bytes` and returns the remaining bytes.
  byte_span take(byte_span bytes);
  [[nodiscard]] bool is_complete() const { return bytes_.size() == size_; }
  [[nodiscard]] bool is_partial() const { return !bytes_.empty() && !is_complete(); }
  [[nodiscard]] byte_span bytes() const { return bytes_; }

 private:
  std::size_t size_;
  byte_vector bytes_;
};

/// The dialing side. Pure except for the header of its stream, which libsodium draws at random. The ephemeral key comes
/// from the seed.
class initiator_handshake {
 public:
  initiator_handshake(handshake_context context, principal responder, const ephemeral_seed& seed);
  ~initiator_handshake();
  initiator_handshake(initiator_handshake&&) noexcept;
  initiator_handshake& operator=(initiator_handshake&&) noexcept;

  /// The message to send first.
  [[nodiscard]] const byte_vector& hello() const { return hello_; }

  /// Processes the next bytes of the connection. Bytes after the responder's proof are an error, because the responder
  /// may send nothing more before it has the initiator's proof.
  [[nodiscard]] handshake_step feed(byte_span bytes);

  /// The reason for the failure if the connection ends now.
  [[nodiscard]] link_error at_end_of_bytes() const;

 private:
  struct secrets;

  [[nodiscard]] handshake_step conclude();
  [[nodiscard]] handshake_step conclude_elsewhere() const;

  handshake_context context_;
  principal responder_;
  byte_vector hello_;
  fixed_message proof_;
  /// The ephemeral secret key. It is wiped as soon as it has been used.
  std::unique_ptr<secrets> secrets_;
  bool over_ = false;
};

/// The accepting side. Pure in the same sense as `initiator_handshake`.
class responder_handshake {
 public:
  responder_handshake(handshake_context context, const ephemeral_seed& seed);
  ~responder_handshake();
  responder_handshake(responder_handshake&&) noexcept;
  responder_handshake& operator=(responder_handshake&&) noexcept;

  /// Processes the next bytes of the connection.
  [[nodiscard]] handshake_step feed(byte_span bytes);

  /// The bytes after the initiator's proof, which begin the first frames. Call this only after `channel` was returned.
  [[nodiscard]] byte_vector take_rest() { return std::move(rest_); }

  /// The number of bytes that the expected message still lacks; zero when the handshake is over. For tests.
  [[nodiscard]] std::size_t bytes_wanted() const;

  /// The claimed initiator; nothing before HELLO was accepted. The claim is proven once `channel` was returned.
  [[nodiscard]] std::optional<principal> initiator() const { return initiator_; }

  /// The principals in HELLO, even if HELLO was refused because of them. Empty before HELLO is complete and when its
  /// magic, version or cluster is wrong.
  [[nodiscard]] const hello_claim& claim() const { return claim_; }

  /// The reason for the failure if the connection ends now.
  [[nodiscard]] link_error at_end_of_bytes() const;

 private:
  struct secrets;

  [[nodiscard]] handshake_step answer_hello();
  /// Makes the message ELSEWHERE.
  [[nodiscard]] byte_vector elsewhere() const;
  [[nodiscard]] handshake_step conclude();
  [[nodiscard]] std::optional<link_error> objection_to_hello();

  handshake_context context_;
  fixed_message hello_;
  fixed_message proof_;
  std::optional<principal> initiator_;
  /// HELLO is valid, but it names another replica as responder.
  bool is_for_another_ = false;
  hello_claim claim_;
  byte_vector answer_;
  byte_vector rest_;
  std::optional<secure_channel> channel_;
  /// The ephemeral keys, and later the receiving key. They are wiped when the handshake is over.
  std::unique_ptr<secrets> secrets_;
  bool over_ = false;
};

}  // namespace hypermesh::links
