#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "actors/ports.hpp"
#include "messages/limits.hpp"
#include "messages/merkle_tree.hpp"
#include "runtime/state_machines/frozen_map.hpp"
#include "runtime/state_machines/leaf_directory.hpp"
#include "runtime/state_machines/packed_leaf.hpp"

namespace hypermesh::machines {

/// Where the keys of an authenticated map are in memory.
enum class map_keys {
  /// Only in the chunks. A key is valid until the next change of the map.
  packed,
  /// A copy for each key besides, at an address that is valid until the key is erased, also while the map is moved. For
  /// machines whose indexes point to keys.
  kept,
};

/// The replicated state of a machine: an ordered map of bytes to bytes under a Merkle root, whose chunks are copied on
/// write (the hierarchical partitions of Castro's thesis, section 5.3.1, with a tree that follows the content).
///
/// Each key has a place (`place_of_key`). The entries of a region of places are one leaf if they fit
/// `leaf_bytes_max` and those of the region that is one bit shorter do not. So the leaves depend only on the content
/// and never on the order of changes. Each leaf is one chunk (`packed_leaf`), and the entries are in no other place of
/// the memory. An entry that is longer than the bound has a leaf of its own. If the entries of one place exceed the
/// bound, each of them has one: a client can choose such keys, because the hash is public, and then an operation on
/// them costs one comparison for each of them.
///
/// A snapshot seals the leaves that changed since the last one, and shares the others with it. The first change of a
/// sealed leaf copies its bytes, so a snapshot costs as much as changed, whatever the size of the state. `freeze` only
/// lists the changed leaves; another thread may hash them (`frozen_map`). The root hashes the changed leaves and their
/// paths (`merkle_tree`).
///
/// One machine owns the map; concurrent use is not safe. Memory: the content, 10 bytes for each entry (6 in its header
/// and 4 in the index), about 1.5 KiB for each leaf, and the replaced leaves of the last snapshot. `map_keys::kept`
/// adds 8 bytes for each entry and a copy of its key. The machine that owns the map bounds `content_bytes()`.
class authenticated_map {
 public:
  using key_place = machines::key_place;

  static constexpr std::size_t key_bytes_max = 1024;
  /// An entry with the longest key fits a chunk.
  static constexpr std::size_t value_bytes_max = limits::state_chunk_bytes_max - key_bytes_max - 64;
  /// If entries change that are spread over the state, each of them costs the copy and the hash of its leaf: 1 µs and
  /// 14 µs for 12 KiB, the usual size with this bound. A GiB of content has 90,000 such leaves, far below
  /// `limits::state_chunks_max`.
  static constexpr std::size_t leaf_bytes_default = 16 * 1024;

  /// `leaf_bytes_max` is 1 … `packed_leaf::leaf_bytes_limit` and the same at every replica, because it is part of every
  /// chunk and so of the root. With 1 each entry has a leaf of its own.
  explicit authenticated_map(std::size_t leaf_bytes_max = leaf_bytes_default, map_keys keys = map_keys::packed);
  authenticated_map(authenticated_map&&) = default;
  authenticated_map& operator=(authenticated_map&&) = default;

  /// The place of `key`. The call costs one hash, so a caller that reads and then writes should keep the result.
  [[nodiscard]] static key_place place_of(byte_span key) { return place_of_key(key); }

  /// The value of `key`. The span is valid until the next change.
  [[nodiscard]] std::optional<byte_span> find(byte_span key) const { return find_at(place_of(key), key); }
  [[nodiscard]] std::optional<byte_span> find_at(key_place place, byte_span key) const;

  /// Sets the value of `key`. Both must be within the bounds above, and the key must not be empty. The value
  /// must not be bytes of this map, which a change moves. Returns the key in the map, which is valid as `map_keys`
  /// says.
  byte_span put(byte_span key, byte_span value) { return put_at(place_of(key), key, value); }
  byte_span put_at(key_place place, byte_span key, byte_span value);

  /// Removes `key`. Returns false if there was no such key.
  bool erase(byte_span key) { return erase_at(place_of(key), key); }
  bool erase_at(key_place place, byte_span key);

  [[nodiscard]] std::size_t size() const { return size_; }
  /// The number of bytes of all keys and values.
  [[nodiscard]] std::uint64_t content_bytes() const { return content_bytes_; }

  /// Calls `visit` with every key and value, in ascending order of place and key. `visit` must not change the map.
  void for_each(const std::function<void(byte_span key, byte_span value)>& visit) const;

  /// Calls `visit` with the keys that begin with `prefix`, in ascending order of place and key, from the key behind
  /// `after` on (from the first key if `after` is empty), until `visit` returns false. The keys that are present
  /// throughout are visited once, whatever changes between two calls. A prefix of one octet costs only the keys that
  /// begin with it; a longer one costs as much.
  void for_each_after(byte_span after, byte_span prefix,
                      const std::function<bool(byte_span key, byte_span value)>& visit) const;

  /// The state at this moment, for `frozen_map::finish` on any thread. Costs about 0.2 µs for each leaf that changed
  /// since the last call.
  [[nodiscard]] std::shared_ptr<frozen_map> freeze();
  /// See `state_machine`. Both freeze and finish.
  [[nodiscard]] state_snapshot snapshot();
  [[nodiscard]] digest root();

  /// Accepts only the exact output of `snapshot` of a map with the same `leaf_bytes_max`, including the leaf digests.
  /// The map shares the chunks. After an error the map is unchanged.
  [[nodiscard]] or_reason<void> restore(const state_snapshot& snapshot);

  /// Bytes in memory besides those of the chunks, for tests and measurements.
  [[nodiscard]] std::uint64_t overhead_bytes() const;
  [[nodiscard]] std::size_t leaf_count() const { return leaves_.size(); }

 private:
  using leaf_ptr = leaf_directory::leaf_ptr;
  /// The leaf that covers a place, or the leaf in front of which a new one for it would stand.
  struct leaf_position {
    leaf_directory::position number;
    bool is_covered = false;
  };
  /// The leaves of a region. If they do not fit one leaf, not all of them are counted.
  struct region_content {
    leaf_directory::position first;
    std::size_t leaves = 0;
    bool fits = false;
  };

  [[nodiscard]] leaf_position leaf_of(key_place place, byte_span key) const;
  [[nodiscard]] leaf_ptr new_leaf(leaf_region region) const;
  [[nodiscard]] leaf_region free_region(key_place place) const;
  [[nodiscard]] region_content content_of(const leaf_region& region) const;
  packed_leaf& open_leaf(leaf_directory::position number);
  byte_span add(key_place place, const packed_leaf::entry& added, key_memory kept);
  leaf_directory::position insert_leaf(leaf_directory::position before, leaf_ptr leaf);
  leaf_directory::position remove_leaf(leaf_directory::position number);
  void note_change(std::uint64_t start);
  void split(leaf_directory::position number);
  void join_around(leaf_region region);
  [[nodiscard]] or_reason<void> add_restored(leaf_ptr leaf);
  [[nodiscard]] or_reason<void> check_regions() const;

  std::size_t leaf_bytes_max_;
  map_keys keys_;
  /// None of the leaves is empty.
  leaf_directory leaves_;
  /// The places at which a leaf was opened, made or removed since the last `freeze`; some of them repeatedly.
  std::vector<std::uint64_t> changed_;
  /// The length of `changed_` at which repetitions are removed.
  std::size_t changed_bound_;
  std::size_t size_ = 0;
  std::uint64_t content_bytes_ = 0;
  /// The last frozen state; null before the first `freeze`.
  std::shared_ptr<frozen_map> frozen_;
  /// The number of states before the last that may not be finished yet.
  unsigned unfinished_ = 0;
  messages::merkle_tree tree_;
  /// The root at the last call of `root`; empty after a change.
  std::optional<digest> root_;
};

}  // namespace hypermesh::machines
