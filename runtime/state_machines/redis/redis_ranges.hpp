#pragma once

#include <optional>
#include <string_view>

#include "runtime/state_machines/redis/redis_call.hpp"

/// The ranges of sorted sets by score and by member, as ZRANGEBYSCORE and ZRANGEBYLEX write them. A range becomes two
/// ranks, which the ordered index finds in logarithmic time, so counting members does not read them.
namespace hypermesh::machines::redis {

/// Members of a sorted set from rank `first` to the one before `end`, in ascending order.
struct rank_range {
  std::size_t first = 0;
  std::size_t end = 0;

  [[nodiscard]] std::size_t size() const { return end > first ? end - first : 0; }
};

/// One end of a range of scores: "1.5", "(1.5" without the score itself, or an infinity.
struct score_bound {
  decimal score;
  bool is_open = false;
};

/// One end of a range of members with equal scores: "[a", "(a" without the member itself, "-" or "+".
struct lex_bound {
  /// In this order: "-", "+", with the member itself, without it.
  enum class kind { first, last, closed, open };
  kind at = kind::first;
  /// Points into the words of the command.
  std::string_view member;
};

struct score_range {
  score_bound min;
  score_bound max;

  /// Empty if the bounds exclude each other.
  [[nodiscard]] rank_range ranks_in(const key_record& record) const;
};

/// A range of names. It is exact if the names ascend with the ranks, as they do if the scores are equal. Otherwise,
/// Redis leaves the range open, and here it is a function of the set alone, so all replicas agree.
struct lex_range {
  lex_bound min;
  lex_bound max;

  [[nodiscard]] rank_range ranks_in(const key_record& record) const;
};

/// The bounds in the words with these numbers. No value, and the error of Redis, if one of them is invalid.
[[nodiscard]] std::optional<score_range> read_score_range(const call& run, std::size_t min_at, std::size_t max_at);
[[nodiscard]] std::optional<lex_range> read_lex_range(const call& run, std::size_t min_at, std::size_t max_at);

}  // namespace hypermesh::machines::redis
