#pragma once

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <vector>

#include "tools/hypermesh/bench/bench_plan.hpp"
#include "tools/hypermesh/bench/load_result.hpp"
#include "tools/hypermesh/local_cluster/child_process.hpp"
#include "tools/hypermesh/terminal/interruption.hpp"
#include "tools/hypermesh/terminal/narrator.hpp"

namespace hypermesh::cli {

/// The load processes of one run. They end with this object. Use it from the main thread.
class load_fleet {
 public:
  /// Starts one process for each shape and waits until all are ready. `exchange` is an empty folder for their files.
  [[nodiscard]] static or_run_failure<std::unique_ptr<load_fleet>> start(const std::vector<load_shape>& shapes,
                                                                         const std::filesystem::path& cluster,
                                                                         const std::filesystem::path& exchange,
                                                                         interruption& stop);

  /// Tells all processes the moment at which the load begins.
  [[nodiscard]] or_run_failure<void> begin(moment when);

  /// An error if a process ended although its load is not over.
  [[nodiscard]] or_run_failure<void> check_health();

  /// Waits for the end of the processes and adds up what they saw.
  [[nodiscard]] or_run_failure<load_result> finish(interruption& stop);

  [[nodiscard]] std::vector<pid_t> process_ids() const;

 private:
  explicit load_fleet(std::filesystem::path exchange) : exchange_(std::move(exchange)) {}

  [[nodiscard]] or_run_failure<void> launch(const load_shape& shape, const std::filesystem::path& cluster);
  [[nodiscard]] run_failure failure_of_process(std::size_t index) const;
  [[nodiscard]] std::filesystem::path log_of(std::size_t index) const;

  std::filesystem::path exchange_;
  std::vector<load_shape> shapes_;
  std::vector<std::unique_ptr<child_process>> processes_;
};

}  // namespace hypermesh::cli
