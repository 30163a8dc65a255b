#include "runtime/state_machines/redis/redis_call.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include <fmt/format.h>

#include "runtime/state_machines/printable.hpp"
#include "runtime/state_machines/redis/redis_commands.hpp"

namespace hypermesh::machines::redis {

std::string call::option(std::size_t number) const {
  // No option is longer, so a long word is not copied.
  return words[number].size() > 32 ? std::string{} : lowered(words[number]);
}

void call::wrong_arity() const { error(fmt::format("ERR wrong number of arguments for '{}' command", name())); }

std::optional<std::int64_t> parse_integer(std::string_view text) {
  if (text.size() > 20) return std::nullopt;
  const auto value = parse_decimal<std::int64_t>(text);
  if (!value || std::to_string(*value) != text) return std::nullopt;
  return value;
}

std::optional<std::int64_t> call::integer(std::size_t number, std::string_view otherwise) const {
  const auto value = parse_integer(word(number));
  if (!value) error(otherwise);
  return value;
}

std::optional<decimal> call::number(std::size_t place, std::string_view otherwise) const {
  const auto value = decimal::parse(word(place));
  if (!value) error(otherwise);
  return value;
}

std::optional<decimal> call::score(std::size_t place, std::string_view otherwise) const {
  const auto value = decimal::parse_score(word(place));
  if (!value) error(otherwise);
  return value;
}

std::optional<std::size_t> call::positive(std::size_t number) const {
  const auto value = parse_integer(word(number));
  if (value && *value >= 0) return static_cast<std::size_t>(*value);
  error(errors::not_positive);
  return std::nullopt;
}

bool call::affords(std::size_t units) const {
  if (work.spend(units)) return true;
  error(errors::too_costly);
  return false;
}

bool call::members_fit(std::size_t first, std::size_t step) const {
  for (auto number = first; number < size(); number += step) {
    if (word(number).size() <= member_bytes_max) continue;
    error(errors::member_too_long);
    return false;
  }
  return true;
}

std::optional<multi_pop> read_multi_pop(const call& run, std::string_view first, std::string_view last) {
  const auto keys = parse_integer(run.word(1));
  if (!keys || *keys <= 0) {
    run.error("ERR numkeys should be greater than 0");
    return std::nullopt;
  }
  // The end of the collection stands behind the keys.
  if (static_cast<std::uint64_t>(*keys) >= run.size() - 2) {
    run.error(errors::syntax);
    return std::nullopt;
  }
  const auto side_at = 2 + static_cast<std::size_t>(*keys);
  const auto side = run.option(side_at);
  const bool has_count = run.size() == side_at + 3 && run.option(side_at + 1) == "count";
  if ((side != first && side != last) || (run.size() > side_at + 1 && !has_count)) {
    run.error(errors::syntax);
    return std::nullopt;
  }
  multi_pop made{run.words.subspan(2, side_at - 2), side == first, 1};
  if (!has_count) return made;
  const auto count = parse_integer(run.word(side_at + 2));
  if (!count || *count <= 0) {
    run.error("ERR count should be greater than 0");
    return std::nullopt;
  }
  made.count = static_cast<std::size_t>(*count);
  return made;
}

index_range range_of(std::int64_t first, std::int64_t last, std::size_t size) {
  const auto length = static_cast<std::int64_t>(size);
  if (first < 0) first = std::max<std::int64_t>(0, first < -length ? 0 : first + length);
  if (last < 0) last = last < -length ? -1 : last + length;
  last = std::min(last, length - 1);
  if (first > last || first >= length) return {};
  return {static_cast<std::size_t>(first), static_cast<std::size_t>(last - first + 1)};
}

std::vector<std::size_t> random_ranks(const keyspace& data, std::size_t size, std::int64_t count) {
  std::vector<std::size_t> ranks;
  if (size == 0) return ranks;
  std::uint64_t draw = 0;
  if (count < 0) {
    for (auto left = count; left < 0; ++left)
      ranks.push_back(data.random_number(draw++) % size);
    return ranks;
  }
  const auto wanted = std::min(static_cast<std::size_t>(count), size);
  // Floyd's sampling: each draw gives one more rank.
  std::set<std::size_t> chosen;
  for (auto end = size - wanted; end < size; ++end) {
    const auto rank = data.random_number(draw++) % (end + 1);
    ranks.push_back(chosen.insert(rank).second ? rank : end);
    chosen.insert(ranks.back());
  }
  return ranks;
}

std::optional<random_pick> pick_at_random(const keyspace& data, const call& run, value_type type,
                                          std::string_view paired) {
  const auto no_pick = [&run](std::string_view error) {
    run.error(error);
    return std::nullopt;
  };
  const bool is_paired = run.size() == 4 && run.option(3) == paired;
  const auto count = run.size() > 2 ? run.integer(2) : std::int64_t{1};
  if (!count) return std::nullopt;
  if (run.size() > 4 || (run.size() == 4 && !is_paired)) return no_pick(errors::syntax);
  if (*count < -static_cast<std::int64_t>(limits::result_bytes_max)) return no_pick(errors::out_of_range);
  const auto entry = run.find(data, run.word(1), type);
  if (!entry) return std::nullopt;
  if (*entry == nullptr) {
    if (run.size() == 2) {
      run.reply.null();
    } else {
      run.reply.array(0);
    }
    return std::nullopt;
  }
  const auto size = (*entry)->second.size();
  const auto wanted = *count < 0 ? static_cast<std::size_t>(-*count) : std::min(static_cast<std::size_t>(*count), size);
  if (!run.affords(work_costs::read * wanted)) return std::nullopt;
  if (run.size() > 2) run.reply.array(wanted);
  return random_pick{*entry, random_ranks(data, size, *count), is_paired};
}

void remove_elements(keyspace& data, const call& run, value_type type) {
  const auto entry = run.find(data, run.word(1), type);
  if (!entry) return;
  std::size_t removed = 0;
  for (std::size_t number = 2; number < run.size() && *entry != nullptr; ++number)
    removed += data.erase_element((*entry)->second, run.word(number)) ? 1U : 0U;
  if (removed > 0) data.changed(**entry);
  run.reply.count(removed);
}

}  // namespace hypermesh::machines::redis
