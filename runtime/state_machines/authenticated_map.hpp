#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
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
/// One machine owns the map; concurrent use is not safe. Memory: the entries, and the chunks of the last snapshot. The
/// machine that owns the map bounds `content_bytes()`.
class authenticated_map {
 public:
  static constexpr std::size_t key_bytes_max = 1024;
  static constexpr std::size_t value_bytes_max = limits::operation_bytes_max;
  /// A million entries of 100 bytes make chunks of 100 KiB, below the limit of one chunk.
  /// A root over 1,024 leaves costs less than half a millisecond.
  static constexpr std::size_t bucket_count_default = 1024;
  static constexpr std::size_t bucket_count_max = 65'536;

  /// `bucket_count` is 1 … `bucket_count_max` and the same at every replica, because it
  /// is part of every chunk and so of the root.
  explicit authenticated_map(std::size_t bucket_count = bucket_count_default);

  /// The bucket of `key`. The call costs one hash, so a caller that reads and then writes should keep the result.
  [[nodiscard]] std::size_t bucket_of(byte_span key) const;

  /// The value of `key`. The span is valid until the next change.
  [[nodiscard]] std::optional<byte_span> find(byte_span key) const { return find_in(bucket_of(key), key); }
  [[nodiscard]] std::optional<byte_span> find_in(std::size_t bucket, byte_span key) const;

  /// Sets the value of `key`. Both must be within the bounds above, and the key must not
  /// be empty.
  void put(byte_span key, byte_span value) { put_in(bucket_of(key), key, value); }
  void put_in(std::size_t bucket, byte_span key, byte_span value);

  /// Removes `key`. Returns false if there was no such key.
  bool erase(byte_span key) { return erase_in(bucket_of(key), key); }
  bool erase_in(std::size_t bucket, byte_span key);

  [[nodiscard]] std::size_t size() const { return size_; }
  /// The number of bytes of all keys and values.
  [[nodiscard]] std::uint64_t content_bytes() const { return content_bytes_; }

  /// Calls `visit` with every key and value, in the order of the chunks.
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
  struct bucket_content {
    std::map<std::string, std::string, std::less<>> entries;
    std::vector<state_chunk> chunks;
    bool is_dirty = false;
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
