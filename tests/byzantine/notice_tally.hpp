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

/// From the first proof against a faulty member at an honest replica to its conviction at one.
struct faulty_trial {
  microseconds_t proven_at = 0;
  std::optional<microseconds_t> convicted_at;
};

/// How often honest replicas noticed something of a faulty member: by the name of a rejection of what it sent, as
/// `primary_suspected` when it was the primary, and as `donor_late`, `donor_lied` or `donor_refused` when it gave a
/// state; as `fault_proven` what convicts it, and as `convicted` that the order did; and as `state_installed` how often
/// anybody fetched a state. Memory: one number for each name, and a trial for each member.
class notice_tally {
 public:
  /// What must not happen where nothing else goes wrong: an honest replica suspected an honest primary.
  static constexpr std::string_view honest_suspected = "honest_suspected";

  using suspects = std::function<bool(principal)>;

  /// An honest replica observed this; `is_faulty` knows who is.
  void on_observed(const observation& what, microseconds_t now, group_size group, const suspects& is_faulty);

  [[nodiscard]] std::uint64_t count_of(std::string_view name) const;
  [[nodiscard]] const std::map<std::string, std::uint64_t, std::less<>>& counts() const { return counts_; }
  [[nodiscard]] const std::map<principal, faulty_trial>& trials() const { return trials_; }
  /// Of all that were convicted; nothing when nobody was.
  [[nodiscard]] std::optional<microseconds_t> longest_trial() const;
  /// Whether one that was proven faulty was not convicted.
  [[nodiscard]] bool has_open_trial() const;

 private:
  void count(std::string_view name) { ++counts_.try_emplace(std::string{name}).first->second; }

  std::map<std::string, std::uint64_t, std::less<>> counts_;
  std::map<principal, faulty_trial> trials_;
};

/// Whether what gives the strategy away, happens also among honest members, now and then.
[[nodiscard]] bool needs_comparison(const strategy& of);
/// Whether one of the things that give the strategy away happened more often than when everybody was honest.
[[nodiscard]] bool is_noticed(const strategy& of, const notice_tally& with, const notice_tally& without);

}  // namespace hypermesh::testing
