#include "runtime/state_machines/redis/redis_keyspace.hpp"

#include <algorithm>

#include "messages/byte_codec.hpp"
#include "messages/require.hpp"

namespace hypermesh::machines::redis {

namespace {

/// A smaller collection is removed at once, which is cheaper than to note it for the sweep.
constexpr std::size_t small_collection_max = 64;

constexpr std::string_view meta_key = "M";

/// The name in a key of the map: behind the kind, or behind the kind and the id.
std::string_view name_in(byte_span key, std::size_t skipped) { return as_text(key).substr(skipped); }

constexpr std::size_t element_name_at = 1 + 8;

/// The finaliser of SplitMix64, which spreads the bits of a number.
std::uint64_t mixed(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15ULL;
  value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  value = (value ^ (value >> 27U)) * 0x94d049bb133111ebULL;
  return value ^ (value >> 31U);
}

}  // namespace

keyspace::keyspace(std::size_t leaf_bytes_max)
    : entries_(leaf_bytes_max, map_keys::kept),
      leaf_bytes_max_(leaf_bytes_max),
      expiries_(std::make_unique<expiry_set>()) {}

void keyspace::begin(std::uint64_t now_ms, std::uint64_t seed) {
  now_ms_ = std::max(now_ms_, now_ms);
  seed_ = seed;
}

void keyspace::begin_write() {
  removable_ = removed_at_once_max;
  for (std::size_t count = 0; count < swept_keys_max && !expiries_->empty(); ++count) {
    const auto [expiry, key] = *expiries_->begin();
    if (expiry >= now_ms_) break;
    remove(*keys_.find(key));
  }
  for (auto left = swept_elements_max; left > 0 && !garbage_.empty();) {
    auto& [id, record] = *garbage_.begin();
    left -= erase_some(id, record, left);
    if (record.size() == 0) {
      entries_.erase(as_byte_span(key_of_garbage(id)));
      garbage_.erase(garbage_.begin());
    } else {
      entries_.put(as_byte_span(key_of_garbage(id)), encode_garbage(record));
    }
  }
}

void keyspace::end_write() {
  byte_writer out;
  out.number(counter_).number(now_ms_);
  entries_.put(as_byte_span(meta_key), out.view());
}

std::uint64_t keyspace::random_number(std::uint64_t draw) const { return mixed(mixed(seed_ ^ counter_) + draw); }

std::uint64_t keyspace::random_place() const { return cursor_of({random_number(0)}); }

/// The lower 48 bits of a place, which are bits of the hash.
std::uint64_t keyspace::cursor_of(authenticated_map::key_place place) {
  return place.order & ((std::uint64_t{1} << 48U) - 1);
}

std::uint64_t keyspace::place_of_key(std::string_view key) const {
  return cursor_of(entries_.place_of(as_byte_span(key_of_record(key))));
}

bool keyspace::is_expired(const key_record& record) const { return record.expiry != 0 && record.expiry < now_ms_; }

const keyspace::key_entry* keyspace::find(std::string_view key) const {
  const auto found = keys_.find(placed_name{place_of_key(key), key});
  return found == keys_.end() || is_expired(found->second) ? nullptr : &*found;
}

keyspace::key_entry* keyspace::find(std::string_view key) {
  const auto found = keys_.find(placed_name{place_of_key(key), key});
  if (found == keys_.end()) return nullptr;
  if (!is_expired(found->second)) return &*found;
  remove(*found);
  return nullptr;
}

std::size_t keyspace::size() const { return keys_.size() - expiries_->order_of_key({now_ms_, placed_name{}}); }

void keyspace::write_record(key_entry& entry, std::string_view bytes) {
  entries_.put(as_byte_span(key_of_record(entry.first.name)), encode_record(entry.second, bytes));
}

void keyspace::index_expiry(const key_entry& entry, std::uint64_t expiry) {
  if (entry.second.expiry != 0) expiries_->erase({entry.second.expiry, entry.first});
  if (expiry != 0) expiries_->insert({expiry, entry.first});
}

keyspace::key_entry& keyspace::create(std::string_view key, value_type type) {
  require(key.size() <= key_bytes_max, "the machine checks the length of each key");
  key_record record;
  record.type = type;
  if (type == value_type::list) record.head = record.tail = list_start;
  if (type != value_type::string) record.id = ++counter_;
  if (type != value_type::string && type != value_type::list) record.index = std::make_unique<collection_index>();
  const auto map_key = key_of_record(key);
  const auto place = entries_.place_of(as_byte_span(map_key));
  const auto stored = entries_.put_at(place, as_byte_span(map_key), encode_record(record, {}));
  const auto [made, is_new] = keys_.emplace(placed_name{cursor_of(place), name_in(stored, 1)}, std::move(record));
  require(is_new, "the caller knows that the key is absent");
  return *made;
}

void keyspace::put_string(std::string_view key, std::string_view bytes, std::uint64_t expiry) {
  require(bytes.size() <= string_bytes_max, "the commands check the length of each string");
  auto* entry = find(key);
  if (entry == nullptr) {
    entry = &create(key, value_type::string);
  } else if (entry->second.type != value_type::string) {
    index_expiry(*entry, 0);
    discard_elements(std::exchange(entry->second, key_record{}));
  }
  index_expiry(*entry, expiry);
  entry->second.expiry = expiry;
  entry->second.version = ++counter_;
  write_record(*entry, bytes);
}

std::string_view keyspace::string_of(const key_entry& entry) const {
  const auto value = entries_.find(as_byte_span(key_of_record(entry.first.name)));
  require(value && entry.second.type == value_type::string, "a string has a record");
  return as_text(*value).substr(record_header_bytes);
}

bool keyspace::changed(key_entry& entry) {
  auto& record = entry.second;
  if (record.type != value_type::string && record.size() == 0) {
    remove(entry);
    return false;
  }
  record.version = ++counter_;
  if (record.type == value_type::string) {
    const std::string bytes{string_of(entry)};
    write_record(entry, bytes);
  } else {
    write_record(entry, {});
  }
  return true;
}

void keyspace::set_expiry(key_entry& entry, std::uint64_t expiry) {
  index_expiry(entry, expiry);
  entry.second.expiry = expiry;
  changed(entry);
}

void keyspace::remove(key_entry& entry) {
  index_expiry(entry, 0);
  const auto found = keys_.find(entry.first);
  require(found != keys_.end(), "the key exists");
  discard_elements(std::move(found->second));
  // The name points into the key of the map, so the index is changed first.
  const auto map_key = key_of_record(found->first.name);
  keys_.erase(found);
  entries_.erase(as_byte_span(map_key));
}

void keyspace::rename(key_entry& entry, std::string_view to) {
  if (auto* const replaced = find(to); replaced != nullptr) remove(*replaced);
  const std::string bytes{entry.second.type == value_type::string ? string_of(entry) : std::string_view{}};
  const auto expiry = entry.second.expiry;
  index_expiry(entry, 0);
  auto record = std::move(entry.second);
  entry.second = key_record{};
  remove(entry);
  record.version = ++counter_;
  record.expiry = 0;
  const auto map_key = key_of_record(to);
  const auto place = entries_.place_of(as_byte_span(map_key));
  record.expiry = expiry;
  const auto stored = entries_.put_at(place, as_byte_span(map_key), encode_record(record, bytes));
  record.expiry = 0;
  const auto made = keys_.emplace(placed_name{cursor_of(place), name_in(stored, 1)}, std::move(record)).first;
  index_expiry(*made, expiry);
  made->second.expiry = expiry;
}

void keyspace::clear() {
  keys_.clear();
  garbage_.clear();
  expiries_ = std::make_unique<expiry_set>();
  entries_ = authenticated_map{leaf_bytes_max_, map_keys::kept};
}

void keyspace::discard_elements(key_record&& record) {
  const auto size = record.size();
  if (size == 0) return;
  if (size <= std::min(small_collection_max, removable_)) {
    removable_ -= erase_some(record.id, record, size);
    return;
  }
  entries_.put(as_byte_span(key_of_garbage(record.id)), encode_garbage(record));
  const auto id = record.id;
  garbage_.emplace(id, std::move(record));
}

std::size_t keyspace::erase_some(std::uint64_t id, key_record& record, std::size_t count) {
  const auto erased = std::min(count, record.size());
  for (std::size_t number = 0; number < erased; ++number) {
    if (record.is_list()) {
      entries_.erase(as_byte_span(key_of_position(id, record.head++)));
    } else {
      const auto first = record.index->names.begin();
      const auto map_key = key_of_element(id, first->name);
      record.index->names.erase(first);
      entries_.erase(as_byte_span(map_key));
    }
  }
  return erased;
}

std::optional<std::string_view> keyspace::element(const key_record& record, std::string_view name) const {
  if (name.size() > member_bytes_max) return std::nullopt;
  const auto value = entries_.find(as_byte_span(key_of_element(record.id, name)));
  if (!value) return std::nullopt;
  return as_text(*value);
}

std::optional<decimal> keyspace::score(const key_record& record, std::string_view name) const {
  const auto value = element(record, name);
  if (!value) return std::nullopt;
  byte_reader in{as_byte_span(*value)};
  return decimal::read(in);
}

bool keyspace::put_element(key_record& record, std::string_view name, std::string_view value) {
  require(name.size() <= member_bytes_max, "the commands check the length of each member");
  const auto map_key = key_of_element(record.id, name);
  const auto place = entries_.place_of(as_byte_span(map_key));
  const auto stored = entries_.put_at(place, as_byte_span(map_key), as_byte_span(value));
  return record.index->names.insert({cursor_of(place), name_in(stored, element_name_at)}).second;
}

bool keyspace::put_score(key_record& record, std::string_view name, decimal score) {
  const auto old = this->score(record, name);
  if (old) record.index->order.erase({*old, name});
  const bool is_new = put_element(record, name, as_text(encode_score(score)));
  const auto place = cursor_of(entries_.place_of(as_byte_span(key_of_element(record.id, name))));
  // The name of the index stays valid; `name` belongs to the caller.
  const auto stored = record.index->names.find({place, name});
  record.index->order.insert({score, stored->name});
  return is_new;
}

bool keyspace::erase_element(key_record& record, std::string_view name) {
  if (name.size() > member_bytes_max) return false;
  const auto map_key = key_of_element(record.id, name);
  const auto place = entries_.place_of(as_byte_span(map_key));
  if (!entries_.find_at(place, as_byte_span(map_key))) return false;
  if (record.type == value_type::sorted_set) record.index->order.erase({*score(record, name), name});
  record.index->names.erase({cursor_of(place), name});
  return entries_.erase_at(place, as_byte_span(map_key));
}

std::string_view keyspace::list_at(const key_record& record, std::size_t index) const {
  const auto value = entries_.find(as_byte_span(key_of_position(record.id, record.head + index)));
  require(value.has_value(), "a list has an element at each of its positions");
  return as_text(*value);
}

void keyspace::list_set(const key_record& record, std::size_t index, std::string_view bytes) {
  entries_.put(as_byte_span(key_of_position(record.id, record.head + index)), as_byte_span(bytes));
}

void keyspace::list_push(key_record& record, bool is_left, std::string_view bytes) {
  const auto position = is_left ? --record.head : record.tail++;
  entries_.put(as_byte_span(key_of_position(record.id, position)), as_byte_span(bytes));
}

void keyspace::list_pop(key_record& record, bool is_left) {
  require(record.size() > 0, "an element is there");
  const auto position = is_left ? record.head++ : --record.tail;
  entries_.erase(as_byte_span(key_of_position(record.id, position)));
}

}  // namespace hypermesh::machines::redis
