#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "actors/ports.hpp"
#include "messages/expected.hpp"
#include "messages/types.hpp"

/// The Ed25519 identities of replicas and clients, and their files.
namespace hypermesh {

/// Prepares libsodium; idempotent and safe from several threads. The functions here call it by themselves.
void initialise_crypto();

/// The secret key of one principal (I16). It lives in guarded memory only: locked against swapping where
/// the system's limits allow it, left out of core dumps, read-only from creation on, wiped on
/// destruction. There is no way to print or copy it. Memory: four pages.
class secret_key {
 public:
  /// A new key from the system's randomness.
  [[nodiscard]] static secret_key generate();

  /// The key that a 32-byte seed gives; the caller wipes the seed. For simulations, tests and files.
  [[nodiscard]] static secret_key from_seed(byte_span seed);

  ~secret_key();
  secret_key(secret_key&& other) noexcept;
  secret_key& operator=(secret_key&& other) noexcept;
  secret_key(const secret_key&) = delete;
  secret_key& operator=(const secret_key&) = delete;

  [[nodiscard]] const public_key& public_half() const { return public_half_; }

  /// An Ed25519 signature. Safe from several threads at once.
  [[nodiscard]] signature sign(byte_span bytes) const;

 private:
  friend or_error<void> write_secret_key(const std::filesystem::path& path, const secret_key& key);

  secret_key() = default;

  /// seed ‖ public key, as libsodium wants it.
  std::byte* bytes_ = nullptr;
  public_key public_half_;
};

/// Whether `key` is an Ed25519 public key of the prime-order group. A key of small order would verify signatures that
/// nobody made.
[[nodiscard]] bool is_sound(const public_key& key);

/// The longest key file that is read, in bytes.
inline constexpr std::size_t key_file_bytes_max = 1'024;

/// Writes a new key file of mode 0600 with the lines
///
///     hypermesh secret key, keep it private
///     ed25519
///     <64 hexadecimal digits>
///
/// Atomic and durable: the file appears complete or not at all. Never replaces a file.
[[nodiscard]] or_error<void> write_secret_key(const std::filesystem::path& path, const secret_key& key);

/// Reads a file that `write_secret_key` wrote. Refuses everything but a regular file of this user that nobody else can
/// read or write. A symbolic link is followed, and its target is checked.
[[nodiscard]] or_error<secret_key> read_secret_key(const std::filesystem::path& path);

/// A public key from 64 hexadecimal digits, as configuration files hold it.
[[nodiscard]] or_error<public_key> parse_public_key(std::string_view text);

/// Keeps this process's memory out of core dumps and away from debuggers of the same user. Call at the start of a
/// process that loads a secret key.
[[nodiscard]] or_error<void> disable_core_dumps();

}  // namespace hypermesh
