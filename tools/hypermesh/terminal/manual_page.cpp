#include "tools/hypermesh/terminal/manual_page.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace hypermesh::cli {

namespace {

/// The text without any meaning for the formatter: a dash stays a dash that can be copied, and a line that begins with
/// a point or an apostrophe is no request.
std::string escaped(std::string_view text) {
  std::string out;
  if (text.starts_with('.') || text.starts_with('\'')) out = "\\&";
  for (const char letter : text) {
    if (letter == '\\') {
      out += "\\(rs";
    } else if (letter == '-') {
      out += "\\-";
    } else if (letter == '\'') {
      out += "\\(aq";
    } else if (letter == '`') {
      out += "\\(ga";
    } else if (letter == '^') {
      out += "\\(ha";
    } else if (letter == '~') {
      out += "\\(ti";
    } else {
      out += letter;
    }
  }
  return out;
}

/// The text as one argument of a macro.
std::string argument(std::string_view text) {
  std::string out = "\"";
  for (const char letter : escaped(text))
    out += letter == '"' ? std::string{"\\(dq"} : std::string{letter};
  return out + "\"";
}

std::string upper(std::string_view text) {
  std::string out{text};
  std::ranges::transform(out, out.begin(), [](unsigned char letter) { return std::toupper(letter); });
  return out;
}

/// "--output FORMAT" or "-h, --help".
std::string term_of(const option_entry& option) {
  auto term = fmt::format("{}", fmt::join(option.names, ", "));
  if (!option.value.empty()) term += " " + option.value;
  return term;
}

/// What the help shows beside an option.
std::string words_of(const option_entry& option) {
  auto words = option.about;
  std::ranges::replace(words, '\n', ' ');
  if (!words.empty() && !words.ends_with('.')) words += '.';
  if (!option.words.empty()) words += fmt::format(" One of: {}.", fmt::join(option.words, ", "));
  if (!option.default_value.empty()) words += fmt::format(" Default: {}.", option.default_value);
  if (option.is_required) words += " Required.";
  return words;
}

/// "config check [OPTIONS] FILE...".
std::string synopsis_of(std::string_view binary, const command_entry& command) {
  auto text = std::string{binary};
  if (!command.path.empty()) text += " " + command.path_text();
  if (!command.options.empty()) text += " [OPTIONS]";
  for (const auto& each : command.positionals) {
    const auto name = each.names.front() + (each.is_repeated ? "..." : "");
    text += each.is_required ? " " + name : " [" + name + "]";
  }
  if (!command.commands.empty()) text += " COMMAND";
  return text;
}

void add_command(manual_page& page, std::string_view binary, const command_entry& command) {
  page.subsection(synopsis_of(binary, command));
  page.paragraph(command.about + ".");
  for (const auto* options : {&command.positionals, &command.options}) {
    for (const auto& each : *options)
      page.entry(term_of(each), words_of(each));
  }
  page.help_text(command.footer);
}

}  // namespace

manual_page::manual_page(std::string_view title, int section, std::string_view names, std::string_view summary) {
  // The page has no date, so that two builds give the same bytes.
  text_ =
      fmt::format(".TH {} {} \"\" \"HyperMesh {}\"\n.nh\n.ad l\n", argument(upper(title)), section, HYPERMESH_VERSION);
  this->section("NAME");
  text_ += fmt::format("{} \\- {}\n", escaped(names), escaped(summary));
}

void manual_page::line(std::string_view words) { text_ += escaped(words) + "\n"; }

void manual_page::end_literal() {
  if (is_literal_) text_ += ".fi\n";
  is_literal_ = false;
}

void manual_page::section(std::string_view title) {
  end_literal();
  text_ += fmt::format(".SH {}\n", argument(title));
}

void manual_page::subsection(std::string_view title) {
  end_literal();
  text_ += fmt::format(".SS {}\n", argument(title));
}

void manual_page::paragraph(std::string_view words) {
  end_literal();
  text_ += ".PP\n";
  line(words);
}

void manual_page::entry(std::string_view term, std::string_view words) {
  end_literal();
  text_ += fmt::format(".TP\n.B {}\n", argument(term));
  // An entry without a text still needs a line.
  text_ += (words.empty() ? std::string{"\\&"} : escaped(words)) + "\n";
}

void manual_page::help_text(std::string_view text) {
  bool is_new = true;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto words = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (words.empty()) {
      end_literal();
      is_new = true;
    } else if (words.starts_with(' ')) {
      if (!is_literal_) text_ += is_new ? ".PP\n.nf\n" : ".nf\n";
      is_literal_ = true;
      is_new = false;
      line(words);
    } else {
      if (is_new || is_literal_) {
        end_literal();
        text_ += ".PP\n";
      }
      is_new = false;
      line(words);
    }
  }
  end_literal();
}

std::string manual_page_of(std::string_view binary, const command_entry& root, std::string_view see_also) {
  manual_page page{binary, 1, binary, root.about};
  page.section("SYNOPSIS");
  page.paragraph(synopsis_of(binary, root));
  page.section("DESCRIPTION");
  page.help_text(root.footer);
  page.section("OPTIONS");
  for (const auto& each : root.options)
    page.entry(term_of(each), words_of(each));
  page.section("COMMANDS");
  for (const auto* each : all_entries(root)) {
    if (!each->path.empty()) add_command(page, binary, *each);
  }
  page.section("SEE ALSO");
  page.paragraph(see_also);
  return page.text();
}

}  // namespace hypermesh::cli
