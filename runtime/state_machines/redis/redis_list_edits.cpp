#include <algorithm>
#include <array>
#include <limits>

#include "runtime/state_machines/redis/redis_call.hpp"

/// The commands that search lists or change their middle. Each costs the elements that it reads or moves, and is
/// refused if they are more than the work of one operation.
namespace hypermesh::machines::redis {

namespace {

/// What it costs to move these elements. Counts no further than to the work that is left.
std::size_t cost_of_move(const keyspace& data, const call& run, const key_record& record, index_range range) {
  constexpr auto each_costs = work_costs::read + work_costs::change;
  auto cost = each_costs * range.count;
  for (std::size_t number = 0; number < range.count && cost <= run.work.left(); ++number)
    cost += work_costs::copy(data.list_at(record, range.first + number).size());
  return cost;
}

void linsert(keyspace& data, const call& run) {
  const auto where = run.option(2);
  if (where != "before" && where != "after") return run.error(errors::syntax);
  const auto entry = run.find(data, run.word(1), value_type::list);
  if (!entry) return;
  if (*entry == nullptr) {
    run.reply.number(0);
    return;
  }
  auto& record = (*entry)->second;
  std::size_t pivot = 0;
  for (; pivot < record.size(); ++pivot) {
    if (!run.affords(work_costs::read)) return;
    if (data.list_at(record, pivot) == run.word(3)) break;
  }
  if (pivot == record.size()) {
    run.reply.number(-1);
    return;
  }
  const auto place = where == "before" ? pivot : pivot + 1;
  // The shorter side moves by one position.
  const bool is_left = place < record.size() - place;
  const auto moved = is_left ? place : record.size() - place;
  if (!run.affords(cost_of_move(data, run, record, {is_left ? 0 : place, moved}))) return;
  data.list_push(record, is_left, run.word(4));
  for (std::size_t number = 0; number < moved; ++number) {
    const auto to = is_left ? number : record.size() - 1 - number;
    const std::string element{data.list_at(record, is_left ? to + 1 : to - 1)};
    data.list_set(record, to, element);
  }
  data.list_set(record, place, run.word(4));
  data.changed(**entry);
  run.reply.count(record.size());
}

void lrem(keyspace& data, const call& run) {
  const auto count = run.integer(2);
  if (!count) return;
  const auto entry = run.find(data, run.word(1), value_type::list);
  if (!entry) return;
  if (*entry == nullptr) {
    run.reply.number(0);
    return;
  }
  auto& record = (*entry)->second;
  const bool from_left = *count >= 0;
  const auto most = *count == 0                                          ? record.size()
                    : *count == std::numeric_limits<std::int64_t>::min() ? record.size()
                                                                         : static_cast<std::size_t>(std::abs(*count));
  const auto size = record.size();
  const auto place = [&](std::size_t number) { return from_left ? number : size - 1 - number; };
  std::size_t first = 0;
  for (; first < size; ++first) {
    if (!run.affords(work_costs::read)) return;
    if (data.list_at(record, place(first)) == run.word(3)) break;
  }
  const auto behind = size - first;
  if (!run.affords(cost_of_move(data, run, record, {from_left ? first : 0, behind}))) return;
  std::size_t removed = 0;
  // The elements that stay move to the side at which the search starts.
  for (auto number = first; number < size; ++number) {
    const auto element = data.list_at(record, place(number));
    if (removed < most && element == run.word(3)) {
      ++removed;
    } else if (removed > 0) {
      const std::string kept{element};
      data.list_set(record, place(number - removed), kept);
    }
  }
  for (std::size_t number = 0; number < removed; ++number)
    data.list_pop(record, !from_left);
  if (removed > 0) data.changed(**entry);
  run.reply.count(removed);
}

void ltrim(keyspace& data, const call& run) {
  const auto first = run.integer(2);
  if (!first) return;
  const auto last = run.integer(3);
  if (!last) return;
  const auto entry = run.find(data, run.word(1), value_type::list);
  if (!entry) return;
  if (*entry != nullptr) {
    auto& record = (*entry)->second;
    const auto range = range_of(*first, *last, record.size());
    const auto removed = record.size() - range.count;
    if (range.count == 0) {
      // A large list becomes garbage, so this costs no more than a short one.
      data.remove(**entry);
    } else if (removed > 0) {
      if (!run.affords(work_costs::change * removed)) return;
      const auto behind = removed - range.first;
      for (std::size_t number = 0; number < range.first; ++number)
        data.list_pop(record, true);
      for (std::size_t number = 0; number < behind; ++number)
        data.list_pop(record, false);
      data.changed(**entry);
    }
  }
  run.reply.ok();
}

struct position_options {
  std::int64_t rank = 1;
  /// 0 for all matches; no value if the reply is one index.
  std::optional<std::int64_t> count;
  /// 0 for the whole list.
  std::int64_t compared_max = 0;
};

std::optional<position_options> read_position_options(const call& run) {
  position_options options;
  for (std::size_t number = 3; number < run.size(); number += 2) {
    const auto option = run.option(number);
    if (number + 1 >= run.size() || (option != "rank" && option != "count" && option != "maxlen")) {
      run.error(errors::syntax);
      return std::nullopt;
    }
    // Redis says of any word that is no number that it is negative, but for RANK.
    const auto value =
        option == "rank" ? run.integer(number + 1) : std::optional{parse_integer(run.word(number + 1)).value_or(-1)};
    if (!value) return std::nullopt;
    std::string_view wrong;
    if (option == "rank") {
      options.rank = *value;
      if (*value == 0)
        wrong =
            "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to "
            "start from the end of the list";
      if (*value == std::numeric_limits<std::int64_t>::min()) wrong = errors::out_of_range;
    } else if (option == "count") {
      options.count = *value;
      if (*value < 0) wrong = "ERR COUNT can't be negative";
    } else {
      options.compared_max = *value;
      if (*value < 0) wrong = "ERR MAXLEN can't be negative";
    }
    if (wrong.empty()) continue;
    run.error(wrong);
    return std::nullopt;
  }
  return options;
}

void lpos(const keyspace& data, const call& run) {
  const auto options = read_position_options(run);
  if (!options) return;
  const auto entry = run.find(data, run.word(1), value_type::list);
  if (!entry) return;
  const auto size = *entry == nullptr ? std::size_t{0} : (*entry)->second.size();
  const auto compared =
      options->compared_max == 0 ? size : std::min(size, static_cast<std::size_t>(options->compared_max));
  const bool from_left = options->rank > 0;
  auto skipped = static_cast<std::size_t>(std::abs(options->rank)) - 1;
  const auto wanted = options->count.value_or(1) == 0 ? size : static_cast<std::size_t>(options->count.value_or(1));
  std::vector<std::size_t> found;
  for (std::size_t number = 0; number < compared && found.size() < wanted; ++number) {
    if (!run.affords(work_costs::read)) return;
    const auto place = from_left ? number : size - 1 - number;
    if (data.list_at((*entry)->second, place) != run.word(2)) continue;
    if (skipped > 0) {
      --skipped;
    } else {
      found.push_back(place);
    }
  }
  if (options->count) {
    run.reply.array(found.size());
    for (const auto place : found)
      run.reply.count(place);
  } else if (found.empty()) {
    run.reply.null();
  } else {
    run.reply.count(found.front());
  }
}

constexpr std::array handlers = {
    handler{"linsert", nullptr, linsert},
    handler{"lpos", lpos},
    handler{"lrem", nullptr, lrem},
    handler{"ltrim", nullptr, ltrim},
};

}  // namespace

std::span<const handler> list_edit_handlers() { return handlers; }

}  // namespace hypermesh::machines::redis
