#include <algorithm>
#include <array>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/state_machines/redis/redis_call.hpp"
#include "runtime/state_machines/redis/redis_ranges.hpp"

/// ZRANGE and the other commands of ranges of a sorted set.
namespace hypermesh::machines::redis {

namespace {

/// By rank, with numbers that may count from the end.
struct index_bounds {
  std::int64_t first = 0;
  std::int64_t last = 0;
};

using bounds = std::variant<index_bounds, score_range, lex_range>;

enum class range_kind { rank, score, lex };

/// What ZRANGE and its older forms select.
struct range_request {
  std::optional<range_kind> kind;
  std::optional<bool> is_reversed;
  bool has_scores = false;
  std::int64_t offset = 0;
  /// Negative for no bound.
  std::int64_t count = -1;
};

range_request request_of_command(std::string_view name) {
  range_request request;
  if (name == "zrange" || name == "zrangestore") return request;
  request.is_reversed = name.starts_with("zrev");
  request.kind = name.ends_with("byscore") ? range_kind::score
                 : name.ends_with("bylex") ? range_kind::lex
                                           : range_kind::rank;
  return request;
}

/// Reads the options from word `first` on. No value if the error was written.
std::optional<range_request> read_request(const call& run, std::size_t first) {
  auto request = request_of_command(run.name());
  const bool is_stored = run.name() == "zrangestore";
  for (std::size_t number = first; number < run.size(); ++number) {
    const auto option = run.option(number);
    if (option == "withscores" && !is_stored) {
      request.has_scores = true;
    } else if (option == "limit" && number + 2 < run.size()) {
      const auto offset = run.integer(number + 1);
      if (!offset) return std::nullopt;
      const auto count = run.integer(number + 2);
      if (!count) return std::nullopt;
      request.offset = *offset;
      request.count = *count;
      number += 2;
    } else if (option == "rev" && !request.is_reversed) {
      request.is_reversed = true;
    } else if ((option == "bylex" || option == "byscore") && !request.kind) {
      request.kind = option == "bylex" ? range_kind::lex : range_kind::score;
    } else {
      run.error(errors::syntax);
      return std::nullopt;
    }
  }
  if (!request.kind) request.kind = range_kind::rank;
  if (!request.is_reversed) request.is_reversed = false;
  std::string_view wrong;
  if (request.count != -1 && request.kind == range_kind::rank)
    wrong = "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX";
  else if (request.has_scores && request.kind == range_kind::lex)
    wrong = "ERR syntax error, WITHSCORES not supported in combination with BYLEX";
  if (wrong.empty()) return request;
  run.error(wrong);
  return std::nullopt;
}

/// The bounds in words `min_at` and `max_at`. No value if the error was written.
std::optional<bounds> read_bounds(const call& run, range_kind kind, std::size_t min_at, std::size_t max_at) {
  if (kind == range_kind::score) return read_score_range(run, min_at, max_at);
  if (kind == range_kind::lex) return read_lex_range(run, min_at, max_at);
  const auto first = run.integer(min_at);
  if (!first) return std::nullopt;
  const auto last = run.integer(max_at);
  if (!last) return std::nullopt;
  return index_bounds{*first, *last};
}

/// The ranks between the bounds. Indexes count from the greatest member if `is_reversed`.
rank_range ranks_between(const key_record& record, const bounds& between, bool is_reversed) {
  if (const auto* indexes = std::get_if<index_bounds>(&between)) {
    const auto range = range_of(indexes->first, indexes->last, record.size());
    if (!is_reversed) return {range.first, range.first + range.count};
    const auto end = record.size() - range.first;
    return {end - range.count, end};
  }
  if (const auto* scores = std::get_if<score_range>(&between)) return scores->ranks_in(record);
  return std::get<lex_range>(between).ranks_in(record);
}

/// The part that LIMIT leaves. A negative offset leaves nothing, as in Redis.
rank_range limited(rank_range ranks, const range_request& request) {
  const auto size = ranks.size();
  const auto skipped = request.offset < 0 ? size : std::min(size, static_cast<std::size_t>(request.offset));
  const auto left = size - skipped;
  const auto count = request.count < 0 ? left : std::min(left, static_cast<std::size_t>(request.count));
  if (*request.is_reversed) return {ranks.end - skipped - count, ranks.end - skipped};
  return {ranks.first + skipped, ranks.first + skipped + count};
}

/// What a command selected of a set.
struct selection {
  range_request request;
  /// Null for an absent key, and then there are no ranks.
  const keyspace::key_entry* entry = nullptr;
  rank_range ranks;
};

/// Reads the command, whose set is in word `key_at`, with the bounds and the options behind it. No value if the error
/// was written.
std::optional<selection> select(const keyspace& data, const call& run, std::size_t key_at) {
  const auto request = read_request(run, key_at + 3);
  if (!request) return std::nullopt;
  const bool is_reversed = *request->is_reversed;
  // A reversed range names its greater bound first.
  const std::size_t swapped = is_reversed && request->kind != range_kind::rank ? 1 : 0;
  const auto between = read_bounds(run, *request->kind, key_at + 1 + swapped, key_at + 2 - swapped);
  if (!between) return std::nullopt;
  const auto entry = run.find(data, run.word(key_at), value_type::sorted_set);
  if (!entry) return std::nullopt;
  selection made{*request, *entry, {}};
  if (*entry != nullptr) made.ranks = limited(ranks_between((*entry)->second, *between, is_reversed), *request);
  if (!run.affords(work_costs::step * made.ranks.size())) return std::nullopt;
  return made;
}

/// ZRANGE, ZREVRANGE, ZRANGEBYSCORE, ZREVRANGEBYSCORE, ZRANGEBYLEX and ZREVRANGEBYLEX.
void zrange(const keyspace& data, const call& run) {
  const auto selected = select(data, run, 1);
  if (!selected) return;
  const auto ranks = selected->ranks;
  const bool is_reversed = *selected->request.is_reversed;
  run.reply.array(ranks.size());
  if (ranks.size() == 0) return;
  const auto& order = selected->entry->second.index->order;
  auto each = order.find_by_order(is_reversed ? ranks.end - 1 : ranks.first);
  for (std::size_t number = 0; number < ranks.size() && !run.reply.is_full(); ++number) {
    if (selected->request.has_scores) run.reply.array(2);
    run.reply.bulk(each->name);
    if (selected->request.has_scores) run.reply.score(each->score);
    if (number + 1 < ranks.size()) is_reversed ? --each : ++each;
  }
}

void zrangestore(keyspace& data, const call& run) {
  const auto selected = select(data, run, 2);
  if (!selected) return;
  const auto size = selected->ranks.size();
  std::vector<std::pair<std::string, decimal>> members;
  members.reserve(size);
  if (size > 0) {
    auto each = selected->entry->second.index->order.find_by_order(selected->ranks.first);
    for (std::size_t number = 0; number < size; ++number, ++each) {
      if (!run.affords(work_costs::scored_change + work_costs::copy(each->name.size()))) return;
      members.emplace_back(each->name, each->score);
    }
  }
  // The target may be the source, which is read by now.
  if (auto* replaced = data.find(run.word(1)); replaced != nullptr) data.remove(*replaced);
  if (size > 0) {
    auto& made = data.create(run.word(1), value_type::sorted_set);
    for (const auto& [member, score] : members)
      data.put_score(made.second, member, score);
    data.changed(made);
  }
  run.reply.count(size);
}

/// ZCOUNT and ZLEXCOUNT.
void zcount(const keyspace& data, const call& run) {
  const auto kind = run.name() == "zcount" ? range_kind::score : range_kind::lex;
  const auto between = read_bounds(run, kind, 2, 3);
  if (!between) return;
  const auto entry = run.find(data, run.word(1), value_type::sorted_set);
  if (!entry) return;
  run.reply.count(*entry == nullptr ? 0 : ranks_between((*entry)->second, *between, false).size());
}

/// ZREMRANGEBYRANK, ZREMRANGEBYSCORE and ZREMRANGEBYLEX.
void zremrange(keyspace& data, const call& run) {
  const auto name = run.name();
  const auto kind = name.ends_with("score") ? range_kind::score
                    : name.ends_with("lex") ? range_kind::lex
                                            : range_kind::rank;
  const auto between = read_bounds(run, kind, 2, 3);
  if (!between) return;
  const auto entry = run.find(data, run.word(1), value_type::sorted_set);
  if (!entry) return;
  std::size_t removed = 0;
  if (*entry != nullptr) {
    auto& record = (*entry)->second;
    const auto ranks = ranks_between(record, *between, false);
    removed = ranks.size();
    if (!run.affords(work_costs::scored_change * removed)) return;
    for (std::size_t number = 0; number < removed; ++number) {
      const std::string member{record.index->order.find_by_order(ranks.first)->name};
      data.erase_element(record, member);
    }
    if (removed > 0) data.changed(**entry);
  }
  run.reply.count(removed);
}

constexpr std::array handlers = {
    handler{"zcount", zcount},
    handler{"zlexcount", zcount},
    handler{"zrange", zrange},
    handler{"zrangebylex", zrange},
    handler{"zrangebyscore", zrange},
    handler{"zrangestore", nullptr, zrangestore},
    handler{"zremrangebylex", nullptr, zremrange},
    handler{"zremrangebyrank", nullptr, zremrange},
    handler{"zremrangebyscore", nullptr, zremrange},
    handler{"zrevrange", zrange},
    handler{"zrevrangebylex", zrange},
    handler{"zrevrangebyscore", zrange},
};

}  // namespace

std::span<const handler> sorted_set_range_handlers() { return handlers; }

}  // namespace hypermesh::machines::redis
