#include "actors/protocol/base/system_request_kinds.hpp"

#include <array>

namespace hypermesh::protocol {

// Each table is indexed by the number of the enumerator. The numbers begin with 1, so "none" is never the name of a
// valid one.

std::string_view to_string(misbehaviour_kind what) {
  static constexpr std::array<std::string_view, misbehaviour_kind_last + 1> names = {"none",
                                                                                     "conflicting_votes",
                                                                                     "conflicting_checkpoints",
                                                                                     "conflicting_view_changes",
                                                                                     "conflicting_new_views",
                                                                                     "conflicting_requests",
                                                                                     "unlawful_vote",
                                                                                     "unlawful_view_change",
                                                                                     "unlawful_new_view",
                                                                                     "hidden_certificate"};
  static_assert(!names.back().empty(), "one name for each misbehaviour");
  return names.at(static_cast<std::size_t>(what));
}

std::string_view to_string(complaint_reason why) {
  static constexpr std::array<std::string_view, complaint_reason_last + 1> names = {"none", "garbage", "flood",
                                                                                    "bad_state", "bad_service"};
  static_assert(!names.back().empty(), "one name for each complaint reason");
  return names.at(static_cast<std::size_t>(why));
}

std::string_view to_string(hand_over_cause why) {
  static constexpr std::array<std::string_view, hand_over_cause_last + 1> names = {"none", "readmission", "operators",
                                                                                   "step_down"};
  return names.at(static_cast<std::size_t>(why));
}

std::vector<case_name> cases_in(const batch& content) {
  std::vector<case_name> names;
  names.reserve(content.system_requests.size());
  for (const auto& each : content.system_requests)
    names.push_back(each.name);
  return names;
}

}  // namespace hypermesh::protocol
