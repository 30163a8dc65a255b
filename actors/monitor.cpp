#include "actors/monitor.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "messages/codec.hpp"
#include "messages/limits.hpp"

namespace hypermesh::actors {

namespace {

using monitor_self = monitor_actor::stateful_pointer<monitor_state>;

/// The time that the executor may take to compute the root of the state. If it takes longer, no report is sent, because
/// a report with an empty root would be wrong.
constexpr std::chrono::seconds root_patience{5};

void answer(monitor_self self, const verified_message& asked) {
  // The continuations keep the credit of the query until it is answered. So a flood of queries fills only the window of
  // its own link.
  self->request(self->state.with->executor, root_patience, report_wanted{})
      .then(
          [self, asked](const digest& root) {
            auto report = self->state.counters.report(self->state.identity);
            report.id = std::get<node_query>(*asked.value).id;
            report.state_root = root;
            self->send(asked.via, outgoing_frame{encode(report)});
          },
          [asked](const caf::error&) {
            // No report is sent, and the time-out of the asking client expires. A node whose executor is busy for 5 s
            // is not healthy.
          });
}

caf::result<node_report> report_to_host(monitor_self self, const report_wanted& wanted) {
  if (!wanted.with_root) return self->state.counters.report(self->state.identity);
  auto promise = self->make_response_promise<node_report>();
  self->request(self->state.with->executor, root_patience, report_wanted{})
      .then(
          [self, promise](const digest& root) mutable {
            auto report = self->state.counters.report(self->state.identity);
            report.state_root = root;
            promise.deliver(std::move(report));
          },
          [promise](caf::error& error) mutable { promise.deliver(std::move(error)); });
  return promise;
}

}  // namespace

/// Translates one observation into counters.
struct node_counters::noting {
  node_counters& into;

  void operator()(const frame_rejected& it) const {
    // Late and repeated messages are not a sign of a fault, so they have a separate counter.
    const std::string_view what = is_benign(it.reason) ? "ignored" : "rejected";
    ++into.counters_[fmt::format("{}_total{{reason=\"{}\"}}", what, to_string(it.reason))];
    // All clients share one counter, because there may be many clients. Each replica has its own counter.
    const auto sender = it.sender.is_replica() ? to_string(it.sender) : std::string{"clients"};
    ++into.counters_[fmt::format("{}_by_sender_total{{sender=\"{}\",reason=\"{}\"}}", what, sender,
                                 to_string(it.reason))];
  }
  void operator()(const slot_committed& it) const {
    ++into.counters_["batches_committed_total"];
    into.counters_["batch_bytes_total"] += it.content.body->bytes;
  }
  void operator()(const batch_was_executed& it) const {
    into.counters_["requests_executed_total"] += it.requests->size();
    into.progress_.last_executed = it.sequence;
  }
  void operator()(const watermarks_moved& it) const {
    into.progress_.low_watermark = it.low;
    into.progress_.high_watermark = it.high;
    into.progress_.stable_checkpoint = std::max(into.progress_.stable_checkpoint, it.low);
  }
  void operator()(const checkpoint_became_stable& it) const {
    ++into.counters_["checkpoints_stable_total"];
    into.progress_.stable_checkpoint = it.sequence;
  }
  void operator()(const snapshot_was_taken& it) const {
    ++into.counters_["snapshots_total"];
    into.counters_["snapshot_us_total"] += static_cast<std::uint64_t>(it.pause.count());
    auto& longest = into.gauges_["snapshot_us_max"];
    longest = std::max(longest, static_cast<std::uint64_t>(it.pause.count()));
  }
  void operator()(const state_was_installed& it) const {
    ++into.counters_["states_installed_total"];
    into.progress_.last_executed = it.sequence;
  }
  void operator()(const state_was_kept& it) const {
    ++into.counters_["states_kept_total"];
    into.gauges_["kept_through_sequence"] = it.sequence.value;
    into.gauges_["disk_bytes"] = it.bytes_held;
  }
  void operator()(const divergence_found& it) const {
    ++into.counters_["divergences_total"];
    into.gauges_["diverged_at_sequence"] = it.sequence.value;
  }
  void operator()(const view_was_entered&) const { ++into.counters_["views_entered_total"]; }
  void operator()(const primary_suspected& it) const {
    ++into.counters_[fmt::format("suspicions_total_{}", to_string(it.reason))];
  }
  void operator()(const donor_replaced& it) const {
    ++into.counters_[fmt::format("donors_replaced_total{{donor=\"{}\",reason=\"{}\"}}",
                                 to_string(principal::of(it.replica)), to_string(it.reason))];
  }
  void operator()(const execution_resumed& it) const { into.progress_.last_executed = it.last_executed; }
  void operator()(const fault_proven&) const { ++into.counters_["faults_proven_total"]; }
  void operator()(const standing_changed& it) const {
    constexpr auto count = static_cast<std::size_t>(standing_changed::what_last) + 1;
    static constexpr std::array<std::string_view, count> names = {"convictions_total", "complaints_agreed_total",
                                                                  "quarantines_total", "releases_total"};
    static_assert(!names.back().empty(), "a counter for each change");
    ++into.counters_[std::string{names.at(static_cast<std::size_t>(it.happened))}];
  }
  void operator()(const probation_changed& it) const {
    into.gauges_["on_probation"] = it.over ? 0 : 1;
    into.gauges_["probation_floor_sequence"] = it.floor.value;
    into.gauges_["probation_first_view"] = it.first_view.value;
  }
  void operator()(const move_agreed& it) const {
    const bool is_readmission = it.wanted.kind == message_kind::readmission;
    ++into.counters_[is_readmission
                         ? std::string{"readmissions_agreed_total"}
                         : fmt::format("hand_overs_agreed_total{{cause=\"{}\"}}", to_string(it.wanted.cause))];
  }
  void operator()(const replica_progress& it) const {
    into.progress_.view = it.view;
    into.gauges_["view_is_active"] = it.active ? 1 : 0;
    into.gauges_["slots_in_use"] = it.slots_in_use;
    into.gauges_["last_proposed"] = it.last_proposed.value;
  }
  void operator()(const status_was_heard&) const {}
  void operator()(const batcher_progress& it) const {
    into.gauges_["requests_pending"] = it.requests_pending;
    into.gauges_["request_bytes_pending"] = it.bytes_pending;
  }
  void operator()(const audit_interrupted&) const { ++into.counters_["audit_interruptions_total"]; }
  void operator()(const query_failed&) const { ++into.counters_["queries_failed_total"]; }
  void operator()(const node_failed&) const { ++into.counters_["node_failures_total"]; }
};

void node_counters::note(const observation& what) { std::visit(noting{*this}, what); }

node_report node_counters::report(const node_identity& identity) const {
  auto report = progress_;
  report.replica = identity.self;
  if (report.high_watermark == sequence_number{0}) {
    report.high_watermark = sequence_number{identity.cluster.watermark_window};
  }
  const auto add = [&report](const std::map<std::string, std::uint64_t>& from) {
    for (const auto& [name, value] : from) {
      if (report.counters.size() >= limits::report_counters_max) return;
      if (name.size() <= limits::report_name_bytes_max) report.counters.push_back({name, value});
    }
  };
  add(gauges_);
  add(counters_);
  return report;
}

monitor_actor::behavior_type monitor(monitor_self self, node_identity identity, failure_handler on_failure,
                                     observation_handler on_observation) {
  self->state.identity = std::move(identity);
  self->state.on_failure = std::move(on_failure);
  self->state.on_observation = std::move(on_observation);
  return {
      [self](const wired& all) { self->state.with = all.with; },
      [self](const observed& it) {
        self->state.counters.note(it.what);
        if (self->state.on_observation) self->state.on_observation(it.what);
        const auto* failed = std::get_if<node_failed>(&it.what);
        if (failed != nullptr && self->state.on_failure) self->state.on_failure(failed->error);
      },
      [self](const counters_reported& reported) {
        for (const auto& each : *reported.counters)
          self->state.counters.set(each.name, each.value);
      },
      [self](const link_changed& changed) {
        self->state.counters.set(fmt::format("link_up{{peer=\"replica-{}\"}}", changed.replica.value),
                                 changed.up ? 1 : 0);
      },
      [self](const verified_message& received) { answer(self, received); },
      [self](const report_wanted& wanted) { return report_to_host(self, wanted); },
  };
}

}  // namespace hypermesh::actors
