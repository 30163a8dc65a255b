#include "runtime/links/inbound_window.hpp"

#include "messages/require.hpp"

namespace hypermesh::links {

struct inbound_window::credit {
  std::shared_ptr<inbound_window> window;
  std::size_t bytes = 0;

  credit(std::shared_ptr<inbound_window> from, std::size_t amount) : window(std::move(from)), bytes(amount) {}
  credit(const credit&) = delete;
  credit& operator=(const credit&) = delete;
  ~credit() { window->release(bytes); }
};

std::shared_ptr<void> inbound_window::take(std::size_t frame_bytes) {
  const auto bytes = frame_bytes + frame_overhead_bytes;
  outstanding_.fetch_add(bytes);
  return std::make_shared<credit>(shared_from_this(), bytes);
}

bool inbound_window::must_halt() {
  halted_.store(true);
  if (outstanding_.load() > bytes_max_ / 2) return true;
  // The thread that resets the flag acts on it. If a releasing thread was faster, it is about to call `reopened`.
  return !halted_.exchange(false);
}

void inbound_window::release(std::size_t bytes) {
  const auto before = outstanding_.fetch_sub(bytes);
  require(before >= bytes, "credit returns once");
  if (before - bytes > bytes_max_ / 2) return;
  if (halted_.load() && halted_.exchange(false)) reopened_();
}

}  // namespace hypermesh::links
