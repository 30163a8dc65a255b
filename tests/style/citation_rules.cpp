#include <array>
#include <cctype>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "tests/style/source_text.hpp"
#include "tests/style/style_rules.hpp"

namespace hypermesh::style {

namespace {

constexpr std::string_view threats_file = "actors/protocol/THREATS.md";
constexpr std::string_view invariants_file = "actors/protocol/INVARIANTS.md";
constexpr std::string_view protocol_file = "actors/protocol/PROTOCOL.md";

/// The attacks, invariants, requirements and sections that the documents define.
struct law {
  std::set<std::string> attacks;
  std::set<std::string> invariants;
  std::set<std::string> requirements;
  /// The sections of the papers, for example "4.4".
  std::set<std::string> sections;
  std::set<std::string> tests;
};

bool is_digit(char letter) { return std::isdigit(static_cast<unsigned char>(letter)) != 0; }

std::string digits_at(std::string_view text, std::size_t at) {
  auto end = at;
  while (end < text.size() && is_digit(text[end]))
    ++end;
  return std::string(text.substr(at, end - at));
}

/// The number after each "\n## `word`" of a document.
std::set<std::string> headings(std::string_view text, std::string_view word) {
  std::set<std::string> found;
  const auto head = "\n## " + std::string(word);
  for (auto at = text.find(head); at != std::string_view::npos; at = text.find(head, at + 1)) {
    const auto number = digits_at(text, at + head.size());
    if (!number.empty()) found.insert(number);
  }
  return found;
}

std::string section_at(std::string_view text, std::size_t at) {
  std::string number;
  while (at < text.size() &&
         (is_digit(text[at]) || (text[at] == '.' && at + 1 < text.size() && is_digit(text[at + 1]))))
    number += text[at++];
  return number;
}

constexpr std::string_view section_sign = "\xC2\xA7";

void read_sections(std::string_view text, std::set<std::string>& into) {
  for (auto at = text.find(section_sign); at != std::string_view::npos; at = text.find(section_sign, at + 1))
    into.insert(section_at(text, at + section_sign.size()));
}

/// The list of sections: the part of the document below this heading.
std::string_view list_of_sections(std::string_view text) {
  const auto at = text.find("\n## Sections cited");
  return at == std::string_view::npos ? std::string_view{} : text.substr(at);
}

/// The text of a literal. An escape is read as the character after the backslash.
std::string literal_at(std::string_view text, std::size_t at) {
  std::string value;
  for (; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
    value += text[at];
  }
  return value;
}

void read_test_names(std::string_view text, std::set<std::string>& into) {
  for (auto at = text.find("TEST_CASE"); at != std::string_view::npos; at = text.find("TEST_CASE", at + 1)) {
    const auto quote = text.find('"', at);
    const auto end = text.find('{', at);
    if (quote != std::string_view::npos && quote < end) into.insert(literal_at(text, quote + 1));
  }
}

law read_law(const source_tree& tree) {
  law known;
  for (const auto& file : tree) {
    if (file.path == threats_file) known.attacks = headings(file.text, "Attack ");
    if (file.path == invariants_file) {
      known.invariants = headings(file.text, "I");
      known.requirements = headings(file.text, "R");
    }
    if (file.path == protocol_file) read_sections(list_of_sections(file.text), known.sections);
    if (file.path.ends_with("_test.cpp")) read_test_names(file.text, known.tests);
  }
  return known;
}

// --- Citations -------------------------------------------------------------------

struct reader {
  const source_file& file;
  std::string_view text;
  violations& found;

  void object(std::size_t at, const std::string& reason) const {
    found.push_back({file.path, line_of(text, at), reason});
  }

  /// Reads citations such as "attack 9", "attacks 10, 13 and 20", "attacks 1 to 3".
  void read_attacks(const law& known) const {
    constexpr std::string_view word = "attack";
    for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
      auto place = at + word.size();
      if (place < text.size() && text[place] == 's') ++place;
      if (place + 1 >= text.size() || text[place] != ' ') continue;
      ++place;
      while (true) {
        const auto number = digits_at(text, place);
        if (number.empty()) break;
        if (!known.attacks.contains(number)) object(place, "attack " + number + " is not in THREATS.md");
        place += number.size();
        const auto next = behind_separator(place);
        if (!next) break;
        place = *next;
      }
    }
  }

  [[nodiscard]] std::optional<std::size_t> behind_separator(std::size_t at) const {
    for (const std::string_view between : {", ", " and ", ", and "}) {
      const bool follows = text.substr(at, between.size()) == between;
      if (follows && at + between.size() < text.size() && is_digit(text[at + between.size()]))
        return at + between.size();
    }
    return std::nullopt;
  }

  /// Reads citations such as "I7" and "R12" as whole words.
  void read_codes(char letter, const std::set<std::string>& known, std::string_view document) const {
    for (auto at = text.find(letter); at != std::string_view::npos; at = text.find(letter, at + 1)) {
      const auto number = digits_at(text, at + 1);
      const bool starts = at == 0 || !(is_identifier_char(text[at - 1]) || text[at - 1] == '-');
      const auto end = at + 1 + number.size();
      const bool ends = end >= text.size() || !(is_identifier_char(text[end]) || text[end] == '-');
      if (number.empty() || number.size() > 2 || number[0] == '0' || !starts || !ends) continue;
      if (!known.contains(number)) object(at, letter + number + " is not in " + std::string(document));
    }
  }

  void read_paper(const law& known) const {
    for (auto at = text.find(section_sign); at != std::string_view::npos; at = text.find(section_sign, at + 1)) {
      const auto number = section_at(text, at + section_sign.size());
      if (number.empty() || known.sections.contains(number)) continue;
      object(at, std::string(section_sign) + number + " is not in the list of sections in PROTOCOL.md");
    }
  }

  /// In THREATS.md, a list item that begins with a name in backticks names a test.
  void read_points(const law& known) const {
    constexpr std::string_view point = "\n- `";
    for (auto at = text.find(point); at != std::string_view::npos; at = text.find(point, at + 1)) {
      const auto begin = at + point.size();
      std::string name;
      for (auto place = begin; place < text.size() && text[place] != '`'; ++place) {
        // A long name may continue on the next line.
        const bool is_break = text[place] == '\n' || (text[place] == ' ' && !name.empty() && name.back() == ' ');
        if (text[place] == '\n') name += ' ';
        if (!is_break) name += text[place];
      }
      if (!known.tests.contains(name)) object(at + 1, "no test is named \"" + name + "\"");
    }
  }
};

bool is_text(std::string_view path) {
  constexpr std::array<std::string_view, 6> endings = {".cpp", ".hpp", ".fbs", ".md", ".patch", ".txt"};
  for (const auto ending : endings) {
    if (path.ends_with(ending)) return true;
  }
  return false;
}

}  // namespace

violations check_citations(const source_tree& tree) {
  const auto known = read_law(tree);
  violations found;
  for (const auto& file : tree) {
    // The rules and their tests cite numbers that do not exist, so their files are skipped.
    if (!is_text(file.path) || file.path.starts_with("tests/style/")) continue;
    const reader read{file, file.text, found};
    read.read_attacks(known);
    read.read_codes('I', known.invariants, "INVARIANTS.md");
    read.read_codes('R', known.requirements, "INVARIANTS.md");
    read.read_paper(known);
    if (file.path == threats_file) read.read_points(known);
  }
  return found;
}

}  // namespace hypermesh::style
