#include "runtime/events/node_log.hpp"

#include <array>

namespace hypermesh::runtime {

static_assert(static_cast<unsigned>(log_level::debug) == static_cast<unsigned>(event_level::debug) &&
                  static_cast<unsigned>(log_level::error) == static_cast<unsigned>(event_level::error),
              "a level of the log shows the events of the same level");

std::string_view to_string(log_level level) {
  return level == log_level::off ? "off" : to_string(static_cast<event_level>(level));
}

node_log::node_log(log_settings settings, replica_id self, const cluster_parameters& cluster, ports to)
    : settings_(settings), node_(to_string(principal::of(self))), to_(std::move(to)), observations_(cluster) {}

void node_log::on_observation(const observation& what) {
  const auto now = to_.now();
  const std::scoped_lock lock{guard_};
  if (const auto event = observations_.of(what, now)) write(*event, now);
}

void node_log::on_link(const link_event& what) {
  const auto now = to_.now();
  const std::scoped_lock lock{guard_};
  if (const auto event = links_.of(what)) write(*event, now);
}

void node_log::note(const operator_event& event) {
  const auto now = to_.now();
  const std::scoped_lock lock{guard_};
  write(event, now);
}

void node_log::report_omissions() {
  const auto now = to_.now();
  const std::scoped_lock lock{guard_};
  for (const auto& each : limiter_.overdue(now)) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(each.over).count();
    const auto event =
        event_of(operator_event_kind::events_left_out, {{"kind", std::string{to_string(each.kind)}},
                                                        {"count", each.count},
                                                        {"seconds", static_cast<std::uint64_t>(seconds)}});
    if (shows(event.level)) to_.write(event.level, log_line(settings_.format, {to_.wall_time_now(), node_}, event));
  }
}

void node_log::write(const operator_event& event, moment now) {
  if (!shows(event.level)) return;
  const auto verdict = limiter_.admit(event, now);
  if (!verdict.passes) return;
  to_.write(event.level, log_line(settings_.format, {to_.wall_time_now(), node_}, event, verdict.before));
}

}  // namespace hypermesh::runtime
