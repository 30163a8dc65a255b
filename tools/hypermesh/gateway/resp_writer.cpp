#include "tools/hypermesh/gateway/resp_writer.hpp"

#include <fmt/format.h>

namespace hypermesh::cli {

resp_writer& resp_writer::line(char kind, std::string_view text) {
  out_ += kind;
  for (const char letter : text)
    out_ += letter == '\r' || letter == '\n' ? ' ' : letter;
  out_ += "\r\n";
  return *this;
}

resp_writer& resp_writer::header(char kind, std::size_t count) {
  out_ += fmt::format("{}{}\r\n", kind, count);
  return *this;
}

resp_writer& resp_writer::integer(std::int64_t number) {
  out_ += fmt::format(":{}\r\n", number);
  return *this;
}

resp_writer& resp_writer::bulk(std::string_view bytes) {
  header('$', bytes.size());
  out_ += bytes;
  out_ += "\r\n";
  return *this;
}

resp_writer& resp_writer::null() {
  out_ += version_ == resp_version::two ? "$-1\r\n" : "_\r\n";
  return *this;
}

resp_writer& resp_writer::map(std::size_t count) {
  return version_ == resp_version::two ? header('*', 2 * count) : header('%', count);
}

resp_writer& resp_writer::set(std::size_t count) { return header(version_ == resp_version::two ? '*' : '~', count); }

std::string error_reply(std::string_view text) { return resp_writer{resp_version::two}.error(text).take(); }

std::string status_reply(std::string_view text) { return resp_writer{resp_version::two}.status(text).take(); }

}  // namespace hypermesh::cli
