#pragma once

#include <cstdint>
#include <string_view>

#include "messages/byte_codec.hpp"
#include "runtime/state_machines/redis/redis_decimal.hpp"

namespace hypermesh::machines::redis {

/// Writes replies in the encoding RESP3 of Redis. The gateway turns them into RESP2 for clients that did not ask for
/// RESP3: a map and a set become an array, a score becomes a bulk string, and the null becomes `$-1`.
///
/// A reply has a bound. Beyond it, the writer drops what it is given, and `is_full` says so. A command that changes
/// the database and returns data looks at `is_full` before the change, so an element that does not fit the reply is not
/// lost. Memory: the bound.
class reply_writer {
 public:
  explicit reply_writer(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  /// `+OK`.
  reply_writer& ok() { return simple("OK"); }
  reply_writer& simple(std::string_view text);
  /// The text begins with its code, for example "ERR" or "WRONGTYPE". Line breaks in it become spaces, as in Redis.
  reply_writer& error(std::string_view text);
  /// `:7`. The next two write numbers as well, as Redis has no other reply for a count and for yes or no.
  reply_writer& number(std::int64_t value);
  reply_writer& count(std::size_t value) { return number(static_cast<std::int64_t>(value)); }
  reply_writer& flag(bool value) { return number(value ? 1 : 0); }
  /// Any bytes, with their length in front.
  reply_writer& bulk(std::string_view bytes);
  /// A number with a fraction, `,1.5`.
  reply_writer& score(decimal value);
  /// What was asked for is absent.
  reply_writer& null();
  /// The heads of collections; the elements follow.
  reply_writer& array(std::size_t elements);
  reply_writer& set(std::size_t elements);
  reply_writer& map(std::size_t pairs);

  /// Whether something was dropped because of the bound.
  [[nodiscard]] bool is_full() const { return is_full_; }
  [[nodiscard]] std::size_t size() const { return out_.size(); }
  /// Another bound, for the replies that follow.
  void limit(std::size_t bytes_max) { bytes_max_ = bytes_max; }
  /// Removes everything behind the first `size` bytes, and may be written to again.
  void truncate(std::size_t size);
  [[nodiscard]] byte_vector take() { return out_.take(); }

 private:
  reply_writer& line(char kind, std::string_view text);

  std::size_t bytes_max_;
  bool is_full_ = false;
  byte_writer out_;
};

}  // namespace hypermesh::machines::redis
