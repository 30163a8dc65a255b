#include "tools/hypermesh-lab/demo/link_relay.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include <fmt/format.h>

#include "runtime/links/listening.hpp"
#include "tools/hypermesh/local_cluster/local_cluster.hpp"

namespace hypermesh::lab {

namespace {

constexpr auto loopback = "127.0.0.1";

bool is_temporary(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

void send_at_once(int socket) {
  const int on = 1;
  (void)::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/// Whether the dialer has given up this connection while nobody accepted it.
bool is_left(int socket) {
  pollfd asked{socket, POLLRDHUP, 0};
  return ::poll(&asked, 1, 0) > 0;
}

}  // namespace

/// One turn of the thread: which sockets to wait for, and what to do with those that are ready.
class link_relay::turn {
 public:
  explicit turn(int wake) { watch(wake, POLLIN); }

  /// Returns the index of the socket, for `ready`.
  std::size_t watch(int socket, int events) {
    asked_.push_back({socket, static_cast<short>(events), 0});
    return asked_.size() - 1;
  }
  void wait() { (void)::poll(asked_.data(), asked_.size(), -1); }
  [[nodiscard]] int ready(std::size_t index) const { return asked_[index].revents; }

  /// Moves bytes in both directions. False if the connection is over or broken.
  [[nodiscard]] bool forward(connection& of, std::size_t dialer, std::size_t target) const {
    const auto at_dialer = ready(dialer);
    const auto at_target = ready(target);
    if (((at_dialer | at_target) & (POLLERR | POLLNVAL)) != 0) return false;
    // A side that has ended and takes no more bytes is gone.
    if ((at_dialer & POLLHUP) != 0 && of.up.source_ended) return false;
    if ((at_target & POLLHUP) != 0 && of.down.source_ended) return false;
    return move(of.up, of.dialer, of.target, at_dialer) && move(of.down, of.target, of.dialer, at_target) &&
           !(of.up.target_told && of.down.target_told);
  }

  /// The events that a direction waits for at its source and at its target.
  static int reading(const flow& of) { return of.bytes.empty() && !of.source_ended ? POLLIN : 0; }
  static int writing(const flow& of) { return of.bytes.empty() ? 0 : POLLOUT; }

 private:
  /// Moves bytes from `source` to `target`. False if one of them is broken.
  static bool move(flow& of, const open_file& source, const open_file& target, int source_ready) {
    if ((source_ready & (POLLIN | POLLHUP)) != 0 && of.bytes.empty() && !of.source_ended) {
      of.bytes.resize(buffer_bytes);
      const auto count = ::recv(source.descriptor(), of.bytes.data(), of.bytes.size(), MSG_DONTWAIT);
      of.bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
      of.begin = 0;
      if (count == 0) of.source_ended = true;
      if (count < 0 && !is_temporary(errno)) return false;
    }
    while (of.begin < of.bytes.size()) {
      const auto count = ::send(target.descriptor(), of.bytes.data() + of.begin, of.bytes.size() - of.begin,
                                MSG_NOSIGNAL | MSG_DONTWAIT);
      if (count < 0 && is_temporary(errno)) return true;
      if (count < 0) return false;
      of.begin += static_cast<std::size_t>(count);
    }
    of.bytes.clear();
    if (of.source_ended && !of.target_told) {
      of.target_told = true;
      (void)::shutdown(target.descriptor(), SHUT_WR);
    }
    return true;
  }

  std::vector<pollfd> asked_;
};

or_error<std::unique_ptr<link_relay>> link_relay::start(std::vector<relayed_link> links) {
  std::unique_ptr<link_relay> relay{new link_relay};
  const auto ports = cli::free_ports(links.size());
  if (ports.size() < links.size()) {
    return tl::unexpected(
        world_error{fmt::format("fewer than {} ports of {} are free", links.size(), loopback), "end other programs"});
  }
  for (std::size_t index = 0; index < links.size(); ++index) {
    auto opened = links::open_listening_socket({loopback, ports[index]});
    if (!opened) return failure_of(opened);
    // The dialers of a link that is cut wait in the backlog, so it is short.
    (void)::listen(opened->descriptor(), static_cast<int>(connections_max));
    relay->links_.push_back({links[index], std::move(*opened), ports[index], {}});
  }
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
    return tl::unexpected(world_error{"no file descriptor is available", "raise the limit: ulimit -n 4096"});
  }
  relay->wake_reader_ = open_file{ends[0]};
  relay->wake_writer_ = open_file{ends[1]};
  relay->thread_ = std::thread{[self = relay.get()] { self->serve(); }};
  return relay;
}

link_relay::~link_relay() {
  {
    const std::scoped_lock lock{guard_};
    is_stopping_ = true;
  }
  if (!thread_.joinable()) return;
  wake();
  thread_.join();
}

std::uint16_t link_relay::port_of(std::uint32_t dialer, std::uint32_t target) const {
  const auto found = std::ranges::find_if(
      links_, [&](const link& each) { return each.ends.dialer == dialer && each.ends.target == target; });
  return found == links_.end() ? std::uint16_t{0} : found->port;
}

void link_relay::divide(const replica_groups& groups) {
  {
    const std::scoped_lock lock{guard_};
    groups_ = groups;
  }
  wake();
}

void link_relay::wake() const {
  const char any = 0;
  // A full pipe wakes the thread too.
  (void)!::write(wake_writer_.descriptor(), &any, 1);
}

void link_relay::accept_at(link& at) {
  open_file dialer{::accept4(at.listening.descriptor(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
  if (!dialer.is_open() || is_left(dialer.descriptor())) return;
  const auto address = links::parse_address(loopback, at.ends.target_port);
  if (!address) return;
  auto target = links::start_connecting(*address).socket;
  if (!target.is_open()) return;
  send_at_once(dialer.descriptor());
  send_at_once(target.descriptor());
  at.connections.push_back({std::move(dialer), std::move(target), {}, {}});
}

void link_relay::watch(turn& now, const replica_groups& groups, std::vector<watched>& connections,
                       std::vector<std::pair<link*, std::size_t>>& ports) {
  for (auto& each : links_) {
    // Nobody reads, writes or accepts on a link that is cut.
    if (groups.separate(each.ends.dialer, each.ends.target)) continue;
    if (each.connections.size() < connections_max)
      ports.emplace_back(&each, now.watch(each.listening.descriptor(), POLLIN));
    for (auto at = each.connections.begin(); at != each.connections.end(); ++at) {
      const auto dialer = now.watch(at->dialer.descriptor(), turn::reading(at->up) | turn::writing(at->down));
      const auto target = now.watch(at->target.descriptor(), turn::reading(at->down) | turn::writing(at->up));
      connections.push_back({&each, at, dialer, target});
    }
  }
}

void link_relay::serve() {
  for (;;) {
    replica_groups groups;
    {
      const std::scoped_lock lock{guard_};
      if (is_stopping_) return;
      groups = groups_;
    }
    turn now{wake_reader_.descriptor()};
    std::vector<watched> connections;
    std::vector<std::pair<link*, std::size_t>> ports;
    watch(now, groups, connections, ports);
    now.wait();
    std::array<char, 64> waking{};
    while (::read(wake_reader_.descriptor(), waking.data(), waking.size()) > 0) {
    }
    for (const auto& [at, which, dialer, target] : connections) {
      if (!now.forward(*which, dialer, target)) at->connections.erase(which);
    }
    for (const auto& [at, index] : ports) {
      if ((now.ready(index) & POLLIN) != 0) accept_at(*at);
    }
  }
}

}  // namespace hypermesh::lab
