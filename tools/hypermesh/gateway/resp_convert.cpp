#include "tools/hypermesh/gateway/resp_convert.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "tools/hypermesh/gateway/resp_reader.hpp"

namespace hypermesh::cli {

namespace {

/// Characters before the text of a verbatim string, for example "txt:".
constexpr std::size_t verbatim_prefix_bytes = 4;

/// Reads replies in RESP3 and writes them in a version.
class reply_conversion {
 public:
  reply_conversion(std::string_view in, resp_version to) : in_(in), is_two_(to == resp_version::two) {
    out_.reserve(in.size() + 16);
  }

  [[nodiscard]] bool has_ended() const { return at_ == in_.size(); }
  [[nodiscard]] char next_kind() const { return has_ended() ? '\0' : in_[at_]; }
  void write(std::string_view text) { out_ += text; }
  [[nodiscard]] std::string take() { return std::move(out_); }

  /// The number of elements of the array that comes next; its header is read and not written.
  [[nodiscard]] std::optional<std::size_t> read_array() {
    if (next_kind() != '*') return std::nullopt;
    const auto line = read_line();
    return line ? count_of(*line) : std::nullopt;
  }

  /// Reads one value with all its elements.
  [[nodiscard]] bool convert(reply_shape shape) {
    flatten_ = is_two_ && shape == reply_shape::pairs;
    null_ = shape == reply_shape::nullable_array ? "*-1\r\n" : "$-1\r\n";
    is_outermost_ = true;
    std::size_t values = 1;
    while (values > 0) {
      --values;
      const auto kind = next_kind();
      const auto line = read_line();
      if (!line) return false;
      const auto elements = convert_value(kind, *line);
      if (!elements) return false;
      values += *elements;
      is_outermost_ = false;
    }
    return true;
  }

 private:
  [[nodiscard]] std::optional<std::string_view> read_line() {
    const auto end = in_.find("\r\n", at_);
    if (end == std::string_view::npos || end == at_) return std::nullopt;
    const auto line = in_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 2;
    return line;
  }

  /// A count is at most the number of bytes left, because each element takes some. So the count of values cannot
  /// overflow.
  [[nodiscard]] std::optional<std::size_t> count_of(std::string_view line) const {
    const auto count = resp_number(line);
    if (!count || *count < 0 || static_cast<std::size_t>(*count) > in_.size() - at_) return std::nullopt;
    return static_cast<std::size_t>(*count);
  }

  [[nodiscard]] std::optional<std::string_view> read_content(std::string_view line) {
    const auto length = count_of(line);
    if (!length || in_.size() - at_ < *length + 2) return std::nullopt;
    const auto content = in_.substr(at_, *length);
    at_ += *length + 2;
    return content;
  }

  void write_bulk(std::string_view content) { out_ += fmt::format("${}\r\n{}\r\n", content.size(), content); }

  void copy(char kind, std::string_view line) {
    out_ += kind;
    out_ += line;
    out_ += "\r\n";
  }

  /// Writes the value of this kind. Returns how many values belong to it and follow, or nothing if it is wrong.
  [[nodiscard]] std::optional<std::size_t> convert_value(char kind, std::string_view line) {
    switch (kind) {
      case '+':
      case '-':
      case ':':
        copy(kind, line);
        return 0;
      case '$':
      case '=':
      case '!':
        return convert_text(kind, line);
      case '_':
      case ',':
      case '(':
      case '#':
        return convert_scalar(kind, line);
      case '*':
      case '~':
      case '%':
        return convert_aggregate(kind, line);
      default:
        return std::nullopt;
    }
  }

  [[nodiscard]] std::optional<std::size_t> convert_text(char kind, std::string_view line) {
    const auto content = read_content(line);
    if (!content) return std::nullopt;
    if (kind == '$') {
      write_bulk(*content);
    } else if (!is_two_) {
      copy(kind, line);
      out_ += *content;
      out_ += "\r\n";
    } else if (kind == '!') {
      out_ += error_reply(*content);
    } else {
      write_bulk(content->substr(std::min(content->size(), verbatim_prefix_bytes)));
    }
    return 0;
  }

  [[nodiscard]] std::optional<std::size_t> convert_scalar(char kind, std::string_view line) {
    if (!is_two_) {
      copy(kind, line);
    } else if (kind == '_') {
      out_ += is_outermost_ ? null_ : "$-1\r\n";
    } else if (kind == '#') {
      out_ += line == "t" ? ":1\r\n" : ":0\r\n";
    } else {
      write_bulk(line);
    }
    return 0;
  }

  [[nodiscard]] std::optional<std::size_t> convert_aggregate(char kind, std::string_view line) {
    const auto count = count_of(line);
    if (!count) return std::nullopt;
    const auto values = kind == '%' ? 2 * *count : *count;
    if (!is_two_) {
      copy(kind, line);
    } else if (!flatten_) {
      out_ += fmt::format("*{}\r\n", values);
    } else if (is_outermost_) {
      // The elements are pairs, or plain values if the reply is flat already, as that of ZPOPMIN without a count.
      flatten_ = in_.substr(at_).starts_with("*2\r\n");
      out_ += fmt::format("*{}\r\n", flatten_ ? 2 * values : values);
    }
    return values;
  }

  std::string_view in_;
  std::size_t at_ = 0;
  bool is_two_;
  bool flatten_ = false;
  std::string_view null_;
  bool is_outermost_ = true;
  std::string out_;
};

std::optional<std::string> finished(reply_conversion& conversion) {
  if (!conversion.has_ended()) return std::nullopt;
  return conversion.take();
}

}  // namespace

std::optional<std::string> converted_reply(std::string_view reply, resp_version to, reply_shape shape) {
  reply_conversion conversion{reply, to};
  if (!conversion.convert(shape)) return std::nullopt;
  return finished(conversion);
}

std::optional<std::string> converted_transaction(std::string_view reply, resp_version to,
                                                 const std::vector<transaction_part>& parts) {
  if (reply == "_\r\n") return to == resp_version::two ? "*-1\r\n" : std::string{reply};
  if (reply.starts_with('-')) return converted_reply(reply, to, reply_shape::plain);
  reply_conversion conversion{reply, to};
  const auto count = conversion.read_array();
  const auto is_of_machine = [](const transaction_part& part) { return !part.own_reply; };
  const auto wanted = static_cast<std::size_t>(std::ranges::count_if(parts, is_of_machine));
  if (!count || *count != wanted) return std::nullopt;
  conversion.write(fmt::format("*{}\r\n", parts.size()));
  for (const auto& part : parts) {
    if (part.own_reply) {
      conversion.write(*part.own_reply);
    } else if (!conversion.convert(part.shape)) {
      return std::nullopt;
    }
  }
  return finished(conversion);
}

}  // namespace hypermesh::cli
