#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "messages/layers.hpp"

namespace hypermesh::cli {

/// The version of the protocol that a connection has chosen with HELLO. It begins with RESP2.
enum class resp_version : std::uint8_t { two = 2, three = 3 };

/// Writes one reply of the gateway itself, in the version of its connection. Pure. The caller writes as many elements
/// as it announced. Memory: the reply.
class resp_writer {
 public:
  explicit resp_writer(resp_version version) : version_(version) {}

  /// A line break in `text` becomes a space, because it would end the reply.
  resp_writer& status(std::string_view text) { return line('+', text); }
  /// `text` begins with the kind of the error, for example "ERR".
  resp_writer& error(std::string_view text) { return line('-', text); }
  resp_writer& integer(std::int64_t number);
  resp_writer& bulk(std::string_view bytes);
  resp_writer& null();
  resp_writer& array(std::size_t count) { return header('*', count); }
  /// A map of `count` pairs; RESP2 has an array of keys and values.
  resp_writer& map(std::size_t count);
  /// A set; RESP2 has an array.
  resp_writer& set(std::size_t count);

  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  resp_writer& line(char kind, std::string_view text);
  resp_writer& header(char kind, std::size_t count);

  resp_version version_;
  std::string out_;
};

/// The reply that is an error with this text.
[[nodiscard]] std::string error_reply(std::string_view text);
[[nodiscard]] std::string status_reply(std::string_view text);

}  // namespace hypermesh::cli
