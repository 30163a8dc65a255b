#include "runtime/links/secure_channel.hpp"

#include <algorithm>

#include <sodium.h>

#include "messages/require.hpp"

namespace hypermesh::links {

namespace {

/// The most memory in bytes that an idle link keeps for an incomplete frame.
constexpr std::size_t pending_bytes_kept = 64 * 1024;

static_assert(stream_key::size == crypto_secretstream_xchacha20poly1305_KEYBYTES);
static_assert(stream_header::size == crypto_secretstream_xchacha20poly1305_HEADERBYTES);
static_assert(secure_channel::sealing_bytes == crypto_secretstream_xchacha20poly1305_ABYTES);
static_assert(limits::frame_bytes_max + secure_channel::sealing_bytes < (1U << 24U), "the length has 24 bits");

const unsigned char* raw(byte_span bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

std::size_t ciphertext_bytes_of(byte_span length) {
  return std::to_integer<std::size_t>(length[0]) | std::to_integer<std::size_t>(length[1]) << 8U |
         std::to_integer<std::size_t>(length[2]) << 16U;
}

}  // namespace

struct secure_channel::secrets {
  crypto_secretstream_xchacha20poly1305_state sending;
  crypto_secretstream_xchacha20poly1305_state receiving;

  secrets() = default;
  secrets(const secrets&) = delete;
  secrets& operator=(const secrets&) = delete;
  ~secrets() { sodium_memzero(this, sizeof(*this)); }
};

secure_channel::secure_channel(const stream_key& sending_key, principal_kind own, principal_kind remote,
                               std::uint64_t frames_before_rekey)
    : secrets_(std::make_unique<secrets>()), own_(own), remote_(remote), frames_before_rekey_(frames_before_rekey) {
  require(frames_before_rekey > 0, "at least one frame goes under each key");
  crypto_secretstream_xchacha20poly1305_init_push(
      &secrets_->sending, reinterpret_cast<unsigned char*>(own_header_.bytes.data()), raw(sending_key.view()));
}

secure_channel::~secure_channel() = default;
secure_channel::secure_channel(secure_channel&&) noexcept = default;
secure_channel& secure_channel::operator=(secure_channel&&) noexcept = default;

void secure_channel::start_receiving(const stream_key& receiving_key, const stream_header& remote_header) {
  require(!receiving_, "a stream starts once");
  crypto_secretstream_xchacha20poly1305_init_pull(&secrets_->receiving, raw(remote_header.view()),
                                                  raw(receiving_key.view()));
  receiving_ = true;
}

void secure_channel::seal(byte_span frame, wire_buffer& out) {
  ++frames_sealed_;
  const bool last_under_key = frames_sealed_ % frames_before_rekey_ == 0;
  append_sealed(frame,
                last_under_key ? crypto_secretstream_xchacha20poly1305_TAG_REKEY
                               : crypto_secretstream_xchacha20poly1305_TAG_MESSAGE,
                out);
}

void secure_channel::seal_end(wire_buffer& out) {
  append_sealed({}, crypto_secretstream_xchacha20poly1305_TAG_FINAL, out);
  end_sealed_ = true;
}

void secure_channel::append_sealed(byte_span frame, unsigned char tag, wire_buffer& out) {
  require(!end_sealed_, "nothing follows the good-bye");
  require(frame.size() <= sealable_bytes_max(), "the sender has bounded its frames");
  const auto ciphertext_bytes = frame.size() + sealing_bytes;
  const auto start = out.size();
  out.resize(start + length_bytes + ciphertext_bytes);
  auto* const length = reinterpret_cast<unsigned char*>(out.data() + start);
  length[0] = static_cast<unsigned char>(ciphertext_bytes & 0xffU);
  length[1] = static_cast<unsigned char>((ciphertext_bytes >> 8U) & 0xffU);
  length[2] = static_cast<unsigned char>((ciphertext_bytes >> 16U) & 0xffU);
  crypto_secretstream_xchacha20poly1305_push(&secrets_->sending, length + length_bytes, nullptr, raw(frame),
                                             frame.size(), length, length_bytes, tag);
}

std::optional<link_error> secure_channel::objection_to(std::size_t ciphertext_bytes) const {
  if (ciphertext_bytes < sealing_bytes) return link_error::frame_too_short;
  if (ciphertext_bytes > frame_bytes_max_of(remote_) + sealing_bytes) return link_error::frame_too_long;
  return std::nullopt;
}

received_frames secure_channel::feed(byte_span bytes) {
  require(receiving_, "bytes are fed to a stream that has started");
  received_frames out;
  while (!error_ && !bytes.empty()) {
    std::size_t wanted = length_bytes;
    const auto length = pending_.size() >= length_bytes ? byte_span{pending_} : bytes;
    if (pending_.empty() || pending_.size() >= length_bytes) {
      if (length.size() >= length_bytes) {
        wanted += ciphertext_bytes_of(length);
        error_ = objection_to(wanted - length_bytes);
        if (error_) break;
      }
    }
    // A frame that is complete in `bytes` is decrypted from there, without a copy of its ciphertext.
    if (pending_.empty() && wanted > length_bytes && bytes.size() >= wanted) {
      open(bytes.first(wanted), out);
      bytes = bytes.subspan(wanted);
      continue;
    }
    const auto taken = std::min(wanted - pending_.size(), bytes.size());
    pending_.insert(pending_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(taken));
    bytes = bytes.subspan(taken);
    if (wanted > length_bytes && pending_.size() == wanted) {
      open(pending_, out);
      pending_.clear();
      if (pending_.capacity() > pending_bytes_kept) pending_ = {};
    }
  }
  out.error = error_;
  if (error_) pending_ = {};
  return out;
}

void secure_channel::open(byte_span sealed, received_frames& out) {
  const auto length = sealed.first(length_bytes);
  const auto ciphertext = sealed.subspan(length_bytes);
  const auto frame = std::make_shared<byte_vector>(ciphertext.size() - sealing_bytes);
  unsigned char tag = 0;
  const bool authentic = crypto_secretstream_xchacha20poly1305_pull(
                             &secrets_->receiving, reinterpret_cast<unsigned char*>(frame->data()), nullptr, &tag,
                             raw(ciphertext), ciphertext.size(), raw(length), length.size()) == 0;
  if (!authentic) {
    error_ = link_error::bad_frame;
  } else if (tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL) {
    error_ = frame->empty() ? link_error::ended : link_error::bad_frame;
  } else if (tag == crypto_secretstream_xchacha20poly1305_TAG_PUSH) {
    error_ = link_error::bad_frame;
  } else if (frame->empty()) {
    ++out.keepalives;
  } else {
    out.frames.push_back(frame);
  }
}

link_error secure_channel::at_end_of_bytes() const {
  if (error_) return *error_;
  return pending_.empty() ? link_error::closed : link_error::truncated;
}

}  // namespace hypermesh::links
