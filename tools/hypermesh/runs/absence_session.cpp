#include "tools/hypermesh/runs/absence_session.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace hypermesh::cli {

namespace {

using clock = cluster_under_load::clock;

constexpr std::chrono::milliseconds report_patience{2'000};
/// The first second of the load is not measured, because it opens links and fills queues.
constexpr std::chrono::seconds warm_up{1};
constexpr std::chrono::seconds measured_before{3};
constexpr std::chrono::seconds measured_after{3};
constexpr std::chrono::milliseconds look_interval{50};
constexpr std::chrono::milliseconds calm_look_interval{200};
/// A short time-out: a replica that is still opening its links is soon asked again.
constexpr std::chrono::milliseconds look_patience{500};
/// The second look comes later, so that it does not see the same reports as the first look.
constexpr std::chrono::milliseconds second_look_after{300};
/// The longest time until the replica is in step, and the longest time until it needs no further states.
constexpr std::chrono::seconds in_step_patience{300};
constexpr std::chrono::seconds executing_patience{30};

/// Makes one run from beginning to end.
class absence_run {
 public:
  absence_run(const absence_settings& settings, interruption& stop, run_narrator& narrator)
      : stop_(&stop), narrator_(&narrator), cluster_(settings.load, stop, narrator) {
    result_.settings = settings;
  }

  or_run_failure<absence_result> run() {
    if (auto done = cluster_.start(); !done) return failure_of(done);
    if (auto done = run_together(); !done) return failure_of(done);
    if (auto done = run_without_one(); !done) return failure_of(done);
    if (auto done = start_again(); !done) return failure_of(done);
    if (auto done = await_in_step(); !done) return failure_of(done);
    if (auto done = run_on(); !done) return failure_of(done);
    auto end = cluster_.finish();
    if (!end) return failure_of(end);
    result_.end = std::move(*end);
    return std::move(result_);
  }

 private:
  cluster_under_load::outcome run_together() {
    if (auto done = cluster_.wait_until([this] { return cluster_.load().answered() > 0; }); !done) return done;
    if (auto done = cluster_.wait_until(clock::now() + warm_up); !done) return done;
    const auto from = cluster_.mark();
    if (auto done = cluster_.wait_until(clock::now() + measured_before); !done) return done;
    const auto to = cluster_.mark();
    result_.before = load_span::between(from, to);
    narrator_->step(fmt::format("all replicas: {:.0f} operations a second", result_.before.rate()),
                    result_.before.seconds);
    return {};
  }

  cluster_under_load::outcome run_without_one() {
    const auto reports = cluster_.look(report_patience);
    result_.view = cluster_.view_in(reports);
    result_.victim = (cluster_.primary_of(result_.view).value + 1) % result_.settings.load.replicas;
    if (const auto& own = reports[result_.victim]) result_.executed_before = own->last_executed;
    cluster_.processes().kill(result_.victim);
    const auto killed = cluster_.mark();
    if (result_.settings.lose_disk) {
      if (auto done = cluster_.processes().lose_disk(result_.victim); !done)
        return tl::unexpected(run_failure{exit_code::failed, done.error()});
    }
    const auto wanted = result_.settings.operations;
    auto done = cluster_.wait_until([this, killed, wanted] {
      const auto missed = cluster_.load().answered() - killed.answered;
      narrator_->progress(static_cast<std::size_t>(std::min(missed, wanted)), static_cast<std::size_t>(wanted));
      return missed >= wanted;
    });
    restarted_ = cluster_.mark();
    result_.absent = load_span::between(killed, restarted_);
    if (!done) return done;
    narrator_->step(fmt::format("replica {} was absent for {} operations", result_.victim, result_.absent.operations),
                    result_.absent.seconds);
    return {};
  }

  cluster_under_load::outcome start_again() {
    if (auto done = cluster_.processes().restart(result_.victim); !done)
      return tl::unexpected(run_failure{exit_code::failed, done.error()});
    result_.listening_seconds = seconds_since_restart();
    narrator_->step(fmt::format("replica {} is listening again", result_.victim), result_.listening_seconds);
    return cluster_.open_observer();
  }

  [[nodiscard]] double seconds_since_restart() const {
    return std::chrono::duration<double>(clock::now() - restarted_.when).count();
  }

  /// The number of sequence numbers that the replica lags behind; nothing while it or all others are silent.
  std::optional<std::uint64_t> look_at_distance() {
    const auto reports = cluster_.look(look_patience);
    const auto& own = reports[result_.victim];
    if (!own || reachable_count(reports) < 2) return std::nullopt;
    sequence_number highest;
    for (std::uint32_t number = 0; number < reports.size(); ++number) {
      if (number != result_.victim && reports[number]) highest = std::max(highest, reports[number]->last_executed);
    }
    if (!was_seen_) {
      result_.first_seen = own->last_executed;
      result_.others_then = highest;
    }
    was_seen_ = true;
    if (!in_step_since_) {
      result_.in_step_at = own->last_executed;
      result_.states_until_in_step = counter_of(*own, "states_installed_total");
    }
    return highest.value > own->last_executed.value ? highest.value - own->last_executed.value : 0;
  }

  /// Whether two successive looks found the replica in step.
  bool is_in_step() {
    const auto distance = look_at_distance();
    if (!distance || *distance > cluster_.processes().content().checkpoint_period) {
      in_step_since_.reset();
      return false;
    }
    if (in_step_since_) return true;
    in_step_since_ = cluster_.mark();
    return false;
  }

  cluster_under_load::outcome await_in_step() {
    const auto deadline = restarted_.when + in_step_patience;
    bool in_step = false;
    while (!in_step && clock::now() < deadline) {
      const auto pause = in_step_since_ ? second_look_after : look_interval;
      if (auto done = cluster_.wait_until(clock::now() + pause); !done) return done;
      if (stop_->requested()) continue;
      in_step = is_in_step();
    }
    result_.catching_up = load_span::between(restarted_, in_step ? *in_step_since_ : cluster_.mark());
    if (!in_step) return {};
    result_.in_step_seconds = result_.catching_up.seconds;
    narrator_->step(fmt::format("replica {} is in step, at sequence {}", result_.victim, result_.in_step_at.value),
                    *result_.in_step_seconds);
    return {};
  }

  /// Waits until the replica has executed for a while without installing another state.
  cluster_under_load::outcome run_on() {
    const auto from = cluster_.mark();
    const std::uint64_t alone = 2 * cluster_.processes().content().checkpoint_period;
    auto states = result_.states_until_in_step;
    auto since = result_.in_step_at;
    auto since_seconds = result_.in_step_seconds;
    while (clock::now() < from.when + (result_.executing_seconds ? measured_after : executing_patience)) {
      if (auto done = cluster_.wait_until(clock::now() + calm_look_interval); !done) return done;
      const auto reports = cluster_.look(look_patience);
      const auto& own = reports[result_.victim];
      if (!own || result_.executing_seconds || !since_seconds) continue;
      if (const auto installed = counter_of(*own, "states_installed_total"); installed != states) {
        states = installed;
        since = own->last_executed;
        since_seconds = seconds_since_restart();
      } else if (own->last_executed.value >= since.value + alone) {
        result_.executing_seconds = since_seconds;
      }
    }
    result_.after = load_span::between(from, cluster_.mark());
    if (result_.executing_seconds) {
      narrator_->step(fmt::format("replica {} executes by itself", result_.victim), *result_.executing_seconds);
    }
    return {};
  }

  interruption* stop_;
  run_narrator* narrator_;
  absence_result result_;
  cluster_under_load cluster_;
  load_mark restarted_;
  bool was_seen_ = false;
  std::optional<load_mark> in_step_since_;
};

}  // namespace

const node_report* absence_result::last_word() const {
  return victim < end.reports.size() && end.reports[victim] ? &*end.reports[victim] : nullptr;
}

std::uint64_t absence_result::states_installed() const {
  const auto* word = last_word();
  return word == nullptr ? 0 : counter_of(*word, "states_installed_total");
}

std::optional<bool> absence_result::is_on_probation() const {
  const auto* word = last_word();
  if (!settings.lose_disk || word == nullptr) return std::nullopt;
  // A replica that lost its disk is on probation from its start. Its node reports this once the replica may prepare.
  return find_counter(*word, "on_probation").value_or(1) != 0;
}

std::optional<std::uint64_t> absence_result::probation_floor() const {
  const auto* word = last_word();
  return word == nullptr ? std::nullopt : find_counter(*word, "probation_floor_sequence");
}

or_run_failure<absence_result> run_absence(const absence_settings& settings, interruption& stop,
                                           run_narrator& narrator) {
  return absence_run{settings, stop, narrator}.run();
}

}  // namespace hypermesh::cli
