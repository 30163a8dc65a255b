#include "tools/hypermesh/gateway/resp_reader.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "messages/limits.hpp"
#include "messages/require.hpp"

namespace hypermesh::cli {

namespace {

static_assert(resp_reader::command_bytes_max + 64 == limits::operation_bytes_max);

constexpr std::size_t line_end_bytes = 2;

bool is_blank(char letter) { return letter == ' ' || (letter >= '\t' && letter <= '\r'); }

int digit_of(char letter) {
  if (letter >= '0' && letter <= '9') return letter - '0';
  if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
  if (letter >= 'A' && letter <= 'F') return letter - 'A' + 10;
  return -1;
}

char escaped(char letter) {
  switch (letter) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'b':
      return '\b';
    case 'a':
      return '\a';
    default:
      return letter;
  }
}

/// Reads a quoted word. `at` is the place after the opening quote, and becomes the place after the closing quote.
bool read_quoted(std::string_view line, std::size_t& at, char quote, std::string& word) {
  for (; at < line.size(); ++at) {
    const char letter = line[at];
    const bool has_next = at + 1 < line.size();
    if (letter == quote) {
      ++at;
      // A closing quote ends the word.
      return at == line.size() || is_blank(line[at]);
    }
    if (letter != '\\' || !has_next) {
      word += letter;
    } else if (quote == '\'') {
      if (line[at + 1] == '\'') ++at;
      word += line[at];
    } else if (line[at + 1] == 'x' && at + 3 < line.size() && digit_of(line[at + 2]) >= 0 &&
               digit_of(line[at + 3]) >= 0) {
      word += static_cast<char>(16 * digit_of(line[at + 2]) + digit_of(line[at + 3]));
      at += 3;
    } else {
      word += escaped(line[++at]);
    }
  }
  return false;
}

}  // namespace

std::optional<std::int64_t> resp_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  const auto digits = text.starts_with('-') ? text.substr(1) : text;
  // Redis accepts "0", and neither "-0" nor "007".
  if (digits.starts_with('0') && text.size() > 1) return std::nullopt;
  return number;
}

std::optional<command_words> split_inline(std::string_view line) {
  command_words words;
  std::size_t at = 0;
  while (true) {
    while (at < line.size() && is_blank(line[at]))
      ++at;
    if (at == line.size()) return words;
    auto& word = words.emplace_back();
    while (at < line.size() && !is_blank(line[at])) {
      const char letter = line[at++];
      if (letter != '"' && letter != '\'') {
        word += letter;
      } else if (!read_quoted(line, at, letter, word)) {
        return std::nullopt;
      }
    }
  }
}

std::optional<resp_item> resp_reader::next(bool is_known) {
  std::optional<resp_item> item;
  while (!failure_ && !item) {
    if (words_left_ == 0 && at_ == buffer_.size()) break;
    const auto before = buffered();
    const bool is_array = words_left_ > 0 || buffer_[at_] == '*';
    item = is_array ? read_array(is_known) : read_inline();
    if (!item && buffered() == before) break;
  }
  compact();
  return item;
}

std::optional<resp_item> resp_reader::fail(std::string error) {
  failure_ = protocol_failure{"ERR Protocol error: " + std::move(error)};
  buffer_.clear();
  at_ = 0;
  return *failure_;
}

/// The next line without its end; nothing if its end has not arrived. Lines of lengths end with CR LF. As in Redis, the
/// byte after CR is not looked at.
std::optional<std::string_view> resp_reader::take_line() {
  const auto end = buffer_.find('\r', at_);
  if (end == std::string::npos || end + 1 >= buffer_.size()) return std::nullopt;
  const std::string_view line{buffer_.data() + at_, end - at_};
  at_ = end + line_end_bytes;
  return line;
}

std::optional<resp_item> resp_reader::read_array(bool is_known) {
  if (words_left_ == 0) {
    const auto line = take_line();
    if (!line) return buffered() > line_bytes_max ? fail("too big mbulk count string") : std::nullopt;
    const auto count = resp_number(line->substr(1));
    if (!count || *count > announced_words_max) return fail("invalid multibulk length");
    if (!is_known && *count > unknown_words_max) return fail("unauthenticated multibulk length");
    // As in Redis, an array without words is no command and has no reply.
    if (*count <= 0) return std::nullopt;
    words_left_ = *count;
    if (*count > static_cast<std::int64_t>(words_max)) {
      too_large_ = fmt::format("ERR a command has at most {} words on this server", words_max);
    }
  }
  while (words_left_ > 0) {
    if (read_word(is_known)) continue;
    return failure_ ? std::optional<resp_item>{*failure_} : std::nullopt;
  }
  resp_item item;
  finish_array(item);
  return item;
}

bool resp_reader::read_word(bool is_known) {
  if (word_left_ < 0) {
    if (at_ < buffer_.size() && buffer_[at_] != '$') {
      // Bytes that are not printable would damage the line of the error.
      const char got = buffer_[at_] >= ' ' && buffer_[at_] <= '~' ? buffer_[at_] : '?';
      (void)fail(fmt::format("expected '$', got '{}'", got));
      return false;
    }
    const auto line = take_line();
    if (!line) {
      if (buffered() > line_bytes_max) (void)fail("too big bulk count string");
      return false;
    }
    const auto length = resp_number(line->substr(1));
    if (!length || *length < 0 || *length > announced_bytes_max) {
      (void)fail("invalid bulk length");
      return false;
    }
    if (!is_known && *length > unknown_bytes_max) {
      (void)fail("unauthenticated bulk length");
      return false;
    }
    begin_word(*length);
  }
  const auto end_bytes = static_cast<std::int64_t>(line_end_bytes);
  const auto here = std::min<std::int64_t>(word_left_, static_cast<std::int64_t>(buffered()));
  // The line break after the word is not looked at, as in Redis.
  const auto content = std::clamp<std::int64_t>(word_left_ - end_bytes, 0, here);
  if (too_large_.empty()) words_.back().append(buffer_, at_, static_cast<std::size_t>(content));
  at_ += static_cast<std::size_t>(here);
  word_left_ -= here;
  if (word_left_ > 0) return false;
  word_left_ = -1;
  --words_left_;
  return true;
}

void resp_reader::begin_word(std::int64_t length) {
  word_left_ = length + static_cast<std::int64_t>(line_end_bytes);
  words_bytes_ += std::min<std::size_t>(static_cast<std::size_t>(length), command_bytes_max) + word_overhead_bytes;
  if (words_bytes_ > command_bytes_max && too_large_.empty()) {
    too_large_ = fmt::format("ERR a command has at most {} bytes on this server", command_bytes_max);
  }
  if (too_large_.empty()) {
    // The announced length is not reserved, because a client may announce bytes and never send them.
    words_.emplace_back();
  } else {
    words_.clear();
  }
}

void resp_reader::finish_array(resp_item& into) {
  require(words_left_ == 0 && word_left_ < 0, "a command ends after its last word");
  if (too_large_.empty()) {
    into = std::move(words_);
  } else {
    into = oversized_command{std::move(too_large_)};
  }
  words_ = {};
  words_bytes_ = 0;
  too_large_.clear();
}

std::optional<resp_item> resp_reader::read_inline() {
  const auto end = std::min(buffer_.find('\n', at_), buffer_.size());
  if (end - at_ > line_bytes_max) return fail("too big inline request");
  if (end == buffer_.size()) return std::nullopt;
  std::string_view line{buffer_.data() + at_, end - at_};
  if (line.ends_with('\r')) line.remove_suffix(1);
  auto words = split_inline(line);
  if (!words) return fail("unbalanced quotes in request");
  at_ = end + 1;
  if (words->empty()) return std::nullopt;
  // The bytes of a line are bounded by what the caller lets wait in the buffer.
  if (words->size() > words_max || line.size() + word_overhead_bytes * words->size() > command_bytes_max)
    return oversized_command{fmt::format("ERR a command has at most {} words on this server", words_max)};
  return std::move(*words);
}

/// Drops the bytes that were read. Moving the rest costs its length, so it is done when the rest is smaller than what
/// is dropped, and each byte is moved at most once for each byte that was read.
void resp_reader::compact() {
  if (at_ < buffered()) return;
  buffer_.erase(0, at_);
  at_ = 0;
}

}  // namespace hypermesh::cli
