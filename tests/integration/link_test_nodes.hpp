#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/io/middleman.hpp>
#include <caf/send.hpp>

#include "runtime/links/links.hpp"
#include "tests/runtime/link_test_members.hpp"

/// Nodes with real sockets on the loopback interface, and strangers whose connections the test drives itself.
namespace hypermesh::testing::link_test {

/// Waits until `holds` is true. Returns false after a time that is exceeded only if the test fails.
inline bool eventually(const std::function<bool()>& holds, std::chrono::seconds patience = std::chrono::seconds{30}) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  }
  return true;
}

inline frame_ptr frame_of(std::string_view text) { return std::make_shared<const byte_vector>(to_byte_vector(text)); }

inline std::size_t open_descriptors() {
  const auto all = std::filesystem::directory_iterator{"/proc/self/fd"};
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

/// Collects the messages that the actors behind the links received. Any thread may use it.
class inbox {
 public:
  void take(const incoming_frame& in) {
    const std::scoped_lock lock{mutex_};
    ++frame_count_;
    frame_bytes_ += in.frame->size();
    if (frames_.size() < 1'000) frames_.emplace_back(in.sender, std::string{as_text(*in.frame)});
    if (holds_credit_) credit_.push_back(in.credit);
    if (echoes_) caf::anon_send(in.via, outgoing_frame{in.frame});
  }
  void take(const link_changed& change) {
    const std::scoped_lock lock{mutex_};
    if (change.up) {
      up_.insert(change.replica.value);
      ++ups_;
    } else {
      up_.erase(change.replica.value);
      down_.insert(change.replica.value);
    }
  }
  void take(const client_link_opened& opened) {
    const std::scoped_lock lock{mutex_};
    ++opened_;
    sessions_[opened.client.value].push_back(opened.via);
  }
  void take(const client_link_closed& closed) {
    const std::scoped_lock lock{mutex_};
    ++closed_;
    std::erase(sessions_[closed.client.value], closed.via);
  }
  void take(const counters_reported&) {
    const std::scoped_lock lock{mutex_};
    ++reports_;
  }
  void take(const client_links& links) {
    const std::scoped_lock lock{mutex_};
    client_peers_ = links.peers->size();
  }

  void echo(bool on) { set(echoes_, on); }
  void hold_credit(bool on) {
    set(holds_credit_, on);
    std::vector<inbound_credit> released;
    const std::scoped_lock lock{mutex_};
    if (!on) released.swap(credit_);
  }
  /// Releases the credit that is held now, and continues to hold the credit of new frames.
  void release_credit() {
    std::vector<inbound_credit> released;
    const std::scoped_lock lock{mutex_};
    released.swap(credit_);
  }

  [[nodiscard]] std::size_t frame_count() const { return get(frame_count_); }
  [[nodiscard]] std::size_t frame_bytes() const { return get(frame_bytes_); }
  [[nodiscard]] std::size_t links_up() const {
    const std::scoped_lock lock{mutex_};
    return up_.size();
  }
  [[nodiscard]] std::size_t ups() const { return get(ups_); }
  /// The number of links that were reported as closed.
  [[nodiscard]] std::size_t downs() const { return get(down_).size(); }
  [[nodiscard]] std::size_t opened() const { return get(opened_); }
  [[nodiscard]] std::size_t closed() const { return get(closed_); }
  [[nodiscard]] std::size_t reports() const { return get(reports_); }
  [[nodiscard]] std::size_t client_peers() const { return get(client_peers_); }
  [[nodiscard]] std::vector<peer_actor> sessions_of(std::uint32_t client) const {
    const std::scoped_lock lock{mutex_};
    const auto found = sessions_.find(client);
    return found == sessions_.end() ? std::vector<peer_actor>{} : found->second;
  }
  [[nodiscard]] std::vector<std::pair<principal, std::string>> frames() const { return get(frames_); }
  [[nodiscard]] bool has(const std::string& text) const {
    const auto all = frames();
    return std::any_of(all.begin(), all.end(), [&text](const auto& entry) { return entry.second == text; });
  }

 private:
  template <class Value>
  Value get(const Value& value) const {
    const std::scoped_lock lock{mutex_};
    return value;
  }
  void set(bool& flag, bool on) {
    const std::scoped_lock lock{mutex_};
    flag = on;
  }

  mutable std::mutex mutex_;
  std::size_t frame_count_ = 0;
  std::size_t frame_bytes_ = 0;
  std::size_t ups_ = 0;
  std::size_t opened_ = 0;
  std::size_t closed_ = 0;
  std::size_t reports_ = 0;
  std::size_t client_peers_ = 0;
  bool echoes_ = false;
  bool holds_credit_ = false;
  std::vector<std::pair<principal, std::string>> frames_;
  std::vector<inbound_credit> credit_;
  std::set<std::uint32_t> up_;
  std::set<std::uint32_t> down_;
  std::map<std::uint32_t, std::vector<peer_actor>> sessions_;
};

/// One actor that stands in for ingress, executor, monitor and client.
inline caf::behavior probe(caf::event_based_actor*, std::shared_ptr<inbox> box) {
  return {
      [box](const incoming_frame& in) { box->take(in); },
      [box](const link_changed& change) { box->take(change); },
      [box](const client_link_opened& opened) { box->take(opened); },
      [box](const client_link_closed& closed) { box->take(closed); },
      [box](const counters_reported& report) { box->take(report); },
      [box](const client_links& links) { box->take(links); },
  };
}

struct network_config : caf::actor_system_config {
  network_config() {
    load<caf::io::middleman>();
    set("scheduler.max-threads", std::size_t{2});
  }
};

/// Short time-outs that make tests fast. No test depends on their exact length.
inline link_limits quick_limits() {
  link_limits limits;
  limits.redial_delay_min = std::chrono::milliseconds{5};
  limits.redial_delay_max = std::chrono::milliseconds{50};
  limits.farewell_timeout = std::chrono::milliseconds{200};
  limits.report_interval = std::chrono::milliseconds{20};
  return limits;
}

using ports = std::vector<std::uint16_t>;

inline link_settings settings_of(std::shared_ptr<const authenticator> keys, const ports& known, link_limits limits,
                                 const std::string& host = "127.0.0.1") {
  link_settings settings;
  settings.cluster = cluster_of(1);
  settings.keys = std::move(keys);
  settings.replicas.resize(replica_count);
  for (std::size_t number = 0; number < known.size(); ++number)
    settings.replicas[number] = {host, known[number]};
  settings.client_count = client_count;
  settings.limits = limits;
  return settings;
}

/// A replica's links in their own actor system.
struct replica_node {
  network_config config;
  caf::actor_system system{config};
  std::shared_ptr<inbox> box = std::make_shared<inbox>();
  replica_links links;

  explicit replica_node(std::uint32_t number, const ports& known = {}, link_limits limits = quick_limits(),
                        std::uint16_t port = 0, const std::string& host = "127.0.0.1")
      : replica_node(authenticator_of(principal::of(replica_id{number})), known, limits, port, host) {}

  replica_node(std::shared_ptr<const authenticator> keys, const ports& known, link_limits limits, std::uint16_t port,
               const std::string& host = "127.0.0.1") {
    probe_ = system.spawn(probe, box);
    auto started = start_replica_links(system, settings_of(std::move(keys), known, limits, host), {"127.0.0.1", port},
                                       {caf::actor_cast<ingress_actor>(probe_), caf::actor_cast<executor_actor>(probe_),
                                        caf::actor_cast<monitor_actor>(probe_)});
    links = std::move(*started);
  }
  ~replica_node() { stop(); }

  bool stop() {
    const bool stopped = stop_links_and_wait(system, links.actors);
    caf::anon_send_exit(probe_, caf::exit_reason::kill);
    return stopped;
  }

  void send(std::uint32_t to, const frame_ptr& frame) const { caf::anon_send(links.peers[to], outgoing_frame{frame}); }
  [[nodiscard]] std::uint64_t count(link_count what) const { return links.counters->of(what); }
  [[nodiscard]] std::uint64_t count(link_error reason) const { return links.counters->of(reason); }

 private:
  caf::actor probe_;
};

/// A client's links in their own actor system.
struct client_node {
  network_config config;
  caf::actor_system system{config};
  std::shared_ptr<inbox> box = std::make_shared<inbox>();
  client_links_handle links;

  client_node(std::uint32_t number, const ports& known, link_limits limits = quick_limits()) {
    probe_ = system.spawn(probe, box);
    links = start_client_links(system, settings_of(authenticator_of(principal::of(client_id{number})), known, limits),
                               caf::actor_cast<client_actor>(probe_));
  }
  ~client_node() { stop(); }

  bool stop() {
    const bool stopped = stop_links_and_wait(system, links.actors);
    caf::anon_send_exit(probe_, caf::exit_reason::kill);
    return stopped;
  }

 private:
  caf::actor probe_;
};

/// A TCP connection that the test drives itself.
class raw_connection {
 public:
  explicit raw_connection(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  }
  ~raw_connection() { ::close(socket_); }
  raw_connection(const raw_connection&) = delete;
  raw_connection& operator=(const raw_connection&) = delete;

  [[nodiscard]] bool connected() const { return connected_; }

  bool send(byte_span bytes) const {
    while (!bytes.empty()) {
      const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes = bytes.subspan(static_cast<std::size_t>(sent));
    }
    return true;
  }
  bool send(const wire_buffer& bytes) const { return send(std::as_bytes(std::span{bytes})); }

  /// Receives some bytes; none when the other side closed the connection or nothing arrived in 30 s.
  [[nodiscard]] byte_vector receive() const {
    pollfd ready{socket_, POLLIN, 0};
    if (::poll(&ready, 1, 30'000) <= 0) return {};
    byte_vector bytes(16 * 1024);
    const auto count = ::recv(socket_, bytes.data(), bytes.size(), 0);
    bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return bytes;
  }

  /// Whether the other side closes the connection. All bytes that it sends before are dropped.
  [[nodiscard]] bool is_closed_by_other_side() const {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{30};
    while (std::chrono::steady_clock::now() < deadline) {
      if (receive().empty()) {
        char byte = 0;
        return ::recv(socket_, &byte, 1, MSG_DONTWAIT) >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
      }
    }
    return false;
  }

  void finish_writing() const { ::shutdown(socket_, SHUT_WR); }

 private:
  int socket_;
  bool connected_ = false;
};

/// A principal whose handshake the test makes itself. Afterwards the test decides what the principal sends.
struct raw_link {
  raw_connection wire;
  std::optional<secure_channel> channel;

  raw_link(std::shared_ptr<const authenticator> keys, std::uint32_t to, std::uint16_t port) : wire(port) {
    initiator_handshake handshake{context_of(std::move(keys)), principal::of(replica_id{to}), seed_of(5)};
    wire.send(handshake.hello());
    while (!channel) {
      const auto bytes = wire.receive();
      if (bytes.empty()) return;
      auto step = handshake.feed(bytes);
      if (step.error) return;
      wire.send(step.send);
      channel = std::move(step.channel);
    }
  }

  bool send(std::string_view text) {
    wire_buffer out;
    channel->seal(as_byte_span(text), out);
    return wire.send(out);
  }

  /// The next frame that is not a keepalive; empty at the end of the connection.
  std::string receive_frame() {
    while (pending_.empty()) {
      const auto bytes = wire.receive();
      if (bytes.empty()) return {};
      auto received = channel->feed(bytes);
      for (const auto& frame : received.frames)
        pending_.emplace_back(as_text(*frame));
      if (received.error) return {};
    }
    auto first = pending_.front();
    pending_.erase(pending_.begin());
    return first;
  }

 private:
  std::vector<std::string> pending_;
};

}  // namespace hypermesh::testing::link_test
