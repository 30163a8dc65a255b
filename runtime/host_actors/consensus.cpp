#include "runtime/host_actors/consensus.hpp"

#include <algorithm>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/clock.hpp"
#include "runtime/host_actors/translation.hpp"

namespace hypermesh::host {

namespace {

using consensus_self = inner_consensus_actor::stateful_pointer<consensus_state>;

constexpr std::chrono::seconds node_patience{5};
constexpr std::uint32_t patience_ms_max = 60'000;
constexpr std::size_t events_per_page_max = 64;

moment deadline_of(consensus_self self, std::uint32_t patience_ms) {
  return now_of(self) + std::chrono::milliseconds{std::min(patience_ms, patience_ms_max)};
}

/// Runs a timer for `deadline`, unless one runs that ends earlier. So the actor sleeps while nothing is due, however
/// many requests wait.
void run_timer(consensus_self self, moment deadline) {
  auto& timer = self->state.timer_at;
  if (timer && *timer <= deadline) return;
  timer = deadline;
  self->delayed_send(self, std::max<duration>(deadline - now_of(self), duration{0}), look_again{deadline});
}

/// When the actor looks at the requests that wait.
enum class look_reason { news, timer, end };

/// Answers each waiting request that has news or has waited long enough; all of them at the end. A timer alone brings
/// no news, so it reads no page for a request that goes on waiting. Returns the first deadline that is left.
template <class Waiting, class Read>
std::optional<moment> answer_waiting(std::deque<Waiting>& waiting, moment now, look_reason why, const Read& read) {
  std::optional<moment> first;
  std::erase_if(waiting, [&](Waiting& each) {
    const bool is_due = why == look_reason::end || now >= each.deadline;
    if (is_due || why == look_reason::news) {
      auto page = read(each);
      if (page.first || is_due) {
        each.promise.deliver(std::move(page.second));
        return true;
      }
    }
    first = std::min(first.value_or(each.deadline), each.deadline);
    return false;
  });
  return first;
}

void look(consensus_self self, look_reason why) {
  auto& state = self->state;
  // Cleared before the feed is read: news that come later send another message.
  if (why == look_reason::news) state.sources.is_told->store(false);
  const auto& feed = *state.sources.feed;
  const auto now = now_of(self);
  const auto of_operations = answer_waiting(state.for_operations, now, why, [&](auto& each) {
    auto page = feed.operations_from(each.from);
    each.from = page.next;
    const bool has_news = !page.items.empty();
    return std::pair{has_news, shown_of(page)};
  });
  const auto of_events = answer_waiting(state.for_events, now, why, [&](auto& each) {
    auto page = feed.events_from(each.from, events_per_page_max);
    const bool has_news = !page.events.empty();
    return std::pair{has_news, shown_of(page)};
  });
  for (const auto& each : {of_operations, of_events}) {
    if (each) run_timer(self, *each);
  }
}

caf::result<operations> operations_for(consensus_self self, const operations_wanted& wanted) {
  auto& state = self->state;
  const auto& feed = *state.sources.feed;
  const auto from = wanted.sequence == 0 ? feed.operations_end()
                                         : operation_position{sequence_number{wanted.sequence}, wanted.offset};
  const auto page = feed.operations_from(from);
  if (!page.items.empty() || wanted.patience_ms == 0 || state.for_operations.size() >= consensus_state::waiting_max) {
    return shown_of(page);
  }
  auto promise = self->make_response_promise<operations>();
  state.for_operations.push_back({page.next, deadline_of(self, wanted.patience_ms), promise});
  run_timer(self, state.for_operations.back().deadline);
  return promise;
}

caf::result<events> events_for(consensus_self self, const events_wanted& wanted) {
  auto& state = self->state;
  const auto& feed = *state.sources.feed;
  const auto from = wanted.from == 0 ? feed.events_end() : wanted.from;
  const auto page = feed.events_from(from, events_per_page_max);
  if (!page.events.empty() || wanted.patience_ms == 0 || state.for_events.size() >= consensus_state::waiting_max) {
    return shown_of(page);
  }
  auto promise = self->make_response_promise<events>();
  state.for_events.push_back({from, deadline_of(self, wanted.patience_ms), promise});
  run_timer(self, state.for_events.back().deadline);
  return promise;
}

/// Asks an actor of the node, and delivers its answer in the form for hosts.
template <class Shown, class Answer, class Actor, class Question>
caf::result<Shown> ask(consensus_self self, const Actor& whom, const Question& question,
                       Shown (*translate)(const Answer&)) {
  auto promise = self->make_response_promise<Shown>();
  self->request(whom, node_patience, question)
      .then([promise, translate](const Answer& answer) mutable { promise.deliver(translate(answer)); },
            [promise](caf::error& error) mutable { promise.deliver(std::move(error)); });
  return promise;
}

}  // namespace

inner_consensus_actor::behavior_type consensus(consensus_self self, consensus_sources sources) {
  self->state.sources = std::move(sources);
  return {
      [self](const state_wanted&) {
        return ask<node_state, node_report>(self, self->state.sources.monitor, report_wanted{}, state_in);
      },
      [self](const health_wanted&) { return shown_of(self->state.sources.health()); },
      [self](const metrics_wanted&) {
        return ask<metrics, node_report>(self, self->state.sources.monitor, report_wanted{.with_root = false},
                                         metrics_in);
      },
      [self](const operations_wanted& wanted) { return operations_for(self, wanted); },
      [self](const events_wanted& wanted) { return events_for(self, wanted); },
      [self](const evidence_wanted&) { return shown_of(self->state.sources.feed->evidence()); },
      [self](const reputations_wanted&) {
        return ask<reputations, reputation_report>(self, self->state.sources.reputation_tracker, reputation_wanted{},
                                                   reputations_in);
      },
      [self](const release_replica& wanted) {
        if (!self->state.sources.cluster.group().contains(replica_id{wanted.replica})) return;
        self->send(self->state.sources.fault_detector, release_wanted{replica_id{wanted.replica}});
      },
      [self](const look_again& why) {
        auto& timer = self->state.timer_at;
        // A timer that was replaced by an earlier one leaves that one running.
        if (why.timer && why.timer == timer) timer.reset();
        look(self, why.timer ? look_reason::timer : look_reason::news);
      },
      [self](const end_host_actor&) {
        look(self, look_reason::end);
        self->quit(caf::exit_reason::user_shutdown);
      },
  };
}

}  // namespace hypermesh::host
