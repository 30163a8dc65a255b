#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "actors/protocol/base/observations.hpp"
#include "runtime/links/link_event.hpp"

/// Turns the observations and link events of a node into the lines that an operator should read in its log. Pure: the
/// caller gives the time.
namespace hypermesh::runtime {

enum class news_level { debug, info, warning, error };

/// A line for the log. It contains no characters that control a terminal.
struct news {
  news_level level = news_level::info;
  std::string line;
};

/// Limits one kind of line: at most `lines_at_once` lines together, then one line in each `interval`.
struct line_allowance {
  using time = std::chrono::steady_clock::time_point;
  static constexpr int lines_at_once = 4;
  static constexpr std::chrono::seconds interval{30};

  int lines = lines_at_once;
  time since;
  std::uint64_t left_out = 0;

  /// The line, with the number of similar lines that were left out; nothing while the allowance is used up.
  [[nodiscard]] std::optional<news> limited(time now, news made);
};

/// News of the protocol: views and the reasons for their changes, convictions and quarantines, this replica's
/// probation, fetched states. Only a change makes a line. Failed queries make few lines, because clients choose how
/// often they ask. Memory: fixed.
class node_news {
 public:
  using time = line_allowance::time;

  node_news(replica_id self, std::uint32_t replicas) : self_(self), replicas_(replicas) {}

  [[nodiscard]] std::optional<news> of(const observation& what, time now);

 private:
  struct teller;

  replica_id self_;
  std::uint32_t replicas_;
  /// The view that this replica suspected or waits for. It is remembered so that waiting for a view makes only one
  /// line.
  std::optional<view_number> leaving_;
  std::optional<suspicion_reason> suspicion_;
  std::optional<probation_changed> probation_;
  line_allowance queries_;
};

/// News of the links. A link that cannot be opened makes one line for each new reason until it is open. Refused
/// connections make few lines, because strangers choose how often they connect. Memory: a few words for each replica
/// and each reason.
class link_news {
 public:
  using time = line_allowance::time;

  explicit link_news(replica_id self) : self_(self) {}

  [[nodiscard]] std::optional<news> of(const link_event& event, time now);

 private:
  [[nodiscard]] std::optional<news> of_replica(const link_event& event, time now);
  [[nodiscard]] std::optional<news> of_refusal(const link_event& event, time now);

  replica_id self_;
  std::map<std::uint32_t, line_allowance> links_;
  /// The last reason why a replica could not be dialed, for each replica whose link has not been open since then.
  std::map<std::uint32_t, link_error> failures_;
  std::array<line_allowance, link_error_count> refusals_{};
};

}  // namespace hypermesh::runtime
