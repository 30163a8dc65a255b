#include "runtime/base/keys.hpp"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <sodium.h>

#include "messages/require.hpp"

namespace hypermesh::base {

namespace {

static_assert(public_key::size == crypto_sign_PUBLICKEYBYTES);
static_assert(signature::size == crypto_sign_BYTES);
static_assert(crypto_sign_SECRETKEYBYTES == crypto_sign_SEEDBYTES + crypto_sign_PUBLICKEYBYTES);

const unsigned char* raw(byte_span bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

}  // namespace

void initialise_crypto() { require(sodium_init() >= 0, "libsodium finds the system's randomness and guarded memory"); }

secret_key secret_key::from_seed(byte_span seed) {
  require(seed.size() == crypto_sign_SEEDBYTES, "a seed has 32 bytes");
  initialise_crypto();
  secret_key key;
  key.bytes_ = static_cast<std::byte*>(sodium_malloc(crypto_sign_SECRETKEYBYTES));
  require(key.bytes_ != nullptr, "there is memory for a key");
  crypto_sign_seed_keypair(reinterpret_cast<unsigned char*>(key.public_half_.bytes.data()),
                           reinterpret_cast<unsigned char*>(key.bytes_), raw(seed));
  // The memory stays readable between uses, because several threads sign at once. It is never writable after this call.
  require(sodium_mprotect_readonly(key.bytes_) == 0, "guarded memory can be protected");
  return key;
}

secret_key secret_key::generate() {
  initialise_crypto();
  const auto release = [](void* memory) { sodium_free(memory); };
  const std::unique_ptr<void, decltype(release)> seed{sodium_malloc(crypto_sign_SEEDBYTES), release};
  require(seed != nullptr, "there is memory for a seed");
  randombytes_buf(seed.get(), crypto_sign_SEEDBYTES);
  return from_seed({static_cast<const std::byte*>(seed.get()), crypto_sign_SEEDBYTES});
}

secret_key::~secret_key() {
  if (bytes_ != nullptr) sodium_free(bytes_);
}

secret_key::secret_key(secret_key&& other) noexcept
    : bytes_(std::exchange(other.bytes_, nullptr)), public_half_(other.public_half_) {}

secret_key& secret_key::operator=(secret_key&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  std::swap(public_half_, other.public_half_);
  return *this;
}

signature secret_key::sign(byte_span bytes) const {
  require(bytes_ != nullptr, "a key that was moved away does not sign");
  signature out;
  crypto_sign_detached(reinterpret_cast<unsigned char*>(out.bytes.data()), nullptr, raw(bytes), bytes.size(),
                       reinterpret_cast<const unsigned char*>(bytes_));
  return out;
}

bool is_sound(const public_key& key) {
  initialise_crypto();
  return crypto_core_ed25519_is_valid_point(raw(key.view())) == 1;
}

or_error<public_key> parse_public_key(std::string_view text) {
  public_key key;
  if (!from_hex(text, key.bytes)) {
    return tl::unexpected(world_error{fmt::format("\"{1}\" is not a public key of {0} hexadecimal digits",
                                                  2 * public_key::size, text.substr(0, 2 * public_key::size)),
                                      "copy the last line of the public key file"});
  }
  if (!is_sound(key)) {
    return tl::unexpected(
        world_error{fmt::format("{} is not a valid Ed25519 public key", text), "copy the key from its owner again"});
  }
  return key;
}

or_error<void> disable_core_dumps() {
  const rlimit none{0, 0};
  if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
    return tl::unexpected(world_error{fmt::format("core dumps cannot be disabled: {}", std::strerror(errno)),
                                      "start the process with: ulimit -c 0"});
  }
  return {};
}

}  // namespace hypermesh::base
