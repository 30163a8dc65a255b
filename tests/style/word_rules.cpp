#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <string>
#include <string_view>

#include "tests/style/source_text.hpp"
#include "tests/style/style_rules.hpp"

namespace hypermesh::style {

namespace {

/// A word that this product no longer uses, and the word of the field that replaced it (`actors/GLOSSARY.md`).
struct retired_word {
  std::string_view word;
  std::string_view instead;
};

constexpr std::array retired_words = {
    retired_word{"docket", "evidence pool"},
    retired_word{"exhibit", "evidence"},
    retired_word{"exhibits", "evidence"},
    retired_word{"accusation", "misbehaviour"},
    retired_word{"offence", "misbehaviour"},
    retired_word{"misdeed", "misbehaviour"},
    retired_word{"grievance", "complaint reason"},
    retired_word{"ballot", "group request"},
    retired_word{"pardon", "release"},
    retired_word{"shunned", "avoided as primary"},
    retired_word{"restrained", "rate-limited"},
    retired_word{"statement_watch", "equivocation_detector"},
    retired_word{"trust_book", "peer_trust"},
    retired_word{"service_judge", "primary_monitor"},
    retired_word{"batch_builder", "request_pool"},
    retired_word{"view_change_set", "view_changer"},
    retired_word{"early_filter", "pre_verification_filter"},
    retired_word{"hand_on_plan", "forwarding_schedule"},
    retired_word{"slot_repair", "retransmission"},
    retired_word{"look_ahead", "future_messages"},
    retired_word{"state_keeper", "snapshot_writer"},
    retired_word{"chunk_stock", "chunk_cache"},
    retired_word{"neighbours", "node_actors"},
    retired_word{"untold", "unreported"},
};

bool is_letter(char letter) { return std::isalpha(static_cast<unsigned char>(letter)) != 0; }

bool is_read(std::string_view path) {
  constexpr std::array<std::string_view, 5> endings = {".cpp", ".hpp", ".fbs", ".md", ".patch"};
  // The changelog and this rule must name the old words.
  return !path.starts_with("tests/style/") && path != "CHANGELOG.md" &&
         std::any_of(endings.begin(), endings.end(), [&](auto end) { return path.ends_with(end); });
}

/// The text in lower case, so that a word is found in every spelling.
std::string lowered(std::string_view text) {
  std::string low(text);
  std::transform(low.begin(), low.end(), low.begin(),
                 [](char letter) { return static_cast<char>(std::tolower(static_cast<unsigned char>(letter))); });
  return low;
}

void find_word(const source_file& file, std::string_view low, const retired_word& retired, violations& found) {
  for (auto at = low.find(retired.word); at != std::string_view::npos; at = low.find(retired.word, at + 1)) {
    const auto end = at + retired.word.size();
    const bool is_inside = (at > 0 && is_letter(low[at - 1])) || (end < low.size() && is_letter(low[end]));
    if (is_inside) continue;
    found.push_back({file.path, line_of(low, at),
                     std::string(retired.word) + ": the word is \"" + std::string(retired.instead) + "\""});
  }
}

// --- Comments --------------------------------------------------------------------

struct line_counts {
  std::size_t comments = 0;
  std::size_t all = 0;
};

std::string_view trimmed(std::string_view line) {
  const auto begin = line.find_first_not_of(" \t");
  return begin == std::string_view::npos ? std::string_view{} : line.substr(begin);
}

/// Counts the lines that are not empty. A line that begins with `//` is a comment line.
void count_lines(std::string_view text, line_counts& into) {
  while (!text.empty()) {
    const auto line = trimmed(text.substr(0, text.find('\n')));
    text.remove_prefix(
        std::min(text.size(), text.find('\n') == std::string_view::npos ? text.size() : text.find('\n') + 1));
    if (line.empty()) continue;
    ++into.all;
    if (line.starts_with("//")) ++into.comments;
  }
}

}  // namespace

violations check_words(const source_tree& tree) {
  violations found;
  for (const auto& file : tree) {
    if (!is_read(file.path)) continue;
    const auto low = lowered(file.text);
    for (const auto& retired : retired_words)
      find_word(file, low, retired, found);
  }
  return found;
}

violations check_comments(const source_tree& tree) {
  std::map<std::string, line_counts> by_room;
  for (const auto& file : tree) {
    const bool is_source = file.path.starts_with("actors/protocol/") && file.path.ends_with(".cpp");
    if (is_source) count_lines(file.text, by_room[file.path.substr(0, file.path.rfind('/'))]);
  }
  violations found;
  for (const auto& [room, counts] : by_room) {
    const auto percent = 100 * counts.comments / counts.all;
    // A room with fewer lines is only a table of names.
    if (percent >= comment_percent_min || counts.all < comment_rule_lines_min) continue;
    found.push_back({room, 0,
                     std::to_string(percent) + " % of the lines of its sources are comments, at least " +
                         std::to_string(comment_percent_min) + " %: say why where a rule is not obvious"});
  }
  return found;
}

}  // namespace hypermesh::style
