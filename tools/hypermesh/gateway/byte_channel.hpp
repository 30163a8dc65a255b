#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>

#include "runtime/base/durable_file.hpp"

namespace hypermesh::cli {

/// The result of a read or a write that does not block.
struct channel_result {
  enum class state : std::uint8_t { moved, would_block, ended };

  state outcome = state::would_block;
  /// Bytes that were read or written; above 0 exactly for `moved`.
  std::size_t bytes = 0;
};

/// The socket of one client, plain or with TLS. It never blocks. One thread uses it.
class byte_channel {
 public:
  virtual ~byte_channel() = default;
  [[nodiscard]] virtual int descriptor() const = 0;
  /// `ended` if the client sends nothing more, or if the connection failed.
  [[nodiscard]] virtual channel_result read(std::span<char> into) = 0;
  /// `ended` if the connection failed. After `would_block` the same bytes have to be written again.
  [[nodiscard]] virtual channel_result write(std::string_view bytes) = 0;
  /// Whether bytes wait in memory that the socket does not announce.
  [[nodiscard]] virtual bool has_buffered() const { return false; }
  /// Whether the channel waits for the socket to become writable, for a handshake.
  [[nodiscard]] virtual bool wants_to_write() const { return false; }
  /// Tells the client that nothing follows.
  virtual void end_output() = 0;
};

[[nodiscard]] std::unique_ptr<byte_channel> plain_channel(base::open_file socket);

/// The certificate and key of a server. Immutable after it was read; channels share it.
class tls_credentials {
 public:
  /// Reads PEM files of at most 1 MiB. No other user may read the key.
  [[nodiscard]] static or_error<std::unique_ptr<tls_credentials>> read(const std::filesystem::path& certificate,
                                                                       const std::filesystem::path& key);
  virtual ~tls_credentials() = default;

  /// A channel whose first reads do the handshake, with TLS 1.2 or 1.3.
  [[nodiscard]] virtual std::unique_ptr<byte_channel> accept(base::open_file socket) const = 0;
};

}  // namespace hypermesh::cli
