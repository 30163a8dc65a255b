#include "runtime/state_machines/redis/redis_ranges.hpp"

namespace hypermesh::machines::redis {

namespace {

/// As in Redis, a bound may be a number that no score can be. Example: 1e-300 as the least score excludes 0, and 1e300
/// as the greatest one includes every finite score.
std::optional<score_bound> read_score_bound(std::string_view text, bool is_min) {
  const bool is_open = text.starts_with('(');
  if (is_open) text.remove_prefix(1);
  // As in Redis, no digits at all are zero here, but not in a score.
  if (text.empty()) return score_bound{decimal{}, is_open};
  const auto around = decimal::parse_interval(text);
  if (!around) return std::nullopt;
  const bool is_score = around->below == around->above;
  return score_bound{is_min ? around->above : around->below, is_open && is_score};
}

std::optional<lex_bound> read_lex_bound(std::string_view text) {
  using kind = lex_bound::kind;
  if (text == "-") return lex_bound{kind::first, {}};
  if (text == "+") return lex_bound{kind::last, {}};
  if (text.starts_with('[')) return lex_bound{kind::closed, text.substr(1)};
  if (text.starts_with('(')) return lex_bound{kind::open, text.substr(1)};
  return std::nullopt;
}

/// The number of members in front of the bound; the member of the bound itself counts if `includes` is true. The names
/// are searched by halves, whatever the scores are.
std::size_t members_before(const key_record& record, const lex_bound& bound, bool includes) {
  if (bound.at == lex_bound::kind::first) return 0;
  std::size_t first = 0;
  std::size_t end = record.size();
  if (bound.at == lex_bound::kind::last) return end;
  while (first < end) {
    const auto middle = first + (end - first) / 2;
    const std::string_view name = record.index->order.find_by_order(middle)->name;
    if (name < bound.member || (includes && name == bound.member)) {
      first = middle + 1;
    } else {
      end = middle;
    }
  }
  return first;
}

}  // namespace

rank_range score_range::ranks_in(const key_record& record) const {
  const auto& order = record.index->order;
  const auto first = min.is_open ? min.score.next() : min.score;
  const auto end = max.is_open ? max.score : max.score.next();
  return {order.order_of_key({first, {}}), order.order_of_key({end, {}})};
}

rank_range lex_range::ranks_in(const key_record& record) const {
  return {members_before(record, min, min.at == lex_bound::kind::open),
          members_before(record, max, max.at == lex_bound::kind::closed)};
}

std::optional<score_range> read_score_range(const call& run, std::size_t min_at, std::size_t max_at) {
  const auto min = read_score_bound(run.word(min_at), true);
  const auto max = read_score_bound(run.word(max_at), false);
  if (min && max) return score_range{*min, *max};
  run.error("ERR min or max is not a float");
  return std::nullopt;
}

std::optional<lex_range> read_lex_range(const call& run, std::size_t min_at, std::size_t max_at) {
  const auto min = read_lex_bound(run.word(min_at));
  const auto max = read_lex_bound(run.word(max_at));
  if (min && max) return lex_range{*min, *max};
  run.error("ERR min or max not valid string range item");
  return std::nullopt;
}

}  // namespace hypermesh::machines::redis
