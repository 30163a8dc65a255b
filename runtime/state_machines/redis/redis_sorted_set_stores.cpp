#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>

#include "runtime/state_machines/redis/redis_call.hpp"

/// ZUNIONSTORE and ZINTERSTORE.
namespace hypermesh::machines::redis {

namespace {

enum class aggregation { sum, min, max };

/// A set or sorted set that takes part; null for an absent key.
struct operand {
  const keyspace::key_entry* entry = nullptr;
  decimal weight{1};

  [[nodiscard]] std::size_t size() const { return entry == nullptr ? 0 : entry->second.size(); }
};

struct store_request {
  std::vector<operand> operands;
  aggregation aggregate = aggregation::sum;
};

using result_map = std::map<std::string, decimal, std::less<>>;

/// Reads WEIGHTS and AGGREGATE from word `number` on. False if the error was written.
bool read_store_options(const call& run, std::size_t number, store_request& request) {
  while (number < run.size()) {
    const auto option = run.option(number);
    const auto left = run.size() - number - 1;
    if (option == "weights" && left >= request.operands.size()) {
      for (auto& each : request.operands) {
        const auto weight = run.score(++number, "ERR weight value is not a float");
        if (!weight) return false;
        each.weight = *weight;
      }
      ++number;
      continue;
    }
    const auto value = option == "aggregate" && left >= 1 ? run.option(number + 1) : std::string{};
    if (value != "sum" && value != "min" && value != "max") {
      run.error(errors::syntax);
      return false;
    }
    request.aggregate = value == "sum" ? aggregation::sum : value == "min" ? aggregation::min : aggregation::max;
    number += 2;
  }
  return true;
}

std::optional<store_request> read_store(const keyspace& data, const call& run) {
  const auto count = run.integer(2);
  if (!count) return std::nullopt;
  if (*count < 1) {
    run.error(fmt::format("ERR at least 1 input key is needed for '{}' command", run.name()));
    return std::nullopt;
  }
  if (static_cast<std::uint64_t>(*count) > run.size() - 3) {
    run.error(errors::syntax);
    return std::nullopt;
  }
  const auto keys = static_cast<std::size_t>(*count);
  store_request request;
  for (std::size_t number = 0; number < keys; ++number) {
    const auto* entry = data.find(run.word(3 + number));
    const bool is_valid =
        entry == nullptr || entry->second.type == value_type::set || entry->second.type == value_type::sorted_set;
    if (!is_valid) {
      run.error(errors::wrong_type);
      return std::nullopt;
    }
    request.operands.push_back({entry, decimal{1}});
  }
  if (!read_store_options(run, 3 + keys, request)) return std::nullopt;
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

std::optional<result_map> union_of(const keyspace& data, const call& run, const store_request& request) {
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

std::optional<result_map> intersection(const keyspace& data, const call& run, const store_request& request) {
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
  }
  return common;
}

void store(keyspace& data, const call& run) {
  const auto request = read_store(data, run);
  if (!request) return;
  const auto result = run.name() == "zunionstore" ? union_of(data, run, *request) : intersection(data, run, *request);
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
    handler{"zinterstore", nullptr, store},
    handler{"zunionstore", nullptr, store},
};

}  // namespace

std::span<const handler> sorted_set_store_handlers() { return handlers; }

}  // namespace hypermesh::machines::redis
