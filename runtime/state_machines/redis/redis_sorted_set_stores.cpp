#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "runtime/state_machines/redis/redis_call.hpp"

/// ZUNION, ZINTER, ZDIFF, their forms that store, and ZINTERCARD.
namespace hypermesh::machines::redis {

namespace {

enum class aggregation { sum, min, max };

/// A set or sorted set that takes part; null for an absent key.
struct operand {
  const keyspace::key_entry* entry = nullptr;
  decimal weight{1};

  [[nodiscard]] std::size_t size() const { return entry == nullptr ? 0 : entry->second.size(); }
};

struct algebra_request {
  std::vector<operand> operands;
  aggregation aggregate = aggregation::sum;
  bool has_scores = false;
  /// The most members that ZINTERCARD counts.
  std::size_t members_max = std::numeric_limits<std::size_t>::max();
};

/// Which of the commands it is, and so which options it has.
struct algebra_command {
  explicit algebra_command(std::string_view name)
      : is_union(name.starts_with("zunion")),
        is_difference(name.starts_with("zdiff")),
        is_count(name == "zintercard"),
        stores(name.ends_with("store")) {}

  bool is_union;
  bool is_difference;
  bool is_count;
  bool stores;
};

using result_map = std::map<std::string, decimal, std::less<>>;

/// Reads the options from word `number` on. False if the error was written.
bool read_options(const call& run, algebra_command command, std::size_t number, algebra_request& request) {
  const bool has_weights = !command.is_difference && !command.is_count;
  while (number < run.size()) {
    const auto option = run.option(number);
    const auto left = run.size() - number - 1;
    if (option == "withscores" && !command.stores && !command.is_count) {
      request.has_scores = true;
      ++number;
      continue;
    }
    if (option == "limit" && command.is_count && left >= 1) {
      const auto limit = parse_integer(run.word(number + 1));
      if (!limit || *limit < 0) {
        run.error("ERR LIMIT can't be negative");
        return false;
      }
      request.members_max = *limit == 0 ? std::numeric_limits<std::size_t>::max() : static_cast<std::size_t>(*limit);
      number += 2;
      continue;
    }
    if (option == "weights" && has_weights && left >= request.operands.size()) {
      for (auto& each : request.operands) {
        const auto weight = run.score(++number, "ERR weight value is not a float");
        if (!weight) return false;
        each.weight = *weight;
      }
      ++number;
      continue;
    }
    const auto value = option == "aggregate" && has_weights && left >= 1 ? run.option(number + 1) : std::string{};
    if (value != "sum" && value != "min" && value != "max") {
      run.error(errors::syntax);
      return false;
    }
    request.aggregate = value == "sum" ? aggregation::sum : value == "min" ? aggregation::min : aggregation::max;
    number += 2;
  }
  return true;
}

std::optional<algebra_request> read_request(const keyspace& data, const call& run, algebra_command command) {
  const std::size_t count_at = command.stores ? 2 : 1;
  const auto count = run.integer(count_at);
  if (!count) return std::nullopt;
  if (*count < 1) {
    run.error(fmt::format("ERR at least 1 input key is needed for '{}' command", run.name()));
    return std::nullopt;
  }
  if (static_cast<std::uint64_t>(*count) > run.size() - count_at - 1) {
    run.error(errors::syntax);
    return std::nullopt;
  }
  const auto keys = static_cast<std::size_t>(*count);
  algebra_request request;
  for (std::size_t number = 0; number < keys; ++number) {
    const auto* entry = data.find(run.word(count_at + 1 + number));
    const bool is_valid =
        entry == nullptr || entry->second.type == value_type::set || entry->second.type == value_type::sorted_set;
    if (!is_valid) {
      run.error(errors::wrong_type);
      return std::nullopt;
    }
    request.operands.push_back({entry, decimal{1}});
  }
  if (!read_options(run, command, count_at + 1 + keys, request)) return std::nullopt;
  return request;
}

/// The score of a member, times the weight. A member of a set has the score 1. As in Redis, a result without meaning
/// is 0.
decimal weighted(const keyspace& data, const operand& from, std::string_view member) {
  const auto score = from.entry->second.type == value_type::set ? decimal{1} : *data.score(from.entry->second, member);
  return score.times(from.weight).value_or(decimal{});
}

decimal aggregated(decimal one, decimal other, aggregation how) {
  if (how == aggregation::min) return std::min(one, other);
  if (how == aggregation::max) return std::max(one, other);
  return one.plus(other).value_or(decimal{});
}

std::optional<result_map> union_of(const keyspace& data, const call& run, const algebra_request& request) {
  result_map all;
  for (const auto& each : request.operands) {
    if (each.entry == nullptr) continue;
    for (const auto& member : each.entry->second.index->names) {
      if (!run.affords(work_costs::read + work_costs::copy(member.name.size()))) return std::nullopt;
      const auto score = weighted(data, each, member.name);
      const auto found = all.find(member.name);
      if (found == all.end()) {
        all.emplace(member.name, score);
      } else {
        found->second = aggregated(found->second, score, request.aggregate);
      }
    }
  }
  return all;
}

std::optional<result_map> intersection(const keyspace& data, const call& run, const algebra_request& request) {
  result_map common;
  if (std::ranges::any_of(request.operands, [](const operand& each) { return each.size() == 0; })) return common;
  const auto smallest = *std::ranges::min_element(request.operands, {}, &operand::size);
  for (const auto& member : smallest.entry->second.index->names) {
    if (!run.affords(work_costs::read * request.operands.size() + work_costs::copy(member.name.size())))
      return std::nullopt;
    std::optional<decimal> sum;
    for (const auto& each : request.operands) {
      if (!data.element(each.entry->second, member.name)) {
        sum.reset();
        break;
      }
      const auto score = weighted(data, each, member.name);
      sum = sum ? aggregated(*sum, score, request.aggregate) : score;
    }
    if (sum) common.emplace(member.name, *sum);
    if (common.size() == request.members_max) break;
  }
  return common;
}

/// The members of the first operand that are in no other one, with their scores in it.
std::optional<result_map> difference(const keyspace& data, const call& run, const algebra_request& request) {
  result_map left;
  const auto& from = request.operands.front();
  if (from.entry == nullptr) return left;
  for (const auto& member : from.entry->second.index->names) {
    std::size_t compared = 1;
    while (compared < request.operands.size()) {
      const auto* other = request.operands[compared].entry;
      if (other != nullptr && data.element(other->second, member.name)) break;
      ++compared;
    }
    if (!run.affords(work_costs::read * compared + work_costs::copy(member.name.size()))) return std::nullopt;
    if (compared == request.operands.size()) left.emplace(member.name, weighted(data, from, member.name));
  }
  return left;
}

std::optional<result_map> result_of(const keyspace& data, const call& run, algebra_command command,
                                    const algebra_request& request) {
  if (command.is_union) return union_of(data, run, request);
  return command.is_difference ? difference(data, run, request) : intersection(data, run, request);
}

/// ZUNION, ZINTER, ZDIFF and ZINTERCARD.
void combine(const keyspace& data, const call& run) {
  const algebra_command command{run.name()};
  const auto request = read_request(data, run, command);
  if (!request) return;
  const auto result = result_of(data, run, command, *request);
  if (!result) return;
  if (command.is_count) {
    run.reply.count(result->size());
    return;
  }
  if (!run.affords(work_costs::step * result->size())) return;
  // In the order of a sorted set: by score, then by name.
  std::vector<std::pair<decimal, std::string_view>> sorted;
  sorted.reserve(result->size());
  for (const auto& [member, score] : *result)
    sorted.emplace_back(score, member);
  std::ranges::sort(sorted);
  run.reply.array(sorted.size());
  for (const auto& [score, member] : sorted) {
    if (run.reply.is_full()) return;
    if (request->has_scores) run.reply.array(2);
    run.reply.bulk(member);
    if (request->has_scores) run.reply.score(score);
  }
}

/// ZUNIONSTORE, ZINTERSTORE and ZDIFFSTORE.
void store(keyspace& data, const call& run) {
  const algebra_command command{run.name()};
  const auto request = read_request(data, run, command);
  if (!request) return;
  const auto result = result_of(data, run, command, *request);
  if (!result || !run.affords(work_costs::scored_change * result->size())) return;
  if (auto* replaced = data.find(run.word(1)); replaced != nullptr) data.remove(*replaced);
  if (!result->empty()) {
    auto& made = data.create(run.word(1), value_type::sorted_set);
    for (const auto& [member, score] : *result)
      data.put_score(made.second, member, score);
    data.changed(made);
  }
  run.reply.count(result->size());
}

constexpr std::array handlers = {
    handler{"zdiff", combine},
    handler{"zdiffstore", nullptr, store},
    handler{"zinter", combine},
    handler{"zintercard", combine},
    handler{"zinterstore", nullptr, store},
    handler{"zunion", combine},
    handler{"zunionstore", nullptr, store},
};

}  // namespace

std::span<const handler> sorted_set_store_handlers() { return handlers; }

}  // namespace hypermesh::machines::redis
