#include <array>
#include <limits>

#include <fmt/format.h>

#include "runtime/state_machines/redis/redis_call.hpp"

/// INCR and the other commands that count in strings.
namespace hypermesh::machines::redis {

namespace {

void add_integer(keyspace& data, const call& run, std::int64_t amount) {
  const auto entry = run.find(data, run.word(1), value_type::string);
  if (!entry) return;
  const auto before = *entry == nullptr ? std::int64_t{0} : parse_integer(data.string_of(**entry));
  if (!before) return run.error(errors::not_an_integer);
  std::int64_t sum = 0;
  if (__builtin_add_overflow(*before, amount, &sum)) return run.error(errors::overflow);
  data.put_string(run.word(1), std::to_string(sum), *entry == nullptr ? 0 : (*entry)->second.expiry);
  run.reply.number(sum);
}

void incr(keyspace& data, const call& run) { add_integer(data, run, 1); }
void decr(keyspace& data, const call& run) { add_integer(data, run, -1); }

void incrby(keyspace& data, const call& run) {
  if (const auto amount = run.integer(2)) add_integer(data, run, *amount);
}

void decrby(keyspace& data, const call& run) {
  const auto amount = run.integer(2);
  if (!amount) return;
  if (*amount == std::numeric_limits<std::int64_t>::min()) return run.error("ERR decrement would overflow");
  add_integer(data, run, -*amount);
}

void incrbyfloat(keyspace& data, const call& run) {
  const auto entry = run.find(data, run.word(1), value_type::string);
  if (!entry) return;
  const auto before = *entry == nullptr ? decimal{} : decimal::parse(data.string_of(**entry));
  if (!before) return run.error(errors::not_a_float);
  const auto amount = run.number(2);
  if (!amount) return;
  const auto sum = before->plus(*amount);
  if (!sum || sum->is_infinite()) return run.error(errors::not_finite);
  const auto text = sum->text();
  data.put_string(run.word(1), text, *entry == nullptr ? 0 : (*entry)->second.expiry);
  run.reply.bulk(text);
}

constexpr std::array handlers = {
    handler{"decr", nullptr, decr},     handler{"decrby", nullptr, decrby},           handler{"incr", nullptr, incr},
    handler{"incrby", nullptr, incrby}, handler{"incrbyfloat", nullptr, incrbyfloat},
};

}  // namespace

std::span<const handler> number_handlers() { return handlers; }

}  // namespace hypermesh::machines::redis
