#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "runtime/state_machines/redis/redis_call.hpp"

/// DEL, RENAME, COPY and the other commands of keys of any type.
namespace hypermesh::machines::redis {

namespace {

/// DEL and UNLINK.
void del(keyspace& data, const call& run) {
  std::size_t count = 0;
  for (std::size_t number = 1; number < run.size(); ++number) {
    auto* entry = data.find(run.word(number));
    if (entry == nullptr) continue;
    data.remove(*entry);
    ++count;
  }
  run.reply.count(count);
}

/// EXISTS and TOUCH. A key that is named twice counts twice.
void exists(const keyspace& data, const call& run) {
  const auto keys = run.words.subspan(1);
  const auto count = std::ranges::count_if(keys, [&](const auto& key) { return data.find(key) != nullptr; });
  run.reply.number(count);
}

void type(const keyspace& data, const call& run) {
  const auto* entry = data.find(run.word(1));
  run.reply.simple(entry == nullptr ? "none" : type_name(entry->second.type));
}

void version(const keyspace& data, const call& run) {
  const auto* entry = data.find(run.word(1));
  run.reply.count(entry == nullptr ? 0 : entry->second.version);
}

/// RENAME and RENAMENX.
void rename(keyspace& data, const call& run) {
  const bool only_new = run.name() == "renamenx";
  auto* entry = data.find(run.word(1));
  if (entry == nullptr) return run.error(errors::no_such_key);
  const bool is_same = run.word(1) == run.word(2);
  const bool is_taken = is_same || (only_new && data.find(run.word(2)) != nullptr);
  if (!is_same && !(only_new && is_taken)) data.rename(*entry, run.word(2));
  if (only_new) {
    run.reply.flag(!is_taken);
  } else {
    run.reply.ok();
  }
}

void dbsize(const keyspace& data, const call& run) { run.reply.count(data.size()); }

/// FLUSHDB and FLUSHALL: there is one database.
void flush(keyspace& data, const call& run) {
  const bool is_valid = run.size() == 1 || (run.size() == 2 && (run.option(1) == "async" || run.option(1) == "sync"));
  if (!is_valid) return run.error(errors::syntax);
  data.clear();
  run.reply.ok();
}

void randomkey(const keyspace& data, const call& run) {
  const auto& keys = data.keys();
  if (data.size() == 0) {
    run.reply.null();
    return;
  }
  // The key behind a random place, and from there the first one that has not expired.
  auto found = keys.lower_bound(placed_name{data.random_place(), {}});
  if (found == keys.end()) found = keys.begin();
  while (data.is_expired(found->second)) {
    if (!run.affords(work_costs::step)) return;
    if (++found == keys.end()) found = keys.begin();
  }
  run.reply.bulk(found->first.name);
}

/// What a copy of the value costs, up to the work that is left.
std::size_t cost_of_copy(const keyspace& data, const keyspace::key_entry& entry, std::size_t most) {
  const auto& record = entry.second;
  if (record.type == value_type::string) return work_costs::change + work_costs::copy(data.string_of(entry).size());
  constexpr auto each_costs = work_costs::read + work_costs::scored_change;
  if (record.size() > most / each_costs) return each_costs * record.size();
  auto cost = each_costs * record.size();
  if (record.is_list()) {
    for (std::size_t index = 0; index < record.size() && cost <= most; ++index)
      cost += work_costs::copy(data.list_at(record, index).size());
    return cost;
  }
  for (const auto& each : record.index->names) {
    cost += work_costs::copy(each.name.size() + data.element(record, each.name)->size());
    if (cost > most) break;
  }
  return cost;
}

void copy_elements(keyspace& data, const key_record& from, key_record& to) {
  if (from.is_list()) {
    for (std::size_t index = 0; index < from.size(); ++index) {
      const std::string bytes{data.list_at(from, index)};
      data.list_push(to, false, bytes);
    }
    return;
  }
  for (const auto& each : from.index->names) {
    if (from.type == value_type::sorted_set) {
      data.put_score(to, each.name, *data.score(from, each.name));
    } else {
      const std::string bytes{*data.element(from, each.name)};
      data.put_element(to, each.name, bytes);
    }
  }
}

void copy(keyspace& data, const call& run) {
  bool replaces = false;
  for (std::size_t number = 3; number < run.size(); ++number) {
    const auto option = run.option(number);
    if (option == "replace") {
      replaces = true;
    } else if (option == "db" && number + 1 < run.size()) {
      const auto database = run.integer(++number);
      if (!database) return;
      if (*database != 0) return run.error("ERR DB index is out of range");
    } else {
      return run.error(errors::syntax);
    }
  }
  if (run.word(1) == run.word(2)) return run.error("ERR source and destination objects are the same");
  const auto* from = data.find(run.word(1));
  auto* to = data.find(run.word(2));
  if (from == nullptr || (to != nullptr && !replaces)) {
    run.reply.flag(false);
    return;
  }
  if (!run.affords(cost_of_copy(data, *from, run.work.left()))) return;
  if (to != nullptr) data.remove(*to);
  if (from->second.type == value_type::string) {
    const std::string bytes{data.string_of(*from)};
    data.put_string(run.word(2), bytes, from->second.expiry);
  } else {
    auto& made = data.create(run.word(2), from->second.type);
    copy_elements(data, from->second, made.second);
    data.set_expiry(made, from->second.expiry);
  }
  run.reply.flag(true);
}

void echo(const keyspace&, const call& run) { run.reply.bulk(run.word(1)); }

void ping(const keyspace&, const call& run) {
  if (run.size() > 2) return run.wrong_arity();
  if (run.size() == 1) {
    run.reply.simple("PONG");
  } else {
    run.reply.bulk(run.word(1));
  }
}

constexpr std::array handlers = {
    handler{"copy", nullptr, copy},
    handler{"dbsize", dbsize},
    handler{"del", nullptr, del},
    handler{"echo", echo},
    handler{"exists", exists},
    handler{"flushall", nullptr, flush},
    handler{"flushdb", nullptr, flush},
    handler{"hm.version", version},
    handler{"ping", ping},
    handler{"randomkey", randomkey},
    handler{"rename", nullptr, rename},
    handler{"renamenx", nullptr, rename},
    handler{"touch", exists},
    handler{"type", type},
    handler{"unlink", nullptr, del},
};

}  // namespace

std::span<const handler> key_handlers() { return handlers; }

}  // namespace hypermesh::machines::redis
