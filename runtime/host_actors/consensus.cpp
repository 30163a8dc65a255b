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
/// How often the actor looks for requests that have waited long enough.
constexpr duration timer_period = 20ms;

moment deadline_of(consensus_self self, std::uint32_t patience_ms) {
  return now_of(self) + std::chrono::milliseconds{std::min(patience_ms, patience_ms_max)};
}

void run_timer(consensus_self self) {
  auto& state = self->state;
  if (state.timer_runs || (state.for_operations.empty() && state.for_events.empty())) return;
  state.timer_runs = true;
  self->delayed_send(self, timer_period, look_again{true});
}

/// Answers each waiting request that has news, or has waited long enough; all of them if `is_last`.
template <class Waiting, class Read>
void answer_waiting(std::deque<Waiting>& waiting, moment now, bool is_last, const Read& read) {
  std::erase_if(waiting, [&](Waiting& each) {
    auto page = read(each);
    if (page.first || is_last || now >= each.deadline) {
      each.promise.deliver(std::move(page.second));
      return true;
    }
    return false;
  });
}

void look(consensus_self self, bool is_last) {
  auto& state = self->state;
  // Cleared before the feed is read: news that come later send another message.
  state.sources.is_told->store(false);
  const auto& feed = *state.sources.feed;
  const auto now = now_of(self);
  answer_waiting(state.for_operations, now, is_last, [&](auto& each) {
    auto page = feed.operations_from(each.from);
    each.from = page.next;
    const bool has_news = !page.items.empty();
    return std::pair{has_news, shown_of(page)};
  });
  answer_waiting(state.for_events, now, is_last, [&](auto& each) {
    auto page = feed.events_from(each.from, events_per_page_max);
    const bool has_news = !page.events.empty();
    return std::pair{has_news, shown_of(page)};
  });
  run_timer(self);
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
  run_timer(self);
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
  run_timer(self);
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
      [self](const position_wanted&) {
        return ask<node_position, node_report>(self, self->state.sources.monitor, report_wanted{}, position_in);
      },
      [self](const condition_wanted&) { return shown_of(self->state.sources.health()); },
      [self](const counters_wanted&) {
        return ask<counters, node_report>(self, self->state.sources.monitor, report_wanted{}, counters_in);
      },
      [self](const operations_wanted& wanted) { return operations_for(self, wanted); },
      [self](const events_wanted& wanted) { return events_for(self, wanted); },
      [self](const evidence_wanted&) {
        return shown_of(self->state.sources.feed->evidence(), self->state.sources.cluster);
      },
      [self](const standings_wanted&) {
        return ask<standings, reputation_report>(self, self->state.sources.reputation_tracker, reputation_wanted{},
                                                 standings_in);
      },
      [self](const release_replica& wanted) {
        if (!self->state.sources.cluster.group().contains(replica_id{wanted.replica})) return;
        self->send(self->state.sources.fault_detector, release_wanted{replica_id{wanted.replica}});
      },
      [self](const look_again& why) {
        if (why.is_timer) self->state.timer_runs = false;
        look(self, false);
      },
      [self](const end_host_actor&) {
        look(self, true);
        self->quit(caf::exit_reason::user_shutdown);
      },
  };
}

}  // namespace hypermesh::host
