#include "tools/hypermesh/live/cluster_status.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "runtime/http/report_json.hpp"
#include "tools/hypermesh/live/probation_text.hpp"
#include "tools/hypermesh/terminal/text_table.hpp"

namespace hypermesh::cli {

namespace {

using json = nlohmann::ordered_json;

constexpr std::size_t short_digest_bytes = 8;

/// The widest cells of the narrow table. Seven of them with two spaces between have `status_columns_max`
/// characters.
constexpr std::size_t number_width = 2;
constexpr std::size_t address_width = 21;
constexpr std::size_t role_width = 11;
constexpr std::size_t view_width = 6;
constexpr std::size_t position_width = 9;
constexpr std::size_t standing_width = 10;
constexpr std::size_t spaces = 2 * 6;
static_assert(number_width + address_width + role_width + view_width + 2 * position_width + standing_width + spaces ==
              status_columns_max);
static_assert(limits::replicas_max <= 100, "the number of a replica has two digits");
static_assert(view_width >= 6 && position_width >= 6, "`fitted` needs six characters");

/// The text in at most `width` characters. The middle is left out, because an address differs at its end.
std::string elided(const std::string& text, std::size_t width) {
  if (text.size() <= width) return text;
  const auto tail = (width - 1) / 2;
  return text.substr(0, width - 1 - tail) + "~" + text.substr(text.size() - tail);
}

/// The standing of a replica, as the other replicas agree on it.
std::string standing_text(const cluster_status& status, replica_id replica, status_form form, const text_style& style) {
  const auto agreed = standing_of(replica, status.reports, status.cluster.parameters());
  if (!agreed) return "-";
  const bool is_wide = form == status_form::wide;
  if (agreed->quarantined_until > sequence_number{0}) {
    return style.bad(is_wide ? fmt::format("quarantine until {}", grouped(agreed->quarantined_until.value))
                             : std::string{"quarantine"});
  }
  if (agreed->awaits_quarantine) return style.bad("convicted");
  if (agreed->score < reputation_ledger::throttled_below) {
    return style.warning(is_wide ? fmt::format("throttled, {}", agreed->score) : std::string{"throttled"});
  }
  return std::to_string(std::min<std::uint64_t>(agreed->score, reputation_ledger::score_max));
}

/// Which replicas answered and whether they hold one state.
std::string level_text(const cluster_status& status) {
  const auto reachable = reachable_count(status.reports);
  if (reachable > 1 && are_level(status.reports)) return "; all reachable replicas hold the same state";
  return reachable > 1 ? "; some replicas lag and are catching up" : "";
}

std::string wide_table_of(const cluster_status& status, const text_style& style) {
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
    const auto role = role_of(status, number, style);
    const auto standing = standing_text(status, replica_id{number}, status_form::wide, style);
    if (!report) {
      table.add({std::to_string(number), address, role, "-", "-", "-", "-", "-", "-", standing, "-", "-"});
      continue;
    }
    table.add({std::to_string(number), address, role, std::to_string(report->view.value),
               grouped(report->low_watermark.value), grouped(report->high_watermark.value),
               grouped(report->last_executed.value), grouped(report->stable_checkpoint.value),
               to_hex(report->state_root.view(), short_digest_bytes), standing,
               grouped(counter_of(*report, "requests_pending")), grouped(rejected_by(*report))});
  }
  return table.text(style);
}

std::string narrow_table_of(const cluster_status& status, const text_style& style) {
  using side = text_table::side;
  text_table table{{{"#", side::right},
                    {"address"},
                    {"state"},
                    {"view", side::right},
                    {"executed", side::right},
                    {"stable", side::right},
                    {"standing"}}};
  for (std::uint32_t number = 0; number < status.reports.size(); ++number) {
    const auto& report = status.reports[number];
    const auto cell = [&report](auto member, std::size_t width) {
      return report ? fitted(((*report).*member).value, width) : std::string{"-"};
    };
    table.add({std::to_string(number), elided(to_string(status.cluster.replicas[number].address), address_width),
               role_of(status, number, style), cell(&node_report::view, view_width),
               cell(&node_report::last_executed, position_width), cell(&node_report::stable_checkpoint, position_width),
               standing_text(status, replica_id{number}, status_form::narrow, style)});
  }
  return table.text(style);
}

/// The report with the state root, for which the node was asked, and the sum of its rejections.
json json_of(const node_report& report) {
  auto shown = http::json_of_report(report);
  shown["state_root"] = to_hex(report.state_root.view());
  shown["rejected"] = rejected_by(report);
  return shown;
}

json json_of_replicas(const cluster_status& status) {
  auto replicas = json::array();
  for (std::uint32_t number = 0; number < status.reports.size(); ++number) {
    const auto& report = status.reports[number];
    json one = {{"replica", number},
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
      one["primary"] = status.is_primary(number);
      one.update(json_of(*report));
    }
    replicas.push_back(one);
  }
  return replicas;
}

}  // namespace

bool cluster_status::has_quorum() const { return voting_count(reports) >= group().quorum(); }

cluster_status look_at(cluster_session& session, std::chrono::milliseconds patience,
                       const std::function<bool()>& keep_on) {
  const auto replicas = static_cast<std::uint32_t>(session.cluster().replicas.size());
  auto reports = collect_reports(session.client(), replicas, patience, keep_on);
  auto wrong = wrong_addresses(reports, principal::of(session.config().self), session.client().misdirected());
  auto health = health_of(reports, session.cluster().parameters());
  return {session.cluster(), std::move(reports), std::move(wrong), std::move(health)};
}

std::string role_of(const cluster_status& status, std::uint32_t number, const text_style& style) {
  const auto& report = status.reports.at(number);
  if (!report) return style.bad("unreachable");
  if (probation_in(*report)) return style.warning("probation");
  return status.is_primary(number) ? style.bold("primary") : style.good("backup");
}

exit_code verdict_of(const cluster_status& status) {
  if (!status.has_quorum()) return exit_code::no_quorum;
  return have_diverged(status.reports) ? exit_code::failed : exit_code::ok;
}

std::string summary_of(const cluster_status& status) {
  auto text = fmt::format("{} of {} replicas reachable, a quorum is {}", reachable_count(status.reports),
                          status.group().replicas(), status.group().quorum());
  text += probation_summary(status.reports, status.group());
  if (have_diverged(status.reports)) return text + "; replicas at the same sequence number hold different states";
  text += level_text(status);
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

std::string table_of(const cluster_status& status, status_form form, const text_style& style) {
  return form == status_form::wide ? wide_table_of(status, style) : narrow_table_of(status, style);
}

std::string page_of(const cluster_status& status, status_form form, const text_style& style) {
  const auto sentence = lines_of(sentence_of(status.health), status_columns_max);
  return (status.health.degraded() ? style.warning(sentence) : style.bold(sentence)) + "\n\n" +
         table_of(status, form, style);
}

std::string change_line_of(const cluster_status& status) {
  auto text = sentence_of(status.health);
  if (status.has_quorum()) {
    text += fmt::format("; view {}, primary {}", current_view(status.reports, status.cluster.parameters()).value,
                        status.primary().value);
  } else {
    text += "; no quorum";
  }
  if (have_diverged(status.reports)) text += "; replicas hold different states";
  for (std::uint32_t number = 0; number < status.reports.size(); ++number) {
    const auto role = role_of(status, number, text_style::plain());
    if (role == "probation" || role == "unreachable") text += fmt::format("; replica {} {}", number, role);
  }
  for (const auto& each : status.wrong)
    text += "; " + text_of(each);
  return text;
}

json json_of(const cluster_status& status) {
  auto wrong = json::array();
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
          {"health", json::parse(health::json_of(status.health))},
          {"replicas", json_of_replicas(status)}};
}

}  // namespace hypermesh::cli
