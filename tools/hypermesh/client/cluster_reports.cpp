#include "tools/hypermesh/client/cluster_reports.hpp"

#include <algorithm>
#include <functional>
#include <future>
#include <map>
#include <utility>

#include <fmt/format.h>

namespace hypermesh::cli {

namespace {

using clock = std::chrono::steady_clock;

/// A question that was sent before the link was up is lost, so the client asks again after this time.
constexpr std::chrono::milliseconds ask_interval{200};
constexpr std::chrono::milliseconds look_interval{5};

/// The unanswered questions to one replica.
struct asked_replica {
  std::vector<std::future<std::optional<node_report>>> questions;

  [[nodiscard]] std::optional<node_report> answer() {
    for (auto& each : questions) {
      if (!each.valid() || each.wait_for(std::chrono::seconds{0}) != std::future_status::ready) continue;
      if (auto report = each.get()) return report;
    }
    return std::nullopt;
  }
};

}  // namespace

cluster_reports collect_reports(hosted_client& client, std::uint32_t replicas, std::chrono::milliseconds patience,
                                const std::function<bool()>& keep_on, const std::set<std::uint32_t>& left_out) {
  const auto wanted = replicas - left_out.size();
  cluster_reports reports(replicas);
  std::vector<asked_replica> asked(replicas);
  const auto deadline = clock::now() + patience;
  auto next_round = clock::now();
  while (reachable_count(reports) < wanted && clock::now() < deadline && keep_on()) {
    const bool ask = clock::now() >= next_round;
    if (ask) next_round = clock::now() + ask_interval;
    for (std::uint32_t number = 0; number < replicas; ++number) {
      if (reports[number] || left_out.contains(number)) continue;
      if (ask) asked[number].questions.push_back(client.report(replica_id{number}));
      reports[number] = asked[number].answer();
    }
    if (reachable_count(reports) == wanted) break;
    for (auto& each : asked) {
      if (each.questions.empty() || !each.questions.back().valid()) continue;
      each.questions.back().wait_for(look_interval);
      break;
    }
  }
  return reports;
}

std::size_t reachable_count(const cluster_reports& reports) {
  return static_cast<std::size_t>(
      std::count_if(reports.begin(), reports.end(), [](const auto& each) { return each.has_value(); }));
}

bool are_level(const cluster_reports& reports) {
  std::optional<sequence_number> level;
  for (const auto& each : reports) {
    if (!each) continue;
    if (level && *level != each->last_executed) return false;
    level = each->last_executed;
  }
  return true;
}

bool have_diverged(const cluster_reports& reports) {
  std::map<sequence_number, digest> roots;
  for (const auto& each : reports) {
    if (!each) continue;
    const auto known = roots.emplace(each->last_executed, each->state_root).first;
    if (known->second != each->state_root) return true;
  }
  return false;
}

namespace {

/// The (f+1)-th highest of the reported numbers. At most f reporters are faulty, so a correct replica has reached this
/// number.
template <class Number>
Number reached(std::vector<Number> said, group_size group) {
  std::ranges::sort(said, std::greater{});
  return said.at(group.faulty_max());
}

}  // namespace

view_number current_view(const cluster_reports& reports, const cluster_parameters& cluster) {
  std::vector<view_number> views;
  for (const auto& each : reports) {
    if (each) views.push_back(each->view);
  }
  return views.size() < cluster.group().weak_quorum() ? view_number{0} : reached(std::move(views), cluster.group());
}

namespace {

/// A replica without a conviction or a complaint has no counters in the report, so the defaults apply.
agreed_standing standing_in(const node_report& report, replica_id replica) {
  const auto value = [&](std::string_view name, std::uint64_t otherwise) {
    return find_counter(report, fmt::format("{}{{replica=\"{}\"}}", name, replica.value)).value_or(otherwise);
  };
  return {value("reputation_score", reputation_ledger::score_max), value("convictions", 0),
          sequence_number{value("convicted_at_sequence", 0)}, sequence_number{value("quarantined_until_sequence", 0)},
          value("awaits_quarantine", 0) != 0};
}

}  // namespace

std::optional<agreed_standing> standing_of(replica_id replica, const cluster_reports& reports,
                                           const cluster_parameters& cluster) {
  const auto group = cluster.group();
  // Scores grow with every checkpoint, so replicas may report different scores for a moment. Only the rest of the
  // standing has to be equal.
  std::map<agreed_standing, std::vector<std::pair<std::uint64_t, sequence_number>>> said;
  std::vector<sequence_number> executed;
  for (const auto& each : reports) {
    // A replica's report about itself does not count.
    if (!each || each->replica == replica) continue;
    auto standing = standing_in(*each, replica);
    const auto score = std::exchange(standing.score, 0);
    said[standing].emplace_back(score, each->last_executed);
    executed.push_back(each->last_executed);
  }
  if (executed.size() < group.weak_quorum()) return std::nullopt;
  const auto now = reached(executed, group);
  for (auto& [standing, supporters] : said) {
    if (supporters.size() < group.weak_quorum()) continue;
    std::vector<sequence_number> theirs;
    for (const auto& each : supporters)
      theirs.push_back(each.second);
    // Without this check, a faulty replica and a replica that lags could together report an old standing.
    if (reached(theirs, group).plus(cluster.checkpoint_period) < now) continue;
    std::ranges::sort(supporters);
    auto found = standing;
    found.score = supporters.at(supporters.size() / 2).first;
    return found;
  }
  return std::nullopt;
}

std::uint64_t clients_rate_limited(const cluster_reports& reports, const cluster_parameters& cluster) {
  std::vector<std::uint64_t> said;
  for (const auto& each : reports) {
    if (each) said.push_back(counter_of(*each, "clients_rate_limited"));
  }
  return said.size() < cluster.group().weak_quorum() ? 0 : reached(std::move(said), cluster.group());
}

health_report health_of(const cluster_reports& reports, const cluster_parameters& cluster) {
  cluster_observations seen{cluster, reports, std::nullopt, {}};
  if (reachable_count(reports) >= cluster.group().weak_quorum()) seen.view = current_view(reports, cluster);
  for (std::uint32_t number = 0; number < reports.size(); ++number) {
    const auto agreed = standing_of(replica_id{number}, reports, cluster);
    if (!agreed || !agreed->is_convicted()) continue;
    seen.quarantined.push_back({replica_id{number}, replica_condition::quarantined, agreed->quarantined_until.value});
  }
  return assess_cluster(seen);
}

std::vector<wrong_address> wrong_addresses(const cluster_reports& reports, principal self,
                                           const std::vector<misdirected_address>& own) {
  std::vector<wrong_address> all;
  for (const auto& each : own)
    all.push_back({self, each});
  for (const auto& report : reports) {
    if (!report) continue;
    for (std::uint32_t number = 0; number < reports.size(); ++number) {
      const auto answered = counter_of(*report, fmt::format("link_answers_as{{replica=\"{}\"}}", number));
      if (answered == 0 || answered > reports.size()) continue;
      all.push_back(
          {principal::of(report->replica), {replica_id{number}, replica_id{static_cast<std::uint32_t>(answered - 1)}}});
    }
  }
  return all;
}

std::string text_of(const wrong_address& wrong) {
  return fmt::format("{} dialed the address of replica {} and reached replica {}", to_string(wrong.seen_by),
                     wrong.what.listed_for.value, wrong.what.answers_as.value);
}

std::optional<std::uint64_t> find_counter(const node_report& report, std::string_view name) {
  for (const auto& each : report.counters) {
    if (each.name == name) return each.value;
  }
  return std::nullopt;
}

std::uint64_t counter_of(const node_report& report, std::string_view name) {
  return find_counter(report, name).value_or(0);
}

std::uint64_t rejected_by(const node_report& report) {
  std::uint64_t sum = 0;
  for (const auto& each : report.counters) {
    // Votes that arrive after the decision have a separate counter, because a healthy cluster has many of them.
    if (each.name.starts_with("rejected_total{")) sum += each.value;
  }
  return sum;
}

}  // namespace hypermesh::cli
