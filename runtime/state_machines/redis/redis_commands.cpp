#include "runtime/state_machines/redis/redis_commands.hpp"

#include <algorithm>
#include <array>

#include "runtime/state_machines/printable.hpp"

namespace hypermesh::machines::redis {

namespace {

using row = command_specification;
using enum command_kind;

/// Arities and places of keys are those of Redis 7.0. HM.VERSION is our own.
constexpr std::array table = {
    // name, arity, kind, first key, last key, step, place of a count of keys, group
    row{"append", 3, growing_write, 1, 1, 1, 0, "string"},
    row{"copy", -3, growing_write, 1, 2, 1, 0, "generic"},
    row{"dbsize", 1, read, 0, 0, 0, 0, "generic"},
    row{"decr", 2, growing_write, 1, 1, 1, 0, "string"},
    row{"decrby", 3, growing_write, 1, 1, 1, 0, "string"},
    row{"del", -2, write, 1, -1, 1, 0, "generic"},
    row{"echo", 2, read, 0, 0, 0, 0, "connection"},
    row{"exists", -2, read, 1, -1, 1, 0, "generic"},
    row{"expire", -3, write, 1, 1, 1, 0, "generic"},
    row{"expireat", -3, write, 1, 1, 1, 0, "generic"},
    row{"expiretime", 2, read, 1, 1, 1, 0, "generic"},
    row{"flushall", -1, write, 0, 0, 0, 0, "generic"},
    row{"flushdb", -1, write, 0, 0, 0, 0, "generic"},
    row{"get", 2, read, 1, 1, 1, 0, "string"},
    row{"getbit", 3, read, 1, 1, 1, 0, "bitmap"},
    row{"getdel", 2, write, 1, 1, 1, 0, "string"},
    row{"getex", -2, write, 1, 1, 1, 0, "string"},
    row{"getrange", 4, read, 1, 1, 1, 0, "string"},
    row{"getset", 3, growing_write, 1, 1, 1, 0, "string"},
    row{"hdel", -3, write, 1, 1, 1, 0, "hash"},
    row{"hexists", 3, read, 1, 1, 1, 0, "hash"},
    row{"hget", 3, read, 1, 1, 1, 0, "hash"},
    row{"hgetall", 2, read, 1, 1, 1, 0, "hash"},
    row{"hincrby", 4, growing_write, 1, 1, 1, 0, "hash"},
    row{"hincrbyfloat", 4, growing_write, 1, 1, 1, 0, "hash"},
    row{"hkeys", 2, read, 1, 1, 1, 0, "hash"},
    row{"hlen", 2, read, 1, 1, 1, 0, "hash"},
    row{"hm.version", 2, read, 1, 1, 1, 0, "generic"},
    row{"hmget", -3, read, 1, 1, 1, 0, "hash"},
    row{"hmset", -4, growing_write, 1, 1, 1, 0, "hash"},
    row{"hrandfield", -2, read, 1, 1, 1, 0, "hash"},
    row{"hscan", -3, read, 1, 1, 1, 0, "hash"},
    row{"hset", -4, growing_write, 1, 1, 1, 0, "hash"},
    row{"hsetnx", 4, growing_write, 1, 1, 1, 0, "hash"},
    row{"hstrlen", 3, read, 1, 1, 1, 0, "hash"},
    row{"hvals", 2, read, 1, 1, 1, 0, "hash"},
    row{"incr", 2, growing_write, 1, 1, 1, 0, "string"},
    row{"incrby", 3, growing_write, 1, 1, 1, 0, "string"},
    row{"incrbyfloat", 3, growing_write, 1, 1, 1, 0, "string"},
    row{"keys", 2, read, 0, 0, 0, 0, "generic"},
    row{"lindex", 3, read, 1, 1, 1, 0, "list"},
    row{"linsert", 5, growing_write, 1, 1, 1, 0, "list"},
    row{"llen", 2, read, 1, 1, 1, 0, "list"},
    row{"lmove", 5, growing_write, 1, 2, 1, 0, "list"},
    row{"lmpop", -4, write, 0, 0, 0, 1, "list"},
    row{"lpop", -2, write, 1, 1, 1, 0, "list"},
    row{"lpos", -3, read, 1, 1, 1, 0, "list"},
    row{"lpush", -3, growing_write, 1, 1, 1, 0, "list"},
    row{"lpushx", -3, growing_write, 1, 1, 1, 0, "list"},
    row{"lrange", 4, read, 1, 1, 1, 0, "list"},
    row{"lrem", 4, write, 1, 1, 1, 0, "list"},
    row{"lset", 4, growing_write, 1, 1, 1, 0, "list"},
    row{"ltrim", 4, write, 1, 1, 1, 0, "list"},
    row{"mget", -2, read, 1, -1, 1, 0, "string"},
    row{"mset", -3, growing_write, 1, -1, 2, 0, "string"},
    row{"msetnx", -3, growing_write, 1, -1, 2, 0, "string"},
    row{"persist", 2, write, 1, 1, 1, 0, "generic"},
    row{"pexpire", -3, write, 1, 1, 1, 0, "generic"},
    row{"pexpireat", -3, write, 1, 1, 1, 0, "generic"},
    row{"pexpiretime", 2, read, 1, 1, 1, 0, "generic"},
    row{"ping", -1, read, 0, 0, 0, 0, "connection"},
    row{"psetex", 4, growing_write, 1, 1, 1, 0, "string"},
    row{"pttl", 2, read, 1, 1, 1, 0, "generic"},
    row{"randomkey", 1, read, 0, 0, 0, 0, "generic"},
    row{"rename", 3, write, 1, 2, 1, 0, "generic"},
    row{"renamenx", 3, write, 1, 2, 1, 0, "generic"},
    row{"rpop", -2, write, 1, 1, 1, 0, "list"},
    row{"rpoplpush", 3, growing_write, 1, 2, 1, 0, "list"},
    row{"rpush", -3, growing_write, 1, 1, 1, 0, "list"},
    row{"rpushx", -3, growing_write, 1, 1, 1, 0, "list"},
    row{"sadd", -3, growing_write, 1, 1, 1, 0, "set"},
    row{"scan", -2, read, 0, 0, 0, 0, "generic"},
    row{"scard", 2, read, 1, 1, 1, 0, "set"},
    row{"sdiff", -2, read, 1, -1, 1, 0, "set"},
    row{"sdiffstore", -3, growing_write, 1, -1, 1, 0, "set"},
    row{"set", -3, growing_write, 1, 1, 1, 0, "string"},
    row{"setbit", 4, growing_write, 1, 1, 1, 0, "bitmap"},
    row{"setex", 4, growing_write, 1, 1, 1, 0, "string"},
    row{"setnx", 3, growing_write, 1, 1, 1, 0, "string"},
    row{"setrange", 4, growing_write, 1, 1, 1, 0, "string"},
    row{"sinter", -2, read, 1, -1, 1, 0, "set"},
    row{"sintercard", -3, read, 0, 0, 0, 1, "set"},
    row{"sinterstore", -3, growing_write, 1, -1, 1, 0, "set"},
    row{"sismember", 3, read, 1, 1, 1, 0, "set"},
    row{"smembers", 2, read, 1, 1, 1, 0, "set"},
    row{"smismember", -3, read, 1, 1, 1, 0, "set"},
    row{"smove", 4, write, 1, 2, 1, 0, "set"},
    row{"spop", -2, write, 1, 1, 1, 0, "set"},
    row{"srandmember", -2, read, 1, 1, 1, 0, "set"},
    row{"srem", -3, write, 1, 1, 1, 0, "set"},
    row{"sscan", -3, read, 1, 1, 1, 0, "set"},
    row{"strlen", 2, read, 1, 1, 1, 0, "string"},
    row{"substr", 4, read, 1, 1, 1, 0, "string"},
    row{"sunion", -2, read, 1, -1, 1, 0, "set"},
    row{"sunionstore", -3, growing_write, 1, -1, 1, 0, "set"},
    row{"touch", -2, read, 1, -1, 1, 0, "generic"},
    row{"ttl", 2, read, 1, 1, 1, 0, "generic"},
    row{"type", 2, read, 1, 1, 1, 0, "generic"},
    row{"unlink", -2, write, 1, -1, 1, 0, "generic"},
    row{"zadd", -4, growing_write, 1, 1, 1, 0, "sorted-set"},
    row{"zcard", 2, read, 1, 1, 1, 0, "sorted-set"},
    row{"zcount", 4, read, 1, 1, 1, 0, "sorted-set"},
    row{"zdiff", -3, read, 0, 0, 0, 1, "sorted-set"},
    row{"zdiffstore", -4, growing_write, 1, 1, 1, 2, "sorted-set"},
    row{"zincrby", 4, growing_write, 1, 1, 1, 0, "sorted-set"},
    row{"zinter", -3, read, 0, 0, 0, 1, "sorted-set"},
    row{"zintercard", -3, read, 0, 0, 0, 1, "sorted-set"},
    row{"zinterstore", -4, growing_write, 1, 1, 1, 2, "sorted-set"},
    row{"zlexcount", 4, read, 1, 1, 1, 0, "sorted-set"},
    row{"zmpop", -4, write, 0, 0, 0, 1, "sorted-set"},
    row{"zmscore", -3, read, 1, 1, 1, 0, "sorted-set"},
    row{"zpopmax", -2, write, 1, 1, 1, 0, "sorted-set"},
    row{"zpopmin", -2, write, 1, 1, 1, 0, "sorted-set"},
    row{"zrandmember", -2, read, 1, 1, 1, 0, "sorted-set"},
    row{"zrange", -4, read, 1, 1, 1, 0, "sorted-set"},
    row{"zrangebylex", -4, read, 1, 1, 1, 0, "sorted-set"},
    row{"zrangebyscore", -4, read, 1, 1, 1, 0, "sorted-set"},
    row{"zrangestore", -5, growing_write, 1, 2, 1, 0, "sorted-set"},
    row{"zrank", 3, read, 1, 1, 1, 0, "sorted-set"},
    row{"zrem", -3, write, 1, 1, 1, 0, "sorted-set"},
    row{"zremrangebylex", 4, write, 1, 1, 1, 0, "sorted-set"},
    row{"zremrangebyrank", 4, write, 1, 1, 1, 0, "sorted-set"},
    row{"zremrangebyscore", 4, write, 1, 1, 1, 0, "sorted-set"},
    row{"zrevrange", -4, read, 1, 1, 1, 0, "sorted-set"},
    row{"zrevrangebylex", -4, read, 1, 1, 1, 0, "sorted-set"},
    row{"zrevrangebyscore", -4, read, 1, 1, 1, 0, "sorted-set"},
    row{"zrevrank", 3, read, 1, 1, 1, 0, "sorted-set"},
    row{"zscan", -3, read, 1, 1, 1, 0, "sorted-set"},
    row{"zscore", 3, read, 1, 1, 1, 0, "sorted-set"},
    row{"zunion", -3, read, 0, 0, 0, 1, "sorted-set"},
    row{"zunionstore", -4, growing_write, 1, 1, 1, 2, "sorted-set"},
};

static_assert(std::ranges::is_sorted(table, {}, &row::name), "find_command searches by halves");

}  // namespace

std::span<const command_specification> command_table() { return table; }

std::string lowered(std::string_view text) {
  std::string low{text};
  for (auto& letter : low) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return low;
}

const command_specification* find_command(std::string_view name) {
  // The longest name has 16 letters, so the copy of a hostile name is bounded.
  if (name.size() > 32) return nullptr;
  const auto low = lowered(name);
  const auto found = std::ranges::lower_bound(table, std::string_view{low}, {}, &row::name);
  return found == table.end() || found->name != low ? nullptr : &*found;
}

bool is_arity_valid(const command_specification& specification, std::size_t words) {
  const auto count = static_cast<std::int64_t>(words);
  return specification.arity >= 0 ? count == specification.arity : count >= -specification.arity;
}

std::vector<std::size_t> key_places(std::span<const std::string> words) {
  if (words.empty()) return {};
  const auto* specification = find_command(words.front());
  if (specification == nullptr || !is_arity_valid(*specification, words.size())) return {};
  std::vector<std::size_t> places;
  if (specification->first_key > 0) {
    const auto size = static_cast<int>(words.size());
    const auto last = specification->last_key < 0 ? size + specification->last_key : specification->last_key;
    for (auto place = specification->first_key; place <= last; place += specification->key_step)
      places.push_back(static_cast<std::size_t>(place));
  }
  if (specification->key_count_at > 0) {
    const auto first = static_cast<std::size_t>(specification->key_count_at) + 1;
    const auto count = parse_decimal<std::uint32_t>(words[first - 1]);
    if (!count || *count > words.size() - first) return {};
    for (std::size_t offset = 0; offset < *count; ++offset)
      places.push_back(first + offset);
  }
  return places;
}

}  // namespace hypermesh::machines::redis
