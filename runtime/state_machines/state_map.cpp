#include <hypermesh/large_state.hpp>

#include "runtime/state_machines/authenticated_map.hpp"

namespace hypermesh {

static_assert(state_map::key_bytes_max == machines::authenticated_map::key_bytes_max);
static_assert(state_map::value_bytes_max == machines::authenticated_map::value_bytes_max);

struct state_map::parts {
  machines::authenticated_map map;
};

state_map::state_map() : parts_(std::make_unique<parts>()) {}
state_map::~state_map() = default;
state_map::state_map(state_map&&) noexcept = default;
state_map& state_map::operator=(state_map&&) noexcept = default;

std::optional<byte_span> state_map::find(byte_span key) const {
  if (key.empty()) return std::nullopt;
  return parts_->map.find(key);
}

bool state_map::put(byte_span key, byte_span value) {
  if (key.empty() || key.size() > key_bytes_max || value.size() > value_bytes_max) return false;
  (void)parts_->map.put(key, value);
  return true;
}

bool state_map::erase(byte_span key) { return !key.empty() && parts_->map.erase(key); }

std::uint64_t state_map::size() const { return parts_->map.size(); }
std::uint64_t state_map::content_bytes() const { return parts_->map.content_bytes(); }

void state_map::for_each_after(byte_span after, byte_span prefix,
                               const std::function<bool(byte_span key, byte_span value)>& visit) const {
  parts_->map.for_each_after(after, prefix, visit);
}

state_snapshot state_map::snapshot() { return parts_->map.snapshot(); }
std::shared_ptr<frozen_state> state_map::freeze() { return parts_->map.freeze(); }
digest state_map::root() { return parts_->map.root(); }
or_reason<void> state_map::restore(const state_snapshot& snapshot) { return parts_->map.restore(snapshot); }

}  // namespace hypermesh
