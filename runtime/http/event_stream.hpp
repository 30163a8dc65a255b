#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "messages/layers.hpp"

/// Server-sent events: one publisher, few subscribers with bounded queues. Thread-safe, without sockets.
namespace hypermesh::http {

/// The events that wait for one client. The publisher never waits: a client whose queue is full is dropped.
/// Memory: `bytes_max`.
class event_subscription {
 public:
  static constexpr std::size_t bytes_max = std::size_t{64} * 1024;

  /// What a reader gets.
  enum class outcome {
    /// `into` has bytes to send.
    bytes,
    /// Nothing waits. The wake function will be called once when that changes.
    empty,
    /// The client is dropped, or the node stops.
    over,
  };

  /// Moves at most `size` waiting bytes to `into`. If nothing waits, calls `sleep` while it holds the lock, so that no
  /// event can be published between the look at the queue and the sleep. `wake` is called later, at most once, without
  /// the lock.
  [[nodiscard]] outcome read(char* into, std::size_t size, std::size_t& count, const std::function<void()>& sleep,
                             std::function<void()> wake);

  /// Adds an event and wakes the reader. False if the queue is full; the client is then dropped.
  bool push(const std::shared_ptr<const std::string>& event);
  /// Ends the subscription and wakes the reader.
  void end();
  [[nodiscard]] bool is_over() const;
  [[nodiscard]] std::size_t bytes_waiting() const;

 private:
  mutable std::mutex guard_;
  std::deque<std::shared_ptr<const std::string>> waiting_;
  /// The bytes of the first event that were read already.
  std::size_t read_ = 0;
  std::size_t bytes_ = 0;
  bool is_over_ = false;
  /// Set while the reader sleeps.
  std::function<void()> wake_;
};

/// Who reads a stream. Both have a limit of their own, so that open pages displace no program.
enum class audience : std::uint8_t {
  /// A program that reads the events of `/api/v1/events`.
  program,
  /// A page that reads its snapshots and its tape of `/api/v1/live`.
  page,
};
inline constexpr auto audience_last = audience::page;

/// Gives each event to all subscribers of its audience.
class event_stream {
 public:
  explicit event_stream(std::size_t clients_max, std::size_t pages_max = 0) : clients_max_{clients_max, pages_max} {}

  /// A new client. Null if there are as many as allowed, or if the node stops.
  [[nodiscard]] std::shared_ptr<event_subscription> subscribe(audience as = audience::program);
  void unsubscribe(const std::shared_ptr<event_subscription>& client);

  /// Publishes an event with a name and one line of JSON. Never blocks. Events have no numbers, because a client that
  /// connects again could not ask for those that it missed: it reads the present state instead.
  void publish(const std::string& name, const std::string& data, audience to = audience::program);
  /// Publishes a comment, which keeps connections open and finds clients that are gone.
  void keep_alive();
  /// Ends all subscriptions, and admits no more. After it nothing wakes a reader.
  void stop();

  [[nodiscard]] std::size_t clients(audience as = audience::program) const;
  [[nodiscard]] std::uint64_t dropped() const;

 private:
  struct subscriber {
    audience as = audience::program;
    std::shared_ptr<event_subscription> client;
  };

  /// `to` is empty for all audiences.
  void send(const std::shared_ptr<const std::string>& text, std::optional<audience> to);
  /// The caller holds `guard_`.
  [[nodiscard]] std::size_t count(audience as) const;

  /// By audience.
  const std::array<std::size_t, static_cast<std::size_t>(audience_last) + 1> clients_max_;
  /// Held while clients are woken, so that `stop` returns only when no thread is about to wake one. The HTTP library
  /// never takes it.
  std::mutex sending_;
  mutable std::mutex guard_;
  std::vector<subscriber> clients_;
  std::uint64_t dropped_ = 0;
  bool is_stopped_ = false;
};

}  // namespace hypermesh::http
