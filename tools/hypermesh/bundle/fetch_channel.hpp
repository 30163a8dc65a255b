#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "messages/expected.hpp"
#include "runtime/base/durable_file.hpp"

/// The bytes between this process and the HTTP server of a node, with and without TLS. All calls end at one deadline.
namespace hypermesh::cli {

using fetch_clock = std::chrono::steady_clock;

/// Waits until the socket can do what `events` of poll() says. Returns false at the deadline.
[[nodiscard]] bool waits_for(int socket, short events, fetch_clock::time_point deadline);

/// A connection that sends one question and receives one answer.
class fetch_channel {
 public:
  virtual ~fetch_channel() = default;

  [[nodiscard]] or_reason<void> send_all(std::string_view bytes);
  /// Everything until the server ends the connection. More than `bytes_max` is an error.
  [[nodiscard]] or_reason<std::string> receive_all(std::size_t bytes_max);

 protected:
  fetch_channel(base::open_file socket, fetch_clock::time_point deadline)
      : socket_(std::move(socket)), deadline_(deadline) {}

  [[nodiscard]] int socket() const { return socket_.descriptor(); }
  [[nodiscard]] fetch_clock::time_point deadline() const { return deadline_; }

  /// Like send() and recv(): the number of bytes, 0 at the end, or -1 with `errno`; EAGAIN means to wait.
  virtual std::ptrdiff_t write_some(std::string_view bytes) = 0;
  virtual std::ptrdiff_t read_some(char* into, std::size_t size) = 0;
  /// What poll() has to wait for after EAGAIN, if not the usual.
  [[nodiscard]] virtual short events_for(short usual) const { return usual; }

 private:
  base::open_file socket_;
  fetch_clock::time_point deadline_;
};

/// Opens the channel on a connected socket that does not block. If `certificate` is not empty, the channel uses TLS,
/// and the server must have the first certificate of that file.
[[nodiscard]] or_reason<std::unique_ptr<fetch_channel>> open_channel(base::open_file socket,
                                                                     const std::filesystem::path& certificate,
                                                                     fetch_clock::time_point deadline);

}  // namespace hypermesh::cli
