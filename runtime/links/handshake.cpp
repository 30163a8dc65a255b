#include "runtime/links/handshake.hpp"

#include <algorithm>
#include <array>

#include <sodium.h>

#include "messages/digest.hpp"
#include "messages/require.hpp"

namespace hypermesh::links {

namespace {

constexpr std::string_view magic = "HMSH";
constexpr std::string_view signing_domain = "hypermesh-link-handshake";
constexpr std::string_view hello_domain = "hypermesh link transcript";
constexpr std::string_view key_domain = "hypermesh link key";

static_assert(ephemeral_key_bytes == crypto_kx_PUBLICKEYBYTES);
static_assert(ephemeral_seed::size == crypto_kx_SEEDBYTES);
static_assert(stream_key::size == crypto_kx_SESSIONKEYBYTES);
static_assert(digest::size <= crypto_generichash_BYTES_MAX);

enum class role : std::uint8_t { initiator = 1, responder = 2, elsewhere = 3 };
inline constexpr auto role_last = role::elsewhere;

const unsigned char* raw(byte_span bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

template <std::size_t Size>
unsigned char* raw_out(std::array<std::byte, Size>& bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

void append(byte_vector& out, byte_span bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

void append(byte_vector& out, principal who) {
  out.push_back(static_cast<std::byte>(who.kind));
  for (unsigned shift = 0; shift < 32; shift += 8)
    out.push_back(static_cast<std::byte>((who.number >> shift) & 0xffU));
}

/// Reads a principal; nothing when the first byte is not a kind of principal.
std::optional<principal> read_principal(byte_span bytes) {
  const auto kind = std::to_integer<std::uint8_t>(bytes[0]);
  if (kind > static_cast<std::uint8_t>(principal_kind_last)) return std::nullopt;
  principal who{static_cast<principal_kind>(kind), 0};
  for (unsigned index = 0; index < 4; ++index) {
    who.number |= std::to_integer<std::uint32_t>(bytes[1 + index]) << (8 * index);
  }
  return who;
}

template <class Fixed>
Fixed read_fixed(byte_span bytes) {
  Fixed out;
  std::copy_n(bytes.begin(), Fixed::size, out.bytes.begin());
  return out;
}

bool is_member(principal who, const handshake_context& context) {
  return who.number < (who.is_replica() ? context.replica_count : context.client_count);
}

/// Makes the only bytes that a handshake signs. The domain differs from the domains in messages/signing.cpp in its
/// eleventh byte.
byte_vector signing_input_of(role signer, const digest& transcript) {
  byte_vector input;
  input.reserve(signing_domain.size() + 2 + digest::size);
  append(input, as_byte_span(signing_domain));
  input.push_back(static_cast<std::byte>(link_version));
  input.push_back(static_cast<std::byte>(signer));
  append(input, transcript.view());
  return input;
}

digest transcript_of(byte_span hello, byte_span answer, byte_span header) {
  return hasher{hello_domain}.add(hello.size()).add(hello).add(answer.size()).add(answer).add(header).finish();
}

/// The session key of crypto_kx, bound to HELLO and the responder's key. Both sides must agree on both values.
stream_key bind_key(byte_span shared, byte_span hello, byte_span responder_key) {
  const auto agreed = hasher{key_domain}.add(hello).add(responder_key).finish();
  stream_key out;
  crypto_generichash(raw_out(out.bytes), stream_key::size, raw(agreed.view()), digest::size, raw(shared),
                     shared.size());
  return out;
}

/// The secret bytes of one handshake. The destructor wipes them.
struct ephemeral_keys {
  std::array<std::byte, crypto_kx_PUBLICKEYBYTES> own_public{};
  std::array<std::byte, crypto_kx_SECRETKEYBYTES> own_secret{};
  stream_key receiving;
  stream_key sending;

  explicit ephemeral_keys(const ephemeral_seed& seed) {
    crypto_kx_seed_keypair(raw_out(own_public), raw_out(own_secret), raw(seed.view()));
  }
  ephemeral_keys(const ephemeral_keys&) = delete;
  ephemeral_keys& operator=(const ephemeral_keys&) = delete;
  ~ephemeral_keys() { sodium_memzero(this, sizeof(*this)); }

  /// Derives both stream keys. Returns false when the remote key has small order.
  bool agree(role own, byte_span remote_public, byte_span hello, byte_span responder_public) {
    const auto derive = own == role::initiator ? crypto_kx_client_session_keys : crypto_kx_server_session_keys;
    stream_key shared_receiving;
    stream_key shared_sending;
    const bool sound = derive(raw_out(shared_receiving.bytes), raw_out(shared_sending.bytes), raw(own_public),
                              raw(own_secret), raw(remote_public)) == 0;
    if (sound) {
      receiving = bind_key(shared_receiving.view(), hello, responder_public);
      sending = bind_key(shared_sending.view(), hello, responder_public);
    }
    sodium_memzero(shared_receiving.bytes.data(), stream_key::size);
    sodium_memzero(shared_sending.bytes.data(), stream_key::size);
    return sound;
  }
};

/// The field that replaces the stream header in ELSEWHERE: a replica's number, then zeros.
stream_header header_with(std::uint32_t number) {
  stream_header out;
  for (unsigned index = 0; index < 4; ++index)
    out.bytes[index] = static_cast<std::byte>((number >> (8 * index)) & 0xffU);
  return out;
}

constexpr std::array<std::byte, ephemeral_key_bytes> no_key{};

handshake_step failed(link_error reason) {
  handshake_step step;
  step.error = reason;
  return step;
}

}  // namespace

struct initiator_handshake::secrets : ephemeral_keys {
  using ephemeral_keys::ephemeral_keys;
};

struct responder_handshake::secrets : ephemeral_keys {
  using ephemeral_keys::ephemeral_keys;
};

bool may_dial(principal initiator, principal responder) {
  if (!responder.is_replica()) return false;
  return initiator.is_client() || initiator.number > responder.number;
}

byte_span fixed_message::take(byte_span bytes) {
  const auto count = std::min(size_ - bytes_.size(), bytes.size());
  append(bytes_, bytes.first(count));
  return bytes.subspan(count);
}

// --- Initiator -----------------------------------------------------------------

initiator_handshake::initiator_handshake(handshake_context context, principal responder, const ephemeral_seed& seed)
    : context_(std::move(context)),
      responder_(responder),
      proof_(responder_proof_bytes),
      secrets_(std::make_unique<secrets>(seed)) {
  const auto self = context_.keys->self();
  require(may_dial(self, responder_), "a node dials only members that it may dial");
  hello_.reserve(hello_bytes);
  append(hello_, as_byte_span(magic));
  hello_.push_back(static_cast<std::byte>(link_version));
  append(hello_, context_.cluster.view());
  append(hello_, self);
  append(hello_, responder_);
  append(hello_, secrets_->own_public);
  require(hello_.size() == hello_bytes, "HELLO has its fixed size");
}

initiator_handshake::~initiator_handshake() = default;
initiator_handshake::initiator_handshake(initiator_handshake&&) noexcept = default;
initiator_handshake& initiator_handshake::operator=(initiator_handshake&&) noexcept = default;

handshake_step initiator_handshake::feed(byte_span bytes) {
  require(!over_, "a handshake that is over takes no bytes");
  const auto rest = proof_.take(bytes);
  if (!proof_.is_complete()) return {};
  over_ = true;
  auto step = rest.empty() ? conclude() : failed(link_error::unexpected_bytes);
  secrets_.reset();
  return step;
}

handshake_step initiator_handshake::conclude() {
  const auto responder_key = proof_.bytes().first(ephemeral_key_bytes);
  const auto header = proof_.bytes().subspan(ephemeral_key_bytes, stream_header::size);
  if (std::ranges::equal(responder_key, no_key)) return conclude_elsewhere();
  const auto proof = read_fixed<signature>(proof_.bytes().last(signature::size));
  const auto claimed = signing_input_of(role::responder, transcript_of(hello_, responder_key, header));
  if (!context_.keys->verify(responder_, claimed, proof)) return failed(link_error::bad_signature);
  if (!secrets_->agree(role::initiator, responder_key, hello_, responder_key)) return failed(link_error::weak_key);

  handshake_step step;
  step.channel.emplace(secrets_->sending, context_.keys->self().kind, responder_.kind);
  step.channel->start_receiving(secrets_->receiving, read_fixed<stream_header>(header));
  const auto own_header = step.channel->own_header().view();
  append(step.send, own_header);
  const auto own = signing_input_of(role::initiator, transcript_of(hello_, proof_.bytes(), own_header));
  append(step.send, context_.keys->sign(own).view());
  require(step.send.size() == initiator_proof_bytes, "the initiator's proof has its fixed size");
  return step;
}

handshake_step initiator_handshake::conclude_elsewhere() const {
  const auto header = read_fixed<stream_header>(proof_.bytes().subspan(ephemeral_key_bytes, stream_header::size));
  std::uint32_t number = 0;
  for (unsigned index = 0; index < 4; ++index)
    number |= std::to_integer<std::uint32_t>(header.bytes[index]) << (8 * index);
  const auto claimed = principal::of(replica_id{number});
  const bool can_be = number < context_.replica_count && claimed != responder_ && header == header_with(number);
  const auto proof = read_fixed<signature>(proof_.bytes().last(signature::size));
  const auto input = signing_input_of(role::elsewhere, transcript_of(hello_, no_key, header.view()));
  if (!can_be || !context_.keys->verify(claimed, input, proof)) return failed(link_error::bad_signature);
  auto step = failed(link_error::other_replica);
  step.found = replica_id{number};
  return step;
}

link_error initiator_handshake::at_end_of_bytes() const {
  return proof_.is_partial() ? link_error::truncated : link_error::closed;
}

// --- Responder -----------------------------------------------------------------

responder_handshake::responder_handshake(handshake_context context, const ephemeral_seed& seed)
    : context_(std::move(context)),
      hello_(hello_bytes),
      proof_(initiator_proof_bytes),
      secrets_(std::make_unique<secrets>(seed)) {
  require(context_.keys->self().is_replica(), "only replicas accept connections");
}

responder_handshake::~responder_handshake() = default;
responder_handshake::responder_handshake(responder_handshake&&) noexcept = default;
responder_handshake& responder_handshake::operator=(responder_handshake&&) noexcept = default;

std::size_t responder_handshake::bytes_wanted() const {
  if (over_) return 0;
  return hello_.is_complete() ? initiator_proof_bytes - proof_.bytes().size() : hello_bytes - hello_.bytes().size();
}

handshake_step responder_handshake::feed(byte_span bytes) {
  require(!over_, "a handshake that is over takes no bytes");
  handshake_step step;
  if (!hello_.is_complete()) {
    const auto rest = hello_.take(bytes);
    if (!hello_.is_complete()) return step;
    // The initiator's proof depends on the answer, so bytes that come before the answer cannot be a proof.
    step = rest.empty() ? answer_hello() : failed(link_error::unexpected_bytes);
  } else {
    const auto rest = proof_.take(bytes);
    if (!proof_.is_complete()) return step;
    over_ = true;
    step = conclude();
    if (step.channel) rest_.assign(rest.begin(), rest.end());
  }
  over_ = over_ || step.error.has_value();
  if (over_) secrets_.reset();
  return step;
}

std::optional<link_error> responder_handshake::objection_to_hello() {
  auto bytes = hello_.bytes();
  const auto next = [&bytes](std::size_t count) {
    const auto field = bytes.first(count);
    bytes = bytes.subspan(count);
    return field;
  };
  if (as_text(next(magic.size())) != magic) return link_error::not_hypermesh;
  if (std::to_integer<std::uint8_t>(next(1).front()) != link_version) return link_error::wrong_version;
  if (read_fixed<cluster_id>(next(cluster_id::size)) != context_.cluster) return link_error::wrong_cluster;
  claim_.initiator = read_principal(next(principal_bytes));
  claim_.responder = read_principal(next(principal_bytes));
  if (!claim_.initiator || !is_member(*claim_.initiator, context_)) return link_error::unknown_principal;
  if (const auto& named = claim_.responder; named != context_.keys->self()) {
    is_for_another_ =
        named && named->is_replica() && is_member(*named, context_) && may_dial(*claim_.initiator, *named);
    return link_error::wrong_responder;
  }
  if (!may_dial(*claim_.initiator, context_.keys->self())) return link_error::wrong_direction;
  initiator_ = claim_.initiator;
  return std::nullopt;
}

handshake_step responder_handshake::answer_hello() {
  if (const auto objection = objection_to_hello()) {
    auto step = failed(*objection);
    if (is_for_another_) step.send = elsewhere();
    return step;
  }
  const auto initiator_key = hello_.bytes().last(ephemeral_key_bytes);
  if (!secrets_->agree(role::responder, initiator_key, hello_.bytes(), secrets_->own_public)) {
    return failed(link_error::weak_key);
  }
  channel_.emplace(secrets_->sending, context_.keys->self().kind, initiator_->kind);
  const auto header = channel_->own_header().view();
  append(answer_, secrets_->own_public);
  append(answer_, header);
  const auto own = signing_input_of(role::responder, transcript_of(hello_.bytes(), secrets_->own_public, header));
  append(answer_, context_.keys->sign(own).view());
  require(answer_.size() == responder_proof_bytes, "the responder's proof has its fixed size");
  handshake_step step;
  step.send = answer_;
  return step;
}

byte_vector responder_handshake::elsewhere() const {
  const auto header = header_with(context_.keys->self().number);
  byte_vector out;
  out.reserve(responder_proof_bytes);
  append(out, no_key);
  append(out, header.view());
  const auto own = signing_input_of(role::elsewhere, transcript_of(hello_.bytes(), no_key, header.view()));
  append(out, context_.keys->sign(own).view());
  require(out.size() == responder_proof_bytes, "ELSEWHERE is as long as the responder's proof");
  return out;
}

handshake_step responder_handshake::conclude() {
  const auto header = proof_.bytes().first(stream_header::size);
  const auto proof = read_fixed<signature>(proof_.bytes().last(signature::size));
  const auto claimed = signing_input_of(role::initiator, transcript_of(hello_.bytes(), answer_, header));
  if (!context_.keys->verify(*initiator_, claimed, proof)) return failed(link_error::bad_signature);
  channel_->start_receiving(secrets_->receiving, read_fixed<stream_header>(header));
  handshake_step step;
  step.channel = std::move(channel_);
  channel_.reset();
  return step;
}

link_error responder_handshake::at_end_of_bytes() const {
  return hello_.is_partial() || proof_.is_partial() ? link_error::truncated : link_error::closed;
}

}  // namespace hypermesh::links
