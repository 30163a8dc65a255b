#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "tools/hypermesh/terminal/console.hpp"

namespace hypermesh::cli {

/// The form of progress that a program shows if stderr is not a terminal.
enum class progress_elsewhere { lines, nothing };

/// The progress of a long task, on stderr. On a terminal it is a bar with rate and remaining time; otherwise it is a
/// plain line every few seconds, or nothing.
class progress_bar {
 public:
  using clock = std::chrono::steady_clock;
  /// Adds words about the progress. It is called only when something is shown.
  using remark = std::function<std::string()>;

  explicit progress_bar(std::uint64_t total, progress_elsewhere elsewhere = progress_elsewhere::lines);
  /// Removes the bar.
  ~progress_bar();
  progress_bar(const progress_bar&) = delete;
  progress_bar& operator=(const progress_bar&) = delete;

  /// Redraws the bar at intervals. May be called often.
  void show(std::uint64_t done, const remark& words = {});

  /// Removes the bar, so that another line can follow.
  void clear();

 private:
  [[nodiscard]] std::string bar(std::uint64_t done, const std::string& note) const;

  std::uint64_t total_;
  bool drawn_in_place_;
  bool is_silent_;
  text_style style_;
  clock::time_point started_;
  clock::time_point next_;
  /// The state of the last drawing. The shown rate is the rate of about the last second.
  clock::time_point last_;
  std::uint64_t last_done_ = 0;
  double rate_ = 0;
  bool visible_ = false;
};

}  // namespace hypermesh::cli
