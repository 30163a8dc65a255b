#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "actors/ports.hpp"
#include "messages/expected.hpp"
#include "messages/types.hpp"

/// The Ed25519 identities of replicas and clients, and their files.
namespace hypermesh::base {

/// Prepares libsodium. Repeated calls and calls from several threads are safe. The functions of this file call it
/// themselves.
void initialise_crypto();

/// The secret key of one principal (I16). The key is only in guarded memory: locked against swapping where the system's
/// limits allow it, left out of core dumps, read-only from creation on, wiped on destruction. No function prints or
/// copies the key. Memory: four pages.
class secret_key {
 public:
  /// Generates a key from the system's randomness.
  [[nodiscard]] static secret_key generate();

  /// Derives the key from a 32-byte seed, which the caller must wipe. For simulations, tests and files.
  [[nodiscard]] static secret_key from_seed(byte_span seed);

  ~secret_key();
  secret_key(secret_key&& other) noexcept;
  secret_key& operator=(secret_key&& other) noexcept;
  secret_key(const secret_key&) = delete;
  secret_key& operator=(const secret_key&) = delete;

  [[nodiscard]] const public_key& public_half() const { return public_half_; }

  /// Makes an Ed25519 signature. Several threads may call this at once.
  [[nodiscard]] signature sign(byte_span bytes) const;

 private:
  friend or_error<void> write_secret_key(const std::filesystem::path& path, const secret_key& key);

  secret_key() = default;

  /// seed ‖ public key, in the format of libsodium.
  std::byte* bytes_ = nullptr;
  public_key public_half_;
};

/// Whether `key` is an Ed25519 public key of the prime-order group. With a key of small order, forged signatures would
/// verify.
[[nodiscard]] bool is_sound(const public_key& key);

/// The size of the longest key file that is read, in bytes.
inline constexpr std::size_t key_file_bytes_max = 1'024;

/// Writes a new key file of mode 0600 with the lines
///
///     hypermesh secret key, keep it private
///     ed25519
///     <64 hexadecimal digits>
///
/// The write is atomic and durable: the file appears complete or not at all. An existing file is never replaced.
[[nodiscard]] or_error<void> write_secret_key(const std::filesystem::path& path, const secret_key& key);

/// Reads a file that `write_secret_key` wrote. Refuses every file except a regular file of this user that no other user
/// can read or write. A symbolic link is followed, and its target is checked.
[[nodiscard]] or_error<secret_key> read_secret_key(const std::filesystem::path& path);

/// Reads a public key from 64 hexadecimal digits, the format of configuration files.
[[nodiscard]] or_error<public_key> parse_public_key(std::string_view text);

/// Keeps this process's memory out of core dumps and away from debuggers of the same user. A process that loads a
/// secret key must call this first.
[[nodiscard]] or_error<void> disable_core_dumps();

}  // namespace hypermesh::base
