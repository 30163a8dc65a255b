#include "tools/hypermesh/live/probation_text.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "tools/hypermesh/terminal/console.hpp"

namespace hypermesh::cli {

std::optional<probation_word> probation_in(const node_report& report) {
  if (counter_of(report, "on_probation") == 0) return std::nullopt;
  probation_word word;
  // The floor is two windows above a checkpoint, so it is never 0.
  if (const auto floor = counter_of(report, "probation_floor_sequence"); floor > 0) {
    word.floor = sequence_number{floor};
    word.first_view = view_number{counter_of(report, "probation_first_view")};
  }
  return word;
}

std::size_t voting_count(const cluster_reports& reports) {
  return static_cast<std::size_t>(
      std::ranges::count_if(reports, [](const auto& each) { return each && !probation_in(*each); }));
}

std::string text_of(const probation_word& word) {
  if (!word.floor || !word.first_view) return "does not know its earlier votes, is on probation, and may not vote yet";
  return fmt::format(
      "does not know its earlier votes, is on probation, and votes only above sequence {} and commits from "
      "view {} on",
      grouped(word.floor->value), word.first_view->value);
}

std::string probation_summary(const cluster_reports& reports, group_size group) {
  std::string text;
  for (std::uint32_t number = 0; number < reports.size(); ++number) {
    const auto word = reports[number] ? probation_in(*reports[number]) : std::nullopt;
    if (word) text += fmt::format("; replica {} {}", number, text_of(*word));
  }
  if (text.empty()) return text;
  const auto voting = voting_count(reports);
  if (voting < group.quorum()) {
    return text + fmt::format("; only {} replicas vote, so the service is stopped", voting);
  }
  if (voting == group.quorum()) return text + "; until it is readmitted, one more fault stops the service";
  return text;
}

nlohmann::ordered_json json_of(const std::optional<probation_word>& word) {
  if (!word) return nullptr;
  nlohmann::ordered_json json = {{"reason", "lost_disk"}, {"votes_above", nullptr}, {"commits_from_view", nullptr}};
  if (word->floor) json["votes_above"] = word->floor->value;
  if (word->first_view) json["commits_from_view"] = word->first_view->value;
  return json;
}

}  // namespace hypermesh::cli
