#include <algorithm>
#include <array>
#include <limits>

#include <fmt/format.h>

#include "runtime/state_machines/redis/redis_call.hpp"
#include "runtime/state_machines/redis/redis_expiry.hpp"

/// GET, SET and the other commands of strings, without those that count.
namespace hypermesh::machines::redis {

namespace {

bool string_fits(const call& run, std::size_t size) {
  if (size <= string_bytes_max) return true;
  run.error(errors::string_too_long);
  return false;
}

/// The options of SET and GETEX.
struct set_options {
  bool only_new = false;
  bool only_present = false;
  bool returns_old = false;
  bool keeps_expiry = false;
  bool persists = false;
  std::optional<expiry_unit> unit;
  /// The number of the word with the time.
  std::size_t time_at = 0;
};

/// Reads the options from word `first` on; those of SET and those of GETEX differ. No value if the error was written.
std::optional<set_options> read_set_options(const call& run, std::size_t first, bool is_set) {
  set_options options;
  for (auto number = first; number < run.size(); ++number) {
    const auto option = run.option(number);
    const bool has_time = options.unit || options.keeps_expiry || options.persists;
    const auto unit = read_expiry_unit(option);
    if (is_set && option == "nx" && !options.only_present) {
      options.only_new = true;
    } else if (is_set && option == "xx" && !options.only_new) {
      options.only_present = true;
    } else if (is_set && option == "get") {
      options.returns_old = true;
    } else if (is_set && option == "keepttl" && !options.unit) {
      options.keeps_expiry = true;
    } else if (!is_set && option == "persist" && !options.unit) {
      options.persists = true;
    } else if (unit && !has_time && number + 1 < run.size()) {
      options.unit = unit;
      options.time_at = ++number;
    } else {
      run.error(errors::syntax);
      return std::nullopt;
    }
  }
  return options;
}

/// Replies with the string, or with null. False if the key has another type.
template <class Keyspace>
bool reply_string(Keyspace& data, const call& run, std::string_view key) {
  const auto entry = run.find(data, key, value_type::string);
  if (!entry) return false;
  if (*entry == nullptr) {
    run.reply.null();
  } else {
    run.reply.bulk(data.string_of(**entry));
  }
  return !run.reply.is_full();
}

void set_with(keyspace& data, const call& run, std::string_view value, const set_options& options) {
  const auto& key = run.word(1);
  std::uint64_t expiry = 0;
  if (options.unit) {
    const auto read = read_expiry(data, run, options.time_at, *options.unit);
    if (!read) return;
    expiry = *read;
  }
  if (!string_fits(run, value.size())) return;
  if (options.returns_old && !reply_string(data, run, key)) return;
  const auto* present = data.find(key);
  if ((options.only_new && present != nullptr) || (options.only_present && present == nullptr)) {
    if (!options.returns_old) run.reply.null();
    return;
  }
  if (options.keeps_expiry && present != nullptr) expiry = present->second.expiry;
  data.put_string(key, value, expiry);
  if (!options.returns_old) run.reply.ok();
}

void set(keyspace& data, const call& run) {
  const auto options = read_set_options(run, 3, true);
  if (options) set_with(data, run, run.word(2), *options);
}

void set_for_a_time(keyspace& data, const call& run) {
  set_options options;
  options.unit = run.name() == "setex" ? expiry_unit::seconds : expiry_unit::milliseconds;
  options.time_at = 2;
  set_with(data, run, run.word(3), options);
}

void setnx(keyspace& data, const call& run) {
  const bool is_absent = data.find(run.word(1)) == nullptr;
  if (is_absent) {
    if (!string_fits(run, run.word(2).size())) return;
    data.put_string(run.word(1), run.word(2), 0);
  }
  run.reply.flag(is_absent);
}

void get(const keyspace& data, const call& run) { (void)reply_string(data, run, run.word(1)); }

void getset(keyspace& data, const call& run) {
  if (!string_fits(run, run.word(2).size()) || !reply_string(data, run, run.word(1))) return;
  data.put_string(run.word(1), run.word(2), 0);
}

void getdel(keyspace& data, const call& run) {
  if (!reply_string(data, run, run.word(1))) return;
  if (auto* entry = data.find(run.word(1)); entry != nullptr) data.remove(*entry);
}

void getex(keyspace& data, const call& run) {
  const auto options = read_set_options(run, 2, false);
  if (!options) return;
  const auto entry = run.find(data, run.word(1), value_type::string);
  if (!entry) return;
  if (*entry == nullptr) {
    run.reply.null();
    return;
  }
  std::uint64_t expiry = 0;
  if (options->unit) {
    const auto read = read_expiry(data, run, options->time_at, *options->unit);
    if (!read) return;
    expiry = *read;
  }
  run.reply.bulk(data.string_of(**entry));
  if (run.reply.is_full()) return;
  if (options->unit && expiry <= data.now_ms()) {
    data.remove(**entry);
  } else if (options->unit || (options->persists && (*entry)->second.expiry != 0)) {
    data.set_expiry(**entry, expiry);
  }
}

void mget(const keyspace& data, const call& run) {
  run.reply.array(run.size() - 1);
  for (std::size_t number = 1; number < run.size() && !run.reply.is_full(); ++number) {
    const auto* entry = data.find(run.word(number));
    if (entry == nullptr || entry->second.type != value_type::string) {
      run.reply.null();
    } else {
      run.reply.bulk(data.string_of(*entry));
    }
  }
}

/// MSET and MSETNX.
void set_several(keyspace& data, const call& run) {
  if (run.size() % 2 == 0) return run.wrong_arity();
  const bool only_new = run.name() == "msetnx";
  for (std::size_t number = 1; number < run.size(); number += 2) {
    if (only_new && data.find(run.word(number)) != nullptr) {
      run.reply.flag(false);
      return;
    }
    if (!string_fits(run, run.word(number + 1).size())) return;
  }
  for (std::size_t number = 1; number < run.size(); number += 2)
    data.put_string(run.word(number), run.word(number + 1), 0);
  if (only_new) {
    run.reply.flag(true);
  } else {
    run.reply.ok();
  }
}

void append(keyspace& data, const call& run) {
  const auto entry = run.find(data, run.word(1), value_type::string);
  if (!entry) return;
  std::string bytes{*entry == nullptr ? std::string_view{} : data.string_of(**entry)};
  if (!string_fits(run, bytes.size() + run.word(2).size())) return;
  bytes += run.word(2);
  data.put_string(run.word(1), bytes, *entry == nullptr ? 0 : (*entry)->second.expiry);
  run.reply.count(bytes.size());
}

void strlen(const keyspace& data, const call& run) {
  const auto entry = run.find(data, run.word(1), value_type::string);
  if (!entry) return;
  run.reply.count(*entry == nullptr ? 0 : data.string_of(**entry).size());
}

/// GETRANGE and SUBSTR.
void getrange(const keyspace& data, const call& run) {
  const auto first = run.integer(2);
  if (!first) return;
  const auto last = run.integer(3);
  if (!last) return;
  const auto entry = run.find(data, run.word(1), value_type::string);
  if (!entry) return;
  const auto bytes = *entry == nullptr ? std::string_view{} : data.string_of(**entry);
  // Redis counts an end before the first byte as the first byte, unless the start lies behind the end.
  const auto length = static_cast<std::int64_t>(bytes.size());
  const bool is_reversed = *first < 0 && *last < 0 && *first > *last;
  const auto end = *last < -length ? std::int64_t{0} : *last;
  const auto range = is_reversed ? index_range{} : range_of(*first, end, bytes.size());
  run.reply.bulk(bytes.substr(range.first, range.count));
}

void setrange(keyspace& data, const call& run) {
  const auto offset = run.integer(2);
  if (!offset) return;
  if (*offset < 0) return run.error("ERR offset is out of range");
  const auto entry = run.find(data, run.word(1), value_type::string);
  if (!entry) return;
  const auto& value = run.word(3);
  const auto present = *entry == nullptr ? std::string_view{} : data.string_of(**entry);
  if (value.empty()) {
    run.reply.count(present.size());
    return;
  }
  const auto start = static_cast<std::size_t>(*offset);
  if (start > string_bytes_max || !string_fits(run, start + value.size())) {
    if (start > string_bytes_max) run.error(errors::string_too_long);
    return;
  }
  std::string bytes{present};
  bytes.resize(std::max(bytes.size(), start + value.size()));
  bytes.replace(start, value.size(), value);
  data.put_string(run.word(1), bytes, *entry == nullptr ? 0 : (*entry)->second.expiry);
  run.reply.count(bytes.size());
}

constexpr std::array handlers = {
    handler{"append", nullptr, append},
    handler{"get", get},
    handler{"getdel", nullptr, getdel},
    handler{"getex", nullptr, getex},
    handler{"getrange", getrange},
    handler{"getset", nullptr, getset},
    handler{"mget", mget},
    handler{"mset", nullptr, set_several},
    handler{"msetnx", nullptr, set_several},
    handler{"psetex", nullptr, set_for_a_time},
    handler{"set", nullptr, set},
    handler{"setex", nullptr, set_for_a_time},
    handler{"setnx", nullptr, setnx},
    handler{"setrange", nullptr, setrange},
    handler{"strlen", strlen},
    handler{"substr", getrange},
};

}  // namespace

std::span<const handler> string_handlers() { return handlers; }

}  // namespace hypermesh::machines::redis
