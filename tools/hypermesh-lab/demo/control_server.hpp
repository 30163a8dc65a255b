#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "runtime/http/routes.hpp"
#include "tools/hypermesh-lab/demo/control_requests.hpp"
#include "tools/hypermesh-lab/demo/order_inbox.hpp"

namespace hypermesh::lab {

/// Serves the page of a node with a control panel, on a port of 127.0.0.1 that belongs to the laboratory. The page's
/// files are those of the product, the panel's files are embedded in this binary only, and `/api/v1/…` is answered by a
/// node of the demonstration. So the browser sees one origin, and the content-security-policy stays that of the page.
///
/// Each connection has a thread, because a stream waits for its node and an order for the main thread. Memory:
/// `connections_max` threads, each with 16 KiB of the library and one piece of an answer.
class control_server {
 public:
  static constexpr unsigned connections_max = 64;

  /// Orders go to `orders`, which must live longer. The error says what the system lacks.
  [[nodiscard]] static or_error<std::unique_ptr<control_server>> start(order_inbox& orders);

  /// Ends all connections.
  ~control_server();
  control_server(const control_server&) = delete;
  control_server& operator=(const control_server&) = delete;

  /// The address of the page, with the key behind #, which a browser does not send to any server.
  [[nodiscard]] std::string address() const;

  /// From now on the panel shows this state, and the page shows the node whose HTTP server has this port. Pages that
  /// listen to another node are told to connect again. Thread-safe.
  void publish(std::string state, std::uint16_t node_port);

 private:
  struct callbacks;
  struct library;
  struct file {
    std::string content;
    std::string_view type;
  };

  explicit control_server(order_inbox& orders);
  [[nodiscard]] or_error<void> open();
  [[nodiscard]] http::http_response answer(const control_request& asked, std::string_view body);
  [[nodiscard]] http::http_response answer_order(std::string_view body);
  [[nodiscard]] http::http_response answer_file(std::string_view path) const;

  order_inbox* orders_;
  std::string key_;
  /// The files by path, made once.
  std::map<std::string, file, std::less<>> files_;
  std::mutex guard_;
  std::string state_ = "{}";
  std::atomic<std::uint16_t> node_port_ = 0;
  std::atomic<bool> is_stopping_ = false;
  std::uint16_t port_ = 0;
  std::unique_ptr<library> library_;
};

}  // namespace hypermesh::lab
