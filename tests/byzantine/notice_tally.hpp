#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "actors/protocol/base/cluster.hpp"
#include "actors/protocol/base/observations.hpp"
#include "tests/byzantine/strategy.hpp"

namespace hypermesh::testing {

/// The time from the first proof against a faulty member at a correct replica to its conviction at a correct replica.
struct faulty_trial {
  moment proven_at;
  std::optional<moment> convicted_at;
};

/// Counts the signs of faulty members at correct replicas. The names are: the name of each rejection of their messages;
/// `primary_suspected` for a primary; `donor_late`, `donor_lied` or `donor_refused` for a donor of a state;
/// `fault_proven` for evidence; `convicted` for a conviction by the order. `state_installed` counts the states that any
/// replica fetched. Memory: one number for each name, and a trial for each member.
class notice_tally {
 public:
  /// Counts suspicions of a correct primary by a correct replica. They must not happen without another fault.
  static constexpr std::string_view honest_suspected = "honest_suspected";

  using suspects = std::function<bool(principal)>;

  /// Records an observation of a correct replica. `is_faulty` tells which members are faulty.
  void on_observed(const observation& what, moment now, group_size group, const suspects& is_faulty);

  [[nodiscard]] std::uint64_t count_of(std::string_view name) const;
  [[nodiscard]] const std::map<std::string, std::uint64_t, std::less<>>& counts() const { return counts_; }
  [[nodiscard]] const std::map<principal, faulty_trial>& trials() const { return trials_; }
  /// The longest trial of all convicted members; nothing if no member was convicted.
  [[nodiscard]] std::optional<duration> longest_trial() const;
  /// Whether a member that was proven faulty was not convicted.
  [[nodiscard]] bool has_open_trial() const;

 private:
  void count(std::string_view name) { ++counts_.try_emplace(std::string{name}).first->second; }

  std::map<std::string, std::uint64_t, std::less<>> counts_;
  std::map<principal, faulty_trial> trials_;
};

/// Whether the signs of the strategy sometimes also occur among correct members.
[[nodiscard]] bool needs_comparison(const strategy& of);
/// Whether one of the signs of the strategy occurred more often than in a run without faulty members.
[[nodiscard]] bool is_noticed(const strategy& of, const notice_tally& with, const notice_tally& without);

}  // namespace hypermesh::testing
