#include "tests/style/function_sizes.hpp"

#include <algorithm>
#include <cctype>
#include <optional>

#include "tests/style/source_text.hpp"

namespace hypermesh::style {

namespace {

enum class brace_kind {
  /// A namespace or class: declarations follow.
  scope,
  function,
  /// The braces of a value: a table, or the member initialiser of a constructor.
  value,
};

/// The meaning of the text before an opening brace. Only text outside of parentheses and template parameter lists
/// counts.
struct head_traits {
  bool has_scope_keyword = false;
  bool has_parameters = false;
  bool has_assignment = false;
  bool has_lambda = false;
  /// A single colon follows the parameters, so these are the member initialisers of a constructor.
  bool in_initialisers = false;
  char last = ' ';
};

bool is_scope_keyword(std::string_view word) {
  return word == "namespace" || word == "class" || word == "struct" || word == "union" || word == "enum" ||
         word == "extern";
}

/// The position after the `>` that closes `template <` at `open`.
std::size_t after_template_list(std::string_view head, std::size_t open) {
  int depth = 0;
  int parentheses = 0;
  for (auto at = open; at < head.size(); ++at) {
    if (head[at] == '(') ++parentheses;
    if (head[at] == ')') --parentheses;
    if (parentheses > 0) continue;
    if (head[at] == '<') ++depth;
    if (head[at] == '>' && --depth == 0) return at + 1;
  }
  return head.size();
}

/// The position after `word` and after its continuation: the list of a template, or the symbol of an operator.
std::size_t skip_belongings(std::string_view head, std::string_view word, std::size_t at) {
  while (at < head.size() && std::isspace(static_cast<unsigned char>(head[at])) != 0)
    ++at;
  if (word == "template" && at < head.size() && head[at] == '<') return after_template_list(head, at);
  if (word == "operator") {
    if (head.substr(at, 2) == "()") return at + 2;
    while (at < head.size() && head[at] != '(' && !is_identifier_char(head[at]))
      ++at;
  }
  return at;
}

head_traits look_at(std::string_view head) {
  head_traits traits;
  int depth = 0;
  for (std::size_t at = 0; at < head.size();) {
    const char letter = head[at];
    if (std::isspace(static_cast<unsigned char>(letter)) != 0) {
      ++at;
      continue;
    }
    if (depth == 0 && is_identifier_char(letter)) {
      auto end = at;
      while (end < head.size() && is_identifier_char(head[end]))
        ++end;
      const auto word = head.substr(at, end - at);
      traits.has_scope_keyword = traits.has_scope_keyword || is_scope_keyword(word);
      traits.last = 'a';
      at = word == "template" || word == "operator" ? skip_belongings(head, word, end) : end;
      continue;
    }
    const char next = at + 1 < head.size() ? head[at + 1] : ' ';
    const char previous = at > 0 ? head[at - 1] : ' ';
    if (letter == '(' || letter == '[') {
      traits.has_lambda = traits.has_lambda || (letter == '[' && traits.has_assignment);
      traits.has_parameters = traits.has_parameters || (letter == '(' && depth == 0);
      ++depth;
    } else if (letter == ')' || letter == ']') {
      --depth;
    } else if (depth == 0 && letter == ':' && next != ':' && previous != ':') {
      traits.in_initialisers = traits.in_initialisers || traits.has_parameters;
    } else if (depth == 0 && letter == '=' && next != '=' &&
               std::string_view("=<>!").find(previous) == std::string_view::npos) {
      traits.has_assignment = true;
    }
    traits.last = letter;
    ++at;
  }
  return traits;
}

brace_kind kind_of(std::string_view head) {
  const auto traits = look_at(head);
  if (traits.has_assignment) return traits.has_lambda ? brace_kind::function : brace_kind::value;
  if (traits.in_initialisers && (traits.last == 'a' || traits.last == '>')) return brace_kind::value;
  if (traits.has_scope_keyword) return brace_kind::scope;
  return traits.has_parameters ? brace_kind::function : brace_kind::value;
}

/// The position of the brace that closes the brace at `open`, or the end of the text.
std::size_t closing_brace(std::string_view text, std::size_t open) {
  int depth = 0;
  for (auto at = open; at < text.size(); ++at) {
    if (text[at] == '{') ++depth;
    if (text[at] == '}' && --depth == 0) return at;
  }
  return text.size();
}

std::string name_in(std::string_view head) {
  std::string name;
  for (const char letter : head.substr(0, 160)) {
    const bool space = std::isspace(static_cast<unsigned char>(letter)) != 0;
    if (space && (name.empty() || name.back() == ' ')) continue;
    name += space ? ' ' : letter;
  }
  return name.size() > 60 ? name.substr(0, 60) + "…" : name;
}

}  // namespace

std::vector<function_size> measure_functions(std::string_view statements) {
  std::vector<function_size> functions;
  std::optional<std::size_t> head;  // the beginning of the current declaration
  int parentheses = 0;
  for (std::size_t at = 0; at < statements.size(); ++at) {
    const char letter = statements[at];
    if (letter == '(') ++parentheses;
    if (letter == ')') parentheses = std::max(0, parentheses - 1);
    if (letter == ';' || letter == '}') {
      head.reset();
      parentheses = 0;
      continue;
    }
    if (letter != '{') {
      if (!head && std::isspace(static_cast<unsigned char>(letter)) == 0) head = at;
      continue;
    }
    const auto first = head.value_or(at);
    const auto kind = parentheses > 0 ? brace_kind::value : kind_of(statements.substr(first, at - first));
    if (kind == brace_kind::scope) {
      head.reset();
      continue;
    }
    const auto close = closing_brace(statements, at);
    if (kind == brace_kind::function) {
      const auto begin = line_of(statements, first);
      functions.push_back(
          {name_in(statements.substr(first, at - first)), begin, line_of(statements, close) - begin + 1});
      head.reset();
    }
    at = close;
  }
  return functions;
}

}  // namespace hypermesh::style
