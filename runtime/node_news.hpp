#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "actors/protocol/effects.hpp"
#include "runtime/links/link_event.hpp"

/// What an operator should read in the log of a node, made of what the node observes. Pure: times are given.
namespace hypermesh {

enum class news_level { debug, info, warning, error };

/// A line for the log. Nothing in it steers a terminal.
struct news {
  news_level level = news_level::info;
  std::string line;
};

/// News of the protocol: views and why they change, convictions and quarantines, own probation, states that were
/// fetched. Only what changed gives a line, so that a line says something new. Memory: fixed.
class node_news {
 public:
  node_news(replica_id self, std::uint32_t replicas) : self_(self), replicas_(replicas) {}

  [[nodiscard]] std::optional<news> of(const observation& what);

 private:
  struct teller;

  replica_id self_;
  std::uint32_t replicas_;
  /// The view that is left, so that leaving is told once.
  std::optional<view_number> leaving_;
  std::optional<suspicion_reason> suspicion_;
  std::optional<probation_changed> probation_;
};

/// News of the links. A link that cannot be opened is told once until it is open; what strangers do is told rarely,
/// because they choose how often they do it. Memory: a few words for each replica and each reason.
class link_news {
 public:
  using time = std::chrono::steady_clock::time_point;

  explicit link_news(replica_id self) : self_(self) {}

  [[nodiscard]] std::optional<news> of(const link_event& event, time now);

 private:
  /// How often a kind of line may come: so many at once, and then one each `interval`.
  struct allowance {
    static constexpr int lines_at_once = 4;
    static constexpr std::chrono::seconds interval{30};

    int lines = lines_at_once;
    time since;
    std::uint64_t left_out = 0;
  };

  [[nodiscard]] std::optional<news> of_replica(const link_event& event, time now);
  [[nodiscard]] std::optional<news> of_refusal(const link_event& event, time now);
  /// The line, if it may come now, and how many like it did not.
  [[nodiscard]] static std::optional<news> limited(allowance& by, time now, news made);

  replica_id self_;
  std::map<std::uint32_t, allowance> links_;
  /// Why the replica could not be dialed, since its link was last open.
  std::map<std::uint32_t, link_error> failures_;
  std::array<allowance, link_error_count> refusals_{};
};

}  // namespace hypermesh
