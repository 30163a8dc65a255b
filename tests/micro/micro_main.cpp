#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "tests/micro/ratio_table.hpp"

/// The main of the micro-benchmarks: `--check FILE` compares with stored ratios, `--write FILE` stores them. Without
/// either it is the usual main of google-benchmark.
namespace hypermesh::testing {

namespace {

constexpr auto calibration_name = "calibration";

/// The costs of one stage over all repetitions.
struct stage_cost {
  double fastest_ns = 0;
  double allocations = 0;
};

/// Whether a benchmark has skipped itself with an error. Version 1.8 of the library replaced the flag by an enum.
template <class Run>
bool has_failed(const Run& run) {
  if constexpr (requires { run.error_occurred; }) {
    return run.error_occurred;
  } else {
    return static_cast<int>(run.skipped) != 0;
  }
}

/// Prints as usual, and keeps the fastest repetition of each stage.
class keeping_reporter final : public benchmark::ConsoleReporter {
 public:
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const auto& run : runs) {
      if (run.run_type != Run::RT_Iteration || has_failed(run)) continue;
      const auto items = run.counters.find("items");
      const auto allocations = run.counters.find("allocations");
      const auto of_iteration = items == run.counters.end() ? 1.0 : static_cast<double>(items->second);
      const auto time = run.GetAdjustedCPUTime() / of_iteration;
      auto& cost = costs_[run.run_name.function_name];
      cost.fastest_ns = cost.fastest_ns == 0 ? time : std::min(cost.fastest_ns, time);
      if (allocations != run.counters.end()) cost.allocations = static_cast<double>(allocations->second);
    }
    ConsoleReporter::ReportRuns(runs);
  }

  /// The ratios to the calibration; empty without a calibration.
  [[nodiscard]] ratio_table ratios() const {
    ratio_table table;
    const auto calibration = costs_.find(calibration_name);
    if (calibration == costs_.end() || calibration->second.fastest_ns <= 0) return table;
    for (const auto& [name, cost] : costs_) {
      if (name != calibration_name) table[name] = {cost.fastest_ns / calibration->second.fastest_ns, cost.allocations};
    }
    return table;
  }

 private:
  std::map<std::string, stage_cost> costs_;
};

int fail(const std::string& what, const std::string& remedy) {
  std::fprintf(stderr, "error: %s\n  fix: %s\n", what.c_str(), remedy.c_str());
  return 1;
}

int check(const ratio_table& measured, const std::string& file) {
  std::ifstream in{file, std::ios::binary};
  const std::string text{std::istreambuf_iterator<char>{in}, {}};
  const auto stored = read_ratios(text);
  if (!stored) return fail(fmt::format("{}: {}", file, stored.error()), "hypermesh_micro --write " + file);
  const auto wrong = regressions(measured, *stored);
  for (const auto& each : wrong)
    std::fprintf(stderr, "regression: %s\n", each.c_str());
  if (wrong.empty()) return 0;
  return fail(fmt::format("{} of {} stages cost more than stored", wrong.size(), measured.size()),
              "find the reason, or on a quiet machine: hypermesh_micro --write " + file);
}

int write(const ratio_table& measured, const std::string& file) {
  std::ofstream out{file, std::ios::binary | std::ios::trunc};
  out << text_of(measured);
  out.close();
  return out ? 0 : fail("cannot write " + file, "check the path and free space");
}

}  // namespace

}  // namespace hypermesh::testing

int main(int count, char** words) {
  using namespace hypermesh::testing;
  std::vector<char*> rest;
  std::string mode;
  std::string file;
  for (int index = 0; index < count; ++index) {
    const std::string word = words[index];
    const bool has_file = (word == "--check" || word == "--write") && index + 1 < count;
    if (has_file) {
      mode = word;
      file = words[++index];
    } else {
      rest.push_back(words[index]);
    }
  }
  auto rest_count = static_cast<int>(rest.size());
  benchmark::Initialize(&rest_count, rest.data());
  if (benchmark::ReportUnrecognizedArguments(rest_count, rest.data())) return 2;
  keeping_reporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  if (mode.empty()) return 0;
  const auto measured = reporter.ratios();
  if (measured.empty()) return fail("no calibration was measured", "do not filter the benchmarks");
  return mode == "--check" ? check(measured, file) : write(measured, file);
}
