#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/hypermesh/client/cluster_reports.hpp"
#include "tools/hypermesh/client/cluster_session.hpp"
#include "tools/hypermesh/commands/command.hpp"
#include "tools/hypermesh/commands/probation_text.hpp"
#include "tools/hypermesh/terminal/console.hpp"
#include "tools/hypermesh/terminal/hard_deadline.hpp"
#include "tools/hypermesh/terminal/output_options.hpp"
#include "tools/hypermesh/terminal/text_table.hpp"

namespace hypermesh::cli {

namespace {

struct status_options {
  client_options client;
  output_options output;
};

constexpr auto examples =
    "Examples:\n"
    "  hypermesh status --cluster mycluster\n"
    "  hypermesh status --cluster mycluster -o json | jq '.replicas[].counters'\n"
    "\n"
    "Each row is that replica's own, unverified report. 'standing' is what at least f + 1 other replicas agree on:\n"
    "a score from 0 to 1000, or the reason why the replica is distrusted ('hypermesh release --help'). A replica on\n"
    "probation lost its disk: it follows the others, and its vote does not count until they readmit it. A line\n"
    "below the table names each address of the genesis at which another replica answers than the listed one.\n"
    "\n"
    "The sentence 'tolerates ... safe to restart: ...' says how many more replicas may fail, and which one may be\n"
    "restarted now without a loss of service. The primary is never among them: 'hypermesh hand-over' moves it first.\n"
    "\n"
    "Exit codes: 0 a quorum is reachable and votes; 1 replicas at the same sequence number hold different states; 3\n"
    "fewer than a quorum.";

constexpr std::size_t short_digest_bytes = 8;

struct cluster_status {
  genesis cluster;
  cluster_reports reports;
  std::vector<wrong_address> wrong;
  health_report health;

  [[nodiscard]] group_size group() const { return cluster.parameters().group(); }
  /// A replica that lost its disk answers like any other replica, but its vote does not count yet.
  [[nodiscard]] bool has_quorum() const { return voting_count(reports) >= group().quorum(); }
  [[nodiscard]] replica_id primary() const { return group().primary_of(current_view(reports, cluster.parameters())); }
};

/// Describes the whole cluster in one sentence.
std::string summary_of(const cluster_status& status) {
  const auto reachable = reachable_count(status.reports);
  const auto total = status.group().replicas();
  auto text = fmt::format("{} of {} replicas reachable, a quorum is {}", reachable, total, status.group().quorum());
  text += probation_summary(status.reports, status.group());
  if (have_diverged(status.reports)) return text + "; replicas at the same sequence number hold different states";
  if (reachable > 1 && are_level(status.reports)) {
    text += "; all reachable replicas hold the same state";
  } else if (reachable > 1) {
    text += "; some replicas lag and are catching up";
  }
  for (const auto& each : status.wrong)
    text += "; " + text_of(each);
  if (!status.wrong.empty()) text += ": correct the addresses in the genesis of the member that dialed";
  if (const auto clients = clients_rate_limited(status.reports, status.cluster.parameters()); clients > 0) {
    text += fmt::format(
        "; {} convicted of contradicting {} and limited to one pending request for a while ('hypermesh audit show' "
        "lists {})",
        clients == 1 ? "1 client was" : fmt::format("{} clients were", clients), clients == 1 ? "itself" : "themselves",
        clients == 1 ? "it" : "them");
  }
  return text;
}

/// The standing of a replica, as the other replicas agree on it.
std::string standing_text(const cluster_status& status, replica_id replica, const text_style& style) {
  const auto agreed = standing_of(replica, status.reports, status.cluster.parameters());
  if (!agreed) return "-";
  if (agreed->quarantined_until > sequence_number{0}) {
    return style.bad(fmt::format("quarantine until {}", grouped(agreed->quarantined_until.value)));
  }
  if (agreed->awaits_quarantine) return style.bad("convicted");
  if (agreed->score < reputation_ledger::throttled_below)
    return style.warning(fmt::format("throttled, {}", agreed->score));
  return std::to_string(agreed->score);
}

std::string table_of(const cluster_status& status, const text_style& style) {
  using side = text_table::side;
  text_table table{{{"replica", side::right},
                    {"address"},
                    {"state"},
                    {"view", side::right},
                    {"low", side::right},
                    {"high", side::right},
                    {"executed", side::right},
                    {"checkpoint", side::right},
                    {"state root"},
                    {"standing"},
                    {"pending", side::right},
                    {"rejected", side::right}}};
  for (std::uint32_t number = 0; number < status.reports.size(); ++number) {
    const auto& report = status.reports[number];
    const auto address = to_string(status.cluster.replicas[number].address);
    if (!report) {
      table.add({std::to_string(number), address, style.bad("unreachable"), "-", "-", "-", "-", "-", "-",
                 standing_text(status, replica_id{number}, style), "-", "-"});
      continue;
    }
    const bool is_primary = status.has_quorum() && replica_id{number} == status.primary();
    const auto role = is_primary ? style.bold("primary") : style.good("backup");
    table.add({std::to_string(number), address, probation_in(*report) ? style.warning("on probation") : role,
               std::to_string(report->view.value), grouped(report->low_watermark.value),
               grouped(report->high_watermark.value), grouped(report->last_executed.value),
               grouped(report->stable_checkpoint.value), to_hex(report->state_root.view(), short_digest_bytes),
               standing_text(status, replica_id{number}, style), grouped(counter_of(*report, "requests_pending")),
               grouped(rejected_by(*report))});
  }
  return table.text(style);
}

nlohmann::ordered_json json_of(const node_report& report) {
  auto counters = nlohmann::ordered_json::object();
  for (const auto& each : report.counters)
    counters[each.name] = each.value;
  return {{"view", report.view.value},
          {"low_watermark", report.low_watermark.value},
          {"high_watermark", report.high_watermark.value},
          {"last_executed", report.last_executed.value},
          {"stable_checkpoint", report.stable_checkpoint.value},
          {"state_root", to_hex(report.state_root.view())},
          {"rejected", rejected_by(report)},
          {"counters", counters}};
}

nlohmann::ordered_json json_of(const cluster_status& status) {
  auto replicas = nlohmann::ordered_json::array();
  for (std::uint32_t number = 0; number < status.reports.size(); ++number) {
    const auto& report = status.reports[number];
    nlohmann::ordered_json one = {{"replica", number},
                                  {"address", to_string(status.cluster.replicas[number].address)},
                                  {"reachable", report.has_value()}};
    if (const auto agreed = standing_of(replica_id{number}, status.reports, status.cluster.parameters())) {
      one["standing"] = {{"score", agreed->score},
                         {"convictions", agreed->convictions},
                         {"convicted_at", agreed->convicted_at.value},
                         {"quarantined_until", agreed->quarantined_until.value},
                         {"awaits_quarantine", agreed->awaits_quarantine}};
    }
    if (report) {
      one["probation"] = json_of(probation_in(*report));
      one["primary"] = status.has_quorum() && replica_id{number} == status.primary();
      one.update(json_of(*report));
    }
    replicas.push_back(one);
  }
  auto wrong = nlohmann::ordered_json::array();
  for (const auto& each : status.wrong) {
    wrong.push_back({{"seen_by", to_string(each.seen_by)},
                     {"replica", each.what.listed_for.value},
                     {"answers_as", each.what.answers_as.value}});
  }
  return {{"cluster",
           {{"name", status.cluster.name},
            {"id", to_hex(status.cluster.id().view())},
            {"machine", status.cluster.state_machine},
            {"replicas", status.group().replicas()},
            {"faulty_max", status.group().faulty_max()},
            {"quorum", status.group().quorum()}}},
          {"reachable", reachable_count(status.reports)},
          {"voting", voting_count(status.reports)},
          {"has_quorum", status.has_quorum()},
          {"level", are_level(status.reports)},
          {"diverged", have_diverged(status.reports)},
          {"clients_rate_limited", clients_rate_limited(status.reports, status.cluster.parameters())},
          {"wrong_addresses", wrong},
          {"health", nlohmann::ordered_json::parse(json_of(status.health))},
          {"replicas", replicas}};
}

exit_code show_status(cluster_session& session, const status_options& options) {
  const auto replicas = static_cast<std::uint32_t>(session.cluster().replicas.size());
  const auto patience = std::chrono::milliseconds{static_cast<std::int64_t>(options.client.timeout_seconds * 1'000)};
  auto reports = collect_reports(session.client(), replicas, patience, [] { return true; });
  auto wrong = wrong_addresses(reports, principal::of(session.config().self), session.client().misdirected());
  auto health = health_of(reports, session.cluster().parameters());
  const cluster_status status{session.cluster(), std::move(reports), std::move(wrong), std::move(health)};
  const auto style = text_style::of(STDOUT_FILENO);
  if (options.output.is_json()) {
    print_json(json_of(status), 2);
  } else {
    print_report(table_of(status, style));
  }
  say(sentence_of(status.health));
  const auto summary = summary_of(status);
  if (!status.has_quorum()) {
    const auto remedy = reachable_count(status.reports) >= status.group().quorum()
                            ? "start the unreachable replicas: the replica on probation needs a quorum of the others"
                            : "start the unreachable replicas, and check addresses and network";
    return report_error({summary, remedy}, exit_code::no_quorum);
  }
  if (have_diverged(status.reports)) {
    return report_error(
        {summary, "find the replica that differs from a quorum, and keep its files for an investigation"},
        exit_code::failed);
  }
  say(summary);
  return exit_code::ok;
}

exit_code run_status(const status_options& options) {
  auto config = read_client_of(options.client);
  if (!config) return report_error(config.error(), exit_code::usage);
  if (auto done = check_limits(config->cluster); !done) {
    return report_error(done.error(), exit_code::failed);
  }
  hard_deadline deadline{options.client.timeout_seconds};
  auto opened = cluster_session::open(std::move(*config), {});
  if (!opened) return report_error(opened.error(), exit_code::usage);
  return deadline.settle(show_status(**opened, options));
}

}  // namespace

void add_status(CLI::App& app, chosen_command& chosen) {
  auto* command = app.add_subcommand("status", "Show the position and the standing of each replica");
  auto options = std::make_shared<status_options>();
  options->client.timeout_seconds = 2;
  command->footer(examples);
  add_client_options(*command, options->client);
  add_output_option(*command, options->output);
  command->callback([options, &chosen] { chosen = [options] { return run_status(*options); }; });
}

}  // namespace hypermesh::cli
