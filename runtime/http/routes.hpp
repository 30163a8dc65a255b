#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/http/bearer_token.hpp"
#include "runtime/http/event_stream.hpp"
#include "runtime/metrics/metric_table.hpp"

/// What the HTTP server answers to a request. Pure: `http_server` has the sockets.
namespace hypermesh::http {

/// A request as the server has parsed it. All texts are hostile, and live as long as the call.
struct http_request {
  std::string_view method;
  /// The path without the query.
  std::string_view path;
  /// Whether the query has the key `verbose`.
  bool is_verbose = false;
  /// The headers; empty if they are missing.
  std::string_view host;
  std::string_view authorization;
  std::string_view if_none_match;
};

struct http_response {
  unsigned status = 200;
  std::string body;
  std::string_view content_type = "application/json";
  /// A header that only some answers have, for example Allow; empty names are left out.
  std::string_view header_name;
  std::string_view header_value;
  std::string_view cache_control = "no-store";
  /// For answers that a browser keeps and asks for again.
  std::string_view etag;
  /// Whether a browser shows this answer as a document or runs it, so that it needs the headers of a page.
  bool is_page = false;
  /// The events that the connection receives from now on, instead of `body`.
  std::shared_ptr<event_subscription> events;
  metrics::http_answer meaning = metrics::http_answer::ok;
};

/// Who may read a route.
enum class access {
  /// Anybody who reaches the port: an answer of one word, or a file that is equal in every node.
  open,
  /// The same, but the verbose answer needs the token.
  open_unless_verbose,
  /// Only who shows the token, if the node has one.
  token,
};

/// One route. The answer must not block, because all connections share one thread.
struct route {
  std::string_view path;
  access needs = access::token;
  std::function<http_response(const http_request&)> answer;
};

/// The routes of a node and the checks before them.
class router {
 public:
  /// Without a token every request may read every route. The header Host must then name this machine itself, so that a
  /// web page cannot read a loopback port under a name of its own (DNS rebinding).
  router(std::vector<route> routes, std::optional<bearer_token> token)
      : routes_(std::move(routes)), token_(std::move(token)) {}

  [[nodiscard]] http_response answer(const http_request& asked) const;

 private:
  [[nodiscard]] bool admits(const route& to, const http_request& asked) const;

  std::vector<route> routes_;
  std::optional<bearer_token> token_;
};

/// {"error": WHAT, "fix": REMEDY} with a line break.
[[nodiscard]] std::string error_body(std::string_view what, std::string_view remedy);

/// Whether the header Host names a loopback address or localhost, with or without a port.
[[nodiscard]] bool names_this_machine(std::string_view host);

}  // namespace hypermesh::http
