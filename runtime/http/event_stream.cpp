#include "runtime/http/event_stream.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/format.h>

namespace hypermesh::http {

event_subscription::outcome event_subscription::read(char* into, std::size_t size, std::size_t& count,
                                                     const std::function<void()>& sleep, std::function<void()> wake) {
  const std::scoped_lock lock{guard_};
  count = 0;
  if (is_over_) return outcome::over;
  while (count < size && !waiting_.empty()) {
    const auto& first = *waiting_.front();
    const auto part = std::min(size - count, first.size() - read_);
    std::memcpy(into + count, first.data() + read_, part);
    count += part;
    read_ += part;
    bytes_ -= part;
    if (read_ < first.size()) break;
    waiting_.pop_front();
    read_ = 0;
  }
  if (count > 0) return outcome::bytes;
  sleep();
  wake_ = std::move(wake);
  return outcome::empty;
}

bool event_subscription::push(const std::shared_ptr<const std::string>& event) {
  std::function<void()> wake;
  bool fits = false;
  {
    const std::scoped_lock lock{guard_};
    if (is_over_) return false;
    fits = bytes_ + event->size() <= bytes_max;
    if (fits) {
      waiting_.push_back(event);
      bytes_ += event->size();
    } else {
      // The memory is released at once, although the connection may take some time to close.
      waiting_.clear();
      bytes_ = 0;
      is_over_ = true;
    }
    wake = std::exchange(wake_, nullptr);
  }
  if (wake) wake();
  return fits;
}

void event_subscription::end() {
  std::function<void()> wake;
  {
    const std::scoped_lock lock{guard_};
    is_over_ = true;
    waiting_.clear();
    bytes_ = 0;
    wake = std::exchange(wake_, nullptr);
  }
  if (wake) wake();
}

bool event_subscription::is_over() const {
  const std::scoped_lock lock{guard_};
  return is_over_;
}

std::size_t event_subscription::bytes_waiting() const {
  const std::scoped_lock lock{guard_};
  return bytes_;
}

std::size_t event_stream::count(audience as) const {
  return static_cast<std::size_t>(std::ranges::count(clients_, as, &subscriber::as));
}

std::shared_ptr<event_subscription> event_stream::subscribe(audience as) {
  const std::scoped_lock lock{guard_};
  if (is_stopped_ || count(as) >= clients_max_[static_cast<std::size_t>(as)]) return nullptr;
  auto client = std::make_shared<event_subscription>();
  // A client that lost its connection waits this long before it connects again.
  (void)client->push(std::make_shared<const std::string>("retry: 3000\n\n"));
  clients_.push_back({as, client});
  return client;
}

void event_stream::unsubscribe(const std::shared_ptr<event_subscription>& client) {
  const std::scoped_lock lock{guard_};
  std::erase_if(clients_, [&](const subscriber& each) { return each.client == client; });
}

void event_stream::send(const std::shared_ptr<const std::string>& text, std::optional<audience> to) {
  const std::scoped_lock sending{sending_};
  std::vector<std::shared_ptr<event_subscription>> clients;
  {
    const std::scoped_lock lock{guard_};
    if (is_stopped_) return;
    for (const auto& each : clients_) {
      if (!to || each.as == *to) clients.push_back(each.client);
    }
  }
  // Without the inner lock, because waking a reader enters the HTTP library, which may be about to call `unsubscribe`.
  std::uint64_t lost = 0;
  for (const auto& each : clients) {
    if (!each->is_over() && !each->push(text)) ++lost;
  }
  if (lost == 0) return;
  const std::scoped_lock lock{guard_};
  dropped_ += lost;
}

void event_stream::publish(const std::string& name, const std::string& data, audience to) {
  if (clients(to) == 0) return;
  send(std::make_shared<const std::string>(fmt::format("event: {}\ndata: {}\n\n", name, data)), to);
}

void event_stream::keep_alive() { send(std::make_shared<const std::string>(": keep-alive\n\n"), std::nullopt); }

void event_stream::stop() {
  const std::scoped_lock sending{sending_};
  std::vector<subscriber> clients;
  {
    const std::scoped_lock lock{guard_};
    is_stopped_ = true;
    clients = clients_;
  }
  for (const auto& each : clients)
    each.client->end();
}

std::size_t event_stream::clients(audience as) const {
  const std::scoped_lock lock{guard_};
  return count(as);
}

std::uint64_t event_stream::dropped() const {
  const std::scoped_lock lock{guard_};
  return dropped_;
}

}  // namespace hypermesh::http
