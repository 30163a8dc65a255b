#include "runtime/state_machines/redis/redis_expiry.hpp"

#include <array>
#include <limits>

#include <fmt/format.h>

/// EXPIRE, TTL and the other commands of the end of a key.
namespace hypermesh::machines::redis {

namespace {

bool is_in_seconds(expiry_unit unit) {
  return unit == expiry_unit::seconds || unit == expiry_unit::seconds_since_epoch;
}

bool is_relative(expiry_unit unit) { return unit == expiry_unit::seconds || unit == expiry_unit::milliseconds; }

void refuse_time(const call& run) { run.error(fmt::format("ERR invalid expire time in '{}' command", run.name())); }

/// The conditions of EXPIRE.
struct expire_conditions {
  bool only_none = false;
  bool only_some = false;
  bool only_greater = false;
  bool only_less = false;

  /// Whether a key with the end `present` (0 for none) may get the end `wanted`.
  [[nodiscard]] bool allow(std::uint64_t present, std::int64_t wanted) const {
    const auto end = static_cast<std::int64_t>(present);
    if (only_none && present != 0) return false;
    if (only_some && present == 0) return false;
    // A key without an end lives longest.
    if (only_greater && (present == 0 || wanted <= end)) return false;
    return !only_less || present == 0 || wanted < end;
  }
};

std::optional<expire_conditions> read_conditions(const call& run) {
  expire_conditions found;
  for (std::size_t number = 3; number < run.size(); ++number) {
    const auto option = run.option(number);
    if (option == "nx") {
      found.only_none = true;
    } else if (option == "xx") {
      found.only_some = true;
    } else if (option == "gt") {
      found.only_greater = true;
    } else if (option == "lt") {
      found.only_less = true;
    } else {
      run.error(fmt::format("ERR Unsupported option {}", run.word(number).substr(0, 128)));
      return std::nullopt;
    }
  }
  if (found.only_none && (found.only_some || found.only_greater || found.only_less)) {
    run.error("ERR NX and XX, GT or LT options at the same time are not compatible");
    return std::nullopt;
  }
  if (found.only_greater && found.only_less) {
    run.error("ERR GT and LT options at the same time are not compatible");
    return std::nullopt;
  }
  return found;
}

expiry_unit unit_of_command(std::string_view name) {
  if (name == "expire") return expiry_unit::seconds;
  if (name == "pexpire") return expiry_unit::milliseconds;
  return name == "expireat" ? expiry_unit::seconds_since_epoch : expiry_unit::milliseconds_since_epoch;
}

/// EXPIRE, PEXPIRE, EXPIREAT and PEXPIREAT.
void expire(keyspace& data, const call& run) {
  const auto conditions = read_conditions(run);
  if (!conditions) return;
  const auto number = run.integer(2);
  if (!number) return;
  const auto end = expiry_after(data, run, *number, unit_of_command(run.name()));
  if (!end) return;
  auto* entry = data.find(run.word(1));
  const bool is_allowed = entry != nullptr && conditions->allow(entry->second.expiry, *end);
  if (is_allowed && *end <= static_cast<std::int64_t>(data.now_ms())) {
    data.remove(*entry);
  } else if (is_allowed) {
    data.set_expiry(*entry, static_cast<std::uint64_t>(*end));
  }
  run.reply.flag(is_allowed);
}

/// TTL, PTTL, EXPIRETIME and PEXPIRETIME.
void ttl(const keyspace& data, const call& run) {
  const auto* entry = data.find(run.word(1));
  if (entry == nullptr || entry->second.expiry == 0) {
    run.reply.number(entry == nullptr ? -2 : -1);
    return;
  }
  const auto name = run.name();
  const bool is_absolute = name.ends_with("time");
  const auto value = entry->second.expiry - (is_absolute ? 0 : data.now_ms());
  run.reply.number(static_cast<std::int64_t>(name.starts_with('p') ? value : (value + 500) / 1000));
}

void persist(keyspace& data, const call& run) {
  auto* entry = data.find(run.word(1));
  const bool has_end = entry != nullptr && entry->second.expiry != 0;
  if (has_end) data.set_expiry(*entry, 0);
  run.reply.flag(has_end);
}

constexpr std::array handlers = {
    handler{"expire", nullptr, expire},
    handler{"expireat", nullptr, expire},
    handler{"expiretime", ttl},
    handler{"persist", nullptr, persist},
    handler{"pexpire", nullptr, expire},
    handler{"pexpireat", nullptr, expire},
    handler{"pexpiretime", ttl},
    handler{"pttl", ttl},
    handler{"ttl", ttl},
};

}  // namespace

std::optional<expiry_unit> read_expiry_unit(std::string_view option) {
  if (option == "ex") return expiry_unit::seconds;
  if (option == "px") return expiry_unit::milliseconds;
  if (option == "exat") return expiry_unit::seconds_since_epoch;
  if (option == "pxat") return expiry_unit::milliseconds_since_epoch;
  return std::nullopt;
}

std::optional<std::int64_t> expiry_after(const keyspace& data, const call& run, std::int64_t number, expiry_unit unit) {
  const auto base = is_relative(unit) ? static_cast<std::int64_t>(data.now_ms()) : std::int64_t{0};
  std::int64_t end = number;
  if ((is_in_seconds(unit) && __builtin_mul_overflow(number, std::int64_t{1000}, &end)) ||
      __builtin_add_overflow(end, base, &end)) {
    refuse_time(run);
    return std::nullopt;
  }
  return end;
}

std::optional<std::uint64_t> read_expiry(const keyspace& data, const call& run, std::size_t number, expiry_unit unit) {
  const auto value = run.integer(number);
  if (!value) return std::nullopt;
  if (*value <= 0) {
    refuse_time(run);
    return std::nullopt;
  }
  const auto end = expiry_after(data, run, *value, unit);
  if (!end) return std::nullopt;
  return static_cast<std::uint64_t>(*end);
}

std::span<const handler> expiry_handlers() { return handlers; }

}  // namespace hypermesh::machines::redis
