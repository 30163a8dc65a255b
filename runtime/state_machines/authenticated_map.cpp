#include "runtime/state_machines/authenticated_map.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <sodium.h>

#include "messages/byte_codec.hpp"
#include "messages/digest.hpp"
#include "messages/expected.hpp"
#include "messages/require.hpp"

namespace hypermesh::machines {

namespace {

/// Format 1 selected the bucket by a BLAKE2b digest, whose cost was a sixth of an operation of the scheduler.
constexpr std::uint8_t chunk_format = 2;
constexpr std::size_t chunk_header_bytes = 1 + 4 + 4 + 4;
constexpr std::size_t stream_bytes_max = limits::state_chunk_bytes_max - chunk_header_bytes;
constexpr std::size_t entry_header_bytes = 2 + 4;

static_assert(authenticated_map::key_bytes_max <= 0xffff, "a key's length has 16 bits");
static_assert(authenticated_map::value_bytes_max <= 0xffff'ffff, "a value's length has 32 bits");
static_assert(authenticated_map::bucket_count_max <= limits::state_chunks_max);

/// The key of the SipHash-2-4 that spreads the keys over the buckets: the text "hypermesh bucket". All replicas must
/// choose the same bucket, so it cannot be secret, and a client can choose keys that share a bucket. It could do so
/// with any public function; such keys cost it the same bytes of the state, and a checkpoint the time to write them.
constexpr std::array<unsigned char, crypto_shorthash_KEYBYTES> bucket_hash_key = {
    'h', 'y', 'p', 'e', 'r', 'm', 'e', 's', 'h', ' ', 'b', 'u', 'c', 'k', 'e', 't'};

std::uint64_t hash_of(byte_span key) {
  std::array<unsigned char, crypto_shorthash_BYTES> hash{};
  crypto_shorthash(hash.data(), reinterpret_cast<const unsigned char*>(key.data()), key.size(), bucket_hash_key.data());
  return byte_reader{std::as_bytes(std::span{hash})}.number<std::uint64_t>();
}

std::uint32_t mark_of(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 32U); }

/// The place of a chunk according to its header.
struct chunk_place {
  std::size_t bucket = 0;
  std::size_t part = 0;
};

byte_vector make_chunk(std::size_t bucket_count, chunk_place place, byte_span stream) {
  byte_writer writer{chunk_header_bytes + stream.size()};
  writer.number(chunk_format)
      .number(static_cast<std::uint32_t>(bucket_count))
      .number(static_cast<std::uint32_t>(place.bucket))
      .number(static_cast<std::uint32_t>(place.part))
      .bytes(stream);
  return writer.take();
}

/// Checks one chunk alone, without comparing it to other chunks.
or_reason<chunk_place> read_place(const state_chunk& chunk, std::size_t bucket_count) {
  if (chunk.bytes == nullptr) return invalid("the chunk is empty");
  const auto size = chunk.bytes->size();
  if (size <= chunk_header_bytes || size > limits::state_chunk_bytes_max) {
    return invalid(fmt::format("the size of {} bytes is out of bounds", size));
  }
  byte_reader reader{*chunk.bytes};
  const auto format = reader.number<std::uint8_t>();
  const auto count = reader.number<std::uint32_t>();
  const auto bucket = reader.number<std::uint32_t>();
  const auto part = reader.number<std::uint32_t>();
  if (format != chunk_format) return invalid(fmt::format("the format {} is unknown", format));
  if (count != bucket_count)
    return invalid(fmt::format("the chunk belongs to a map with {} buckets, not {}", count, bucket_count));
  if (bucket >= bucket_count) return invalid(fmt::format("the chunk names bucket {} of {}", bucket, bucket_count));
  if (state_chunk_digest(*chunk.bytes) != chunk.leaf) return invalid("the hash of the bytes differs from the leaf");
  return chunk_place{bucket, part};
}

}  // namespace

authenticated_map::authenticated_map(std::size_t bucket_count) : buckets_(bucket_count) {
  require(bucket_count >= 1 && bucket_count <= bucket_count_max, "a map has 1 … 65,536 buckets");
}

authenticated_map::key_place authenticated_map::place_of(byte_span key) const {
  const auto hash = hash_of(key);
  return {static_cast<std::uint32_t>(hash % buckets_.size()), mark_of(hash)};
}

authenticated_map::entry_map::const_iterator authenticated_map::bucket_content::find(std::uint32_t mark,
                                                                                     std::string_view key) const {
  if (!is_indexed) return entries.find(key);
  for (std::size_t number = 0; number < marks.size(); ++number) {
    if (marks[number] == mark && places[number]->first == key) return places[number];
  }
  return entries.end();
}

authenticated_map::entry_map::const_iterator authenticated_map::bucket_content::add(std::uint32_t mark,
                                                                                    std::string_view key,
                                                                                    std::string_view value) {
  const auto added = entries.emplace(key, value).first;
  if (!is_indexed) return added;
  if (entries.size() > indexed_max) {
    is_indexed = false;
    marks = {};
    places = {};
    return added;
  }
  marks.push_back(mark);
  places.push_back(added);
  return added;
}

void authenticated_map::bucket_content::remove(std::uint32_t mark, entry_map::const_iterator entry) {
  if (is_indexed) {
    std::size_t number = 0;
    while (marks[number] != mark || places[number] != entry)
      ++number;
    marks[number] = marks.back();
    places[number] = places.back();
    marks.pop_back();
    places.pop_back();
  }
  entries.erase(entry);
  // Half, so that no client makes the index again and again with changes at the limit.
  if (is_indexed || entries.size() > indexed_max / 2) return;
  is_indexed = true;
  for (auto each = entries.begin(); each != entries.end(); ++each) {
    marks.push_back(mark_of(hash_of(as_byte_span(each->first))));
    places.push_back(each);
  }
}

std::optional<byte_span> authenticated_map::find_at(key_place place, byte_span key) const {
  const auto& bucket = buckets_[place.bucket];
  const auto found = bucket.find(place.mark, as_text(key));
  if (found == bucket.entries.end()) return std::nullopt;
  return as_byte_span(found->second);
}

byte_span authenticated_map::put_at(key_place place, byte_span key, byte_span value) {
  require(!key.empty() && key.size() <= key_bytes_max, "a key has 1 … 1,024 bytes");
  require(value.size() <= value_bytes_max, "a value fits into an operation");
  auto& bucket = buckets_[place.bucket];
  auto found = bucket.find(place.mark, as_text(key));
  if (found != bucket.entries.end()) {
    content_bytes_ = content_bytes_ - found->second.size() + value.size();
    // The erasure of an empty range turns the iterator into one that can write.
    bucket.entries.erase(found, found)->second.assign(as_text(value));
  } else {
    found = bucket.add(place.mark, as_text(key), as_text(value));
    content_bytes_ += key.size() + value.size();
    ++size_;
  }
  mark_dirty(place.bucket);
  return as_byte_span(found->first);
}

bool authenticated_map::erase_at(key_place place, byte_span key) {
  auto& bucket = buckets_[place.bucket];
  const auto found = bucket.find(place.mark, as_text(key));
  if (found == bucket.entries.end()) return false;
  content_bytes_ -= found->first.size() + found->second.size();
  --size_;
  bucket.remove(place.mark, found);
  mark_dirty(place.bucket);
  return true;
}

void authenticated_map::for_each(const std::function<void(byte_span key, byte_span value)>& visit) const {
  for (const auto& bucket : buckets_) {
    for (const auto& [key, value] : bucket.entries)
      visit(as_byte_span(key), as_byte_span(value));
  }
}

void authenticated_map::for_each_after(byte_span after, byte_span prefix,
                                       const std::function<bool(byte_span key, byte_span value)>& visit) const {
  const auto first = after.empty() ? std::size_t{0} : std::size_t{place_of(after).bucket};
  for (auto index = first; index < buckets_.size(); ++index) {
    const auto& entries = buckets_[index].entries;
    const bool is_resumed = index == first && !after.empty() && as_text(after) >= as_text(prefix);
    auto entry = is_resumed ? entries.upper_bound(as_text(after)) : entries.lower_bound(as_text(prefix));
    for (; entry != entries.end() && entry->first.starts_with(as_text(prefix)); ++entry) {
      if (!visit(as_byte_span(entry->first), as_byte_span(entry->second))) return;
    }
  }
}

void authenticated_map::mark_dirty(std::size_t index) {
  root_.reset();
  if (buckets_[index].is_dirty) return;
  buckets_[index].is_dirty = true;
  dirty_.push_back(index);
}

void authenticated_map::refresh() {
  for (const auto index : dirty_)
    refresh_bucket(index);
  dirty_.clear();
}

void authenticated_map::refresh_bucket(std::size_t index) {
  auto& bucket = buckets_[index];
  std::size_t stream_bytes = 0;
  for (const auto& [key, value] : bucket.entries)
    stream_bytes += entry_header_bytes + key.size() + value.size();

  byte_writer writer{stream_bytes};
  for (const auto& [key, value] : bucket.entries) {
    writer.number(static_cast<std::uint16_t>(key.size()))
        .number(static_cast<std::uint32_t>(value.size()))
        .bytes(as_byte_span(key))
        .bytes(as_byte_span(value));
  }
  const auto stream = writer.take();

  std::vector<state_chunk> chunks;
  for (std::size_t start = 0; start < stream.size(); start += stream_bytes_max) {
    const auto part = chunks.size();
    const auto length = std::min(stream_bytes_max, stream.size() - start);
    auto bytes = make_chunk(buckets_.size(), {index, part}, byte_span{stream}.subspan(start, length));
    // This comparison avoids many hashes: it costs a tenth of a hash, and the front of a large bucket often stays
    // unchanged.
    if (part < bucket.chunks.size() && *bucket.chunks[part].bytes == bytes) {
      chunks.push_back(bucket.chunks[part]);
      continue;
    }
    const auto leaf = state_chunk_digest(bytes);
    chunks.push_back({std::make_shared<const byte_vector>(std::move(bytes)), leaf});
  }
  bucket.chunks = std::move(chunks);
  bucket.is_dirty = false;
}

state_snapshot authenticated_map::snapshot() {
  refresh();
  std::size_t count = 0;
  for (const auto& bucket : buckets_)
    count += bucket.chunks.size();
  state_snapshot all;
  all.reserve(count);
  for (const auto& bucket : buckets_)
    all.insert(all.end(), bucket.chunks.begin(), bucket.chunks.end());
  return all;
}

digest authenticated_map::root() {
  if (root_) return *root_;
  refresh();
  std::vector<digest> leaves;
  leaves.reserve(buckets_.size());
  for (const auto& bucket : buckets_) {
    for (const auto& chunk : bucket.chunks)
      leaves.push_back(chunk.leaf);
  }
  root_ = merkle_root(std::move(leaves));
  return *root_;
}

or_reason<void> authenticated_map::read_stream(std::size_t index, byte_span stream, bucket_content& into) const {
  byte_reader reader{stream};
  while (!reader.is_empty()) {
    const auto key_bytes = reader.number<std::uint16_t>();
    const auto value_bytes = reader.number<std::uint32_t>();
    if (key_bytes == 0 || key_bytes > key_bytes_max) return invalid("has a key whose length is out of bounds");
    if (value_bytes > value_bytes_max) return invalid("has a value whose length is out of bounds");
    const auto key = reader.bytes(key_bytes);
    const auto value = reader.bytes(value_bytes);
    if (reader.failed()) return invalid("ends inside an entry");
    const auto place = place_of(key);
    if (place.bucket != index) return invalid("has a key of another bucket");
    // Keys must ascend strictly, so that a content has only one encoding and no key appears twice.
    if (!into.entries.empty() && into.entries.rbegin()->first >= as_text(key)) return invalid("has keys out of order");
    into.add(place.mark, as_text(key), as_text(value));
  }
  // If an entry header is truncated at the very end, the reader is empty but has failed.
  if (reader.failed()) return invalid("ends inside an entry");
  return {};
}

or_reason<void> authenticated_map::restore(const state_snapshot& snapshot) {
  if (snapshot.size() > limits::state_chunks_max) return invalid("the snapshot has more chunks than a state may have");
  authenticated_map staged{buckets_.size()};
  std::size_t next_bucket = 0;
  for (std::size_t first = 0; first < snapshot.size();) {
    const auto head = read_place(snapshot[first], buckets_.size());
    if (!head) return invalid(fmt::format("chunk {}: {}", first, head.error()));
    if (head->bucket < next_bucket || head->part != 0)
      return invalid(fmt::format("chunk {}: the chunk is out of order", first));
    const auto index = head->bucket;
    auto& bucket = staged.buckets_[index];

    byte_vector stream;
    auto next = first;
    for (bool is_more = true; is_more;) {
      const auto& bytes = *snapshot[next].bytes;
      stream.insert(stream.end(), bytes.begin() + chunk_header_bytes, bytes.end());
      bucket.chunks.push_back(snapshot[next]);
      is_more = false;
      if (++next == snapshot.size()) break;
      const auto place = read_place(snapshot[next], buckets_.size());
      if (!place) return invalid(fmt::format("chunk {}: {}", next, place.error()));
      if (place->bucket != index) break;
      const bool is_previous_full = bytes.size() == limits::state_chunk_bytes_max;
      if (place->part != next - first || !is_previous_full)
        return invalid(fmt::format("chunk {}: the chunk is out of order", next));
      is_more = true;
    }
    if (auto done = read_stream(index, stream, bucket); !done)
      return invalid(fmt::format("bucket {} {}", index, done.error()));
    staged.size_ += bucket.entries.size();
    for (const auto& [key, value] : bucket.entries)
      staged.content_bytes_ += key.size() + value.size();
    next_bucket = index + 1;
    first = next;
  }
  *this = std::move(staged);
  return {};
}

}  // namespace hypermesh::machines
