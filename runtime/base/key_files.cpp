#include <sys/stat.h>

#include <array>
#include <cstring>
#include <memory>

#include <fmt/format.h>
#include <sodium.h>

#include "messages/require.hpp"
#include "runtime/base/durable_file.hpp"
#include "runtime/base/keys.hpp"
#include "runtime/base/private_file.hpp"

/// Reads and writes key files. Secret content passes through guarded memory only, never through a string or a stream.
namespace hypermesh::base {

namespace {

constexpr std::string_view secret_header = "hypermesh secret key, keep it private\n";
constexpr std::string_view kind_line = "ed25519\n";
constexpr mode_t secret_mode = 0600;
constexpr std::size_t key_bytes = 32;
constexpr std::size_t digit_count = 2 * key_bytes;

static_assert(key_bytes == crypto_sign_SEEDBYTES && key_bytes == public_key::size);

/// Guarded memory that is wiped when the object is destroyed.
class guarded_bytes {
 public:
  explicit guarded_bytes(std::size_t size) : data_(static_cast<char*>(sodium_malloc(size))), size_(size) {
    require(data_ != nullptr, "there is guarded memory for a key file");
  }
  ~guarded_bytes() { sodium_free(data_); }
  guarded_bytes(const guarded_bytes&) = delete;
  guarded_bytes& operator=(const guarded_bytes&) = delete;

  [[nodiscard]] char* data() { return data_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::string_view text(std::size_t from, std::size_t count) const { return {data_ + from, count}; }

 private:
  char* data_;
  std::size_t size_;
};

// --- Reading -----------------------------------------------------------------

/// Reads the whole file into `content`. Returns the number of bytes, or the error.
or_error<std::size_t> read_file(const std::filesystem::path& path, guarded_bytes& content) {
  const auto file = open_private_file(path);
  if (!file) return failure_of(file);
  auto size = read_bytes(*file, path, {content.data(), content.size()});
  if (size && *size > key_file_bytes_max) {
    return tl::unexpected(
        world_error{fmt::format("{} has more than {} bytes, too long for a key file", quoted(path), key_file_bytes_max),
                    "name a file that `hypermesh keygen` wrote", fault_origin::configuration});
  }
  return size;
}

/// The offset of the hexadecimal digits in `content`, or an error. The error quotes nothing of the secret content.
or_error<std::size_t> find_digits(const std::filesystem::path& path, std::string_view content) {
  const auto bad_line = [&path](int line, std::string_view what) {
    return tl::unexpected(world_error{fmt::format("{}:{}: {}", quoted(path), line, what),
                                      "name a file that `hypermesh keygen` wrote", fault_origin::configuration});
  };
  if (!content.starts_with(secret_header)) {
    return bad_line(1, fmt::format("expected \"{}\"", secret_header.substr(0, secret_header.size() - 1)));
  }
  if (!content.substr(secret_header.size()).starts_with(kind_line)) return bad_line(2, "expected \"ed25519\"");
  const auto start = secret_header.size() + kind_line.size();
  auto digits = content.substr(start);
  if (digits.ends_with('\n')) digits.remove_suffix(1);
  if (digits.size() != digit_count) {
    return bad_line(3, fmt::format("expected exactly {} hexadecimal digits", digit_count));
  }
  return start;
}

/// Decodes the key of a file into `out`, which is guarded memory.
or_error<void> read_key(const std::filesystem::path& path, std::span<std::byte> out) {
  initialise_crypto();
  // The buffer has one byte more than allowed, to detect a file that is too long.
  guarded_bytes content{key_file_bytes_max + 1};
  const auto size = read_file(path, content);
  if (!size) return failure_of(size);
  const auto text = content.text(0, *size);
  const auto start = find_digits(path, text);
  if (!start) return failure_of(start);
  if (!from_hex(content.text(*start, digit_count), out)) {
    return tl::unexpected(
        world_error{fmt::format("{}:3: expected exactly {} hexadecimal digits", quoted(path), digit_count),
                    "restore the file from a backup", fault_origin::configuration});
  }
  return {};
}

}  // namespace

or_error<void> write_secret_key(const std::filesystem::path& path, const secret_key& key) {
  require(key.bytes_ != nullptr, "a key that was moved away is not written");
  initialise_crypto();
  const auto digits_start = secret_header.size() + kind_line.size();
  const auto size = digits_start + digit_count + 1;
  // sodium_bin2hex writes a zero byte at the end, which the line break replaces.
  guarded_bytes content{size};
  std::memcpy(content.data(), secret_header.data(), secret_header.size());
  std::memcpy(content.data() + secret_header.size(), kind_line.data(), kind_line.size());
  sodium_bin2hex(content.data() + digits_start, digit_count + 1, reinterpret_cast<const unsigned char*>(key.bytes_),
                 key_bytes);
  content.data()[size - 1] = '\n';
  return write_durable_file(path, content.text(0, size), secret_mode, existing_file::keep);
}

or_error<secret_key> read_secret_key(const std::filesystem::path& path) {
  initialise_crypto();
  guarded_bytes seed{key_bytes};
  const std::span<std::byte> out{reinterpret_cast<std::byte*>(seed.data()), key_bytes};
  if (auto done = read_key(path, out); !done) return failure_of(done);
  return secret_key::from_seed(out);
}

}  // namespace hypermesh::base
