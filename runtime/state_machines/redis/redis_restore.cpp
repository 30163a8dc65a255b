#include <fmt/format.h>

#include "messages/byte_codec.hpp"
#include "runtime/state_machines/redis/redis_keyspace.hpp"

namespace hypermesh::machines::redis {

/// Builds the indexes of a keyspace from the map that was restored, and checks that the records fit each other: the
/// bytes come from a peer, although a certified root vouches for them.
class keyspace_restorer {
 public:
  explicit keyspace_restorer(keyspace& into) : into_(into) {}

  [[nodiscard]] or_reason<void> run() {
    // Elements may stand in front of the record that names their collection.
    into_.entries_.for_each([this](byte_span key, byte_span value) { read_record_of(key, value); });
    into_.entries_.for_each([this](byte_span key, byte_span value) { read_element(key, value); });
    for (const auto& [id, each] : collections_) {
      const auto seen = each.record->is_list() ? each.positions : each.record->size();
      if (seen != each.count) fail(fmt::format("collection {} has {} elements, not {}", id, seen, each.count));
    }
    if (!has_meta_ && into_.entries_.size() > 0) fail("the counter is missing");
    if (!reason_.empty()) return invalid(reason_);
    return {};
  }

 private:
  struct collection {
    key_record* record = nullptr;
    std::uint64_t count = 0;
    /// The elements of a list that were seen.
    std::uint64_t positions = 0;
  };

  void fail(std::string reason) {
    if (reason_.empty()) reason_ = std::move(reason);
  }

  void read_record_of(byte_span key, byte_span value) {
    switch (as_text(key).front()) {
      case 'M':
        return read_meta(key, value);
      case 'K':
        return read_key(key, value);
      case 'G':
        return read_garbage(key, value);
      case 'E':
        return;
      default:
        return fail("a record has an unknown kind");
    }
  }

  void read_meta(byte_span key, byte_span value) {
    if (key.size() != 1) return fail("a record has an unknown kind");
    byte_reader in{value};
    into_.counter_ = in.number<std::uint64_t>();
    into_.now_ms_ = in.number<std::uint64_t>();
    if (!in.is_complete()) return fail("the counter has a wrong length");
    has_meta_ = true;
  }

  void add_collection(std::uint64_t id, key_record& record, std::uint64_t count) {
    if (!collections_.emplace(id, collection{&record, count}).second) fail("two collections have one id");
  }

  void read_key(byte_span key, byte_span value) {
    auto read = decode_record(value);
    if (!read) return fail(read.error());
    const auto place = into_.cursor_of(into_.entries_.place_of(key));
    const auto made = into_.keys_.emplace(placed_name{place, as_text(key).substr(1)}, std::move(read->record)).first;
    auto& record = made->second;
    if (record.expiry != 0) into_.expiries_->insert({record.expiry, made->first});
    if (record.type != value_type::string) add_collection(record.id, record, read->count);
  }

  void read_garbage(byte_span key, byte_span value) {
    auto read = decode_garbage(value);
    if (!read) return fail(read.error());
    byte_reader in{key.subspan(1)};
    const auto id = in.number<std::uint64_t>();
    if (!in.is_complete()) return fail("a record has an unknown kind");
    read->record.id = id;
    add_collection(id, into_.garbage_.emplace(id, std::move(read->record)).first->second, read->count);
  }

  void read_element(byte_span key, byte_span value) {
    if (as_text(key).front() != 'E') return;
    byte_reader in{key.subspan(1)};
    const auto id = in.number<std::uint64_t>();
    const auto found = collections_.find(id);
    if (in.failed() || found == collections_.end()) return fail("an element has no collection");
    auto& record = *found->second.record;
    const auto name = in.rest();
    if (record.is_list()) {
      byte_reader number{name};
      const auto position = number.number<std::uint64_t>();
      if (!number.is_complete() || position < record.head || position >= record.tail)
        return fail("an element is not in its list");
      ++found->second.positions;
      return;
    }
    record.index->names.insert({into_.cursor_of(into_.entries_.place_of(key)), as_text(name)});
    if (record.type == value_type::set && !value.empty()) return fail("a member of a set has a value");
    if (record.type == value_type::sorted_set) {
      byte_reader bytes{value};
      const auto score = decimal::read(bytes);
      if (!score || !bytes.is_complete()) return fail("a score is not a number");
      record.index->order.insert({*score, as_text(name)});
    }
  }

  keyspace& into_;
  std::map<std::uint64_t, collection> collections_;
  bool has_meta_ = false;
  std::string reason_;
};

or_reason<void> keyspace::restore(const state_snapshot& snapshot) {
  keyspace staged{leaf_bytes_max_};
  if (auto done = staged.entries_.restore(snapshot); !done) return invalid(done.error());
  if (auto done = keyspace_restorer{staged}.run(); !done) return invalid(done.error());
  *this = std::move(staged);
  return {};
}

}  // namespace hypermesh::machines::redis
