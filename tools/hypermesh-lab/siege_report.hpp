#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tools/hypermesh-lab/siege_session.hpp"
#include "tools/hypermesh/terminal/console.hpp"

namespace hypermesh::lab {

/// A strategy whose run gave no result.
struct failed_siege {
  std::string strategy;
  std::string why;
};

/// The results of all strategies.
struct siege_summary {
  std::vector<siege_result> results;
  std::vector<failed_siege> failures;

  /// True if no wrong result was accepted, no operation was lost or executed twice, all correct replicas agree, and no
  /// correct replica was convicted.
  [[nodiscard]] bool is_right() const;
  [[nodiscard]] std::size_t below_mark() const;
};

/// The result of one strategy in one line.
[[nodiscard]] std::string line_of(const siege_result& result);
/// The fault of a result as a sentence; empty if there is none.
[[nodiscard]] std::string objection_to(const siege_result& result);

/// A table with a row for each strategy, and a verdict.
[[nodiscard]] std::string text_of(const siege_summary& summary, const cli::text_style& style);
/// The summary for programs. tools/README.md describes the keys.
[[nodiscard]] nlohmann::ordered_json json_of(const siege_summary& summary);

}  // namespace hypermesh::lab
