#include <algorithm>
#include <cctype>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/style/source_text.hpp"
#include "tests/style/style_rules.hpp"

namespace hypermesh::style {

namespace {

/// The facts that the rule needs about one `enum class`.
struct found_enum {
  std::string path;
  std::size_t line = 0;
  std::string name;
  bool has_type = false;
  std::vector<std::string> enumerators;
  /// The text after the `=` of the last enumerator; empty when there is none.
  std::string last_number;
};

bool is_product(std::string_view path) {
  return (path.ends_with(".hpp") || path.ends_with(".cpp")) &&
         (path.starts_with("messages/") || path.starts_with("actors/") || path.starts_with("runtime/"));
}

std::size_t skip_spaces(std::string_view text, std::size_t at) {
  while (at < text.size() && std::isspace(static_cast<unsigned char>(text[at])) != 0)
    ++at;
  return at;
}

std::string word_at(std::string_view text, std::size_t at) {
  auto end = at;
  while (end < text.size() && is_identifier_char(text[end]))
    ++end;
  return std::string{text.substr(at, end - at)};
}

void read_enumerators(std::string_view body, found_enum& into) {
  while (!body.empty()) {
    const auto part = body.substr(0, body.find(','));
    body.remove_prefix(std::min(body.size(), part.size() + 1));
    const auto name = word_at(part, skip_spaces(part, 0));
    if (name.empty()) continue;
    into.enumerators.push_back(name);
    const auto equals = part.find('=');
    into.last_number = equals == std::string_view::npos ? "" : word_at(part, skip_spaces(part, equals + 1));
  }
}

void find_enums(const source_file& file, std::string_view code, std::vector<found_enum>& into) {
  constexpr std::string_view head = "enum class ";
  for (auto at = code.find(head); at != std::string_view::npos; at = code.find(head, at + 1)) {
    found_enum found{file.path, line_of(code, at), word_at(code, skip_spaces(code, at + head.size())), false, {}, {}};
    const auto open = code.find_first_of("{;", at);
    if (open == std::string_view::npos || code[open] == ';') continue;
    const auto close = code.find('}', open);
    if (close == std::string_view::npos) continue;
    found.has_type = code.substr(at, open - at).find(':') != std::string_view::npos;
    read_enumerators(code.substr(open + 1, close - open - 1), found);
    into.push_back(std::move(found));
  }
}

/// The text after "NAME_last =", up to the semicolon and without its type; nothing when there is no such constant.
std::optional<std::string> last_of(const found_enum& each, std::string_view code) {
  const auto constant = each.name + "_last";
  for (auto at = code.find(constant); at != std::string_view::npos; at = code.find(constant, at + 1)) {
    if (at > 0 && is_identifier_char(code[at - 1])) continue;
    const auto equals = skip_spaces(code, at + constant.size());
    if (equals >= code.size() || code[equals] != '=') continue;
    const auto begin = skip_spaces(code, equals + 1);
    return std::string{code.substr(begin, code.find(';', begin) - begin)};
  }
  return std::nullopt;
}

/// Whether the code casts a number to the enum `name`.
bool is_cast_to(const std::string& name, const std::map<std::string, std::string>& codes) {
  return std::any_of(codes.begin(), codes.end(), [&](const auto& each) {
    return each.second.find("static_cast<" + name + ">") != std::string::npos;
  });
}

}  // namespace

violations check_enums(const source_tree& tree) {
  std::vector<found_enum> enums;
  std::map<std::string, std::string> codes;
  for (const auto& file : tree) {
    if (!is_product(file.path)) continue;
    auto code = read_source(file.text).code;
    find_enums(file, code, enums);
    codes.emplace(file.path, std::move(code));
  }
  violations found;
  for (const auto& each : enums) {
    if (each.enumerators.empty() || (!each.has_type && !is_cast_to(each.name, codes))) continue;
    const auto last = last_of(each, codes.at(each.path));
    const auto expected = each.name + "::" + each.enumerators.back();
    if (!last) {
      found.push_back({each.path, each.line,
                       each.name + " is stored, sent or an index: write after it constexpr auto " + each.name +
                           "_last = " + expected + ", and use it for sizes and checks; or leave out its type"});
    } else if (*last != expected && (each.last_number.empty() || *last != each.last_number)) {
      found.push_back({each.path, each.line, each.name + "_last is " + *last + ", but the last one is " + expected});
    }
  }
  return found;
}

}  // namespace hypermesh::style
