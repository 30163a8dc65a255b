#include "tools/hypermesh-lab/sim_summary.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "tools/hypermesh/terminal/text_table.hpp"

namespace hypermesh::lab {

namespace {

/// A JSON value that keeps its keys in the order in which they are added.
using json_value = nlohmann::ordered_json;

cli::text_table::column number(std::string title) { return {std::move(title), cli::text_table::side::right}; }

/// The columns of `sim_summary::table`.
std::vector<cli::text_table::column> columns() {
  return {number("replicas"),    {"profile"},        number("runs"),      number("failed"),
          number("batches"),     number("requests"), number("queries"),   number("sent again"),
          number("frames"),      number("lost"),     number("cut"),       number("duplicated"),
          number("restarts"),    number("learners"), number("forgot"),    number("transfers"),
          number("checkpoints"), number("nudged"),   number("virtual s"), number("progress in s"),
          number("settled in s")};
}

}  // namespace

double seconds_of(duration time) { return static_cast<double>(time.count()) / 1e6; }

double per_minute(std::uint64_t runs, double seconds) {
  return seconds > 0 ? 60.0 * static_cast<double>(runs) / seconds : 0.0;
}

sim_summary::row sim_summary::row_of(const testing::run_report& report) {
  row one;
  one.runs = 1;
  one.failed = report.passed() ? 0 : 1;
  one.batches = report.batches;
  one.requests = report.requests;
  one.retransmissions = report.retransmissions;
  one.frames = report.network.delivered;
  one.lost = report.network.lost;
  one.cut = report.network.cut;
  one.duplicated = report.network.duplicated;
  one.nudged = report.nudges > 0 ? 1 : 0;
  one.queries = report.queries;
  one.restarts = report.restarts;
  one.learner_starts = report.learner_starts;
  one.readmissions = report.readmissions;
  one.disks_that_lied = report.disks_that_lied;
  one.state_transfers = report.state_transfers;
  one.checkpoints = report.checkpoints;
  one.keys_undecided = report.keys_undecided;
  one.virtual_time = report.virtual_time;
  one.progress_max = report.progress;
  one.settling_max = report.settling;
  return one;
}

void sim_summary::row::add(const row& other) {
  runs += other.runs;
  failed += other.failed;
  batches += other.batches;
  requests += other.requests;
  retransmissions += other.retransmissions;
  frames += other.frames;
  lost += other.lost;
  cut += other.cut;
  duplicated += other.duplicated;
  nudged += other.nudged;
  queries += other.queries;
  restarts += other.restarts;
  learner_starts += other.learner_starts;
  readmissions += other.readmissions;
  disks_that_lied += other.disks_that_lied;
  state_transfers += other.state_transfers;
  checkpoints += other.checkpoints;
  keys_undecided += other.keys_undecided;
  virtual_time += other.virtual_time;
  progress_max = std::max(progress_max, other.progress_max);
  settling_max = std::max(settling_max, other.settling_max);
}

void sim_summary::add(const testing::run_report& report) {
  rows_[{report.options.replicas, report.profile}].add(row_of(report));
  if (!report.passed()) failures_.push_back(report);
}

sim_summary::row sim_summary::total() const {
  row all;
  for (const auto& [key, each] : rows_)
    all.add(each);
  return all;
}

std::uint64_t sim_summary::runs() const { return total().runs; }

std::string sim_summary::table(double seconds, const cli::text_style& style) const {
  cli::text_table lines{columns()};
  const auto add_line = [&](std::string replicas, std::string_view profile, const row& of) {
    lines.add({std::move(replicas),
               std::string{profile},
               fmt::to_string(of.runs),
               fmt::to_string(of.failed),
               fmt::to_string(of.batches),
               fmt::to_string(of.requests),
               fmt::to_string(of.queries),
               fmt::to_string(of.retransmissions),
               fmt::to_string(of.frames),
               fmt::to_string(of.lost),
               fmt::to_string(of.cut),
               fmt::to_string(of.duplicated),
               fmt::to_string(of.restarts),
               fmt::to_string(of.learner_starts),
               fmt::to_string(of.disks_that_lied),
               fmt::to_string(of.state_transfers),
               fmt::to_string(of.checkpoints),
               fmt::to_string(of.nudged),
               fmt::format("{:.1f}", seconds_of(of.virtual_time)),
               fmt::format("{:.2f}", seconds_of(of.progress_max)),
               fmt::format("{:.2f}", seconds_of(of.settling_max))});
  };
  for (const auto& [key, each] : rows_)
    add_line(fmt::to_string(key.first), testing::to_string(key.second), each);
  const auto all = total();
  add_line("all", "", all);
  const auto undecided = all.keys_undecided > 0 ? fmt::format(", {} key histories undecided", all.keys_undecided) : "";
  return lines.text(style) + fmt::format("\n{} runs, {} failed{}, {:.0f} seeds a minute\n", all.runs, all.failed,
                                         undecided, per_minute(all.runs, seconds));
}

nlohmann::ordered_json sim_summary::json(double seconds) const {
  json_value out;
  out["rows"] = json_value::array();
  for (const auto& [key, each] : rows_) {
    out["rows"].push_back({{"replicas", key.first},
                           {"profile", testing::to_string(key.second)},
                           {"runs", each.runs},
                           {"failed", each.failed},
                           {"batches", each.batches},
                           {"requests", each.requests},
                           {"requests_sent_again", each.retransmissions},
                           {"frames_delivered", each.frames},
                           {"frames_lost", each.lost},
                           {"frames_cut", each.cut},
                           {"frames_duplicated", each.duplicated},
                           {"runs_nudged", each.nudged},
                           {"queries", each.queries},
                           {"restarts", each.restarts},
                           {"learner_starts", each.learner_starts},
                           {"readmissions", each.readmissions},
                           {"disks_that_lied", each.disks_that_lied},
                           {"state_transfers", each.state_transfers},
                           {"checkpoints", each.checkpoints},
                           {"keys_undecided", each.keys_undecided},
                           {"virtual_seconds", seconds_of(each.virtual_time)},
                           {"progress_in_seconds_max", seconds_of(each.progress_max)},
                           {"settled_in_seconds_max", seconds_of(each.settling_max)}});
  }
  out["failures"] = json_value::array();
  for (const auto& each : failures_)
    out["failures"].push_back(json_of(each, testing::replay_command(each.options)));
  out["runs"] = runs();
  out["failed"] = failures_.size();
  out["seeds_per_minute"] = per_minute(runs(), seconds);
  return out;
}

nlohmann::ordered_json json_of(const testing::run_report& report, const std::string& replay) {
  json_value out = {{"seed", report.options.seed},
                    {"replicas", report.options.replicas},
                    {"operations", report.options.operations},
                    {"profile", testing::to_string(report.profile)},
                    {"passed", report.passed()},
                    {"event_hash", to_hex(report.event_hash.view())},
                    {"steps", report.steps},
                    {"virtual_seconds", seconds_of(report.virtual_time)},
                    {"progress_in_seconds", seconds_of(report.progress)},
                    {"settled_in_seconds", seconds_of(report.settling)},
                    {"batches", report.batches},
                    {"requests", report.requests},
                    {"nudges", report.nudges},
                    {"queries", report.queries},
                    {"reads", report.reads},
                    {"reads_ordered", report.reads_ordered},
                    {"requests_sent_again", report.retransmissions},
                    {"frames_sent", report.network.sent},
                    {"frames_delivered", report.network.delivered},
                    {"frames_lost", report.network.lost},
                    {"frames_cut", report.network.cut},
                    {"frames_duplicated", report.network.duplicated},
                    {"restarts", report.restarts},
                    {"learner_starts", report.learner_starts},
                    {"readmissions", report.readmissions},
                    {"disks_that_lied", report.disks_that_lied},
                    {"state_transfers", report.state_transfers},
                    {"checkpoints", report.checkpoints},
                    {"keys_undecided", report.keys_undecided}};
  if (report.failure) {
    out["invariant"] = report.failure->invariant;
    out["violation"] = report.failure->what;
    out["replay"] = replay;
  }
  return out;
}

std::string text_of(const testing::run_report& report) {
  cli::text_table table{{{""}, {""}}};
  const auto line = [&](std::string name, const auto& value) {
    table.add({std::move(name), fmt::format("{}", value)});
  };
  line("seed", report.options.seed);
  line("replicas", report.options.replicas);
  line("profile", testing::to_string(report.profile));
  line("outcome", report.passed() ? "passed" : "failed");
  line("event hash", to_hex(report.event_hash.view()));
  line("virtual time", fmt::format("{:.3f} s", seconds_of(report.virtual_time)));
  line("progress after healing", fmt::format("{:.3f} s", seconds_of(report.progress)));
  line("settled after healing", fmt::format("{:.3f} s", seconds_of(report.settling)));
  line("steps", report.steps);
  line("batches", report.batches);
  line("requests", fmt::format("{} ({} sent again)", report.requests, report.retransmissions));
  line("frames", fmt::format("{} delivered, {} lost, {} cut, {} duplicated", report.network.delivered,
                             report.network.lost, report.network.cut, report.network.duplicated));
  line("queries",
       fmt::format("{} ({} linearizable, {} of them ordered)", report.queries, report.reads, report.reads_ordered));
  line("nudges", report.nudges);
  line("restarts", fmt::format("{} ({} on probation, {} readmitted, {} disks lied)", report.restarts,
                               report.learner_starts, report.readmissions, report.disks_that_lied));
  line("state transfers", report.state_transfers);
  line("stable checkpoints", report.checkpoints);
  line("keys undecided", report.keys_undecided);
  return table.text(cli::text_style::plain());
}

}  // namespace hypermesh::lab
