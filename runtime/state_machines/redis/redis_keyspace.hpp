#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include <hypermesh/state_machine.hpp>

#include "runtime/state_machines/redis/redis_records.hpp"

namespace hypermesh::machines::redis {

/// The database of "redis": its keys and their elements in an authenticated map, and indexes of them in memory, which
/// are a function of the map. The commands read and change it only through this class.
///
/// **Versions.** Each change of a key gives it the next number of one counter, so a key that was deleted and made again
/// never has a version that it had before.
///
/// **Time.** The keyspace knows only the ordered time of the operations. A key is gone for each command
/// when the time is behind its expiry. Its record is removed when a write meets it, or by the sweep: each write removes
/// at most `swept_keys_max` expired keys and `swept_elements_max` elements of deleted collections.
///
/// Memory: about twice `content_bytes()`. The machine bounds the content.
class keyspace {
 public:
  using key_map = std::map<placed_name, key_record>;
  using key_entry = key_map::value_type;

  static constexpr std::size_t swept_keys_max = 32;
  static constexpr std::size_t swept_elements_max = 1'024;

  /// What an entry needs in memory besides its bytes counts as so much content. The bound would otherwise let clients
  /// store a hundred million members of one byte each.
  static constexpr std::uint64_t entry_bytes = 128;
  /// Elements of small collections that one operation removes at once. The sweep removes the others, so DEL of 30,000
  /// keys does not remove two million elements.
  static constexpr std::size_t removed_at_once_max = 4'096;

  explicit keyspace(std::size_t leaf_bytes_max);

  // --- Operations ---

  /// Each operation begins with `begin`. The time and the seed of the choices for the commands that follow. Both are
  /// part of no state.
  void begin(std::uint64_t now_ms, std::uint64_t seed);
  /// Sweeps. Called before the commands of an operation that writes.
  void begin_write();
  /// Records the counter and the time. Called behind the commands of an operation that writes.
  void end_write();

  /// In milliseconds since the Unix epoch.
  [[nodiscard]] std::uint64_t now_ms() const { return now_ms_; }
  /// A number that looks random and is the same at all replicas; `draw` tells the choices of one command apart.
  [[nodiscard]] std::uint64_t random_number(std::uint64_t draw) const;

  /// A place in the order of `keys`, drawn in the same way.
  [[nodiscard]] std::uint64_t random_place() const;

  // --- Keys ---

  /// The key, if it exists and has not expired. A pointer stays valid until the key is removed.
  [[nodiscard]] const key_entry* find(std::string_view key) const;
  /// The same for a write, which removes an expired key.
  [[nodiscard]] key_entry* find(std::string_view key);
  /// The number of keys that exist and have not expired.
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] const key_map& keys() const { return keys_; }
  [[nodiscard]] bool is_expired(const key_record& record) const;
  /// The place of a key in the order of `keys`.
  [[nodiscard]] std::uint64_t place_of_key(std::string_view key) const;

  /// Makes an empty collection. The key must be absent, and the caller adds elements and calls `changed`.
  key_entry& create(std::string_view key, value_type type);
  /// Sets a string, whatever the key was before. `expiry` 0 is none.
  void put_string(std::string_view key, std::string_view bytes, std::uint64_t expiry);
  [[nodiscard]] std::string_view string_of(const key_entry& entry) const;
  /// Gives the key a new version, or removes it if it is a collection without elements. Returns whether it is left.
  bool changed(key_entry& entry);
  /// Sets the expiry, 0 for none, and calls `changed`.
  void set_expiry(key_entry& entry, std::uint64_t expiry);
  void remove(key_entry& entry);
  /// Moves the value and the expiry to another key, whatever that was before.
  void rename(key_entry& entry, std::string_view to);
  /// Removes everything. Costs about 200 ns for each key and element.
  void clear();

  // --- Elements of hashes, sets and sorted sets ---

  /// The value of a field, the empty text of a member of a set, or nothing. Valid until the next change.
  [[nodiscard]] std::optional<std::string_view> element(const key_record& record, std::string_view name) const;
  [[nodiscard]] std::optional<decimal> score(const key_record& record, std::string_view name) const;
  /// Returns whether the element is new. A name has at most `member_bytes_max` bytes.
  bool put_element(key_record& record, std::string_view name, std::string_view value);
  bool put_score(key_record& record, std::string_view name, decimal score);
  bool erase_element(key_record& record, std::string_view name);

  // --- Lists ---

  [[nodiscard]] std::string_view list_at(const key_record& record, std::size_t index) const;
  void list_set(const key_record& record, std::size_t index, std::string_view bytes);
  void list_push(key_record& record, bool is_left, std::string_view bytes);
  /// The list must not be empty.
  void list_pop(key_record& record, bool is_left);

  // --- State ---

  /// The bytes of all keys and values, and `entry_bytes` for each entry.
  [[nodiscard]] std::uint64_t content_bytes() const { return entries_.content_bytes() + entry_bytes * entries_.size(); }
  [[nodiscard]] state_snapshot snapshot() { return entries_.snapshot(); }
  [[nodiscard]] std::shared_ptr<frozen_state> freeze() { return entries_.freeze(); }
  [[nodiscard]] digest root() { return entries_.root(); }
  /// After an error the keyspace is unchanged.
  [[nodiscard]] or_reason<void> restore(const state_snapshot& snapshot);

 private:
  friend class keyspace_restorer;

  /// The expiries in ascending order, each with the key that it belongs to.
  using expiry_set = ranked_set<std::pair<std::uint64_t, placed_name>>;

  [[nodiscard]] static std::uint64_t cursor_of(authenticated_map::key_place place);
  void write_record(key_entry& entry, std::string_view bytes);
  void index_expiry(const key_entry& entry, std::uint64_t expiry);
  void discard_elements(key_record&& record);
  /// Removes at most `count` elements. Returns how many it removed.
  std::size_t erase_some(std::uint64_t id, key_record& record, std::size_t count);

  authenticated_map entries_;
  std::size_t leaf_bytes_max_;
  key_map keys_;
  std::unique_ptr<expiry_set> expiries_;
  /// Collections without a key, by id.
  std::map<std::uint64_t, key_record> garbage_;
  /// The last version or id that was given.
  std::uint64_t counter_ = 0;
  std::uint64_t now_ms_ = 0;
  std::uint64_t seed_ = 0;
  /// The elements that this operation may still remove at once.
  std::size_t removable_ = 0;
};

}  // namespace hypermesh::machines::redis
