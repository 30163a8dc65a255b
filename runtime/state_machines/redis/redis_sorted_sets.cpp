#include <algorithm>
#include <array>

#include "runtime/state_machines/redis/redis_call.hpp"

/// ZADD and the other commands of single members of a sorted set.
namespace hypermesh::machines::redis {

namespace {

struct add_options {
  bool only_new = false;
  bool only_present = false;
  bool only_greater = false;
  bool only_less = false;
  bool counts_changes = false;
  bool increments = false;
  /// The number of the word with the first score.
  std::size_t first_score = 2;
};

add_options read_add_options(const call& run) {
  add_options options;
  for (; options.first_score < run.size(); ++options.first_score) {
    const auto option = run.option(options.first_score);
    if (option == "nx") {
      options.only_new = true;
    } else if (option == "xx") {
      options.only_present = true;
    } else if (option == "gt") {
      options.only_greater = true;
    } else if (option == "lt") {
      options.only_less = true;
    } else if (option == "ch") {
      options.counts_changes = true;
    } else if (option == "incr") {
      options.increments = true;
    } else {
      break;
    }
  }
  return options;
}

/// Whether the options suit each other and the number of words.
bool check_add_options(const call& run, const add_options& options) {
  const auto left = run.size() - options.first_score;
  std::string_view wrong;
  if (left == 0 || left % 2 != 0) {
    wrong = errors::syntax;
  } else if (options.only_new && options.only_present) {
    wrong = "ERR XX and NX options at the same time are not compatible";
  } else if ((options.only_greater && options.only_new) || (options.only_less && options.only_new) ||
             (options.only_greater && options.only_less)) {
    wrong = "ERR GT, LT, and/or NX options at the same time are not compatible";
  } else if (options.increments && left > 2) {
    wrong = "ERR INCR option supports a single increment-element pair";
  }
  if (wrong.empty()) return true;
  run.error(wrong);
  return false;
}

struct add_counts {
  std::size_t added = 0;
  std::size_t updated = 0;
  /// The score of the last pair; no value if the options forbade it.
  std::optional<decimal> score;
};

/// Adds or updates one member. False if the sum has no meaning.
bool add_member(keyspace& data, key_record& record, std::string_view member, decimal score, const add_options& options,
                add_counts& counts) {
  counts.score.reset();
  const auto present = data.score(record, member);
  if (!present) {
    if (options.only_present) return true;
    data.put_score(record, member, score);
    ++counts.added;
    counts.score = score;
    return true;
  }
  if (options.only_new) return true;
  if (options.increments) {
    const auto sum = present->plus(score);
    if (!sum) return false;
    score = *sum;
  }
  if ((options.only_less && score >= *present) || (options.only_greater && score <= *present)) return true;
  counts.score = score;
  if (score == *present) return true;
  data.put_score(record, member, score);
  ++counts.updated;
  return true;
}

void add_with(keyspace& data, const call& run, const add_options& options) {
  std::vector<decimal> scores;
  for (auto number = options.first_score; number < run.size(); number += 2) {
    const auto score = run.score(number);
    if (!score) return;
    scores.push_back(*score);
  }
  if (!run.members_fit(options.first_score + 1, 2)) return;
  const auto entry = run.find(data, run.word(1), value_type::sorted_set);
  if (!entry) return;
  if (*entry == nullptr && options.only_present) {
    if (options.increments) {
      run.reply.null();
    } else {
      run.reply.number(0);
    }
    return;
  }
  auto* set = *entry != nullptr ? *entry : &data.create(run.word(1), value_type::sorted_set);
  add_counts counts;
  for (std::size_t pair = 0; pair < scores.size(); ++pair) {
    const auto& member = run.word(options.first_score + 2 * pair + 1);
    if (!add_member(data, set->second, member, scores[pair], options, counts))
      return run.error("ERR resulting score is not a number (NaN)");
  }
  if (counts.added + counts.updated > 0) data.changed(*set);
  if (!options.increments) {
    run.reply.count(counts.added + (options.counts_changes ? counts.updated : 0));
  } else if (counts.score) {
    run.reply.score(*counts.score);
  } else {
    run.reply.null();
  }
}

void zadd(keyspace& data, const call& run) {
  const auto options = read_add_options(run);
  if (check_add_options(run, options)) add_with(data, run, options);
}

void zincrby(keyspace& data, const call& run) {
  add_options options;
  options.increments = true;
  add_with(data, run, options);
}

void zrem(keyspace& data, const call& run) { remove_elements(data, run, value_type::sorted_set); }

void reply_score(const keyspace& data, const call& run, const keyspace::key_entry* entry, std::string_view member) {
  const auto score = entry == nullptr ? std::nullopt : data.score(entry->second, member);
  if (score) {
    run.reply.score(*score);
  } else {
    run.reply.null();
  }
}

void zscore(const keyspace& data, const call& run) {
  if (const auto entry = run.find(data, run.word(1), value_type::sorted_set)) {
    reply_score(data, run, *entry, run.word(2));
  }
}

void zmscore(const keyspace& data, const call& run) {
  const auto entry = run.find(data, run.word(1), value_type::sorted_set);
  if (!entry) return;
  run.reply.array(run.size() - 2);
  for (const auto& member : run.words.subspan(2))
    reply_score(data, run, *entry, member);
}

void zcard(const keyspace& data, const call& run) {
  if (const auto entry = run.find(data, run.word(1), value_type::sorted_set)) {
    run.reply.count(*entry == nullptr ? 0 : (*entry)->second.size());
  }
}

/// ZRANK and ZREVRANK.
void zrank(const keyspace& data, const call& run) {
  const auto entry = run.find(data, run.word(1), value_type::sorted_set);
  if (!entry) return;
  const auto score = *entry == nullptr ? std::nullopt : data.score((*entry)->second, run.word(2));
  if (!score) {
    run.reply.null();
    return;
  }
  const auto& record = (*entry)->second;
  const auto rank = record.index->order.order_of_key({*score, run.word(2)});
  run.reply.count(run.name() == "zrank" ? rank : record.size() - 1 - rank);
}

/// Writes the members and their scores, each pair as an array if `is_nested`, and removes them. The set stays as it is
/// if they do not fit the reply.
void pop_members(keyspace& data, const call& run, keyspace::key_entry& entry, bool is_min, std::size_t count,
                 bool is_nested) {
  auto& record = entry.second;
  std::vector<std::string> chosen;
  auto each = record.index->order.begin();
  if (!is_min) each = record.index->order.find_by_order(record.size() - 1);
  for (std::size_t number = 0; number < count && !run.reply.is_full(); ++number) {
    if (is_nested) run.reply.array(2);
    run.reply.bulk(each->name).score(each->score);
    chosen.emplace_back(each->name);
    if (number + 1 < count) is_min ? ++each : --each;
  }
  if (run.reply.is_full()) return;
  for (const auto& member : chosen)
    data.erase_element(record, member);
  data.changed(entry);
}

void zmpop(keyspace& data, const call& run) {
  const auto request = read_multi_pop(run, "min", "max");
  if (!request) return;
  for (const auto& key : request->keys) {
    const auto entry = run.find(data, key, value_type::sorted_set);
    if (!entry) return;
    if (*entry == nullptr) continue;
    const auto count = std::min(request->count, (*entry)->second.size());
    if (!run.affords((work_costs::step + work_costs::scored_change) * count)) return;
    run.reply.array(2).bulk(key).array(count);
    pop_members(data, run, **entry, request->is_first, count, true);
    return;
  }
  run.reply.null();
}

void zrandmember(const keyspace& data, const call& run) {
  const auto pick = pick_at_random(data, run, value_type::sorted_set, "withscores");
  if (!pick) return;
  for (const auto rank : pick->ranks) {
    const auto chosen = pick->entry->second.index->order.find_by_order(rank);
    if (pick->is_paired) run.reply.array(2);
    run.reply.bulk(chosen->name);
    if (pick->is_paired) run.reply.score(chosen->score);
    if (run.reply.is_full()) return;
  }
}

/// ZPOPMIN and ZPOPMAX.
void zpop(keyspace& data, const call& run) {
  if (run.size() > 3) return run.error(errors::syntax);
  const bool is_min = run.name() == "zpopmin";
  const auto wanted = run.size() == 3 ? run.positive(2) : std::size_t{1};
  if (!wanted) return;
  const auto entry = run.find(data, run.word(1), value_type::sorted_set);
  if (!entry) return;
  const auto count = *entry == nullptr ? std::size_t{0} : std::min(*wanted, (*entry)->second.size());
  if (!run.affords((work_costs::step + work_costs::scored_change) * count)) return;
  if (count == 0) {
    run.reply.array(0);
    return;
  }
  // Without a count, the reply is flat.
  const bool is_nested = run.size() == 3;
  run.reply.array(is_nested ? count : 2);
  pop_members(data, run, **entry, is_min, count, is_nested);
}

constexpr std::array handlers = {
    handler{"zadd", nullptr, zadd},
    handler{"zcard", zcard},
    handler{"zincrby", nullptr, zincrby},
    handler{"zmpop", nullptr, zmpop},
    handler{"zrandmember", zrandmember},
    handler{"zmscore", zmscore},
    handler{"zpopmax", nullptr, zpop},
    handler{"zpopmin", nullptr, zpop},
    handler{"zrank", zrank},
    handler{"zrem", nullptr, zrem},
    handler{"zrevrank", zrank},
    handler{"zscore", zscore},
};

}  // namespace

std::span<const handler> sorted_set_handlers() { return handlers; }

}  // namespace hypermesh::machines::redis
