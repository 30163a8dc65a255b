#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace hypermesh::cli {

/// One run of the search, at one offered rate.
struct knee_step {
  /// Operations in a second: those that were offered, and those that were answered in time.
  double offered = 0;
  double achieved = 0;
  std::uint64_t p50_us = 0;
  std::uint64_t p99_us = 0;
  std::uint64_t failed = 0;
  /// The measured time. Operations of its last moments are answered after it, which takes nothing from the rate that
  /// the cluster carries.
  double seconds = 1e9;
};

/// When a rate still counts as carried.
struct knee_bound {
  std::uint64_t p99_us_max = 0;
  /// The share of the offered rate that must be achieved. The operations that may be on their way at the end of the
  /// measured time, those of the last p99, are not missed; at most `edge_max` of all count as such.
  double achieved_min = 0.99;
  static constexpr double edge_max = 0.05;
};

/// Searches the knee: the highest offered rate that the cluster carries, which means that it answers at least 99 % of
/// it in time, no operation fails, and the 99th percentile stays below the bound. The search doubles the rate until a
/// rate is not carried, then halves the interval until it is narrower than 10 %. A stall of the machine may spoil a
/// run, so a rate is tried twice before it counts as not carried, unless much of it was missing. Pure. Memory: at most
/// `steps_max` steps.
class knee_search {
 public:
  static constexpr std::size_t steps_max = 24;
  /// The search ends when the lowest rate that is not carried is at most this factor above the highest that is.
  static constexpr double narrow_enough = 1.1;
  /// A run that achieved less than this share of its rate needs no second try.
  static constexpr double hopeless = 0.8;
  /// No cluster that works is slower than one operation in a second, and a load cannot offer more than the highest
  /// rate.
  static constexpr double rate_min = 1;
  static constexpr double rate_max = 10'000'000;

  knee_search(double first_rate, knee_bound bound) : next_(first_rate), bound_(bound) {}

  /// The rate of the next run; nothing when the search is over.
  [[nodiscard]] std::optional<double> next() const { return is_over() ? std::nullopt : std::optional{next_}; }
  /// Notes the run at the rate `next()`.
  void note(const knee_step& step);

  /// Whether the step is carried.
  [[nodiscard]] bool is_carried(const knee_step& step) const;
  /// The carried step with the highest rate, if there is one.
  [[nodiscard]] std::optional<knee_step> knee() const;
  [[nodiscard]] const std::vector<knee_step>& steps() const { return steps_; }
  [[nodiscard]] const knee_bound& bound() const { return bound_; }

 private:
  [[nodiscard]] bool is_over() const;

  double next_;
  /// Whether the rate `next_` was tried and not carried.
  bool is_doubtful_ = false;
  knee_bound bound_;
  std::vector<knee_step> steps_;
  /// The highest carried rate and the lowest rate that was not carried; 0 while there is none.
  double carried_ = 0;
  double refused_ = 0;
};

}  // namespace hypermesh::cli
