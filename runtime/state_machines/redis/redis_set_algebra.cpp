#include <algorithm>
#include <array>
#include <limits>
#include <set>

#include "runtime/state_machines/redis/redis_call.hpp"

/// SINTER, SUNION, SDIFF, their forms that store, and SINTERCARD.
namespace hypermesh::machines::redis {

namespace {

/// Members of the result in the order of their bytes, which differs from that of a set in the state.
using member_set = std::set<std::string, std::less<>>;

/// The sets of several keys; null for an absent key.
using operands = std::vector<const keyspace::key_entry*>;

std::optional<operands> find_operands(const keyspace& data, const call& run, std::span<const std::string> keys) {
  operands found;
  for (const auto& key : keys) {
    const auto entry = run.find(data, key, value_type::set);
    if (!entry) return std::nullopt;
    found.push_back(*entry);
  }
  return found;
}

std::size_t size_of(const keyspace::key_entry* entry) { return entry == nullptr ? 0 : entry->second.size(); }

bool is_in(const keyspace& data, const keyspace::key_entry* entry, std::string_view member) {
  return entry != nullptr && data.element(entry->second, member).has_value();
}

/// The common members, at most `most` of them. No value if the error was written.
std::optional<member_set> intersection(const keyspace& data, const call& run, operands sets, std::size_t most) {
  member_set common;
  std::ranges::stable_sort(sets, {}, [](const auto* each) { return size_of(each); });
  if (size_of(sets.front()) == 0) return common;
  for (const auto& each : sets.front()->second.index->names) {
    std::size_t compared = 1;
    while (compared < sets.size() && is_in(data, sets[compared], each.name))
      ++compared;
    if (!run.affords(work_costs::read * compared + work_costs::copy(each.name.size()))) return std::nullopt;
    if (compared == sets.size()) common.emplace(each.name);
    if (common.size() == most) break;
  }
  return common;
}

std::optional<member_set> union_of(const call& run, const operands& sets) {
  member_set all;
  for (const auto* set : sets) {
    if (set == nullptr) continue;
    for (const auto& each : set->second.index->names) {
      if (!run.affords(work_costs::read + work_costs::copy(each.name.size()))) return std::nullopt;
      all.emplace(each.name);
    }
  }
  return all;
}

std::optional<member_set> difference(const keyspace& data, const call& run, const operands& sets) {
  member_set left;
  if (sets.front() == nullptr) return left;
  for (const auto& each : sets.front()->second.index->names) {
    std::size_t compared = 1;
    while (compared < sets.size() && !is_in(data, sets[compared], each.name))
      ++compared;
    if (!run.affords(work_costs::read * compared + work_costs::copy(each.name.size()))) return std::nullopt;
    if (compared == sets.size()) left.emplace(each.name);
  }
  return left;
}

std::optional<member_set> result_of(const keyspace& data, const call& run, std::span<const std::string> keys) {
  auto sets = find_operands(data, run, keys);
  if (!sets) return std::nullopt;
  const auto name = run.name();
  if (name.starts_with("sinter"))
    return intersection(data, run, std::move(*sets), std::numeric_limits<std::size_t>::max());
  return name.starts_with("sunion") ? union_of(run, *sets) : difference(data, run, *sets);
}

/// SINTER, SUNION and SDIFF.
void combine(const keyspace& data, const call& run) {
  const auto result = result_of(data, run, run.words.subspan(1));
  if (!result) return;
  run.reply.set(result->size());
  for (const auto& member : *result)
    run.reply.bulk(member);
}

/// SINTERSTORE, SUNIONSTORE and SDIFFSTORE.
void store(keyspace& data, const call& run) {
  const auto result = result_of(data, run, run.words.subspan(2));
  if (!result || !run.affords(work_costs::change * result->size())) return;
  if (auto* replaced = data.find(run.word(1)); replaced != nullptr) data.remove(*replaced);
  if (!result->empty()) {
    auto& made = data.create(run.word(1), value_type::set);
    for (const auto& member : *result)
      data.put_element(made.second, member, {});
    data.changed(made);
  }
  run.reply.count(result->size());
}

void sintercard(const keyspace& data, const call& run) {
  const auto keys = parse_integer(run.word(1));
  if (!keys || *keys <= 0) return run.error("ERR numkeys should be greater than 0");
  if (static_cast<std::uint64_t>(*keys) > run.size() - 2)
    return run.error("ERR Number of keys can't be greater than number of args");
  std::int64_t most = 0;
  const auto first_option = 2 + static_cast<std::size_t>(*keys);
  for (auto number = first_option; number < run.size(); number += 2) {
    if (run.option(number) != "limit" || number + 1 >= run.size()) return run.error(errors::syntax);
    const auto limit = parse_integer(run.word(number + 1));
    if (!limit || *limit < 0) return run.error("ERR LIMIT can't be negative");
    most = *limit;
  }
  auto sets = find_operands(data, run, run.words.subspan(2, static_cast<std::size_t>(*keys)));
  if (!sets) return;
  const auto bound = most == 0 ? std::numeric_limits<std::size_t>::max() : static_cast<std::size_t>(most);
  const auto result = intersection(data, run, std::move(*sets), bound);
  if (result) run.reply.count(result->size());
}

constexpr std::array handlers = {
    handler{"sdiff", combine},
    handler{"sdiffstore", nullptr, store},
    handler{"sinter", combine},
    handler{"sintercard", sintercard},
    handler{"sinterstore", nullptr, store},
    handler{"sunion", combine},
    handler{"sunionstore", nullptr, store},
};

}  // namespace

std::span<const handler> set_algebra_handlers() { return handlers; }

}  // namespace hypermesh::machines::redis
