#include "tests/style/source_text.hpp"

#include <algorithm>
#include <cctype>

namespace hypermesh::style {

namespace {

/// Reads a file once and blanks in each view the parts that do not belong to the view.
class reader {
 public:
  explicit reader(std::string_view text) : text_(text) {
    result_.code = result_.statements = result_.words = std::string(text);
  }

  source_text read() {
    while (at_ < text_.size()) {
      if (starts_with("//")) {
        comment_until(line_end(at_));
      } else if (starts_with("/*")) {
        const auto end = text_.find("*/", at_ + 2);
        comment_until(end == std::string_view::npos ? text_.size() : end + 2);
      } else if (text_[at_] == '"') {
        is_raw_prefix() ? raw_string() : literal('"');
      } else if (text_[at_] == '\'' && !is_digit_separator()) {
        literal('\'');
      } else if (text_[at_] == '#' && first_on_line_) {
        directive();
      } else {
        if (text_[at_] == '\n') {
          first_on_line_ = true;
        } else if (std::isspace(static_cast<unsigned char>(text_[at_])) == 0) {
          first_on_line_ = false;
        }
        ++at_;
      }
    }
    return std::move(result_);
  }

 private:
  bool starts_with(std::string_view what) const { return text_.substr(at_, what.size()) == what; }

  /// The end of the logical line. A backslash before the line break continues the line.
  std::size_t line_end(std::size_t from) const {
    auto end = text_.find('\n', from);
    while (end != std::string_view::npos && end > 0 && text_[end - 1] == '\\')
      end = text_.find('\n', end + 1);
    return std::min(end, text_.size());
  }

  static void blank(std::string& view, std::size_t from, std::size_t to) {
    for (auto index = from; index < std::min(to, view.size()); ++index) {
      if (view[index] != '\n') view[index] = ' ';
    }
  }

  void comment_until(std::size_t end) {
    blank(result_.code, at_, end);
    blank(result_.statements, at_, end);
    at_ = end;
  }

  void blank_everywhere(std::size_t from, std::size_t to) {
    for (auto* view : {&result_.code, &result_.statements, &result_.words})
      blank(*view, from, to);
  }

  bool is_raw_prefix() const {
    if (at_ == 0 || text_[at_ - 1] != 'R') return false;
    auto first = at_ - 1;
    while (first > 0 && is_identifier_char(text_[first - 1]))
      --first;
    const auto prefix = text_.substr(first, at_ - first);
    return prefix == "R" || prefix == "u8R" || prefix == "uR" || prefix == "UR" || prefix == "LR";
  }

  void raw_string() {
    const auto open = std::min(text_.find('(', at_), text_.size());
    const auto closing = ")" + std::string(text_.substr(at_ + 1, open - at_ - 1)) + "\"";
    const auto end = text_.find(closing, open);
    const auto last = end == std::string_view::npos ? text_.size() : end + closing.size();
    blank_everywhere(at_ + 1, last - 1);
    at_ = last;
    first_on_line_ = false;
  }

  void literal(char quote) {
    auto end = at_ + 1;
    while (end < text_.size() && text_[end] != quote && text_[end] != '\n')
      end += text_[end] == '\\' ? 2U : 1U;
    blank_everywhere(at_ + 1, end);
    at_ = std::min(end + 1, text_.size());
    first_on_line_ = false;
  }

  /// Whether the quote separates digits, as in `1'000` and `0xFF'FF` but not in `u'x'`.
  bool is_digit_separator() const {
    auto first = at_;
    while (first > 0 && (is_identifier_char(text_[first - 1]) || text_[first - 1] == '\''))
      --first;
    return first < at_ && std::isdigit(static_cast<unsigned char>(text_[first])) != 0;
  }

  void directive() {
    const auto end = line_end(at_);
    const auto line = text_.substr(at_, end - at_);
    blank(result_.statements, at_, end);
    ++at_;
    first_on_line_ = false;
    const auto keyword = line.find_first_not_of(" \t", 1);
    if (keyword == std::string_view::npos || line.substr(keyword, 7) != "include") return;
    const auto open = line.find_first_of("<\"", keyword);
    if (open == std::string_view::npos) return;
    const auto close = line.find(line[open] == '<' ? '>' : '"', open + 1);
    if (close == std::string_view::npos) return;
    result_.includes.push_back(
        {line_of(text_, at_), std::string(line.substr(open + 1, close - open - 1)), line[open] == '"'});
    at_ += close;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool first_on_line_ = true;
  source_text result_;
};

}  // namespace

source_text read_source(std::string_view text) { return reader(text).read(); }

std::size_t line_of(std::string_view text, std::size_t position) {
  const auto head = text.substr(0, position);
  return 1 + static_cast<std::size_t>(std::count(head.begin(), head.end(), '\n'));
}

bool is_identifier_char(char letter) { return std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '_'; }

}  // namespace hypermesh::style
