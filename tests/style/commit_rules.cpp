#include "tests/style/commit_rules.hpp"

#include <algorithm>
#include <cctype>

namespace hypermesh::style {

namespace {

std::vector<std::string_view> split(std::string_view text, std::string_view between) {
  std::vector<std::string_view> parts;
  for (auto end = text.find(between); end != std::string_view::npos; end = text.find(between)) {
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end + between.size());
  }
  parts.push_back(text);
  return parts;
}

/// Counts code points, not bytes.
std::size_t letters_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char each) { return (static_cast<unsigned char>(each) & 0xc0U) != 0x80U; }));
}

bool is_equal(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](unsigned char one, unsigned char other) { return std::tolower(one) == std::tolower(other); });
}

/// Whether `name` stands for this part of a path: "lab" for "hypermesh-lab", "github" for ".github", "readme" for
/// "README.md".
bool means(std::string_view name, std::string_view part) {
  if (is_equal(name, part) || is_equal(name, part.substr(0, part.rfind('.')))) return true;
  const auto separator = part.find_last_of(".-");
  return separator != std::string_view::npos && is_equal(name, part.substr(separator + 1));
}

/// Whether the parts of `name` occur one after another in `path`.
bool is_part_of(std::string_view name, std::string_view path) {
  const auto wanted = split(name, "/");
  const auto parts = split(path, "/");
  return std::search(parts.begin(), parts.end(), wanted.begin(), wanted.end(),
                     [](std::string_view part, std::string_view one) { return means(one, part); }) != parts.end();
}

/// The fault of the subject; empty if there is none.
std::string objection_to(const commit& of) {
  const auto letters = letters_of(of.subject);
  if (letters > subject_letters_max) {
    return std::to_string(letters) + " letters: at most " + std::to_string(subject_letters_max) +
           "; move the reason into the body";
  }
  const auto colon = of.subject.find(": ");
  if (colon == std::string::npos) return "names no folder: write \"folder: what the commit does\"";
  for (const auto name : split(std::string_view{of.subject}.substr(0, colon), ", ")) {
    const bool is_changed =
        std::any_of(of.paths.begin(), of.paths.end(), [&](const std::string& path) { return is_part_of(name, path); });
    if (name.empty() || (!of.paths.empty() && !is_changed)) {
      return "\"" + std::string(name) + "\" is no folder that the commit changes: name one that it changes";
    }
  }
  const auto act = std::string_view{of.subject}.substr(colon + 2);
  if (act.empty() || std::isupper(static_cast<unsigned char>(act.front())) != 0 || act.back() == '.') {
    return "after the folder comes a verb in the imperative, in lower case and without a full stop";
  }
  return {};
}

}  // namespace

std::vector<commit> read_log(std::string_view log) {
  std::vector<commit> commits;
  bool is_subject = false;
  for (const auto line : split(log, "\n")) {
    if (line.starts_with('\x01')) {
      commits.push_back({std::string(line.substr(1)), {}, {}});
      is_subject = true;
    } else if (is_subject) {
      commits.back().subject = line;
      is_subject = false;
    } else if (!line.empty() && !commits.empty()) {
      commits.back().paths.emplace_back(line);
    }
  }
  return commits;
}

violations check_commits(const std::vector<commit>& commits) {
  violations found;
  for (const auto& each : commits) {
    const auto objection = objection_to(each);
    if (!objection.empty()) found.push_back({each.name, 0, "\"" + each.subject + "\": " + objection});
  }
  return found;
}

}  // namespace hypermesh::style
