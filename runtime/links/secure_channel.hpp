#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "messages/frame.hpp"
#include "messages/limits.hpp"
#include "messages/types.hpp"
#include "runtime/links/link_error.hpp"

namespace hypermesh::links {

/// The outbound buffer of a CAF scribe.
using wire_buffer = std::vector<char>;

/// The key of one direction of one link. Each connection has fresh keys.
using stream_key = fixed_bytes<struct stream_key_tag, 32>;
/// The header that the sender of a stream sends once to the receiver. The header is not secret.
using stream_header = fixed_bytes<struct stream_header_tag, 24>;

/// The longest frame that a principal of this kind may send.
[[nodiscard]] constexpr std::size_t frame_bytes_max_of(principal_kind sender) {
  return sender == principal_kind::replica ? limits::frame_bytes_max : limits::client_frame_bytes_max;
}

/// The result of `secure_channel::feed`.
struct received_frames {
  /// The frames in their order. Each frame has its own memory, aligned for FlatBuffers.
  std::vector<frame_ptr> frames;
  /// The number of empty frames. They are keepalives and are never delivered.
  std::size_t keepalives = 0;
  /// When set, the connection must be closed. The value is `ended` when the remote node sent the good-bye.
  std::optional<link_error> error;
};

/// The authenticated encryption of one connection after its handshake: libsodium's crypto_secretstream
/// (XChaCha20-Poly1305) in both directions. Turns bytes into frames and frames into bytes. Pure except for the header
/// of the outgoing stream, which libsodium draws at random.
///
/// On the wire a frame is `length (3 bytes, little-endian) ‖ ciphertext`. The ciphertext is 17 bytes longer than the
/// frame, and the length is authenticated with it. The stream detects any change, loss, repetition or reordering. Its
/// tags have these meanings. MESSAGE: a frame. REKEY: a frame after which both sides derive a new key, so a key that is
/// stolen later cannot decrypt older frames. FINAL: the good-bye, an empty frame that ends the stream; an attacker who
/// cuts the connection cannot forge it.
///
/// Memory: the received part of one incomplete frame. The length is checked against the bound of the sender's kind
/// before anything is allocated.
class secure_channel {
 public:
  static constexpr std::size_t length_bytes = 3;
  static constexpr std::size_t sealing_bytes = 17;
  /// The number of bytes that the link adds to a frame.
  static constexpr std::size_t overhead_bytes = length_bytes + sealing_bytes;
  /// The number of frames under one key. Under load this gives a new key every few seconds. The stream itself would
  /// change the key only after 2³² frames.
  static constexpr std::uint64_t frames_per_key = 1ULL << 20U;

  /// `own` sends under `sending_key`. The kind `remote` bounds the accepted frames. `frames_before_rekey` is for tests.
  secure_channel(const stream_key& sending_key, principal_kind own, principal_kind remote,
                 std::uint64_t frames_before_rekey = frames_per_key);
  ~secure_channel();
  secure_channel(secure_channel&&) noexcept;
  secure_channel& operator=(secure_channel&&) noexcept;

  /// The header that this side sends in its handshake message.
  [[nodiscard]] const stream_header& own_header() const { return own_header_; }

  /// Starts the receiving direction with the remote side's header. Call this once, before `feed`.
  void start_receiving(const stream_key& receiving_key, const stream_header& remote_header);

  /// The longest frame that `seal` accepts.
  [[nodiscard]] std::size_t sealable_bytes_max() const { return frame_bytes_max_of(own_); }

  /// Appends the sealed frame to `out`. An empty frame is a keepalive.
  void seal(byte_span frame, wire_buffer& out);

  /// Appends the good-bye. No frame may be sealed after it.
  void seal_end(wire_buffer& out);

  /// Processes the next bytes of the connection, in pieces of any size. After an error, every call returns only that
  /// error.
  [[nodiscard]] received_frames feed(byte_span bytes);

  /// The reason for the end of the connection if the connection ends now.
  [[nodiscard]] link_error at_end_of_bytes() const;

  /// The number of received bytes of the incomplete frame.
  [[nodiscard]] std::size_t bytes_held() const { return pending_.size(); }

 private:
  struct secrets;

  void append_sealed(byte_span frame, unsigned char tag, wire_buffer& out);
  /// Decrypts one complete `length ‖ ciphertext`.
  void open(byte_span sealed, received_frames& out);
  /// The reason to refuse a ciphertext of this announced length; nothing when the length is valid.
  [[nodiscard]] std::optional<link_error> objection_to(std::size_t ciphertext_bytes) const;

  /// Both stream states. The destructor wipes them.
  std::unique_ptr<secrets> secrets_;
  stream_header own_header_;
  principal_kind own_;
  principal_kind remote_;
  std::uint64_t frames_before_rekey_;
  std::uint64_t frames_sealed_ = 0;
  byte_vector pending_;
  std::optional<link_error> error_;
  bool receiving_ = false;
  bool end_sealed_ = false;
};

}  // namespace hypermesh::links
