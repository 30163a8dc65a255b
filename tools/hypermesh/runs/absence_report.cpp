#include "tools/hypermesh/runs/absence_report.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "tools/hypermesh/load/load_report.hpp"

namespace hypermesh::cli {

namespace {

constexpr auto probation_note =
    "Note: the replica lost its votes, so it is on probation: it executes and answers, and the group readmits\n"
    "it without an operator. Until then it counts as one of the faulty replicas. This is by design.";

void add_phase(text_table& table, const std::string& name, const load_span& span) {
  table.add({name, short_duration(span.seconds), grouped(span.operations),
             grouped(static_cast<std::uint64_t>(span.rate() + 0.5))});
}

std::string phases_of(const absence_result& result, const text_style& style) {
  using side = text_table::side;
  text_table table{{{"load"}, {"time", side::right}, {"operations", side::right}, {"op/s", side::right}}};
  add_phase(table, "all replicas", result.before);
  add_phase(table, fmt::format("without replica {}", result.victim), result.absent);
  add_phase(table, "while it catches up", result.catching_up);
  add_phase(table, "all replicas again", result.after);
  return table.text(style);
}

std::string start_of(const absence_result& result) {
  const auto how = result.settings.lose_disk ? "as a learner, without its disk" : "from its disk";
  return fmt::format("{}; listening after {}", how, short_duration(result.listening_seconds));
}

std::string first_look_of(const absence_result& result) {
  const auto others = fmt::format("the other replicas at {}", grouped(result.others_then.value));
  // A node reports no execution before its first execution.
  if (result.first_seen == sequence_number{0}) return "no execution since its start, " + others;
  return fmt::format("at sequence {}, {}", grouped(result.first_seen.value), others);
}

std::string probation_of(const absence_result& result) {
  const auto view = result.last_word()->view.value;
  if (!*result.is_on_probation()) return fmt::format("no longer, in view {}", view);
  const auto floor = result.probation_floor();
  if (!floor) return fmt::format("yes, in view {}; it does not vote yet", view);
  return fmt::format("yes, in view {}; it prepares above sequence {}", view, grouped(*floor));
}

void add_return(text_table& table, const absence_result& result, const text_style& style) {
  table.add({"replica", fmt::format("{}, a backup in view {}; SIGKILL at sequence {}", result.victim, result.view.value,
                                    grouped(result.executed_before.value))});
  table.add({"absent", fmt::format("{}, {} operations missed", short_duration(result.absent.seconds),
                                   grouped(result.absent.operations))});
  table.add({"restarted", start_of(result)});
  table.add({"first report", first_look_of(result)});
  const auto later = result.states_installed() - std::min(result.states_installed(), result.states_until_in_step);
  table.add({"states installed",
             fmt::format("{} until it was in step, {} later", grouped(result.states_until_in_step), grouped(later))});
  table.add({"back in step",
             result.in_step_seconds
                 ? fmt::format("{} after its start, at sequence {}",
                               style.bold(short_duration(*result.in_step_seconds)), grouped(result.in_step_at.value))
                 : style.bad(fmt::format("not within {}", short_duration(result.catching_up.seconds)))});
  table.add({"executes by itself",
             result.executing_seconds
                 ? fmt::format("from {} after its start", short_duration(*result.executing_seconds))
                 : style.warning(fmt::format("not within {}: it installed further states instead",
                                             short_duration(result.catching_up.seconds + result.after.seconds)))});
  if (result.is_on_probation()) table.add({"on probation", probation_of(result)});
}

std::string sentence_of(const absence_result& result) {
  if (!result.in_step_seconds) return fmt::format("replica {} did not catch up", result.victim);
  return sentence_of(result.end);
}

}  // namespace

std::string text_of(const absence_result& result, const text_style& style) {
  text_table summary{{{""}, {""}}};
  add_return(summary, result, style);
  add_rows(summary, result.end);
  auto text = phases_of(result, style) + "\n" + summary.text(style) + "\n";
  if (result.is_on_probation().value_or(false)) text += style.dim(probation_note) + "\n\n";
  return text + verdict_line(sentence_of(result), result.is_right(), style);
}

nlohmann::ordered_json json_of(const absence_result& result) {
  nlohmann::ordered_json json;
  json["replicas"] = result.settings.load.replicas;
  json["replica"] = result.victim;
  json["view"] = result.view.value;
  json["lost_disk"] = result.settings.lose_disk;
  json["missed"] = result.absent.operations;
  json["absent_s"] = result.absent.seconds;
  json["listening_s"] = result.listening_seconds;
  json["in_step_s"] =
      result.in_step_seconds ? nlohmann::ordered_json(*result.in_step_seconds) : nlohmann::ordered_json(nullptr);
  json["executing_s"] =
      result.executing_seconds ? nlohmann::ordered_json(*result.executing_seconds) : nlohmann::ordered_json(nullptr);
  json["sequences"] = {{"at_kill", result.executed_before.value},
                       {"first_seen", result.first_seen.value},
                       {"others_then", result.others_then.value},
                       {"in_step", result.in_step_at.value}};
  json["states_installed"] = result.states_installed();
  json["states_installed_until_in_step"] = result.states_until_in_step;
  const auto probation = result.is_on_probation();
  json["on_probation"] = probation ? nlohmann::ordered_json(*probation) : nlohmann::ordered_json(nullptr);
  const auto floor = result.settings.lose_disk ? result.probation_floor() : std::nullopt;
  json["probation_floor"] = floor ? nlohmann::ordered_json(*floor) : nlohmann::ordered_json(nullptr);
  json["operations_per_second"] = {{"before", result.before.rate()},
                                   {"absent", result.absent.rate()},
                                   {"catching_up", result.catching_up.rate()},
                                   {"after", result.after.rate()}};
  add_keys(json, result.end);
  json["ok"] = result.is_right();
  return json;
}

}  // namespace hypermesh::cli
