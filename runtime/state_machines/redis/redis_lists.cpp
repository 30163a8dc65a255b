#include <algorithm>
#include <array>

#include "runtime/state_machines/redis/redis_call.hpp"

/// The commands of lists that work at the ends and by index. Each costs its elements.
namespace hypermesh::machines::redis {

namespace {

/// LPUSH, RPUSH, LPUSHX and RPUSHX.
void push(keyspace& data, const call& run) {
  const auto name = run.name();
  auto entry = run.find(data, run.word(1), value_type::list);
  if (!entry) return;
  if (*entry == nullptr && name.ends_with('x')) {
    run.reply.number(0);
    return;
  }
  auto* list = *entry != nullptr ? *entry : &data.create(run.word(1), value_type::list);
  for (const auto& element : run.words.subspan(2))
    data.list_push(list->second, name.starts_with('l'), element);
  data.changed(*list);
  run.reply.count(list->second.size());
}

/// Writes the elements and removes them. The list stays as it is if they do not fit the reply.
void pop_elements(keyspace& data, const call& run, keyspace::key_entry& entry, bool is_left, std::size_t count) {
  auto& record = entry.second;
  for (std::size_t number = 0; number < count && !run.reply.is_full(); ++number)
    run.reply.bulk(data.list_at(record, is_left ? number : record.size() - 1 - number));
  if (run.reply.is_full() || count == 0) return;
  for (std::size_t number = 0; number < count; ++number)
    data.list_pop(record, is_left);
  data.changed(entry);
}

void lmpop(keyspace& data, const call& run) {
  const auto request = read_multi_pop(run, "left", "right");
  if (!request) return;
  for (const auto& key : request->keys) {
    const auto entry = run.find(data, key, value_type::list);
    if (!entry) return;
    if (*entry == nullptr) continue;
    const auto count = std::min(request->count, (*entry)->second.size());
    if (!run.affords((work_costs::read + work_costs::change) * count)) return;
    run.reply.array(2).bulk(key).array(count);
    pop_elements(data, run, **entry, request->is_first, count);
    return;
  }
  run.reply.null();
}

/// LPOP and RPOP.
void pop(keyspace& data, const call& run) {
  if (run.size() > 3) return run.wrong_arity();
  const bool is_left = run.name() == "lpop";
  const auto wanted = run.size() == 3 ? run.positive(2) : std::size_t{1};
  if (!wanted) return;
  const auto entry = run.find(data, run.word(1), value_type::list);
  if (!entry) return;
  if (*entry == nullptr) {
    run.reply.null();
    return;
  }
  const auto count = std::min(*wanted, (*entry)->second.size());
  if (!run.affords((work_costs::read + work_costs::change) * count)) return;
  if (run.size() == 3) run.reply.array(count);
  pop_elements(data, run, **entry, is_left, count);
}

void llen(const keyspace& data, const call& run) {
  if (const auto entry = run.find(data, run.word(1), value_type::list)) {
    run.reply.count(*entry == nullptr ? 0 : (*entry)->second.size());
  }
}

void lrange(const keyspace& data, const call& run) {
  const auto first = run.integer(2);
  if (!first) return;
  const auto last = run.integer(3);
  if (!last) return;
  const auto entry = run.find(data, run.word(1), value_type::list);
  if (!entry) return;
  const auto range = *entry == nullptr ? index_range{} : range_of(*first, *last, (*entry)->second.size());
  if (!run.affords(work_costs::read * range.count)) return;
  run.reply.array(range.count);
  for (std::size_t number = 0; number < range.count && !run.reply.is_full(); ++number)
    run.reply.bulk(data.list_at((*entry)->second, range.first + number));
}

/// The place of an index that may count from the end. No value beyond the list.
std::optional<std::size_t> place_of_index(std::int64_t index, std::size_t size) {
  const auto place = index < 0 ? index + static_cast<std::int64_t>(size) : index;
  if (place < 0 || static_cast<std::size_t>(place) >= size) return std::nullopt;
  return static_cast<std::size_t>(place);
}

void lindex(const keyspace& data, const call& run) {
  const auto entry = run.find(data, run.word(1), value_type::list);
  if (!entry) return;
  if (*entry == nullptr) {
    run.reply.null();
    return;
  }
  const auto index = run.integer(2);
  if (!index) return;
  const auto place = place_of_index(*index, (*entry)->second.size());
  if (place) {
    run.reply.bulk(data.list_at((*entry)->second, *place));
  } else {
    run.reply.null();
  }
}

void lset(keyspace& data, const call& run) {
  const auto entry = run.find(data, run.word(1), value_type::list);
  if (!entry) return;
  if (*entry == nullptr) return run.error(errors::no_such_key);
  const auto index = run.integer(2);
  if (!index) return;
  const auto place = place_of_index(*index, (*entry)->second.size());
  if (!place) return run.error("ERR index out of range");
  data.list_set((*entry)->second, *place, run.word(3));
  data.changed(**entry);
  run.reply.ok();
}

void move_element(keyspace& data, const call& run, bool from_left, bool to_left) {
  const auto from = run.find(data, run.word(1), value_type::list);
  if (!from) return;
  if (*from == nullptr) {
    run.reply.null();
    return;
  }
  const auto to = run.find(data, run.word(2), value_type::list);
  if (!to) return;
  auto& source = (*from)->second;
  const std::string element{data.list_at(source, from_left ? 0 : source.size() - 1)};
  run.reply.bulk(element);
  if (run.reply.is_full()) return;
  data.list_pop(source, from_left);
  auto* target = *to != nullptr ? *to : &data.create(run.word(2), value_type::list);
  data.list_push(target->second, to_left, element);
  if (target != *from) data.changed(**from);
  data.changed(*target);
}

void rpoplpush(keyspace& data, const call& run) { move_element(data, run, false, true); }

void lmove(keyspace& data, const call& run) {
  const auto from = run.option(3);
  const auto to = run.option(4);
  const auto is_side = [](std::string_view side) { return side == "left" || side == "right"; };
  if (!is_side(from) || !is_side(to)) return run.error(errors::syntax);
  move_element(data, run, from == "left", to == "left");
}

constexpr std::array handlers = {
    handler{"lindex", lindex},
    handler{"llen", llen},
    handler{"lmove", nullptr, lmove},
    handler{"lmpop", nullptr, lmpop},
    handler{"lpop", nullptr, pop},
    handler{"lpush", nullptr, push},
    handler{"lpushx", nullptr, push},
    handler{"lrange", lrange},
    handler{"lset", nullptr, lset},
    handler{"rpop", nullptr, pop},
    handler{"rpoplpush", nullptr, rpoplpush},
    handler{"rpush", nullptr, push},
    handler{"rpushx", nullptr, push},
};

}  // namespace

std::span<const handler> list_handlers() { return handlers; }

}  // namespace hypermesh::machines::redis
