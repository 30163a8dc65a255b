#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <ext/pb_ds/assoc_container.hpp>
#include <ext/pb_ds/tree_policy.hpp>

#include "messages/expected.hpp"
#include "messages/limits.hpp"
#include "runtime/state_machines/authenticated_map.hpp"
#include "runtime/state_machines/redis/redis_decimal.hpp"

/// The records of the state of "redis", in little-endian order. The first octet of a key of the authenticated map tells
/// the kind of its record:
///
/// | key                                  | value                                                                   |
/// |--------------------------------------|-------------------------------------------------------------------------|
/// | `M`                                  | u64 counter of versions, u64 time of the last write in ms               |
/// | `K`, then a key of the database      | u8 type, u64 id, u64 version, u64 expiry in ms or 0, then:              |
/// |                                      | a string: its bytes; a list: u64 head, u64 tail; otherwise: u64 count   |
/// | `E`, u64 id, then a member or field  | hash: the value; sorted set: 16 octets of the score; set: empty         |
/// | `E`, u64 id, u64 position            | the element of a list                                                   |
/// | `G`, u64 id                          | what `K` has behind the expiry, with the type: a collection without key |
///
/// A collection has a number, its id, so RENAME and DEL of a large one change one record: a deleted collection keeps
/// its elements until later writes have removed them.
namespace hypermesh::machines::redis {

/// The types of values. The numbers are part of the state.
enum class value_type : std::uint8_t { string = 1, list = 2, set = 3, sorted_set = 4, hash = 5 };
inline constexpr auto value_type_last = value_type::hash;

/// The name that TYPE shows.
[[nodiscard]] std::string_view type_name(value_type type);

/// Bytes of a key of the database: one octet of the key in the map is the kind.
inline constexpr std::size_t key_bytes_max = authenticated_map::key_bytes_max - 1;
/// Bytes of a member of a set or sorted set, or of a field of a hash.
inline constexpr std::size_t member_bytes_max = authenticated_map::key_bytes_max - 9;
/// Bytes of a string or of an element: its record fits the map, and a reply with it fits a result.
inline constexpr std::size_t string_bytes_max = authenticated_map::value_bytes_max - 64;

/// A key, member or field, in the order in which SCAN visits it: by a hash of its bytes.
struct placed_name {
  /// Below 2^48, so that each client can hold a cursor as a number.
  std::uint64_t place = 0;
  std::string_view name;

  friend auto operator<=>(const placed_name&, const placed_name&) = default;
};

/// A member of a sorted set in its order.
struct scored_name {
  decimal score;
  std::string_view name;

  friend auto operator<=>(const scored_name&, const scored_name&) = default;
};

/// An ordered set that knows the rank of each element, in logarithmic time.
template <class Value>
using ranked_set = __gnu_pbds::tree<Value, __gnu_pbds::null_type, std::less<Value>, __gnu_pbds::rb_tree_tag,  // NOLINT
                                    __gnu_pbds::tree_order_statistics_node_update>;

/// The indexes of one hash, set or sorted set. The names point into the keys of the map. Memory: about 80 bytes for
/// each member, and as much again in a sorted set.
struct collection_index {
  ranked_set<placed_name> names;
  /// Empty in hashes and sets.
  ranked_set<scored_name> order;
};

/// The record of a key in memory, without the bytes of a string.
struct key_record {
  value_type type = value_type::string;
  /// 0 for a string, which has no elements.
  std::uint64_t id = 0;
  std::uint64_t version = 0;
  /// In milliseconds since the Unix epoch; 0 if the key does not expire.
  std::uint64_t expiry = 0;
  /// The positions of a list: its first element, and the one behind its last.
  std::uint64_t head = 0;
  std::uint64_t tail = 0;
  /// For hashes, sets and sorted sets.
  std::unique_ptr<collection_index> index;

  [[nodiscard]] bool is_list() const { return type == value_type::list; }
  /// Elements; 0 for a string.
  [[nodiscard]] std::size_t size() const;
};

/// The middle of 2^64, so a list grows to both sides.
inline constexpr std::uint64_t list_start = 1ULL << 63U;

/// The keys of the map, as the table above defines them. `name` and `key` are within their bounds.
[[nodiscard]] std::string key_of_record(std::string_view key);
[[nodiscard]] std::string key_of_element(std::uint64_t id, std::string_view name);
[[nodiscard]] std::string key_of_position(std::uint64_t id, std::uint64_t position);
[[nodiscard]] std::string key_of_garbage(std::uint64_t id);

/// The value of a record; `bytes` are those of a string.
[[nodiscard]] byte_vector encode_record(const key_record& record, std::string_view bytes);
/// The value of the record of a collection without a key.
[[nodiscard]] byte_vector encode_garbage(const key_record& record);
/// The octets in front of the bytes of a string.
inline constexpr std::size_t record_header_bytes = 1 + 8 + 8 + 8;

/// A record that was read from a snapshot, with an empty index, and the number of elements that it names.
struct read_record {
  key_record record;
  std::uint64_t count = 0;
};
/// Accept any bytes. The failure says what is wrong with the record. A restoration compares the count with the
/// elements.
[[nodiscard]] or_reason<read_record> decode_record(byte_span value);
[[nodiscard]] or_reason<read_record> decode_garbage(byte_span value);

/// The value of a member of a sorted set; `decimal::read` reads it.
[[nodiscard]] byte_vector encode_score(decimal score);

}  // namespace hypermesh::machines::redis
