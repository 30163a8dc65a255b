#include <array>

#include "runtime/state_machines/redis/redis_call.hpp"

/// HSET and the other commands of hashes.
namespace hypermesh::machines::redis {

namespace {

/// The hash, made if it is absent. Null if the key has another type.
keyspace::key_entry* hash_for_write(keyspace& data, const call& run) {
  const auto entry = run.find(data, run.word(1), value_type::hash);
  if (!entry) return nullptr;
  return *entry != nullptr ? *entry : &data.create(run.word(1), value_type::hash);
}

/// HSET and HMSET.
void hset(keyspace& data, const call& run) {
  if (run.size() % 2 != 0) return run.wrong_arity();
  if (!run.members_fit(2, 2)) return;
  auto* entry = hash_for_write(data, run);
  if (entry == nullptr) return;
  std::size_t added = 0;
  for (std::size_t number = 2; number < run.size(); number += 2)
    added += data.put_element(entry->second, run.word(number), run.word(number + 1)) ? 1U : 0U;
  data.changed(*entry);
  if (run.name() == "hmset") {
    run.reply.ok();
  } else {
    run.reply.count(added);
  }
}

void hsetnx(keyspace& data, const call& run) {
  if (run.word(2).size() > member_bytes_max) return run.error(errors::member_too_long);
  const auto present = run.find(data, run.word(1), value_type::hash);
  if (!present) return;
  if (*present != nullptr && data.element((*present)->second, run.word(2))) {
    run.reply.flag(false);
    return;
  }
  auto* entry = hash_for_write(data, run);
  data.put_element(entry->second, run.word(2), run.word(3));
  data.changed(*entry);
  run.reply.flag(true);
}

std::optional<std::string_view> field(const keyspace& data, const keyspace::key_entry* entry, std::string_view name) {
  return entry == nullptr ? std::nullopt : data.element(entry->second, name);
}

void reply_field(const call& run, const std::optional<std::string_view>& value) {
  if (value) {
    run.reply.bulk(*value);
  } else {
    run.reply.null();
  }
}

void hget(const keyspace& data, const call& run) {
  if (const auto entry = run.find(data, run.word(1), value_type::hash)) {
    reply_field(run, field(data, *entry, run.word(2)));
  }
}

void hmget(const keyspace& data, const call& run) {
  const auto entry = run.find(data, run.word(1), value_type::hash);
  if (!entry) return;
  run.reply.array(run.size() - 2);
  for (std::size_t number = 2; number < run.size() && !run.reply.is_full(); ++number)
    reply_field(run, field(data, *entry, run.word(number)));
}

void hexists(const keyspace& data, const call& run) {
  if (const auto entry = run.find(data, run.word(1), value_type::hash)) {
    run.reply.flag(field(data, *entry, run.word(2)).has_value());
  }
}

void hstrlen(const keyspace& data, const call& run) {
  if (const auto entry = run.find(data, run.word(1), value_type::hash)) {
    run.reply.count(field(data, *entry, run.word(2)).value_or("").size());
  }
}

void hlen(const keyspace& data, const call& run) {
  if (const auto entry = run.find(data, run.word(1), value_type::hash)) {
    run.reply.count(*entry == nullptr ? 0 : (*entry)->second.size());
  }
}

/// HGETALL, HKEYS and HVALS.
void hgetall(const keyspace& data, const call& run) {
  const auto entry = run.find(data, run.word(1), value_type::hash);
  if (!entry) return;
  const auto name = run.name();
  const auto size = *entry == nullptr ? std::size_t{0} : (*entry)->second.size();
  if (!run.affords(size * (name == "hkeys" ? work_costs::step : work_costs::read))) return;
  if (name == "hgetall") {
    run.reply.map(size);
  } else {
    run.reply.array(size);
  }
  if (size == 0) return;
  const auto& record = (*entry)->second;
  for (const auto& each : record.index->names) {
    if (run.reply.is_full()) return;
    if (name != "hvals") run.reply.bulk(each.name);
    if (name != "hkeys") run.reply.bulk(*data.element(record, each.name));
  }
}

void hdel(keyspace& data, const call& run) { remove_elements(data, run, value_type::hash); }

void hincrby(keyspace& data, const call& run) {
  const auto amount = run.integer(3);
  if (!amount) return;
  if (run.word(2).size() > member_bytes_max) return run.error(errors::member_too_long);
  const auto present = run.find(data, run.word(1), value_type::hash);
  if (!present) return;
  const auto text = field(data, *present, run.word(2));
  const auto before = text ? parse_integer(*text) : std::int64_t{0};
  if (!before) return run.error("ERR hash value is not an integer");
  std::int64_t sum = 0;
  if (__builtin_add_overflow(*before, *amount, &sum)) return run.error(errors::overflow);
  auto* entry = hash_for_write(data, run);
  data.put_element(entry->second, run.word(2), std::to_string(sum));
  data.changed(*entry);
  run.reply.number(sum);
}

void hincrbyfloat(keyspace& data, const call& run) {
  const auto amount = run.number(3);
  if (!amount) return;
  if (amount->is_infinite()) return run.error("ERR value is NaN or Infinity");
  if (run.word(2).size() > member_bytes_max) return run.error(errors::member_too_long);
  const auto present = run.find(data, run.word(1), value_type::hash);
  if (!present) return;
  const auto text = field(data, *present, run.word(2));
  const auto before = text ? decimal::parse(*text) : decimal{};
  if (!before) return run.error("ERR hash value is not a float");
  const auto sum = before->plus(*amount);
  if (!sum || sum->is_infinite()) return run.error(errors::not_finite);
  auto* entry = hash_for_write(data, run);
  data.put_element(entry->second, run.word(2), sum->text());
  data.changed(*entry);
  run.reply.bulk(sum->text());
}

void hrandfield(const keyspace& data, const call& run) {
  const auto pick = pick_at_random(data, run, value_type::hash, "withvalues");
  if (!pick) return;
  const auto& record = pick->entry->second;
  for (const auto rank : pick->ranks) {
    const auto name = record.index->names.find_by_order(rank)->name;
    if (pick->is_paired) run.reply.array(2);
    run.reply.bulk(name);
    if (pick->is_paired) run.reply.bulk(*data.element(record, name));
    if (run.reply.is_full()) return;
  }
}

constexpr std::array handlers = {
    handler{"hdel", nullptr, hdel},
    handler{"hexists", hexists},
    handler{"hget", hget},
    handler{"hgetall", hgetall},
    handler{"hincrby", nullptr, hincrby},
    handler{"hincrbyfloat", nullptr, hincrbyfloat},
    handler{"hkeys", hgetall},
    handler{"hlen", hlen},
    handler{"hmget", hmget},
    handler{"hmset", nullptr, hset},
    handler{"hrandfield", hrandfield},
    handler{"hset", nullptr, hset},
    handler{"hsetnx", nullptr, hsetnx},
    handler{"hstrlen", hstrlen},
    handler{"hvals", hgetall},
};

}  // namespace

std::span<const handler> hash_handlers() { return handlers; }

}  // namespace hypermesh::machines::redis
