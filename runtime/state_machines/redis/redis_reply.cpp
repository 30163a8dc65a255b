#include "runtime/state_machines/redis/redis_reply.hpp"

#include <string>

namespace hypermesh::machines::redis {

reply_writer& reply_writer::line(char kind, std::string_view text) {
  if (is_full_ || out_.size() + text.size() + 3 > bytes_max_) {
    is_full_ = true;
    return *this;
  }
  out_.bytes(as_byte_span({&kind, 1})).bytes(as_byte_span(text)).bytes(as_byte_span("\r\n"));
  return *this;
}

reply_writer& reply_writer::simple(std::string_view text) { return line('+', text); }

reply_writer& reply_writer::error(std::string_view text) {
  std::string shown{text};
  for (auto& letter : shown) {
    if (letter == '\r' || letter == '\n') letter = ' ';
  }
  return line('-', shown);
}

reply_writer& reply_writer::number(std::int64_t value) { return line(':', std::to_string(value)); }

reply_writer& reply_writer::bulk(std::string_view bytes) {
  const auto length = std::to_string(bytes.size());
  if (is_full_ || out_.size() + length.size() + bytes.size() + 5 > bytes_max_) {
    is_full_ = true;
    return *this;
  }
  line('$', length);
  out_.bytes(as_byte_span(bytes)).bytes(as_byte_span("\r\n"));
  return *this;
}

reply_writer& reply_writer::score(decimal value) { return line(',', value.text()); }
reply_writer& reply_writer::null() { return line('_', ""); }
reply_writer& reply_writer::array(std::size_t elements) { return line('*', std::to_string(elements)); }
reply_writer& reply_writer::set(std::size_t elements) { return line('~', std::to_string(elements)); }
reply_writer& reply_writer::map(std::size_t pairs) { return line('%', std::to_string(pairs)); }

void reply_writer::truncate(std::size_t size) {
  const auto kept = out_.view().first(size);
  byte_writer shorter;
  shorter.bytes(kept);
  out_ = std::move(shorter);
  is_full_ = false;
}

}  // namespace hypermesh::machines::redis
