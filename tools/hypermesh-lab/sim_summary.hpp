#pragma once

#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/simulation/simulated_run.hpp"
#include "tools/hypermesh/terminal/console.hpp"

namespace hypermesh::lab {

[[nodiscard]] double seconds_of(duration time);
/// The number of runs per minute; 0 if no time has passed.
[[nodiscard]] double per_minute(std::uint64_t runs, double seconds);

/// Sums over runs, by group size and profile.
class sim_summary {
 public:
  void add(const testing::run_report& report);

  [[nodiscard]] std::uint64_t runs() const;
  [[nodiscard]] const std::vector<testing::run_report>& failures() const { return failures_; }

  /// A table with a row for each group size and profile, and one row for all. `seconds` is the real time of the runs.
  [[nodiscard]] std::string table(double seconds, const cli::text_style& style) const;
  [[nodiscard]] nlohmann::ordered_json json(double seconds) const;

 private:
  struct row {
    std::uint64_t runs = 0;
    std::uint64_t failed = 0;
    std::uint64_t batches = 0;
    std::uint64_t requests = 0;
    std::uint64_t retransmissions = 0;
    std::uint64_t frames = 0;
    std::uint64_t lost = 0;
    std::uint64_t cut = 0;
    std::uint64_t duplicated = 0;
    std::uint64_t nudged = 0;
    std::uint64_t queries = 0;
    std::uint64_t restarts = 0;
    std::uint64_t learner_starts = 0;
    std::uint64_t readmissions = 0;
    std::uint64_t disks_that_lied = 0;
    std::uint64_t state_transfers = 0;
    std::uint64_t checkpoints = 0;
    std::uint64_t keys_undecided = 0;
    duration virtual_time{};
    duration progress_max{};
    duration settling_max{};

    void add(const row& other);
  };

  static row row_of(const testing::run_report& report);
  [[nodiscard]] row total() const;

  std::map<std::pair<std::uint32_t, testing::fault_profile>, row> rows_;
  std::vector<testing::run_report> failures_;
};

/// All results of one run, for `-o json`. `replay` is the command that repeats the run.
[[nodiscard]] nlohmann::ordered_json json_of(const testing::run_report& report, const std::string& replay);
/// The results of one run as a text for people.
[[nodiscard]] std::string text_of(const testing::run_report& report);

}  // namespace hypermesh::lab
