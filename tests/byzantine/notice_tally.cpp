#include "tests/byzantine/notice_tally.hpp"

#include <algorithm>

#include "messages/kinds.hpp"

namespace hypermesh::testing {

void notice_tally::on_observed(const observation& what, moment now, group_size group, const suspects& is_faulty) {
  if (const auto* refused = std::get_if<frame_rejected>(&what)) {
    if (is_faulty(refused->sender)) count(to_string(refused->reason));
  } else if (const auto* suspected = std::get_if<primary_suspected>(&what)) {
    const bool is_right = is_faulty(principal::of(group.primary_of(suspected->view)));
    count(is_right ? "primary_suspected" : honest_suspected);
  } else if (const auto* replaced = std::get_if<donor_replaced>(&what)) {
    if (is_faulty(principal::of(replaced->replica))) count("donor_" + std::string{to_string(replaced->reason)});
  } else if (const auto* proven = std::get_if<fault_proven>(&what)) {
    if (!is_faulty(proven->accused)) return;
    count("fault_proven");
    trials_.try_emplace(proven->accused, faulty_trial{now, std::nullopt});
  } else if (const auto* standing = std::get_if<standing_changed>(&what)) {
    const bool is_conviction = standing->happened == standing_changed::what::convicted;
    if (!is_conviction || !is_faulty(standing->about)) return;
    count("convicted");
    const auto found = trials_.find(standing->about);
    if (found != trials_.end() && !found->second.convicted_at) found->second.convicted_at = now;
  } else if (std::holds_alternative<state_was_installed>(what)) {
    count("state_installed");
  }
}

std::uint64_t notice_tally::count_of(std::string_view name) const {
  const auto found = counts_.find(name);
  return found == counts_.end() ? 0 : found->second;
}

std::optional<duration> notice_tally::longest_trial() const {
  std::optional<duration> longest;
  for (const auto& [who, trial] : trials_) {
    if (trial.convicted_at) longest = std::max(longest.value_or(0us), *trial.convicted_at - trial.proven_at);
  }
  return longest;
}

bool notice_tally::has_open_trial() const {
  return std::ranges::any_of(trials_, [](const auto& each) { return !each.second.convicted_at; });
}

bool needs_comparison(const strategy& of) {
  return std::ranges::any_of(of.noticed_by, [](std::string_view name) {
    for (std::size_t number = 0; number < rejection_count; ++number) {
      const auto reason = static_cast<rejection>(number);
      if (to_string(reason) == name) return is_benign(reason);
    }
    return true;
  });
}

bool is_noticed(const strategy& of, const notice_tally& with, const notice_tally& without) {
  // If evidence proves the member faulty early, the other signs may not occur at all.
  if (with.count_of("fault_proven") > 0) return true;
  return std::ranges::any_of(of.noticed_by,
                             [&](std::string_view name) { return with.count_of(name) > without.count_of(name); });
}

}  // namespace hypermesh::testing
