#include "tools/hypermesh/cluster_reports.hpp"

#include <algorithm>
#include <future>
#include <map>

#include <fmt/format.h>

namespace hypermesh::cli {

namespace {

using clock = std::chrono::steady_clock;

/// A question that went into a link before it was up is lost, so it is asked again.
constexpr std::chrono::milliseconds ask_interval{200};
constexpr std::chrono::milliseconds look_interval{5};

/// The questions to one replica that have no answer yet.
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

cluster_reports collect_reports(consensus_client& client, std::uint32_t replicas, std::chrono::milliseconds patience,
                                const std::function<bool()>& keep_on) {
  cluster_reports reports(replicas);
  std::vector<asked_replica> asked(replicas);
  const auto deadline = clock::now() + patience;
  auto next_round = clock::now();
  while (reachable_count(reports) < replicas && clock::now() < deadline && keep_on()) {
    const bool ask = clock::now() >= next_round;
    if (ask) next_round = clock::now() + ask_interval;
    for (std::uint32_t number = 0; number < replicas; ++number) {
      if (reports[number]) continue;
      if (ask) asked[number].questions.push_back(client.report(replica_id{number}));
      reports[number] = asked[number].answer();
    }
    if (reachable_count(reports) == replicas) break;
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

view_number current_view(const cluster_reports& reports, const cluster_parameters& cluster) {
  std::vector<view_number> views;
  for (const auto& each : reports) {
    if (each) views.push_back(each->view);
  }
  const auto weak_quorum = cluster.group().weak_quorum();
  if (views.size() < weak_quorum) return view_number{0};
  std::sort(views.rbegin(), views.rend());
  return views[weak_quorum - 1];
}

namespace {

/// What f+1 say alike; else what lies between words of correct ones, if so many answered that f of them do not matter.
std::optional<std::uint64_t> agreed_value(std::vector<std::uint64_t> said, group_size group) {
  std::ranges::sort(said);
  for (std::size_t first = 0; first + group.faulty_max() < said.size(); ++first) {
    if (said[first] == said[first + group.faulty_max()]) return said[first];
  }
  if (said.size() < group.quorum()) return std::nullopt;
  return said[group.faulty_max()];
}

}  // namespace

std::optional<agreed_standing> standing_of(replica_id replica, const cluster_reports& reports, group_size group) {
  // A replica that nothing was ever held against has no counters.
  const auto value = [&](std::string_view name, std::uint64_t otherwise) {
    std::vector<std::uint64_t> said;
    const auto counter = fmt::format("{}{{replica=\"{}\"}}", name, replica.value);
    for (const auto& each : reports) {
      // Nobody is asked about itself.
      if (each && each->replica != replica) said.push_back(find_counter(*each, counter).value_or(otherwise));
    }
    return agreed_value(std::move(said), group);
  };
  const auto score = value("reputation_score", reputation_ledger::score_max);
  const auto convictions = value("convictions", 0);
  const auto convicted_at = value("convicted_at_sequence", 0);
  const auto until = value("quarantined_until_sequence", 0);
  const auto awaits = value("awaits_quarantine", 0);
  if (!score || !convictions || !convicted_at || !until || !awaits) return std::nullopt;
  return agreed_standing{*score, *convictions, sequence_number{*convicted_at}, sequence_number{*until}, *awaits != 0};
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
    // Votes that came after the decision are what a healthy cluster is full of.
    if (each.name.starts_with("rejected_total{")) sum += each.value;
  }
  return sum;
}

}  // namespace hypermesh::cli
