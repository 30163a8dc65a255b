#include "tools/hypermesh-lab/siege_report.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tools/hypermesh/load/load_report.hpp"

namespace hypermesh::lab {

namespace {

using json_value = nlohmann::ordered_json;

bool is_below_mark(const siege_result& result) { return result.kept() < result.mark(); }

std::string rate_of(const cli::load_span& span) {
  return cli::grouped(static_cast<std::uint64_t>(std::max(span.rate(), 0.0)));
}

std::string conviction_of(const siege_result& result) {
  return result.convicted_after_seconds ? cli::short_duration(*result.convicted_after_seconds) : "-";
}

std::string players_of(const siege_result& result) {
  return fmt::format("{} {}", result.by_client ? "client" : "replica", fmt::join(result.players, " "));
}

std::vector<std::string> row_of(const siege_result& result, const cli::text_style& style) {
  const auto kept = fmt::format("{:.0f} %", 100 * result.kept());
  const auto count = [&](std::uint64_t number) {
    return number == 0 ? std::string{"0"} : style.bad(cli::grouped(number));
  };
  const auto why = objection_to(result);
  return {result.strategy,
          players_of(result),
          rate_of(result.before),
          rate_of(result.during),
          rate_of(result.after),
          is_below_mark(result) ? style.warning(kept) : kept,
          conviction_of(result),
          cli::short_duration(result.longest_gap_seconds),
          std::to_string(result.views_changed),
          count(result.end.wrong_results),
          count(result.end.lost - result.end.wrong_results),
          count(result.end.doubled),
          why.empty() ? style.good("right") : style.bad("wrong")};
}

json_value object_of(const siege_result& result) {
  json_value out = {
      {"strategy", result.strategy},
      {"by_client", result.by_client},
      {"players", result.players},
      {"provable", result.provable},
      {"operations_per_second",
       {{"before", result.before.rate()}, {"during", result.during.rate()}, {"after", result.after.rate()}}},
      {"kept", result.kept()},
      {"mark", result.mark()},
      {"below_mark", is_below_mark(result)}};
  out["convicted_after_s"] =
      result.convicted_after_seconds ? json_value(*result.convicted_after_seconds) : json_value(nullptr);
  out["cpu_us_per_operation"] = {{"before", result.cpu_us_before}, {"after", result.cpu_us_after}};
  out["longest_gap_s"] = result.longest_gap_seconds;
  out["views_changed"] = result.views_changed;
  out["convicted_wrongly"] = result.convicted_wrongly;
  out["noticed"] = result.noticed;
  out["wrong_replies"] = result.end.wrong_results;
  cli::add_keys(out, result.end);
  out["roots_are_equal"] = result.end.roots_are_equal;
  out["ok"] = result.is_right();
  return out;
}

}  // namespace

bool siege_summary::is_right() const {
  return failures.empty() && std::ranges::all_of(results, &siege_result::is_right);
}

std::size_t siege_summary::below_mark() const {
  return static_cast<std::size_t>(std::ranges::count_if(results, is_below_mark));
}

std::string objection_to(const siege_result& result) {
  if (!result.convicted_wrongly.empty()) {
    return fmt::format("honest replicas were convicted: {}", fmt::join(result.convicted_wrongly, " "));
  }
  return result.end.is_right() ? std::string{} : cli::sentence_of(result.end);
}

std::string line_of(const siege_result& result) {
  const auto why = objection_to(result);
  return fmt::format("{}: {} -> {} -> {} a second, {:.0f} % kept{}{}", result.strategy, rate_of(result.before),
                     rate_of(result.during), rate_of(result.after), 100 * result.kept(),
                     result.convicted_after_seconds ? fmt::format(", convicted after {}", conviction_of(result)) : "",
                     why.empty() ? "" : "; " + why);
}

std::string text_of(const siege_summary& summary, const cli::text_style& style) {
  using side = cli::text_table::side;
  cli::text_table table{{{"strategy"},
                         {"played by"},
                         {"before/s", side::right},
                         {"during/s", side::right},
                         {"after/s", side::right},
                         {"kept", side::right},
                         {"convicted", side::right},
                         {"longest gap", side::right},
                         {"views", side::right},
                         {"wrong", side::right},
                         {"lost", side::right},
                         {"doubled", side::right},
                         {"verdict"}}};
  for (const auto& each : summary.results)
    table.add(row_of(each, style));
  auto text = table.text(style) + "\n";
  for (const auto& each : summary.results) {
    const auto why = objection_to(each);
    if (!why.empty()) text += style.bad(fmt::format("{}: {}", each.strategy, why)) + "\n";
  }
  for (const auto& each : summary.failures)
    text += style.bad(fmt::format("{}: no result: {}", each.strategy, each.why)) + "\n";
  const auto below = summary.below_mark();
  text += below == 0 ? fmt::format("all {} strategies stayed above the required throughput\n", summary.results.size())
                     : style.warning(fmt::format("{} of {} strategies pushed the throughput below the mark "
                                                 "(80 %; 50 % for attacks by clients)",
                                                 below, summary.results.size())) +
                           "\n";
  return text +
         cli::verdict_line(summary.is_right()
                               ? "no client accepted a wrong result, no operation was lost or executed twice, and "
                                 "all honest replicas ended in the same state"
                               : "some strategies caused a wrong result; see the lines above",
                           summary.is_right(), style);
}

json_value json_of(const siege_summary& summary) {
  json_value out;
  out["strategies"] = json_value::array();
  for (const auto& each : summary.results)
    out["strategies"].push_back(object_of(each));
  out["failures"] = json_value::array();
  for (const auto& each : summary.failures)
    out["failures"].push_back({{"strategy", each.strategy}, {"why", each.why}});
  out["below_mark"] = summary.below_mark();
  out["ok"] = summary.is_right();
  return out;
}

}  // namespace hypermesh::lab
