#include <algorithm>
#include <array>

#include "runtime/state_machines/redis/redis_call.hpp"

/// SADD and the other commands of one set.
namespace hypermesh::machines::redis {

namespace {

bool has_member(const keyspace& data, const keyspace::key_entry* entry, std::string_view member) {
  return entry != nullptr && data.element(entry->second, member).has_value();
}

void sadd(keyspace& data, const call& run) {
  if (!run.members_fit(2)) return;
  const auto entry = run.find(data, run.word(1), value_type::set);
  if (!entry) return;
  auto* set = *entry != nullptr ? *entry : &data.create(run.word(1), value_type::set);
  std::size_t added = 0;
  for (const auto& member : run.words.subspan(2))
    added += data.put_element(set->second, member, {}) ? 1U : 0U;
  if (added > 0) data.changed(*set);
  run.reply.count(added);
}

void srem(keyspace& data, const call& run) { remove_elements(data, run, value_type::set); }

void smembers(const keyspace& data, const call& run) {
  const auto entry = run.find(data, run.word(1), value_type::set);
  if (!entry) return;
  const auto size = *entry == nullptr ? std::size_t{0} : (*entry)->second.size();
  if (!run.affords(work_costs::step * size)) return;
  run.reply.set(size);
  if (size == 0) return;
  for (const auto& each : (*entry)->second.index->names) {
    if (run.reply.is_full()) return;
    run.reply.bulk(each.name);
  }
}

void sismember(const keyspace& data, const call& run) {
  if (const auto entry = run.find(data, run.word(1), value_type::set)) {
    run.reply.flag(has_member(data, *entry, run.word(2)));
  }
}

void smismember(const keyspace& data, const call& run) {
  const auto entry = run.find(data, run.word(1), value_type::set);
  if (!entry) return;
  run.reply.array(run.size() - 2);
  for (const auto& member : run.words.subspan(2))
    run.reply.flag(has_member(data, *entry, member));
}

void scard(const keyspace& data, const call& run) {
  if (const auto entry = run.find(data, run.word(1), value_type::set)) {
    run.reply.count(*entry == nullptr ? 0 : (*entry)->second.size());
  }
}

void spop(keyspace& data, const call& run) {
  if (run.size() > 3) return run.error(errors::syntax);
  const auto wanted = run.size() == 3 ? run.positive(2) : std::size_t{1};
  if (!wanted) return;
  const auto entry = run.find(data, run.word(1), value_type::set);
  if (!entry) return;
  if (*entry == nullptr) {
    if (run.size() == 3) {
      run.reply.set(0);
    } else {
      run.reply.null();
    }
    return;
  }
  auto& record = (*entry)->second;
  const auto count = std::min(*wanted, record.size());
  if (!run.affords((work_costs::read + work_costs::change) * count)) return;
  if (run.size() == 3) run.reply.set(count);
  std::vector<std::string> chosen;
  for (const auto rank : random_ranks(data, record.size(), static_cast<std::int64_t>(count))) {
    chosen.emplace_back(record.index->names.find_by_order(rank)->name);
    run.reply.bulk(chosen.back());
    if (run.reply.is_full()) return;
  }
  for (const auto& member : chosen)
    data.erase_element(record, member);
  if (count > 0) data.changed(**entry);
}

void srandmember(const keyspace& data, const call& run) {
  if (run.size() > 3) return run.error(errors::syntax);
  const auto count = run.size() == 3 ? run.integer(2) : std::int64_t{1};
  if (!count) return;
  if (*count < -static_cast<std::int64_t>(limits::result_bytes_max)) return run.error(errors::out_of_range);
  const auto entry = run.find(data, run.word(1), value_type::set);
  if (!entry) return;
  if (*entry == nullptr) {
    if (run.size() == 3) {
      run.reply.array(0);
    } else {
      run.reply.null();
    }
    return;
  }
  const auto& record = (*entry)->second;
  const auto wanted =
      *count < 0 ? static_cast<std::size_t>(-*count) : std::min(static_cast<std::size_t>(*count), record.size());
  if (!run.affords(work_costs::read * wanted)) return;
  if (run.size() == 3) run.reply.array(wanted);
  for (const auto rank : random_ranks(data, record.size(), *count)) {
    run.reply.bulk(record.index->names.find_by_order(rank)->name);
    if (run.reply.is_full()) return;
  }
}

void smove(keyspace& data, const call& run) {
  const auto from = run.find(data, run.word(1), value_type::set);
  if (!from) return;
  if (*from == nullptr) {
    run.reply.flag(false);
    return;
  }
  const auto to = run.find(data, run.word(2), value_type::set);
  if (!to) return;
  const auto& member = run.word(3);
  const bool is_member = has_member(data, *from, member);
  if (is_member && *from != *to) {
    data.erase_element((*from)->second, member);
    auto* target = *to != nullptr ? *to : &data.create(run.word(2), value_type::set);
    const bool is_new = data.put_element(target->second, member, {});
    data.changed(**from);
    if (is_new) data.changed(*target);
  }
  run.reply.flag(is_member);
}

constexpr std::array handlers = {
    handler{"sadd", nullptr, sadd},    handler{"scard", scard},
    handler{"sismember", sismember},   handler{"smembers", smembers},
    handler{"smismember", smismember}, handler{"smove", nullptr, smove},
    handler{"spop", nullptr, spop},    handler{"srandmember", srandmember},
    handler{"srem", nullptr, srem},
};

}  // namespace

std::span<const handler> set_handlers() { return handlers; }

}  // namespace hypermesh::machines::redis
