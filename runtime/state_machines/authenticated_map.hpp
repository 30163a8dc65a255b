#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/ports.hpp"
#include "messages/limits.hpp"

namespace hypermesh::machines {

/// The replicated state of a machine: an ordered map of bytes to bytes under a Merkle
/// root (the hierarchical partitions of Castro's thesis, section 5.3.1, with one level of buckets).
///
/// A key belongs to the bucket that its hash selects. A bucket becomes one or more chunks of at most
/// `limits::state_chunk_bytes_max`; an empty bucket has no chunk. The chunks depend only on the content and never on
/// the order of changes. Only buckets that changed since the last snapshot are serialised and hashed again. All other
/// buckets share their chunks with the last snapshot.
///
/// A chunk is, in little-endian order: format octet, u32 count of buckets, u32 bucket,
/// u32 part, then a part of the bucket's stream. The stream is, for each entry in
/// ascending order of keys: u16 key length, u32 value length, key, value. All parts of a
/// bucket but the last are full.
///
/// One machine owns the map; concurrent use is not safe. Memory: the entries and 12 bytes for each in the index, and
/// the chunks of the last snapshot. The machine that owns the map bounds `content_bytes()`.
///
/// A search reads the marks of the bucket in sequence, 4 bytes each, and then one entry; a search in the ordered map
/// would read one place of the memory after another. The time grows with the entries of one bucket, and a client can
/// choose keys of one bucket. So a bucket of more than `indexed_max` entries has no index until half of them are left.
/// The index holds iterators, so a map can be moved, but not copied.
class authenticated_map {
 public:
  static constexpr std::size_t key_bytes_max = 1024;
  static constexpr std::size_t value_bytes_max = limits::operation_bytes_max;
  /// A million entries of 100 bytes make chunks of 100 KiB, below the limit of one chunk.
  /// A root over 1,024 leaves costs less than half a millisecond.
  static constexpr std::size_t bucket_count_default = 1024;
  static constexpr std::size_t bucket_count_max = 65'536;
  /// The most entries of a bucket with an index: 4 million entries in all with the default number of buckets.
  static constexpr std::size_t indexed_max = 4'096;

  /// `bucket_count` is 1 … `bucket_count_max` and the same at every replica, because it
  /// is part of every chunk and so of the root.
  explicit authenticated_map(std::size_t bucket_count = bucket_count_default);
  authenticated_map(authenticated_map&&) = default;
  authenticated_map& operator=(authenticated_map&&) = default;

  /// Where a key belongs: its bucket, and a mark that tells it from most other keys of the bucket.
  struct key_place {
    std::uint32_t bucket = 0;
    std::uint32_t mark = 0;
  };

  /// The place of `key`. The call costs one hash, so a caller that reads and then writes should keep the result.
  [[nodiscard]] key_place place_of(byte_span key) const;

  /// The value of `key`. The span is valid until the next change.
  [[nodiscard]] std::optional<byte_span> find(byte_span key) const { return find_at(place_of(key), key); }
  [[nodiscard]] std::optional<byte_span> find_at(key_place place, byte_span key) const;

  /// Sets the value of `key`. Both must be within the bounds above, and the key must not
  /// be empty. Returns the key in the map. These bytes stay valid until the key is erased, also while the map is moved.
  byte_span put(byte_span key, byte_span value) { return put_at(place_of(key), key, value); }
  byte_span put_at(key_place place, byte_span key, byte_span value);

  /// Removes `key`. Returns false if there was no such key.
  bool erase(byte_span key) { return erase_at(place_of(key), key); }
  bool erase_at(key_place place, byte_span key);

  [[nodiscard]] std::size_t size() const { return size_; }
  /// The number of bytes of all keys and values.
  [[nodiscard]] std::uint64_t content_bytes() const { return content_bytes_; }

  /// Calls `visit` with every key and value, in the order of the chunks. The keys are valid as those of `put`.
  void for_each(const std::function<void(byte_span key, byte_span value)>& visit) const;

  /// Calls `visit` with the keys that begin with `prefix`, in the order of the chunks, from the key behind `after` on
  /// (from the first key if `after` is empty), until `visit` returns false. The keys that are present throughout are
  /// visited once, whatever changes between two calls.
  void for_each_after(byte_span after, byte_span prefix,
                      const std::function<bool(byte_span key, byte_span value)>& visit) const;

  /// See `state_machine`. A snapshot costs the serialisation of the buckets that changed since the last snapshot, and
  /// one shared pointer for each chunk.
  [[nodiscard]] state_snapshot snapshot();
  [[nodiscard]] digest root();

  /// Accepts only the exact output of `snapshot` of a map with the same number of buckets, including the leaf digests.
  /// After an error the map is unchanged.
  [[nodiscard]] or_reason<void> restore(const state_snapshot& snapshot);

 private:
  using entry_map = std::map<std::string, std::string, std::less<>>;

  /// The entries in the order of the chunks, and an index of them: `marks[i]` belongs to `places[i]`, in any order.
  struct bucket_content {
    entry_map entries;
    std::vector<std::uint32_t> marks;
    std::vector<entry_map::iterator> places;
    bool is_indexed = true;
    std::vector<state_chunk> chunks;
    bool is_dirty = false;

    [[nodiscard]] entry_map::const_iterator find(std::uint32_t mark, std::string_view key) const;
    entry_map::const_iterator add(std::uint32_t mark, std::string_view key, std::string_view value);
    void remove(std::uint32_t mark, entry_map::const_iterator entry);
  };

  void mark_dirty(std::size_t index);
  void refresh();
  void refresh_bucket(std::size_t index);
  [[nodiscard]] or_reason<void> read_stream(std::size_t index, byte_span stream, bucket_content& into) const;

  std::vector<bucket_content> buckets_;
  std::vector<std::size_t> dirty_;
  std::size_t size_ = 0;
  std::uint64_t content_bytes_ = 0;
  /// The root at the last refresh; empty after a change.
  std::optional<digest> root_;
};

}  // namespace hypermesh::machines
