#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "runtime/state_machines/printable.hpp"
#include "runtime/state_machines/redis/redis_call.hpp"
#include "runtime/state_machines/redis/redis_glob.hpp"

/// SCAN, HSCAN, SSCAN, ZSCAN and KEYS.
///
/// A cursor is the place of the next name (`placed_name`), so a scan visits each name that is present throughout, and
/// the machine keeps nothing for it.
namespace hypermesh::machines::redis {

namespace {

struct scan_options {
  std::uint64_t cursor = 0;
  std::size_t count = 10;
  std::optional<std::string> pattern;
  /// In lower case.
  std::optional<std::string> type;
};

bool pattern_fits(const call& run, std::string_view pattern) {
  if (pattern.size() <= pattern_bytes_max) return true;
  run.error(errors::pattern_too_long);
  return false;
}

/// Reads the cursor in word `first` and the options behind it. No value if the error was written.
std::optional<scan_options> read_scan(const call& run, std::size_t first, bool has_type) {
  scan_options options;
  const auto cursor = parse_decimal<std::uint64_t>(run.word(first));
  if (!cursor) {
    run.error("ERR invalid cursor");
    return std::nullopt;
  }
  options.cursor = *cursor;
  for (auto number = first + 1; number < run.size(); number += 2) {
    const auto option = run.option(number);
    const bool has_value = number + 1 < run.size();
    if (has_value && option == "count") {
      const auto count = run.integer(number + 1);
      if (!count) return std::nullopt;
      options.count = static_cast<std::size_t>(std::max<std::int64_t>(*count, 0));
    } else if (has_value && option == "match") {
      options.pattern = run.word(number + 1);
      if (!pattern_fits(run, *options.pattern)) return std::nullopt;
    } else if (has_value && has_type && option == "type") {
      options.type = run.option(number + 1);
    }
    const bool is_known = option == "count" || option == "match" || (has_type && option == "type");
    if (!has_value || !is_known || options.count == 0) {
      run.error(errors::syntax);
      return std::nullopt;
    }
  }
  return options;
}

/// Whether the name matches. No value if the pattern costs more work than is left.
std::optional<bool> matches(const call& run, const std::optional<std::string>& pattern, std::string_view name) {
  if (!pattern) return true;
  std::size_t steps = 0;
  const bool is_match = glob_matches(*pattern, name, steps);
  // 64 compared letters cost as much as one step.
  if (!run.affords(steps / 64)) return std::nullopt;
  return is_match;
}

/// Calls `visit` with each element from the cursor on, until `options.count` were visited. Returns the next cursor, or
/// no value if the work is spent. Names of one place are visited together, because the cursor cannot tell them apart.
template <class Index, class Visit>
std::optional<std::uint64_t> scan_index(const call& run, const scan_options& options, const Index& index,
                                        const Visit& place_of, const auto& visit) {
  auto each = index.lower_bound(placed_name{options.cursor, {}});
  std::uint64_t last = 0;
  for (std::size_t count = 0; each != index.end(); ++each, ++count) {
    if (count >= options.count && place_of(*each) != last) return place_of(*each);
    if (!run.affords(work_costs::step) || !visit(*each)) return std::nullopt;
    last = place_of(*each);
  }
  return 0;
}

void reply_scan(const call& run, std::uint64_t cursor, const std::vector<std::string>& found) {
  run.reply.array(2).bulk(std::to_string(cursor));
  run.reply.array(found.size());
  for (const auto& each : found)
    run.reply.bulk(each);
}

void scan(const keyspace& data, const call& run) {
  const auto options = read_scan(run, 1, true);
  if (!options) return;
  std::vector<std::string> found;
  const auto cursor = scan_index(
      run, *options, data.keys(), [](const auto& entry) { return entry.first.place; },
      [&](const keyspace::key_entry& entry) {
        const auto is_match = matches(run, options->pattern, entry.first.name);
        if (!is_match) return false;
        const bool has_type = !options->type || *options->type == type_name(entry.second.type);
        if (*is_match && has_type && !data.is_expired(entry.second)) found.emplace_back(entry.first.name);
        return true;
      });
  if (cursor) reply_scan(run, *cursor, found);
}

/// HSCAN, SSCAN and ZSCAN.
void scan_collection(const keyspace& data, const call& run) {
  const auto name = run.name();
  const auto type = name == "hscan" ? value_type::hash : name == "sscan" ? value_type::set : value_type::sorted_set;
  const auto options = read_scan(run, 2, false);
  if (!options) return;
  const auto entry = run.find(data, run.word(1), type);
  if (!entry) return;
  std::vector<std::string> found;
  if (*entry == nullptr) {
    reply_scan(run, 0, found);
    return;
  }
  const auto& record = (*entry)->second;
  const auto cursor = scan_index(
      run, *options, record.index->names, [](const placed_name& each) { return each.place; },
      [&](const placed_name& each) {
        const auto is_match = matches(run, options->pattern, each.name);
        if (!is_match) return false;
        if (!*is_match) return true;
        if (type != value_type::set && !run.affords(work_costs::read)) return false;
        found.emplace_back(each.name);
        if (type == value_type::hash) found.emplace_back(*data.element(record, each.name));
        if (type == value_type::sorted_set) found.push_back(data.score(record, each.name)->text());
        return true;
      });
  if (cursor) reply_scan(run, *cursor, found);
}

void keys(const keyspace& data, const call& run) {
  if (!pattern_fits(run, run.word(1))) return;
  std::vector<std::string_view> found;
  for (const auto& [key, record] : data.keys()) {
    if (!run.affords(work_costs::step)) return;
    const auto is_match = matches(run, run.word(1), key.name);
    if (!is_match) return;
    if (*is_match && !data.is_expired(record)) found.push_back(key.name);
  }
  run.reply.array(found.size());
  for (const auto each : found)
    run.reply.bulk(each);
}

constexpr std::array handlers = {
    handler{"hscan", scan_collection}, handler{"keys", keys}, handler{"scan", scan}, handler{"sscan", scan_collection},
    handler{"zscan", scan_collection},
};

}  // namespace

std::span<const handler> scan_handlers() { return handlers; }

}  // namespace hypermesh::machines::redis
