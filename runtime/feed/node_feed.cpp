#include "runtime/feed/node_feed.hpp"

#include <deque>
#include <utility>

#include "actors/protocol/reputation/system_request.hpp"
#include "messages/codec.hpp"
#include "runtime/base/safe_text.hpp"
#include "runtime/base/steady_moment.hpp"
#include "runtime/patience.hpp"
namespace hypermesh::feed {

void node_feed::on_observation(const observation& what) {
  bool has_news = false;
  if (const auto* found = std::get_if<fault_proven>(&what)) note_evidence(*found);
  const auto now = base::steady_moment();
  {
    const std::scoped_lock lock{guard_};
    if (auto event = reader_.of(what, now)) {
      events_.add(std::move(*event));
      has_news = true;
    }
    has_news = note_operations(what) || has_news;
  }
  // Most observations are counters, some of which strangers cause. They wake nobody.
  if (has_news) tell();
}

void node_feed::note_evidence(const fault_proven& found) {
  if (keeps_ == kept_evidence::none || found.proof == nullptr) return;
  const auto claim = claim_in(*found.proof, cluster_);
  if (!claim || !std::holds_alternative<misbehaviour>(*claim)) return;
  // The frame has a quarter of the memory of the decoded evidence, or less.
  auto frame = reframe(system_request_for(*claim, found.proof));
  const std::scoped_lock lock{guard_};
  evidence_bytes_ += frame->size();
  evidence_.push_back({found.accused, std::move(frame)});
  while (evidence_.size() > evidence_max || evidence_bytes_ > evidence_bytes_max) {
    evidence_bytes_ -= evidence_.front().frame->size();
    evidence_.pop_front();
  }
}

bool node_feed::note_operations(const observation& what) {
  const auto before = operations_.end();
  if (const auto* done = std::get_if<batch_was_executed>(&what)) operations_.on_executed(*done);
  if (const auto* installed = std::get_if<state_was_installed>(&what)) operations_.on_passed(installed->sequence);
  if (const auto* resumed = std::get_if<execution_resumed>(&what)) operations_.on_passed(resumed->last_executed);
  return operations_.end() != before;
}

void node_feed::on_failure(const world_error& error) {
  add_event({0, event_kind::failed, {}, {}, principal::of(self_), base::visible_text(error.what)});
}

void node_feed::on_draining() {
  {
    const std::scoped_lock lock{guard_};
    if (std::exchange(is_draining_, true)) return;
  }
  add_event({0, event_kind::draining, {}, {}, principal::of(self_), "this replica is being drained"});
}

void node_feed::add_event(node_event what) {
  {
    const std::scoped_lock lock{guard_};
    events_.add(std::move(what));
  }
  tell();
}

void node_feed::close() {
  {
    const std::scoped_lock lock{guard_};
    is_closed_ = true;
  }
  tell();
}

void node_feed::tell() {
  changed_.notify_all();
  listener told;
  {
    const std::scoped_lock lock{guard_};
    told = listener_;
  }
  if (told) told();
}

void node_feed::set_listener(listener told) {
  const std::scoped_lock lock{guard_};
  listener_ = std::move(told);
}

std::vector<found_evidence> node_feed::evidence() const {
  const std::scoped_lock lock{guard_};
  return {evidence_.begin(), evidence_.end()};
}

operation_page node_feed::operations_from(operation_position from, page_limits limits) const {
  const std::scoped_lock lock{guard_};
  return operations_.read(from, limits);
}

event_page node_feed::events_from(std::uint64_t from, std::size_t max) const {
  const std::scoped_lock lock{guard_};
  return events_.read(from, max);
}

operation_position node_feed::operations_end() const {
  const std::scoped_lock lock{guard_};
  return operations_.end();
}

std::uint64_t node_feed::events_end() const {
  const std::scoped_lock lock{guard_};
  return events_.end();
}

bool node_feed::is_closed() const {
  const std::scoped_lock lock{guard_};
  return is_closed_;
}

operation_page node_feed::wait_for_operations(operation_position from, std::chrono::milliseconds patience) const {
  std::unique_lock lock{guard_};
  auto page = operations_.read(from);
  (void)changed_.wait_for(lock, runtime::bounded(patience), [&] {
    // Sequences without operations are passed here, so that they are not read again at each wake-up.
    if (page.items.empty()) page = operations_.read(page.next);
    return is_closed_ || !page.items.empty();
  });
  return page;
}

event_page node_feed::wait_for_events(std::uint64_t from, std::chrono::milliseconds patience) const {
  std::unique_lock lock{guard_};
  (void)changed_.wait_for(lock, runtime::bounded(patience), [&] { return is_closed_ || from < events_.end(); });
  return events_.read(from, 64);
}

namespace {

class feed_events final : public event_stream {
 public:
  explicit feed_events(std::shared_ptr<const node_feed> from) : feed_(std::move(from)), next_(feed_->events_end()) {}

  std::optional<node_event> next(std::chrono::milliseconds patience) override {
    if (ready_.empty()) {
      auto page = feed_->wait_for_events(next_, patience);
      next_ = page.next;
      dropped_ += page.dropped;
      ready_.assign(page.events.begin(), page.events.end());
    }
    if (ready_.empty()) return std::nullopt;
    auto event = std::move(ready_.front());
    ready_.pop_front();
    return event;
  }

  [[nodiscard]] bool is_over() const override {
    // The feed is asked first: after it was closed, its end stays where it is.
    return ready_.empty() && feed_->is_closed() && next_ >= feed_->events_end();
  }

  [[nodiscard]] std::uint64_t dropped() const override { return dropped_; }

 private:
  std::shared_ptr<const node_feed> feed_;
  std::uint64_t next_;
  std::uint64_t dropped_ = 0;
  /// One page of events.
  std::deque<node_event> ready_;
};

class feed_operations final : public operation_stream {
 public:
  feed_operations(std::shared_ptr<const node_feed> from, operation_position first)
      : feed_(std::move(from)), next_(first), position_(first) {}

  std::optional<operation_item> next(std::chrono::milliseconds patience) override {
    if (ready_.empty()) {
      // The items are counted from the place that the log has reached without them.
      auto page = feed_->wait_for_operations(next_, patience);
      ready_.assign(page.items.begin(), page.items.end());
      if (ready_.empty()) position_ = page.next;
      next_ = page.next;
    }
    if (ready_.empty()) return std::nullopt;
    auto item = std::move(ready_.front());
    ready_.pop_front();
    move_past(item);
    return item;
  }

  [[nodiscard]] bool is_over() const override {
    return ready_.empty() && feed_->is_closed() && feed_->operations_from(next_, {1, 1}).items.empty();
  }

  [[nodiscard]] operation_position position() const override { return position_; }

 private:
  void move_past(const operation_item& item) {
    if (ready_.empty()) {
      position_ = next_;
    } else if (const auto* gap = std::get_if<operation_gap>(&item)) {
      position_ = {gap->last.next(), 0};
    } else {
      const auto sequence = std::get<committed_operation>(item).at.sequence;
      const auto offset = position_.sequence == sequence ? position_.offset : 0;
      position_ = {sequence, offset + 1};
    }
  }

  std::shared_ptr<const node_feed> feed_;
  /// The place after `ready_`.
  operation_position next_;
  /// The place after the last item that the subscriber got.
  operation_position position_;
  /// One page of items.
  std::deque<operation_item> ready_;
};

}  // namespace

std::unique_ptr<event_stream> events_of(std::shared_ptr<const node_feed> from) {
  return std::make_unique<feed_events>(std::move(from));
}

std::unique_ptr<operation_stream> operations_of(std::shared_ptr<const node_feed> from,
                                                std::optional<operation_position> first) {
  const auto start = first ? *first : from->operations_end();
  return std::make_unique<feed_operations>(std::move(from), start);
}

}  // namespace hypermesh::feed
