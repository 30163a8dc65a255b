#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "actors/protocol/admission/token_bucket.hpp"
#include "runtime/http/connection_watch.hpp"
#include "runtime/http/http_settings.hpp"
#include "runtime/http/routes.hpp"

namespace hypermesh::http {

/// The longest certificate chain or key that the server reads.
inline constexpr std::size_t pem_bytes_max = std::size_t{64} * 1024;

/// The rates of the server: so many at once, and then one each period, which is 400 connections and 100 answers a
/// second. A connection that ends without a whole request counts as an answer. Without these bounds a flood of requests
/// costs the replicas of the machine a third of their throughput.
inline constexpr std::uint64_t paced_at_once = 128;
inline constexpr std::chrono::microseconds connection_period{2'500};
inline constexpr std::chrono::microseconds answer_period{10'000};

/// The open files that a server with these settings needs at most: its connections, two for the listening socket, one
/// for the poller of the library, and two for the signal that wakes it. 0 if the server is off.
[[nodiscard]] std::uint64_t open_files_of(const http_settings& settings);

/// The numbers of a server, for its metrics.
struct http_counts {
  std::array<std::uint64_t, static_cast<std::size_t>(metrics::http_answer_last) + 1> answers{};
  std::uint64_t connections = 0;
  std::uint64_t connections_cut = 0;
};

/// An HTTP server over libmicrohttpd. It has one thread for all connections, and one that closes late connections and
/// keeps event streams alive. No actor runs on either of them or waits for them.
///
/// Memory: `connections_max` times (`memory_per_connection` and one answer), and the queue of each event client. Each
/// connection serves one request, so every connection ends within `request_timeout` unless it receives events.
class http_server {
 public:
  /// Listens on `settings.listen`; with port 0 the system chooses the port. The error says what is wrong with address,
  /// port, certificate or key.
  [[nodiscard]] static or_error<std::unique_ptr<http_server>> start(const http_settings& settings, router routes,
                                                                    std::shared_ptr<event_stream> events);

  /// Stops the server.
  ~http_server();
  http_server(const http_server&) = delete;
  http_server& operator=(const http_server&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] http_counts counts() const;

  /// Ends all connections and both threads. A second call does nothing.
  void stop();

 private:
  struct callbacks;
  struct library;

  http_server(const http_settings& settings, router routes, std::shared_ptr<event_stream> events);
  [[nodiscard]] or_error<void> open(const http_settings& settings);
  void watch();

  router routes_;
  std::shared_ptr<event_stream> events_;
  connection_watch watch_;
  /// Only the server's thread uses the paces.
  protocol::token_bucket connection_pace_;
  protocol::token_bucket answer_pace_;
  std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(metrics::http_answer_last) + 1> answers_{};
  std::unique_ptr<library> library_;
  std::uint16_t port_ = 0;

  std::mutex guard_;
  std::condition_variable stopping_;
  bool is_stopping_ = false;
  std::thread watcher_;
};

}  // namespace hypermesh::http
