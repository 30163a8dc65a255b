#include "actors/protocol/admission/system_queue.hpp"

#include <algorithm>

#include "messages/require.hpp"

namespace hypermesh {

bool system_queue::was_executed(request_id name) const { return std::ranges::find(executed_, name) != executed_.end(); }

const request* system_queue::find(request_id name) const {
  const auto found = std::ranges::find(pending_, name, [](const auto& each) { return each.content.id; });
  return found == pending_.end() ? nullptr : &found->content;
}

const system_queue::pending_request& system_queue::get(request_id name) const {
  const auto found = std::ranges::find(pending_, name, [](const auto& each) { return each.content.id; });
  require(found != pending_.end(), "the system request is pending");
  return *found;
}

void system_queue::add(const request& value, microseconds_t now) {
  require(find(value.id) == nullptr, "a system request is added once");
  require(!was_executed(value.id), "an executed system request is not pending again");
  if (pending_.empty()) waits_since_ = now;
  pending_.push_back({value, now});
  bytes_ += value.raw.view.size();
  ++waiting_;
}

const request* system_queue::next() const {
  const auto found = std::ranges::find(pending_, false, &pending_request::is_proposed);
  require((found == pending_.end()) == (waiting_ == 0), "the count is that of the requests in no batch");
  return found == pending_.end() ? nullptr : &found->content;
}

void system_queue::propose_next() {
  const auto found = std::ranges::find(pending_, false, &pending_request::is_proposed);
  require(found != pending_.end(), "only a system request that waits is proposed");
  require(waiting_ > 0, "a system request that waits is counted");
  found->is_proposed = true;
  --waiting_;
}

void system_queue::wait_again(microseconds_t now) {
  for (auto& each : pending_) {
    each.is_proposed = false;
    each.since = now;
    // The new primary was given nothing yet.
    each.is_forwarded = false;
  }
  waiting_ = pending_.size();
  waits_since_ = now;
}

std::optional<request_id> system_queue::oldest() const {
  return pending_.empty() ? std::nullopt : std::optional{pending_.front().content.id};
}

std::optional<microseconds_t> system_queue::waits_since() const {
  return pending_.empty() ? std::nullopt : std::optional{waits_since_};
}

microseconds_t system_queue::since(request_id name) const { return get(name).since; }

bool system_queue::is_forwarded(request_id name) const { return get(name).is_forwarded; }

void system_queue::note_forwarded(request_id name, microseconds_t now) {
  const auto found = std::ranges::find(pending_, name, [](const auto& each) { return each.content.id; });
  require(found != pending_.end(), "only a pending system request is forwarded");
  if (found->is_forwarded) return;
  found->is_forwarded = true;
  found->since = now;
  if (found == pending_.begin()) waits_since_ = now;
}

void system_queue::on_executed(request_id name, microseconds_t now) {
  executed_.push_back(name);
  if (executed_.size() > names_executed_max) executed_.pop_front();
  drop(name, now);
}

void system_queue::drop(request_id name, microseconds_t now) {
  const auto found = std::ranges::find(pending_, name, [](const auto& each) { return each.content.id; });
  if (found == pending_.end()) return;
  require(bytes_ >= found->content.raw.view.size(), "the bytes of a pending system request are counted");
  bytes_ -= found->content.raw.view.size();
  if (!found->is_proposed) --waiting_;
  // Another oldest request starts another wait.
  if (found == pending_.begin()) waits_since_ = now;
  pending_.erase(found);
  require(waiting_ <= pending_.size(), "no more system requests wait than are pending");
}

std::vector<const request*> system_queue::all() const {
  std::vector<const request*> out;
  out.reserve(pending_.size());
  for (const auto& each : pending_)
    out.push_back(&each.content);
  return out;
}

}  // namespace hypermesh
