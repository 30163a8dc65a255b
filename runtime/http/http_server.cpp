#include "runtime/http/http_server.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdio>

#include <fmt/format.h>
#include <microhttpd.h>

#include "messages/require.hpp"
#include "runtime/base/private_file.hpp"
#include "runtime/base/steady_moment.hpp"
#include "runtime/http/page_files.hpp"
#include "runtime/links/listening.hpp"

namespace hypermesh::http {

namespace {

constexpr std::size_t event_block_bytes = std::size_t{4} * 1024;
constexpr std::chrono::milliseconds watch_interval{250};
constexpr std::chrono::seconds keep_alive_interval{5};

/// TLS 1.2 and 1.3. The library's own choice includes TLS 1.0 and 1.1, which RFC 8996 forbids.
constexpr const char* tls_priorities = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

/// Runs what the library or a thread calls. No exception may pass through the library, which is written in C, nor end
/// the process. False after an exception.
template <class Body>
bool contained(const Body& body) noexcept {
  try {
    body();
    return true;
  } catch (...) {
    return false;
  }
}

/// The last complaint of the library, for the error of a start that failed. Complaints of a running server are dropped
/// before they cost anything, because strangers cause them.
struct complaint {
  std::mutex guard;
  std::string text;
  std::atomic<bool> is_wanted = true;

  static void note(void* into, const char* format, va_list arguments) {
    auto& self = *static_cast<complaint*>(into);
    if (!self.is_wanted) return;
    std::array<char, 256> line{};
    const int written = std::vsnprintf(line.data(), line.size(), format, arguments);
    if (written <= 0) return;
    (void)contained([&] {
      const std::scoped_lock lock{self.guard};
      self.text = line.data();
      while (self.text.ends_with('\n'))
        self.text.pop_back();
    });
  }
};

/// Whether the other side has ended the connection, and all that it sent was read.
bool is_left(int socket) {
  char next = 0;
  return ::recv(socket, &next, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

std::uint16_t port_of(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6*>(&address)->sin6_port);
  return ntohs(reinterpret_cast<const sockaddr_in*>(&address)->sin_port);
}

std::string_view header_of(MHD_Connection* connection, const char* name) {
  const char* value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
  return value == nullptr ? std::string_view{} : std::string_view{value};
}

http_request request_of(MHD_Connection* connection, const char* url, const char* method) {
  http_request asked;
  asked.method = method;
  asked.path = url;
  constexpr std::string_view key = "verbose";
  const char* value = nullptr;
  std::size_t value_size = 0;
  asked.is_verbose = MHD_lookup_connection_value_n(connection, MHD_GET_ARGUMENT_KIND, key.data(), key.size(), &value,
                                                   &value_size) == MHD_YES;
  asked.host = header_of(connection, MHD_HTTP_HEADER_HOST);
  asked.authorization = header_of(connection, MHD_HTTP_HEADER_AUTHORIZATION);
  asked.if_none_match = header_of(connection, MHD_HTTP_HEADER_IF_NONE_MATCH);
  return asked;
}

/// One event client, owned by its response. Ends the subscription.
class event_reader {
 public:
  event_reader(MHD_Connection* connection, std::shared_ptr<event_stream> events,
               std::shared_ptr<event_subscription> client)
      : connection_(connection), events_(std::move(events)), client_(std::move(client)) {}
  ~event_reader() {
    (void)contained([this] { events_->unsubscribe(client_); });
  }
  event_reader(const event_reader&) = delete;
  event_reader& operator=(const event_reader&) = delete;

  static ssize_t read(void* self, std::uint64_t, char* into, std::size_t size) {
    ssize_t count = MHD_CONTENT_READER_END_WITH_ERROR;
    (void)contained([&] { count = static_cast<const event_reader*>(self)->read(into, size); });
    return count;
  }
  static void release(void* self) { delete static_cast<event_reader*>(self); }

 private:
  [[nodiscard]] ssize_t read(char* into, std::size_t size) const {
    std::size_t count = 0;
    const auto sleep = [this] { MHD_suspend_connection(connection_); };
    const auto wake = [connection = connection_] { MHD_resume_connection(connection); };
    switch (client_->read(into, size, count, sleep, wake)) {
      case event_subscription::outcome::bytes:
        return static_cast<ssize_t>(count);
      case event_subscription::outcome::empty:
        return 0;
      case event_subscription::outcome::over:
        return MHD_CONTENT_READER_END_OF_STREAM;
    }
    return MHD_CONTENT_READER_END_WITH_ERROR;
  }

  MHD_Connection* connection_;
  std::shared_ptr<event_stream> events_;
  std::shared_ptr<event_subscription> client_;
};

void delete_page(void* page) { delete static_cast<std::string*>(page); }

void add_headers(MHD_Response* response, const http_response& answer) {
  const auto add = [response](const char* name, std::string_view value) {
    (void)MHD_add_response_header(response, name, std::string{value}.c_str());
  };
  add(MHD_HTTP_HEADER_CONTENT_TYPE, answer.content_type);
  add(MHD_HTTP_HEADER_CACHE_CONTROL, answer.cache_control);
  if (!answer.etag.empty()) add(MHD_HTTP_HEADER_ETAG, answer.etag);
  add("X-Content-Type-Options", "nosniff");
  // One request for each connection, so that the age of a connection bounds the time of its request.
  add(MHD_HTTP_HEADER_CONNECTION, "close");
  if (answer.is_page) {
    for (const auto& each : page_headers)
      add(each.name, each.value);
  }
  if (!answer.header_name.empty()) add(std::string{answer.header_name}.c_str(), answer.header_value);
}

}  // namespace

struct http_server::library {
  complaint last;
  MHD_Daemon* daemon = nullptr;
  /// The library keeps pointers to these texts.
  std::string certificate;
  std::string key;
};

struct http_server::callbacks {
  /// Waits for the turn of a connection or answer, or for the end of the server. All others wait too, and new
  /// connections stay in the backlog, which is bounded.
  static void pace(http_server& of, protocol::token_bucket& bucket, std::chrono::microseconds period) {
    while (!bucket.take(paced_at_once, 1, period, steady_moment())) {
      std::unique_lock lock{of.guard_};
      if (of.stopping_.wait_for(lock, period, [&] { return of.is_stopping_; })) return;
    }
  }

  static MHD_Result answer(void* self, MHD_Connection* connection, const char* url, const char* method, const char*,
                           const char*, std::size_t*, void**) {
    auto queued = MHD_NO;
    (void)contained(
        [&] { queued = respond(*static_cast<http_server*>(self), connection, request_of(connection, url, method)); });
    return queued;
  }

  static MHD_Result respond(http_server& of, MHD_Connection* connection, const http_request& asked);

  static void note_connection(void* self, MHD_Connection* connection, void**, MHD_ConnectionNotificationCode what) {
    auto& server = *static_cast<http_server*>(self);
    auto& watch = server.watch_;
    const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    const bool is_noted = contained([&] {
      if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        // A header that is too long costs the library as much as an answer.
        if (!watch.note_closed(connection)) pace(server, server.answer_pace_, answer_period);
        return;
      }
      pace(server, server.connection_pace_, connection_period);
      if (info != nullptr) watch.note_opened(connection, info->connect_fd, connection_watch::clock::now());
    });
    // Without an entry, nothing would bound the time of the connection.
    if (!is_noted && info != nullptr) (void)::shutdown(info->connect_fd, SHUT_RDWR);
  }
};

http_server::http_server(const http_settings& settings, router routes, std::shared_ptr<event_stream> events)
    : routes_(std::move(routes)),
      events_(std::move(events)),
      watch_(settings.request_timeout),
      library_(std::make_unique<library>()) {}

or_error<std::unique_ptr<http_server>> http_server::start(const http_settings& settings, router routes,
                                                          std::shared_ptr<event_stream> events) {
  std::unique_ptr<http_server> server{new http_server{settings, std::move(routes), std::move(events)}};
  if (auto done = server->open(settings); !done) return failure_of(done);
  server->watcher_ = std::thread{[self = server.get()] { self->watch(); }};
  return server;
}

or_error<void> http_server::open(const http_settings& settings) {
  auto& with = *library_;
  unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
  std::vector<MHD_OptionItem> options;
  if (!settings.tls_certificate.empty()) {
    auto certificate = read_small_file(settings.tls_certificate, pem_bytes_max);
    if (!certificate) return failure_of(certificate);
    auto key = read_private_file(settings.tls_key, pem_bytes_max);
    if (!key) return failure_of(key);
    with.certificate = std::move(*certificate);
    with.key = std::move(*key);
    flags |= MHD_USE_TLS;
    options.push_back({MHD_OPTION_HTTPS_MEM_CERT, 0, with.certificate.data()});
    options.push_back({MHD_OPTION_HTTPS_MEM_KEY, 0, with.key.data()});
    options.push_back({MHD_OPTION_HTTPS_PRIORITIES, 0, const_cast<char*>(tls_priorities)});
  }
  options.push_back({MHD_OPTION_END, 0, nullptr});
  auto listening = links::open_listening_socket(settings.listen);
  if (!listening) return failure_of(listening);
  port_ = port_of(listening->descriptor());
  // At the limit of connections the library stops accepting. With the usual backlog of 4,096, a flood would fill it
  // with connections that all have to expire before the next client is served.
  if (::listen(listening->descriptor(), static_cast<int>(settings.connections_max)) != 0) {
    return failed_to("listen on", to_string(settings.listen), errno);
  }
  // The library closes the socket that it is given, also when it fails.
  const int given = ::fcntl(listening->descriptor(), F_DUPFD_CLOEXEC, 0);
  if (given < 0) return failed_to("duplicate the socket of", to_string(settings.listen), errno);
  const auto silent_for = std::max<std::int64_t>(1, settings.request_timeout.count() / 1'000);
  with.daemon = MHD_start_daemon(flags, 0, nullptr, nullptr, callbacks::answer, this,                           //
                                 MHD_OPTION_EXTERNAL_LOGGER, complaint::note, &with.last,                       //
                                 MHD_OPTION_NOTIFY_CONNECTION, callbacks::note_connection, this,                //
                                 MHD_OPTION_LISTEN_SOCKET, given,                                               //
                                 MHD_OPTION_CONNECTION_LIMIT, static_cast<unsigned>(settings.connections_max),  //
                                 MHD_OPTION_PER_IP_CONNECTION_LIMIT,
                                 static_cast<unsigned>(settings.connections_per_address_max),       //
                                 MHD_OPTION_CONNECTION_TIMEOUT, static_cast<unsigned>(silent_for),  //
                                 MHD_OPTION_CONNECTION_MEMORY_LIMIT, memory_per_connection,         //
                                 MHD_OPTION_STRICT_FOR_CLIENT, 1,                                   //
                                 MHD_OPTION_ARRAY, options.data(), MHD_OPTION_END);
  with.last.is_wanted = false;
  if (with.daemon != nullptr) return {};
  return tl::unexpected(
      world_error{fmt::format("the HTTP server on {} cannot start: {}", to_string(settings.listen),
                              with.last.text.empty() ? "the library gives no reason" : with.last.text),
                  settings.tls_certificate.empty()
                      ? "raise the limits of threads and open files, or set 'enabled' of [http] to false"
                      : "check that tls_certificate and tls_key of [http] are PEM files that belong together",
                  fault_origin::configuration});
}

std::uint64_t open_files_of(const http_settings& settings) {
  constexpr std::uint64_t other_files_of_server = 5;
  return settings.enabled ? settings.connections_max + other_files_of_server : 0;
}

MHD_Result http_server::callbacks::respond(http_server& of, MHD_Connection* connection, const http_request& asked) {
  of.watch_.note_request(connection);
  pace(of, of.answer_pace_, answer_period);
  auto answer = of.routes_.answer(asked);
  of.answers_[static_cast<std::size_t>(answer.meaning)].fetch_add(1, std::memory_order_relaxed);
  MHD_Response* response = nullptr;
  if (answer.events) {
    auto reader = std::make_unique<event_reader>(connection, of.events_, answer.events);
    of.watch_.note_stream(connection, answer.events);
    response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, event_block_bytes, event_reader::read, reader.get(),
                                                 event_reader::release);
    if (response != nullptr) (void)reader.release();
  } else {
    // The response owns the page: one page is in memory per connection, and not a copy beside it for a moment.
    auto page = std::make_unique<std::string>(std::move(answer.body));
    response =
        MHD_create_response_from_buffer_with_free_callback_cls(page->size(), page->data(), delete_page, page.get());
    if (response != nullptr) (void)page.release();
  }
  if (response == nullptr) return MHD_NO;
  add_headers(response, answer);
  const auto queued = MHD_queue_response(connection, answer.status, response);
  MHD_destroy_response(response);
  return queued;
}

void http_server::watch() {
  auto next_keep_alive = connection_watch::clock::now() + keep_alive_interval;
  std::unique_lock lock{guard_};
  while (!stopping_.wait_for(lock, watch_interval, [this] { return is_stopping_; })) {
    const auto now = connection_watch::clock::now();
    // The library notices the end of the socket and closes the connection.
    (void)contained([&] {
      watch_.cut_useless(now, is_left, [](int descriptor) { (void)::shutdown(descriptor, SHUT_RDWR); });
      if (now < next_keep_alive) return;
      next_keep_alive = now + keep_alive_interval;
      events_->keep_alive();
    });
  }
}

http_counts http_server::counts() const {
  http_counts out;
  for (std::size_t index = 0; index < answers_.size(); ++index)
    out.answers[index] = answers_[index].load(std::memory_order_relaxed);
  out.connections = watch_.open();
  out.connections_cut = watch_.late();
  return out;
}

void http_server::stop() {
  {
    const std::scoped_lock lock{guard_};
    if (is_stopping_) return;
    is_stopping_ = true;
  }
  stopping_.notify_all();
  if (watcher_.joinable()) watcher_.join();
  // The library requires that no connection sleeps when it stops.
  events_->stop();
  if (library_->daemon != nullptr) MHD_stop_daemon(library_->daemon);
  library_->daemon = nullptr;
}

http_server::~http_server() { stop(); }

}  // namespace hypermesh::http
