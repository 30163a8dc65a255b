#include "actors/protocol/admission/system_queue.hpp"

#include <algorithm>

#include "messages/require.hpp"

namespace hypermesh::protocol {

bool system_queue::was_executed(case_name name) const { return std::ranges::find(executed_, name) != executed_.end(); }

const system_request* system_queue::find(case_name name) const {
  // A linear search, because the evidence pool has at most 32 open cases (attack 33).
  const auto found = std::ranges::find(pending_, name, [](const auto& each) { return each.content.name; });
  return found == pending_.end() ? nullptr : &found->content;
}

const system_queue::pending_case& system_queue::get(case_name name) const {
  const auto found = std::ranges::find(pending_, name, [](const auto& each) { return each.content.name; });
  require(found != pending_.end(), "the system request is pending");
  return *found;
}

void system_queue::add(const system_request& value, moment now) {
  require(find(value.name) == nullptr, "a system request is added once");
  require(!was_executed(value.name), "an executed system request is not pending again");
  // The wait is that of the oldest system request, so a later one does not restart it.
  if (pending_.empty()) waits_since_ = now;
  pending_.push_back({value, now});
  bytes_ += value.raw.view.size();
  ++waiting_;
}

const system_request* system_queue::next() const {
  // A proposed case keeps its place in the queue, so that it comes first again in the next view.
  const auto found = std::ranges::find(pending_, false, &pending_case::is_proposed);
  require((found == pending_.end()) == (waiting_ == 0), "the count is that of the requests in no batch");
  return found == pending_.end() ? nullptr : &found->content;
}

void system_queue::propose_next() {
  const auto found = std::ranges::find(pending_, false, &pending_case::is_proposed);
  require(found != pending_.end(), "only a system request that waits is proposed");
  require(waiting_ > 0, "a system request that waits is counted");
  found->is_proposed = true;
  --waiting_;
}

void system_queue::wait_again(moment now) {
  for (auto& each : pending_) {
    // If the NEW-VIEW proposes the batch again, its execution removes the case.
    each.is_proposed = false;
    each.since = now;
    // This replica has not forwarded the case to the new primary yet.
    each.is_forwarded = false;
  }
  waiting_ = pending_.size();
  waits_since_ = now;
}

std::optional<case_name> system_queue::oldest() const {
  return pending_.empty() ? std::nullopt : std::optional{pending_.front().content.name};
}

std::optional<moment> system_queue::waits_since() const {
  return pending_.empty() ? std::nullopt : std::optional{waits_since_};
}

moment system_queue::since(case_name name) const { return get(name).since; }

bool system_queue::is_forwarded(case_name name) const { return get(name).is_forwarded; }

void system_queue::note_forwarded(case_name name, moment now) {
  const auto found = std::ranges::find(pending_, name, [](const auto& each) { return each.content.name; });
  require(found != pending_.end(), "only a pending system request is forwarded");
  if (found->is_forwarded) return;
  // The primary may not have had the case until now, so the time before does not count against the primary (attack 32).
  found->is_forwarded = true;
  found->since = now;
  if (found == pending_.begin()) waits_since_ = now;
}

void system_queue::on_executed(case_name name, moment now) {
  executed_.push_back(name);
  // A case whose name is forgotten may be ordered again. Every replica then skips it, because the ledgers know that the
  // case is settled.
  if (executed_.size() > names_executed_max) executed_.pop_front();
  drop(name, now);
}

void system_queue::drop(case_name name, moment now) {
  const auto found = std::ranges::find(pending_, name, [](const auto& each) { return each.content.name; });
  if (found == pending_.end()) return;
  require(bytes_ >= found->content.raw.view.size(), "the bytes of a pending system request are counted");
  bytes_ -= found->content.raw.view.size();
  if (!found->is_proposed) --waiting_;
  // If another request becomes the oldest, a new wait begins.
  if (found == pending_.begin()) waits_since_ = now;
  pending_.erase(found);
  require(waiting_ <= pending_.size(), "no more system requests wait than are pending");
}

std::vector<const system_request*> system_queue::all() const {
  std::vector<const system_request*> out;
  out.reserve(pending_.size());
  for (const auto& each : pending_)
    out.push_back(&each.content);
  return out;
}

}  // namespace hypermesh::protocol
