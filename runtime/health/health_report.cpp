#include "runtime/health/health_report.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

namespace hypermesh::health {

namespace {

/// The bounds of a sentence. A group of 100 replicas may have 100 reasons.
constexpr std::size_t reasons_named_max = 4;
constexpr std::size_t ranges_named_max = 8;

constexpr std::uint64_t ms_per_second = 1'000;

std::string counted(std::uint64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string until_text(std::uint64_t sequence) {
  return sequence == 0 ? std::string{} : fmt::format(" until sequence {}", sequence);
}

/// What a reason says about its replica.
std::string predicate_of(const health_reason& reason) {
  const auto number = reason.number;
  switch (reason.condition) {
    case replica_condition::voting:
      return "takes part";
    case replica_condition::silent:
      return number == 0 ? "is silent" : fmt::format("silent for {} s", number / ms_per_second);
    case replica_condition::unlinked:
      return "not connected";
    case replica_condition::behind:
      return fmt::format("behind by {}", counted(number, "sequence number"));
    case replica_condition::other_view:
      return fmt::format("alone in view {}", number);
    case replica_condition::changing_view:
      return fmt::format("waits for view {}", number);
    case replica_condition::not_voting:
      return number == 0 ? "does not vote" : fmt::format("missed {}", counted(number, "vote"));
    case replica_condition::fetching_state:
      return "fetches a state";
    case replica_condition::not_executing:
      return fmt::format("has executed nothing for {} s", number / ms_per_second);
    case replica_condition::on_probation:
      return "on probation" + until_text(number);
    case replica_condition::quarantined:
      return "in quarantine" + until_text(number);
    case replica_condition::diverged:
      return "holds a wrong state";
    case replica_condition::disputed:
      return "in doubt, because replicas contradict each other";
    case replica_condition::unreported:
      return "is not known yet";
    case replica_condition::stuck:
      return fmt::format("stuck for {} s", number / ms_per_second);
    case replica_condition::draining:
      return "is stopping";
    case replica_condition::failed:
      return "failed";
    case replica_condition::stopped:
      return "was stopped";
    case replica_condition::blocked:
      return "is blocked by its state machine";
    case replica_condition::isolated:
      return fmt::format("hears from {}, which is too few", counted(number, "other replica"));
  }
  return "unknown";
}

/// "0, 2, 3", or "0, 2-5, 7" if there are many replicas.
std::string list_of(const std::vector<replica_id>& replicas) {
  std::vector<std::string> ranges;
  std::size_t named = 0;
  for (std::size_t first = 0; first < replicas.size() && ranges.size() < ranges_named_max;) {
    auto last = first;
    const bool has_ranges = replicas.size() > ranges_named_max;
    while (has_ranges && last + 1 < replicas.size() && replicas[last + 1] == replicas[last].next())
      ++last;
    ranges.push_back(last == first ? std::to_string(replicas[first].value)
                                   : fmt::format("{}-{}", replicas[first].value, replicas[last].value));
    named = first = last + 1;
  }
  auto text = fmt::format("{}", fmt::join(ranges, ", "));
  if (named < replicas.size()) text += fmt::format(" and {} more", replicas.size() - named);
  return text;
}

/// False if first reports are still to come, for example after a start, and they decide whether a quorum takes part.
bool is_service_known(const health_report& report) {
  const auto unknown = std::ranges::count(report.reasons, replica_condition::unreported, &health_reason::condition);
  return report.service_possible || report.voting + unknown < report.group.quorum();
}
std::string tolerance_text(const health_report& report) {
  if (report.service_possible) return "tolerates " + counted(report.faults_tolerated, "more fault");
  if (!is_service_known(report)) {
    return fmt::format("starting: not known yet whether a quorum takes part ({} of {} known)", report.voting,
                       report.group.quorum());
  }
  return fmt::format("no service: {} of the {} replicas of a quorum take part", report.voting, report.group.quorum());
}

/// The state of the reporting node, if it does not take part.
std::string own_text(const health_report& report) {
  if (!report.live) return "not live; ";
  return report.ready ? "" : "not ready; ";
}

}  // namespace

std::string_view to_string(replica_condition condition) {
  switch (condition) {
    case replica_condition::voting:
      return "voting";
    case replica_condition::silent:
      return "silent";
    case replica_condition::unlinked:
      return "unlinked";
    case replica_condition::behind:
      return "behind";
    case replica_condition::other_view:
      return "other_view";
    case replica_condition::changing_view:
      return "changing_view";
    case replica_condition::not_voting:
      return "not_voting";
    case replica_condition::fetching_state:
      return "fetching_state";
    case replica_condition::not_executing:
      return "not_executing";
    case replica_condition::on_probation:
      return "on_probation";
    case replica_condition::quarantined:
      return "quarantined";
    case replica_condition::diverged:
      return "diverged";
    case replica_condition::disputed:
      return "disputed";
    case replica_condition::unreported:
      return "unreported";
    case replica_condition::stuck:
      return "stuck";
    case replica_condition::draining:
      return "draining";
    case replica_condition::failed:
      return "failed";
    case replica_condition::stopped:
      return "stopped";
    case replica_condition::blocked:
      return "blocked";
    case replica_condition::isolated:
      return "isolated";
  }
  return "unknown";
}

std::string text_of(const health_reason& reason) {
  const auto detail = reason.detail.empty() ? std::string{} : ": " + reason.detail;
  return fmt::format("replica {} {}{}", reason.replica.value, predicate_of(reason), detail);
}

bool health_report::is_safe_to_restart(replica_id replica) const {
  return std::ranges::binary_search(safe_to_restart, replica);
}

std::string sentence_of(const health_report& report) {
  auto text = own_text(report) + tolerance_text(report);
  const auto named = std::min(report.reasons.size(), reasons_named_max);
  for (std::size_t index = 0; index < named; ++index)
    text += "; " + text_of(report.reasons[index]);
  if (named < report.reasons.size()) text += fmt::format("; and {} more", report.reasons.size() - named);
  const auto& safe = report.safe_to_restart;
  if (safe.empty()) return text + "; safe to restart: none";
  return text + fmt::format("; safe to restart: {}{}", list_of(safe), safe.size() > 1 ? " (one at a time)" : "");
}

std::string json_of(const health_report& report) {
  auto reasons = nlohmann::ordered_json::array();
  for (const auto& each : report.reasons) {
    reasons.push_back({{"replica", each.replica.value},
                       {"condition", to_string(each.condition)},
                       {"number", each.number},
                       {"text", text_of(each)}});
  }
  auto safe = nlohmann::ordered_json::array();
  for (const auto& each : report.safe_to_restart)
    safe.push_back(each.value);
  nlohmann::ordered_json json = {{"sentence", sentence_of(report)}};
  json["replica"] = report.self ? nlohmann::ordered_json(report.self->value) : nlohmann::ordered_json();
  json["live"] = report.live;
  json["ready"] = report.ready;
  json["draining"] = report.draining;
  json["degraded"] = report.degraded();
  json["primary"] = report.primary ? nlohmann::ordered_json(report.primary->value) : nlohmann::ordered_json();
  json["replicas"] = report.group.replicas();
  json["faulty_max"] = report.group.faulty_max();
  json["quorum"] = report.group.quorum();
  json["voting"] = report.voting;
  json["service_possible"] = report.service_possible;
  json["service_known"] = is_service_known(report);
  json["faults_tolerated"] = report.faults_tolerated;
  json["safe_to_restart"] = safe;
  json["reasons"] = reasons;
  // The text of an error may contain bytes that are not UTF-8.
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace hypermesh::health
