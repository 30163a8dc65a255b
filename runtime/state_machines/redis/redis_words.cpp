#include "runtime/state_machines/redis/redis_words.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "messages/limits.hpp"
#include "runtime/base/nearest_word.hpp"
#include "runtime/base/safe_text.hpp"
#include "runtime/state_machines/printable.hpp"

namespace hypermesh::machines::redis {

namespace {

/// Replies of the machine nest three levels: the list of a scan in the reply of a transaction.
constexpr int depth_max = 8;

/// Shows bytes in double quotes, as redis-cli does.
std::string quoted(std::string_view bytes) {
  std::string shown = "\"";
  for (const char letter : bytes) {
    constexpr std::string_view special = "\n\r\t\a\b";
    constexpr std::string_view names = "nrtab";
    if (const auto at = special.find(letter); at != std::string_view::npos) {
      shown += {'\\', names[at]};
    } else if (letter == '"' || letter == '\\') {
      shown += {'\\', letter};
    } else if (letter == ' ' || is_visible(letter)) {
      shown += letter;
    } else {
      shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(letter));
    }
  }
  return shown + '"';
}

/// Reads one reply after another from bytes, and shows it. After an error, `failed` is true and texts are empty.
class reply_reader {
 public:
  explicit reply_reader(std::string_view bytes) : left_(bytes) {}

  [[nodiscard]] bool is_complete() const { return !failed_ && left_.empty(); }

  /// The lines behind the first one begin with `indent`.
  std::string show(const std::string& indent, int depth) {
    if (left_.empty() || depth > depth_max) return fail();
    const char kind = left_.front();
    left_.remove_prefix(1);
    const auto line = next_line();
    switch (kind) {
      case '+':
        return std::string{line};
      case '-':
        return fmt::format("(error) {}", line);
      case ':':
        return fmt::format("(integer) {}", line);
      case ',':
        return fmt::format("(double) {}", line);
      case '_':
        return "(nil)";
      case '$':
        return quoted(bytes(line));
      case '*':
      case '~':
      case '%':
        return show_collection(kind, line, indent, depth);
      default:
        return fail();
    }
  }

  /// The bytes of a reply that is one bulk string.
  static std::optional<std::string_view> bulk_of(std::string_view reply) {
    if (!reply.starts_with('$')) return std::nullopt;
    reply_reader reader{reply.substr(1)};
    const auto value = reader.bytes(reader.next_line());
    if (!reader.is_complete()) return std::nullopt;
    return value;
  }

 private:
  std::string fail() {
    failed_ = true;
    left_ = {};
    return {};
  }

  std::string_view next_line() {
    const auto end = left_.find("\r\n");
    if (end == std::string_view::npos) {
      fail();
      return {};
    }
    const auto line = left_.substr(0, end);
    left_.remove_prefix(end + 2);
    return line;
  }

  std::string_view bytes(std::string_view length) {
    const auto size = parse_decimal<std::uint32_t>(length);
    if (!size || left_.size() < std::uint64_t{*size} + 2) {
      fail();
      return {};
    }
    const auto value = left_.substr(0, *size);
    left_.remove_prefix(*size + std::size_t{2});
    return value;
  }

  std::string show_collection(char kind, std::string_view count, const std::string& indent, int depth) {
    const auto size = parse_decimal<std::uint32_t>(count);
    if (!size) return fail();
    if (*size == 0) return kind == '%' ? "(empty hash)" : kind == '~' ? "(empty set)" : "(empty array)";
    const auto width = count.size();
    const auto deeper = indent + std::string(width + 2, ' ');
    const char mark = kind == '%' ? '#' : kind == '~' ? '~' : ')';
    std::string shown;
    for (std::uint32_t number = 1; number <= *size && !failed_; ++number) {
      if (number > 1) shown += "\n" + indent;
      shown += fmt::format("{:>{}}{} ", number, width, mark);
      shown += show(deeper, depth + 1);
      if (kind == '%') shown += " => " + show(deeper, depth + 1);
    }
    return shown;
  }

  std::string_view left_;
  bool failed_ = false;
};

std::string make_usage() {
  std::string text = "a command of Redis, for example: set KEY VALUE\n";
  for (const std::string_view group : {"string", "generic", "hash", "list", "set", "sorted-set", "connection"}) {
    auto line = fmt::format("{}:", group);
    for (const auto& each : command_table()) {
      if (each.group != group) continue;
      constexpr std::size_t line_letters_max = 96;
      if (line.size() + 1 + each.name.size() > line_letters_max) {
        text += line + '\n';
        line = "  ";
      }
      line += fmt::format(" {}", each.name);
    }
    text += line + '\n';
  }
  return text;
}

std::string command_names() {
  std::string names;
  for (const auto& each : command_table())
    names += fmt::format("{}{}", names.empty() ? "" : ", ", each.name);
  return names;
}

}  // namespace

std::string_view usage() {
  static const std::string text = make_usage();
  return text;
}

or_reason<byte_vector> parse_operation(std::span<const std::string> words) {
  if (words.empty()) return invalid(fmt::format("no command given; use {}", usage()));
  const auto* specification = find_command(words.front());
  if (specification == nullptr) {
    return invalid(fmt::format("unknown command \"{}\"{}; use one of:\n{}", shortened_word(words.front()),
                               did_you_mean(lowered(shortened_word(words.front())), command_names()), usage()));
  }
  if (!is_arity_valid(*specification, words.size())) {
    const auto least = specification->arity < 0 ? -specification->arity : specification->arity;
    return invalid(fmt::format("\"{}\" takes {} {} arguments, not {}", specification->name,
                               specification->arity < 0 ? "at least" : "exactly", least - 1, words.size() - 1));
  }
  auto encoded = encode(command{{words.begin(), words.end()}});
  if (encoded.size() > limits::operation_bytes_max) {
    return invalid(fmt::format("the operation has {} bytes, more than the limit of {}", encoded.size(),
                               limits::operation_bytes_max));
  }
  return encoded;
}

bool reads(byte_span operation_bytes) {
  const auto decoded = decode(operation_bytes);
  return decoded && is_read_only(*decoded);
}

std::string reply_text(byte_span reply) {
  reply_reader reader{as_text(reply)};
  auto shown = reader.show({}, 0);
  return reader.is_complete() ? shown : std::string{};
}

machine_answer interpret(byte_span, const operation_result& result) {
  if (result.status != operation_status::applied) return unapplied_answer(result);
  const auto reply = as_text(result.payload);
  auto shown = reply_text(result.payload);
  if (shown.empty()) return value_answer(result.payload);
  if (reply == "_\r\n") return {operation_status::applied, std::move(shown), std::nullopt, std::nullopt};
  if (const auto bulk = reply_reader::bulk_of(reply)) {
    auto answer = value_answer(as_byte_span(*bulk));
    answer.line = std::move(shown);
    return answer;
  }
  auto answer = text_answer(std::move(shown));
  if (reply.starts_with('-')) answer.status = operation_status::refused;
  return answer;
}

}  // namespace hypermesh::machines::redis
