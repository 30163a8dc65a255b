#include "tools/hypermesh-lab/demo/control_server.hpp"

#include <netinet/in.h>

#include <array>
#include <chrono>

#include <fmt/format.h>
#include <microhttpd.h>
#include <sodium.h>
#include <nlohmann/json.hpp>

#include "messages/require.hpp"
#include "tools/hypermesh-lab/demo/control_files.hpp"
#include "tools/hypermesh-lab/demo/node_answer.hpp"

namespace hypermesh::lab {

namespace {

using http::http_response;

/// The end of the demonstration takes longest: it heals the last fault and compares the states.
constexpr std::chrono::seconds order_patience{240};
constexpr std::chrono::seconds node_patience{3};
constexpr std::size_t piece_bytes = std::size_t{4} * 1024;
constexpr unsigned silent_seconds_max = 90;
constexpr std::size_t key_bytes = 16;

/// The lines that the product's page lacks.
constexpr std::string_view panel_lines =
    "<link rel=\"stylesheet\" href=\"/lab/control.css\">\n"
    "<script type=\"module\" src=\"/lab/control.js\"></script>\n";

std::string random_key() {
  std::array<unsigned char, key_bytes> bytes{};
  randombytes_buf(bytes.data(), bytes.size());
  std::string text;
  for (const auto each : bytes)
    text += fmt::format("{:02x}", each);
  return text;
}

http_response refusal(const control_refusal& why) {
  http_response out;
  out.status = why.status;
  out.body = http::error_body(why.what, why.remedy);
  return out;
}

std::string_view header_of(MHD_Connection* connection, const char* name) {
  const char* value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
  return value == nullptr ? std::string_view{} : std::string_view{value};
}

void add_headers(MHD_Response* response, const http_response& answer) {
  const auto add = [response](const char* name, std::string_view value) {
    (void)MHD_add_response_header(response, name, std::string{value}.c_str());
  };
  add(MHD_HTTP_HEADER_CONTENT_TYPE, answer.content_type);
  add(MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
  add("X-Content-Type-Options", "nosniff");
  // A connection that waits for a next request would keep a thread.
  add(MHD_HTTP_HEADER_CONNECTION, "close");
  if (!answer.is_page) return;
  for (const auto& each : http::page_headers)
    add(each.name, each.value);
}

/// The body of an order while it arrives.
struct arriving_body {
  std::string bytes;
  bool is_too_long = false;
};

/// Runs what the library calls. No exception may pass through the library, which is written in C.
template <class Result, class Body>
Result contained(Result otherwise, const Body& body) noexcept {
  try {
    return body();
  } catch (...) {
    return otherwise;
  }
}

}  // namespace

struct control_server::library {
  MHD_Daemon* daemon = nullptr;
};

struct control_server::callbacks {
  /// An answer of a node on its way to a page.
  struct passage {
    const control_server* of;
    std::unique_ptr<node_answer> from;
    std::uint16_t node_port;
  };

  static ssize_t read(void* self, std::uint64_t, char* into, std::size_t size) {
    return contained<ssize_t>(MHD_CONTENT_READER_END_WITH_ERROR, [&]() -> ssize_t {
      const auto& at = *static_cast<passage*>(self);
      std::size_t count = 0;
      const auto done = at.from->read(into, size, count);
      if (done == node_answer::outcome::bytes) return static_cast<ssize_t>(count);
      // A node that was paused or cut off sends nothing; the page then follows another node.
      const bool is_current = !at.of->is_stopping_ && at.node_port == at.of->node_port_;
      if (done == node_answer::outcome::none_yet && is_current) return 0;
      return MHD_CONTENT_READER_END_OF_STREAM;
    });
  }
  static void release(void* self) { delete static_cast<passage*>(self); }

  static MHD_Result queue(MHD_Connection* connection, MHD_Response* response, const http_response& answer) {
    if (response == nullptr) return MHD_NO;
    add_headers(response, answer);
    const auto queued = MHD_queue_response(connection, answer.status, response);
    MHD_destroy_response(response);
    return queued;
  }

  static MHD_Result pass_on(const control_server& of, MHD_Connection* connection, std::string_view path) {
    const std::uint16_t port = of.node_port_;
    auto from = port == 0 ? nullptr : node_answer::ask(port, path, node_patience);
    if (!from) {
      auto none = refusal({503, "no replica with a page answers", "heal a replica, or wait some seconds"});
      return queue(connection, response_of(none), none);
    }
    http_response head;
    head.status = from->status();
    if (from->is_stream()) head.content_type = "text/event-stream";
    auto kept = std::make_unique<passage>(passage{&of, std::move(from), port});
    auto* response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, piece_bytes, read, kept.get(), release);
    if (response != nullptr) (void)kept.release();
    return queue(connection, response, head);
  }

  static MHD_Response* response_of(const http_response& answer) {
    return MHD_create_response_from_buffer(answer.body.size(), const_cast<char*>(answer.body.data()),
                                           MHD_RESPMEM_MUST_COPY);
  }

  static MHD_Result answer(void* self, MHD_Connection* connection, const char* url, const char* method, const char*,
                           const char* bytes, std::size_t* size, void** state) {
    return contained<MHD_Result>(MHD_NO, [&] {
      // The first call has the headers only.
      if (*state == nullptr) {
        *state = new arriving_body;
        return MHD_YES;
      }
      auto& body = *static_cast<arriving_body*>(*state);
      if (*size > 0) {
        body.is_too_long = body.is_too_long || body.bytes.size() + *size > order_bytes_max;
        if (!body.is_too_long) body.bytes.append(bytes, *size);
        *size = 0;
        return MHD_YES;
      }
      auto& of = *static_cast<control_server*>(self);
      const control_request asked{method, url, header_of(connection, MHD_HTTP_HEADER_HOST),
                                  header_of(connection, MHD_HTTP_HEADER_ORIGIN), header_of(connection, key_header)};
      const auto route = route_of(asked, of.key_);
      if (route && *route == control_route::node) return pass_on(of, connection, asked.path);
      const auto made = body.is_too_long ? refusal({413, "the order is too long", "send one action and one replica"})
                                         : of.answer(asked, body.bytes);
      return queue(connection, response_of(made), made);
    });
  }

  static void complete(void*, MHD_Connection*, void** state, MHD_RequestTerminationCode) {
    delete static_cast<arriving_body*>(*state);
    *state = nullptr;
  }
};

control_server::control_server(order_inbox& orders)
    : orders_(&orders), key_(random_key()), library_(std::make_unique<library>()) {
  for (const auto& each : http::page_files())
    files_[std::string{each.path}] = {std::string{each.content}, each.content_type};
  for (const auto& each : control_files())
    files_[std::string{each.path}] = {std::string{each.content}, each.content_type};
  auto& page = files_["/"].content;
  const auto at = page.find("</head>");
  require(at != std::string::npos, "the page has a head");
  page.insert(at, panel_lines);
}

or_error<std::unique_ptr<control_server>> control_server::start(order_inbox& orders) {
  std::unique_ptr<control_server> server{new control_server{orders}};
  if (auto done = server->open(); !done) return failure_of(done);
  return server;
}

or_error<void> control_server::open() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  library_->daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL, 0,
                                      nullptr, nullptr, callbacks::answer, this, MHD_OPTION_SOCK_ADDR,
                                      reinterpret_cast<sockaddr*>(&address),                      //
                                      MHD_OPTION_NOTIFY_COMPLETED, callbacks::complete, nullptr,  //
                                      MHD_OPTION_CONNECTION_LIMIT, connections_max,               //
                                      MHD_OPTION_CONNECTION_TIMEOUT, silent_seconds_max, MHD_OPTION_END);
  const auto* info =
      library_->daemon == nullptr ? nullptr : MHD_get_daemon_info(library_->daemon, MHD_DAEMON_INFO_BIND_PORT);
  if (info != nullptr) port_ = info->port;
  if (port_ != 0) return {};
  return tl::unexpected(world_error{"the server of the control page cannot start",
                                    "raise the limits of threads and open files: ulimit -u -n"});
}

control_server::~control_server() {
  is_stopping_ = true;
  // An order that still waits would keep its thread.
  orders_->close();
  if (library_->daemon != nullptr) MHD_stop_daemon(library_->daemon);
}

std::string control_server::address() const { return fmt::format("http://127.0.0.1:{}/#key={}", port_, key_); }

void control_server::publish(std::string state, std::uint16_t node_port) {
  node_port_ = node_port;
  const std::scoped_lock lock{guard_};
  state_ = std::move(state);
}

http_response control_server::answer_order(std::string_view body) {
  const auto order = parse_order(body);
  if (!order) return refusal({400, "the order is not understood", "send {\"action\": \"kill\", \"replica\": 0}"});
  const auto reply = orders_->send(*order, order_patience);
  http_response out;
  if (!reply) return refusal({409, reply.error().what, reply.error().remedy});
  out.body = nlohmann::ordered_json{{"done", *reply}}.dump() + "\n";
  return out;
}

http_response control_server::answer_file(std::string_view path) const {
  const auto found = files_.find(path);
  if (found == files_.end()) return refusal({404, "there is no such path", "open /"});
  http_response out;
  out.content_type = found->second.type;
  out.body = found->second.content;
  out.is_page = true;
  return out;
}

http_response control_server::answer(const control_request& asked, std::string_view body) {
  const auto route = route_of(asked, key_);
  if (!route) return refusal(route.error());
  if (*route == control_route::order) return answer_order(body);
  if (*route == control_route::file) return answer_file(asked.path);
  http_response out;
  const std::scoped_lock lock{guard_};
  out.body = state_;
  return out;
}

}  // namespace hypermesh::lab
