#include "runtime/state_machines/packed_leaf.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <fmt/format.h>
#include <sodium.h>

#include "messages/byte_codec.hpp"
#include "messages/expected.hpp"
#include "messages/require.hpp"
#include "runtime/state_machines/authenticated_map.hpp"

namespace hypermesh::machines {

namespace {

/// Formats 1 and 2 had a fixed number of buckets.
constexpr std::uint8_t chunk_format = 3;

/// The most room for growth that a leaf keeps, so that it is not moved for each new entry.
constexpr std::size_t spare_bytes_max = 1'024;

/// The key of the SipHash-2-4 that spreads the keys: the text "hypermesh bucket". All replicas must choose the same
/// places, so it cannot be secret, and a client can choose keys that share a place. `authenticated_map` says what such
/// keys cost.
constexpr std::array<unsigned char, crypto_shorthash_KEYBYTES> place_hash_key = {
    'h', 'y', 'p', 'e', 'r', 'm', 'e', 's', 'h', ' ', 'b', 'u', 'c', 'k', 'e', 't'};

static_assert(authenticated_map::key_bytes_max <= 0xffff, "a key's length has 16 bits");
static_assert(packed_leaf::header_bytes + packed_leaf::entry_header_bytes + authenticated_map::key_bytes_max +
                      authenticated_map::value_bytes_max <=
                  limits::state_chunk_bytes_max,
              "every entry fits a chunk");

std::size_t octet_at(const byte_vector& bytes, std::size_t offset) {
  return std::to_integer<std::size_t>(bytes[offset]);
}

/// Explicit shifts, which the compiler turns into one load; a search reads several lengths.
std::size_t key_bytes_at(const byte_vector& bytes, std::size_t offset) {
  return octet_at(bytes, offset) | octet_at(bytes, offset + 1) << 8U;
}

std::size_t value_bytes_at(const byte_vector& bytes, std::size_t offset) {
  return octet_at(bytes, offset) | octet_at(bytes, offset + 1) << 8U | octet_at(bytes, offset + 2) << 16U |
         octet_at(bytes, offset + 3) << 24U;
}

template <class Number>
void write_number(byte_vector& bytes, std::size_t offset, Number value) {
  for (std::size_t index = 0; index < sizeof(Number); ++index)
    bytes[offset + index] = static_cast<std::byte>((std::uint64_t{value} >> (8 * index)) & 0xffU);
}

void write_bytes(byte_vector& bytes, std::size_t offset, byte_span value) {
  if (!value.empty()) std::memcpy(bytes.data() + offset, value.data(), value.size());
}

/// Memory for `size` bytes that grows in small steps, because a state consists of many leaves.
void reserve(byte_vector& bytes, std::size_t size) {
  if (bytes.capacity() >= size) return;
  bytes.reserve(size + std::min(spare_bytes_max, size / 8));
}

/// Returns memory of a leaf that became much shorter, so that a state that shrinks needs less.
void trim(byte_vector& bytes) {
  const auto spare = bytes.capacity() - bytes.size();
  if (spare > spare_bytes_max && spare > bytes.size() / 8) bytes.shrink_to_fit();
}

key_memory memory_of(byte_span key) {
  auto made = std::make_unique<std::byte[]>(key.size());  // NOLINT
  std::ranges::copy(key, made.get());
  return made;
}

/// As texts, because the library compares spans octet by octet.
bool is_equal(byte_span left, byte_span right) { return as_text(left) == as_text(right); }
bool is_before(byte_span left, byte_span right) { return as_text(left) < as_text(right); }

}  // namespace

key_place place_of_key(byte_span key) {
  std::array<unsigned char, crypto_shorthash_BYTES> hash{};
  crypto_shorthash(hash.data(), reinterpret_cast<const unsigned char*>(key.data()), key.size(), place_hash_key.data());
  std::uint64_t value = 0;
  for (std::size_t index = 0; index < hash.size(); ++index)
    value |= std::uint64_t{hash[index]} << (8 * index);
  return {(std::to_integer<std::uint64_t>(key.front()) << 56U) | (value >> 8U)};
}

// --- Regions -----------------------------------------------------------------

std::uint64_t leaf_region::last() const {
  if (depth >= 64) return start;
  return start | (~std::uint64_t{0} >> depth);
}

leaf_region leaf_region::parent() const {
  require(depth > 0, "the region of all places has no parent");
  if (depth == 1) return {0, 0};
  // A region of depth 64 is one place, like those of depth 65 in it.
  if (depth == depth_max) return {start, 64};
  return {start & ~(~std::uint64_t{0} >> (depth - 1)), depth - 1};
}

bool leaf_region::is_aligned() const {
  if (depth > depth_max) return false;
  return depth >= 64 || (start & (~std::uint64_t{0} >> depth)) == 0;
}

// --- Reading -----------------------------------------------------------------

packed_leaf::packed_leaf(std::size_t leaf_bytes_max, leaf_region region, bool keeps_keys)
    : leaf_bytes_max_(leaf_bytes_max), region_(region), keeps_keys_(keeps_keys) {
  auto made = std::make_shared<byte_vector>(header_bytes);
  open_ = made.get();
  bytes_ = std::move(made);
  write_header();
}

void packed_leaf::write_header() {
  write_number(*open_, 0, chunk_format);
  write_number(*open_, 1, static_cast<std::uint32_t>(leaf_bytes_max_));
  write_number(*open_, 5, static_cast<std::uint8_t>(region_.depth));
  write_number(*open_, 6, region_.start);
}

std::uint32_t packed_leaf::mark_of(key_place place) const {
  if (region_.depth >= 64) return 0;
  return static_cast<std::uint32_t>((place.order << region_.depth) >> 48U) << 16U;
}

packed_leaf::entry packed_leaf::read_at(std::size_t offset) const {
  const auto key_bytes = key_bytes_at(*bytes_, offset);
  const auto value_bytes = value_bytes_at(*bytes_, offset + 2);
  const byte_span all{*bytes_};
  return {all.subspan(offset + entry_header_bytes, key_bytes),
          all.subspan(offset + entry_header_bytes + key_bytes, value_bytes)};
}

packed_leaf::entry packed_leaf::at(std::size_t number) const {
  auto read = read_at(offset_of(number));
  if (keeps_keys_) read.key = {keys_[number].get(), read.key.size()};
  return read;
}

/// The first number whose element of the index is `wanted` or more. Hashes are spread evenly, so the search begins at
/// the place of a uniform spread. If a client chose the keys, it costs the logarithm of their number.
std::size_t packed_leaf::lower_bound(std::uint32_t wanted) const {
  const auto size = index_.size();
  std::size_t low = 0;
  std::size_t high = size;
  if (size > 16) {
    const auto guess = static_cast<std::size_t>((std::uint64_t{wanted >> 16U} * size) >> 16U);
    std::size_t step = 8;
    if (index_[guess] < wanted) {
      low = guess;
      for (; low + step < size && index_[low + step] < wanted; step *= 2)
        low += step;
      high = std::min(size, low + step);
    } else {
      high = guess;
      for (; high >= step && index_[high - step] >= wanted; step *= 2)
        high -= step;
      low = high >= step ? high - step : 0;
    }
  }
  const auto begin = index_.begin();
  const auto found =
      std::lower_bound(begin + static_cast<std::ptrdiff_t>(low), begin + static_cast<std::ptrdiff_t>(high), wanted);
  return static_cast<std::size_t>(found - begin);
}

packed_leaf::position packed_leaf::search(key_place place, byte_span key) const {
  const auto mark = mark_of(place);
  auto low = lower_bound(mark);
  // Almost always at most one key has the mark.
  if (low == count() || (index_[low] & ~0xffffU) != mark) return {low, false};
  if (is_equal(read_at(offset_of(low)).key, key)) return {low, true};
  auto high = mark == 0xffff'0000U ? count() : lower_bound(mark + 0x1'0000U);
  while (low < high) {
    const auto middle = low + (high - low) / 2;
    const auto present = read_at(offset_of(middle)).key;
    const auto other = place_of_key(present);
    if (other < place || (other == place && is_before(present, key))) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return {low, low < count() && is_equal(read_at(offset_of(low)).key, key)};
}

std::size_t packed_leaf::overhead_bytes() const {
  auto total = sizeof(packed_leaf) + bytes_->capacity() - bytes_->size() + index_.capacity() * sizeof(std::uint32_t) +
               keys_.capacity() * sizeof(key_memory);
  for (std::size_t number = 0; number < keys_.size(); ++number)
    total += at(number).key.size();
  return total;
}

// --- Changes -----------------------------------------------------------------

void packed_leaf::open() {
  require(is_sealed(), "only a sealed leaf is opened");
  auto copy = std::make_shared<byte_vector>();
  reserve(*copy, bytes_->size() + 1);
  copy->assign(bytes_->begin(), bytes_->end());
  open_ = copy.get();
  bytes_ = std::move(copy);
}

std::shared_ptr<const byte_vector> packed_leaf::seal() {
  open_ = nullptr;
  return bytes_;
}

void packed_leaf::shift(std::size_t offset, std::ptrdiff_t more, std::size_t number) {
  if (more == 0) return;
  auto& bytes = *open_;
  const auto at_offset = [&] { return bytes.begin() + static_cast<std::ptrdiff_t>(offset); };
  if (more > 0) {
    reserve(bytes, bytes.size() + static_cast<std::size_t>(more));
    bytes.insert(at_offset(), static_cast<std::size_t>(more), std::byte{0});
  } else {
    bytes.erase(at_offset(), at_offset() - more);
    trim(bytes);
  }
  // The positions are in the lower bits, and stay below 2^16, so the marks do not change.
  for (; number < index_.size(); ++number)
    index_[number] += static_cast<std::uint32_t>(more);
}

void packed_leaf::insert(std::size_t number, key_place place, const entry& added, key_memory kept) {
  const auto bytes = entry_bytes(added.key, added.value);
  require(count() == 0 || size() + bytes <= leaf_bytes_limit, "a leaf of several entries keeps its bound");
  const auto offset = number < count() ? offset_of(number) : size();
  shift(offset, static_cast<std::ptrdiff_t>(bytes), number);
  write_number(*open_, offset, static_cast<std::uint16_t>(added.key.size()));
  write_number(*open_, offset + 2, static_cast<std::uint32_t>(added.value.size()));
  write_bytes(*open_, offset + entry_header_bytes, added.key);
  write_bytes(*open_, offset + entry_header_bytes + added.key.size(), added.value);
  if (index_.capacity() == index_.size()) index_.reserve(index_.size() + index_.size() / 8 + 4);
  index_.insert(index_.begin() + static_cast<std::ptrdiff_t>(number),
                mark_of(place) | static_cast<std::uint32_t>(offset));
  if (!keeps_keys_) return;
  if (kept == nullptr) kept = memory_of(added.key);
  keys_.insert(keys_.begin() + static_cast<std::ptrdiff_t>(number), std::move(kept));
}

void packed_leaf::set_value(std::size_t number, byte_span value) {
  const auto offset = offset_of(number);
  const auto present = read_at(offset);
  const auto value_at = offset + entry_header_bytes + present.key.size();
  const auto before = static_cast<std::ptrdiff_t>(present.value.size());
  const auto more = static_cast<std::ptrdiff_t>(value.size()) - before;
  require(count() == 1 || static_cast<std::ptrdiff_t>(size()) + more <= static_cast<std::ptrdiff_t>(leaf_bytes_limit),
          "a leaf of several entries keeps its bound");
  // The bytes move behind the old value, or behind the part of it that the new one covers.
  shift(value_at + std::min(present.value.size(), value.size()), more, number + 1);
  write_number(*open_, offset + 2, static_cast<std::uint32_t>(value.size()));
  write_bytes(*open_, value_at, value);
}

key_memory packed_leaf::erase(std::size_t number) {
  const auto offset = offset_of(number);
  const auto removed = read_at(offset);
  const auto bytes = entry_bytes(removed.key, removed.value);
  index_.erase(index_.begin() + static_cast<std::ptrdiff_t>(number));
  if (index_.capacity() > index_.size() + index_.size() / 4 + 16) index_.shrink_to_fit();
  shift(offset, -static_cast<std::ptrdiff_t>(bytes), number);
  if (!keeps_keys_) return nullptr;
  auto kept = std::move(keys_[number]);
  keys_.erase(keys_.begin() + static_cast<std::ptrdiff_t>(number));
  return kept;
}

void packed_leaf::move_to(leaf_region region) {
  region_ = region;
  write_header();
  mark_all();
}

void packed_leaf::mark_all() {
  for (auto& each : index_) {
    const auto offset = each & 0xffffU;
    each = mark_of(place_of_key(read_at(offset).key)) | offset;
  }
}

void packed_leaf::append(packed_leaf& from, std::size_t first, std::size_t last) {
  if (first == last) return;
  const auto begin = from.offset_of(first);
  const auto end = last < from.count() ? from.offset_of(last) : from.size();
  const auto moved = size();
  reserve(*open_, moved + end - begin);
  open_->insert(open_->end(), from.bytes_->begin() + static_cast<std::ptrdiff_t>(begin),
                from.bytes_->begin() + static_cast<std::ptrdiff_t>(end));
  index_.reserve(count() + last - first);
  for (auto number = first; number < last; ++number) {
    const auto offset = static_cast<std::uint32_t>(from.offset_of(number) - begin + moved);
    index_.push_back(mark_of(place_of_key(read_at(offset).key)) | offset);
  }
  if (!keeps_keys_) return;
  for (auto number = first; number < last; ++number)
    keys_.push_back(std::move(from.keys_[number]));
}

// --- Snapshots ---------------------------------------------------------------

or_reason<std::unique_ptr<packed_leaf>> packed_leaf::read(std::shared_ptr<const byte_vector> chunk,
                                                          std::size_t leaf_bytes_max, bool keeps_keys) {
  if (chunk == nullptr) return invalid("the chunk is empty");
  const auto size = chunk->size();
  if (size <= header_bytes || size > limits::state_chunk_bytes_max) {
    return invalid(fmt::format("the size of {} bytes is out of bounds", size));
  }
  byte_reader in{*chunk};
  const auto format = in.number<std::uint8_t>();
  const auto bytes_max = in.number<std::uint32_t>();
  if (format != chunk_format) return invalid(fmt::format("the format {} is unknown", format));
  if (bytes_max != leaf_bytes_max) {
    return invalid(
        fmt::format("the chunk belongs to a map with leaves of {} bytes, not {}", bytes_max, leaf_bytes_max));
  }
  std::unique_ptr<packed_leaf> leaf{new packed_leaf};
  leaf->leaf_bytes_max_ = leaf_bytes_max;
  leaf->region_.depth = in.number<std::uint8_t>();
  leaf->region_.start = in.number<std::uint64_t>();
  leaf->keeps_keys_ = keeps_keys;
  leaf->bytes_ = std::move(chunk);
  if (!leaf->region_.is_aligned()) return invalid("the region is not one");
  if (auto done = leaf->read_entries(); !done) return invalid(done.error());
  const bool fits = size <= leaf_bytes_max || leaf->count() == 1;
  if (!fits || (leaf->region_.depth == leaf_region::depth_max && leaf->count() > 1)) {
    return invalid("the chunk has more entries than a leaf holds");
  }
  return leaf;
}

or_reason<void> packed_leaf::read_entries() {
  byte_reader in{byte_span{*bytes_}.subspan(header_bytes)};
  auto offset = header_bytes;
  key_place before;
  byte_span key_before;
  while (!in.is_empty()) {
    const auto key_bytes = in.number<std::uint16_t>();
    const auto value_bytes = in.number<std::uint32_t>();
    if (in.failed()) return invalid("the chunk ends inside an entry");
    if (key_bytes == 0 || key_bytes > authenticated_map::key_bytes_max) {
      return invalid("a key has a length that is out of bounds");
    }
    if (value_bytes > authenticated_map::value_bytes_max) return invalid("a value has a length that is out of bounds");
    const auto key = in.bytes(key_bytes);
    (void)in.bytes(value_bytes);
    if (in.failed()) return invalid("the chunk ends inside an entry");
    const auto place = place_of_key(key);
    if (!region_.covers(place)) return invalid("a key is outside of its region");
    // Keys must ascend strictly, so that a content has only one encoding and no key appears twice.
    if (!key_before.empty() && (place < before || (place == before && !is_before(key_before, key)))) {
      return invalid("the keys are out of order");
    }
    // Only a leaf with one entry is longer than its bound, and its entry is the first.
    if (offset >= leaf_bytes_limit) return invalid("the chunk has more entries than a leaf holds");
    index_.push_back(mark_of(place) | static_cast<std::uint32_t>(offset));
    if (keeps_keys_) keys_.push_back(memory_of(key));
    offset += entry_header_bytes + key_bytes + value_bytes;
    before = place;
    key_before = key;
  }
  index_.shrink_to_fit();
  // If an entry header is truncated at the very end, the reader is empty but has failed.
  if (in.failed()) return invalid("the chunk ends inside an entry");
  return {};
}

}  // namespace hypermesh::machines
