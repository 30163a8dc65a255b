#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "messages/expected.hpp"
#include "messages/limits.hpp"
#include "messages/types.hpp"

namespace hypermesh::machines {

/// The place of a key in the order of an authenticated map: the first octet of the key, then 56 bits of its hash.
/// Machines tell the kinds of their records apart by the first octet, so the records of a kind follow each other.
struct key_place {
  std::uint64_t order = 0;

  friend auto operator<=>(key_place, key_place) = default;
};

/// The place of `key`, which is not empty. Costs one hash.
[[nodiscard]] key_place place_of_key(byte_span key);

/// The bytes of a key at an address that does not change while the key is in the map.
using key_memory = std::unique_ptr<std::byte[]>;  // NOLINT

/// A region of the places: all places that share the first `depth` bits of `start`, whose other bits are zero. A region
/// of depth 65 is one key at the place `start`.
struct leaf_region {
  static constexpr unsigned depth_max = 65;

  std::uint64_t start = 0;
  unsigned depth = 0;

  [[nodiscard]] std::uint64_t last() const;
  [[nodiscard]] bool covers(key_place place) const { return place.order >= start && place.order <= last(); }
  /// The region that is one bit shorter; `depth` > 0.
  [[nodiscard]] leaf_region parent() const;
  /// Whether `start` belongs to the depth.
  [[nodiscard]] bool is_aligned() const;

  friend bool operator==(const leaf_region&, const leaf_region&) = default;
};

/// The entries of one region of an authenticated map, packed as the bytes of one chunk of its state.
///
/// The bytes are, in little-endian order: format octet, u32 `leaf_bytes_max` of the map, u8 depth, u64 start; then for
/// each entry in ascending order of place and key: u16 key length, u32 value length, key, value.
///
/// A sealed leaf shares its bytes with snapshots and never changes them: the first change afterwards copies them.
/// Memory: the bytes, up to 1 KiB of room for growth, and 4 bytes for each entry. A leaf that keeps keys has 8 bytes
/// for each entry besides, and a copy of its key.
class packed_leaf {
 public:
  static constexpr std::size_t header_bytes = 1 + 4 + 1 + 8;
  static constexpr std::size_t entry_header_bytes = 2 + 4;
  /// The index has 16 bits for the position of an entry.
  static constexpr std::size_t leaf_bytes_limit = 64 * 1024;

  /// An empty leaf, which belongs to no snapshot.
  packed_leaf(std::size_t leaf_bytes_max, leaf_region region, bool keeps_keys);

  struct entry {
    byte_span key;
    byte_span value;
  };
  /// The number of a key in the leaf, or the number that it would have.
  struct position {
    std::size_t number = 0;
    bool is_present = false;
  };

  [[nodiscard]] const leaf_region& region() const { return region_; }
  [[nodiscard]] std::size_t count() const { return index_.size(); }
  /// Bytes of the chunk.
  [[nodiscard]] std::size_t size() const { return bytes_->size(); }
  /// Bytes of the entries with their headers.
  [[nodiscard]] std::size_t entry_bytes() const { return size() - header_bytes; }
  [[nodiscard]] static std::size_t entry_bytes(byte_span key, byte_span value) {
    return entry_header_bytes + key.size() + value.size();
  }

  [[nodiscard]] entry at(std::size_t number) const;
  [[nodiscard]] position search(key_place place, byte_span key) const;

  // --- Changes; the caller makes sure that the leaf is open ---

  [[nodiscard]] bool is_sealed() const { return open_ == nullptr; }
  /// Copies the bytes, which a snapshot shares.
  void open();
  /// Returns the bytes, which do not change from now on.
  [[nodiscard]] std::shared_ptr<const byte_vector> seal();
  [[nodiscard]] const std::shared_ptr<const byte_vector>& bytes() const { return bytes_; }

  /// Inserts an entry at `number`. `kept` is the memory of its key; null unless the leaf keeps keys and the key is in
  /// the map already. The leaf becomes no longer than `leaf_bytes_limit`, or it has only this entry.
  void insert(std::size_t number, key_place place, const entry& added, key_memory kept);
  void set_value(std::size_t number, byte_span value);
  /// Returns the memory of the key; null if the leaf keeps none.
  key_memory erase(std::size_t number);

  /// Moves the leaf to another region, which has all its entries.
  void move_to(leaf_region region);
  /// Appends the entries of `from` from number `first` to `last`, exclusive. They are behind all entries of this leaf.
  void append(packed_leaf& from, std::size_t first, std::size_t last);

  // --- Snapshots ---

  /// Reads a chunk of a snapshot and checks everything about it that one chunk shows, except for its digest.
  [[nodiscard]] static or_reason<std::unique_ptr<packed_leaf>> read(std::shared_ptr<const byte_vector> chunk,
                                                                    std::size_t leaf_bytes_max, bool keeps_keys);

  /// Bytes in memory besides those of the chunk, for tests and measurements.
  [[nodiscard]] std::size_t overhead_bytes() const;

 private:
  packed_leaf() = default;

  [[nodiscard]] std::uint32_t mark_of(key_place place) const;
  [[nodiscard]] std::size_t lower_bound(std::uint32_t wanted) const;
  [[nodiscard]] std::size_t offset_of(std::size_t number) const { return index_[number] & 0xffffU; }
  [[nodiscard]] entry read_at(std::size_t offset) const;
  /// Makes room for `more` bytes at `offset`, or removes `-more` bytes behind it, and moves the entries from `number`
  /// on in the index.
  void shift(std::size_t offset, std::ptrdiff_t more, std::size_t number);
  void write_header();
  void mark_all();
  [[nodiscard]] or_reason<void> read_entries();

  std::size_t leaf_bytes_max_ = 0;
  leaf_region region_;
  bool keeps_keys_ = false;
  std::shared_ptr<const byte_vector> bytes_;
  /// The same bytes while they may change; null in a sealed leaf.
  byte_vector* open_ = nullptr;
  /// For each entry: the 16 bits of the place behind the depth, then 16 bits of its position in the bytes. Ascending.
  std::vector<std::uint32_t> index_;
  /// The memory of the keys in the same order; empty unless the leaf keeps keys.
  std::vector<key_memory> keys_;
};

}  // namespace hypermesh::machines
