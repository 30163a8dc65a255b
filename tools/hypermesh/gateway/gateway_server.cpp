#include "tools/hypermesh/gateway/gateway_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include <fmt/format.h>

#include "messages/require.hpp"
#include "runtime/links/listening.hpp"

namespace hypermesh::cli {

namespace {

using state = channel_result::state;

/// The keys of epoll events; connections have the numbers above.
constexpr connection_number listener_key = 0;
constexpr connection_number inbox_key = ~connection_number{0};

constexpr std::size_t chunk_bytes = std::size_t{64} * 1024;
constexpr duration tick_interval = 100ms;
/// How long the last bytes of a client are awaited after all replies were written.
constexpr duration linger_patience = 1s;
/// After this many seconds without a byte, the kernel asks whether the client still exists, as in Redis.
constexpr int keepalive_seconds = 300;
/// Connections that were answered and linger, besides those of the core.
constexpr std::size_t lingering_max = 256;

moment present() {
  return moment{std::chrono::duration_cast<duration>(std::chrono::steady_clock::now().time_since_epoch())};
}

std::string text_of(const sockaddr_storage& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.ss_family == AF_INET) {
    const auto& four = reinterpret_cast<const sockaddr_in&>(address);
    inet_ntop(AF_INET, &four.sin_addr, text.data(), text.size());
    return fmt::format("{}:{}", text.data(), ntohs(four.sin_port));
  }
  const auto& six = reinterpret_cast<const sockaddr_in6&>(address);
  inet_ntop(AF_INET6, &six.sin6_addr, text.data(), text.size());
  return fmt::format("[{}]:{}", text.data(), ntohs(six.sin6_port));
}

/// Bounds latency and finds clients that are gone. A failure of one of these options changes nothing else.
void set_options(int socket) {
  constexpr int on = 1;
  (void)setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  (void)setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  (void)setsockopt(socket, IPPROTO_TCP, TCP_KEEPIDLE, &keepalive_seconds, sizeof keepalive_seconds);
}

bool watch(int poller, int operation, int descriptor, connection_number key, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = key;
  return epoll_ctl(poller, operation, descriptor, &event) == 0;
}

}  // namespace

gateway_server::gateway_server(hosted_client& client, gateway_settings settings, gateway_identity identity,
                               const cluster_parameters& cluster)
    : client_(&client),
      core_(std::move(settings), std::move(identity), present()),
      watch_(client, cluster),
      chunk_(chunk_bytes),
      last_tick_(present()) {}

gateway_server::~gateway_server() = default;

or_error<std::unique_ptr<gateway_server>> gateway_server::open(const replica_address& listen,
                                                               std::unique_ptr<tls_credentials> tls,
                                                               hosted_client& client, gateway_settings settings,
                                                               gateway_identity identity,
                                                               const cluster_parameters& cluster) {
  identity.port = listen.port;
  std::unique_ptr<gateway_server> server{new gateway_server{client, std::move(settings), std::move(identity), cluster}};
  server->tls_ = std::move(tls);
  if (auto done = server->prepare(listen); !done) return failure_of(done);
  return server;
}

or_error<void> gateway_server::prepare(const replica_address& listen) {
  auto listening = links::open_listening_socket(listen);
  if (!listening) return failure_of(listening);
  listener_ = std::move(*listening);
  const auto backlog = static_cast<int>(core_.settings().connections_max);
  poller_ = base::open_file{epoll_create1(EPOLL_CLOEXEC)};
  const bool is_ready = ::listen(listener_.descriptor(), backlog) == 0 && poller_.is_open() &&
                        inbox_->descriptor() >= 0 &&
                        watch(poller_.descriptor(), EPOLL_CTL_ADD, listener_.descriptor(), listener_key, EPOLLIN) &&
                        watch(poller_.descriptor(), EPOLL_CTL_ADD, inbox_->descriptor(), inbox_key, EPOLLIN);
  if (!is_ready) return base::failed_to("serve on", to_string(listen), errno);
  port_ = listen.port;
  return {};
}

gateway_server::client_socket* gateway_server::find(connection_number number) {
  const auto found = sockets_.find(number);
  return found == sockets_.end() ? nullptr : &found->second;
}

void gateway_server::serve(duration patience) {
  constexpr int events_max = 128;
  std::array<epoll_event, events_max> events{};
  const auto wait = std::min(patience, tick_interval);
  const auto milliseconds = static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(wait).count());
  const int count = epoll_wait(poller_.descriptor(), events.data(), events_max, milliseconds);
  for (int index = 0; index < count; ++index) {
    const auto& event = events.at(static_cast<std::size_t>(index));
    const connection_number key = event.data.u64;
    if (key == listener_key) {
      accept_clients();
    } else if (key == inbox_key) {
      take_outcomes();
    } else if (auto* const of = find(key)) {
      if (of->lingers_until) {
        drop_input(key);
        continue;
      }
      if ((event.events & (EPOLLERR | EPOLLHUP)) != 0) {
        end(key);
        continue;
      }
      read_from(key);
      write_to(key);
    }
  }
  carry_out();
  tick();
}

void gateway_server::accept_clients() {
  // A few at a time, so that a flood of connections does not keep the others waiting.
  constexpr int accepted_max = 16;
  for (int count = 0; count < accepted_max; ++count) {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    base::open_file socket{
        accept4(listener_.descriptor(), reinterpret_cast<sockaddr*>(&address), &length, SOCK_NONBLOCK | SOCK_CLOEXEC)};
    if (!socket.is_open()) return;
    const int descriptor = socket.descriptor();
    set_options(descriptor);
    const bool has_room = sockets_.size() < core_.settings().connections_max + lingering_max;
    const auto number = has_room ? core_.on_accepted(text_of(address), present()) : std::nullopt;
    if (!number) {
      // A client with TLS cannot read the text, but it sees the end.
      const auto text = gateway_core::too_many_connections;
      (void)::send(descriptor, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      continue;
    }
    auto channel = tls_ ? tls_->accept(std::move(socket)) : plain_channel(std::move(socket));
    if (!channel || !watch(poller_.descriptor(), EPOLL_CTL_ADD, descriptor, *number, EPOLLIN)) {
      core_.on_closed(*number);
      continue;
    }
    sockets_.emplace(*number, client_socket{std::move(channel), EPOLLIN});
  }
}

void gateway_server::take_outcomes() {
  const auto now = present();
  for (const auto& [token, outcome] : inbox_->take())
    core_.on_outcome(token, outcome, now);
}

void gateway_server::read_from(connection_number number) {
  // A client that sends without end is read again when the others had their turn.
  constexpr int reads_max = 4;
  for (int count = 0; count < reads_max && core_.wants_input(number); ++count) {
    auto* const of = find(number);
    if (of == nullptr) return;
    const auto got = of->channel->read(chunk_);
    if (got.outcome == state::would_block) break;
    if (got.outcome == state::ended) {
      core_.on_input_ended(number, present());
      break;
    }
    core_.on_bytes(number, {chunk_.data(), got.bytes}, present());
  }
  settle(number);
}

void gateway_server::write_to(connection_number number) {
  auto* const of = find(number);
  if (of == nullptr || of->lingers_until) return;
  while (!core_.output(number).empty()) {
    const auto sent = of->channel->write(core_.output(number));
    if (sent.outcome == state::would_block) break;
    if (sent.outcome == state::ended) return end(number);
    core_.on_written(number, sent.bytes, present());
  }
  settle(number);
}

/// Waits for what the connection needs now, or begins its end.
void gateway_server::settle(connection_number number) {
  auto* const of = find(number);
  if (of == nullptr || of->lingers_until) return;
  if (core_.is_complete(number) && core_.output(number).empty()) {
    core_.on_closed(number);
    of->channel->end_output();
    of->lingers_until = present() + linger_patience;
    if (of->awaited != EPOLLIN &&
        !watch(poller_.descriptor(), EPOLL_CTL_MOD, of->channel->descriptor(), number, EPOLLIN))
      end(number);
    return;
  }
  std::uint32_t wanted = core_.wants_input(number) ? EPOLLIN : 0U;
  if (!core_.output(number).empty() || of->channel->wants_to_write()) wanted |= EPOLLOUT;
  if (wanted == of->awaited) return;
  of->awaited = wanted;
  if (!watch(poller_.descriptor(), EPOLL_CTL_MOD, of->channel->descriptor(), number, wanted)) end(number);
}

void gateway_server::drop_input(connection_number number) {
  auto* const of = find(number);
  // The bytes are dropped below TLS, because nobody reads them.
  const auto got = ::recv(of->channel->descriptor(), chunk_.data(), chunk_.size(), MSG_DONTWAIT);
  if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) end(number);
}

void gateway_server::end(connection_number number) {
  core_.on_closed(number);
  sockets_.erase(number);
}

/// Does what the core asks for, until it asks for nothing more: writing output lets connections go on.
void gateway_server::carry_out() {
  while (true) {
    auto effects = core_.take_effects();
    if (effects.submissions.empty() && effects.changed.empty()) return;
    for (auto& each : effects.submissions) {
      auto done = [inbox = inbox_, token = each.token](const submit_outcome& outcome) { inbox->put(token, outcome); };
      if (each.is_unordered) {
        client_->read(std::move(each.operation), std::move(done));
      } else {
        client_->submit(std::move(each.operation), std::move(done));
      }
    }
    for (const auto number : effects.changed) {
      write_to(number);
      auto* const of = find(number);
      if (of != nullptr && !of->lingers_until && of->channel->has_buffered()) read_from(number);
    }
  }
}

void gateway_server::tick() {
  const auto now = present();
  if (now - last_tick_ < tick_interval) return;
  last_tick_ = now;
  core_.on_tick(now);
  if (auto seen = watch_.look(now)) core_.on_cluster_view(std::move(*seen));
  std::vector<connection_number> late;
  for (const auto& [number, each] : sockets_) {
    if (each.lingers_until && now >= *each.lingers_until) late.push_back(number);
  }
  for (const auto number : late)
    end(number);
  carry_out();
}

void gateway_server::stop() {
  listener_ = base::open_file{};
  core_.on_stop(present());
  carry_out();
}

}  // namespace hypermesh::cli
