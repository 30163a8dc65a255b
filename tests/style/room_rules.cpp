#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/style/source_text.hpp"
#include "tests/style/style_rules.hpp"

namespace hypermesh::style {

namespace {

constexpr std::string_view protocol_folder = "actors/protocol/";

/// A room of `actors/protocol`, and the rooms that it may include in addition to itself and `base`.
struct room {
  std::string_view name;
  std::array<std::string_view, 5> includes;
};

/// The rooms that an auditor of safety reads. Their number of code lines is bounded, so that an auditor can read them
/// in an afternoon.
constexpr std::array<std::string_view, 6> audited = {"base",     "views",     "verification",
                                                     "ordering", "execution", "durability"};
constexpr std::size_t audited_lines_max = 5'000;

/// The rooms from the bottom. A room includes only rooms before it, so there is no cycle.
constexpr std::array rooms = {
    room{"base", {}},
    room{"reputation", {}},
    room{"receipts", {}},
    room{"execution", {"reputation", "receipts"}},
    room{"views", {"reputation"}},
    room{"verification", {"reputation", "views"}},
    room{"ordering", {"views"}},
    room{"durability", {"execution", "ordering"}},
    room{"transfer", {}},
    room{"guard", {"reputation", "verification"}},
    room{"admission", {"execution", "reputation", "views", "verification", "guard"}},
    room{"client", {"receipts"}},
};

const room* find_room(std::string_view name) {
  const auto* found = std::find_if(rooms.begin(), rooms.end(), [&](const room& each) { return each.name == name; });
  return found == rooms.end() ? nullptr : found;
}

/// The name of the room, for example "views" for "actors/protocol/views/new_view.hpp"; empty for a file outside of the
/// rooms.
std::string_view room_of(std::string_view path) {
  if (!path.starts_with(protocol_folder)) return {};
  path.remove_prefix(protocol_folder.size());
  const auto slash = path.find('/');
  return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
}

bool is_cpp(std::string_view path) { return path.ends_with(".cpp") || path.ends_with(".hpp"); }

bool may_include(const room& from, std::string_view to) {
  return to == from.name || to == "base" ||
         (!to.empty() && std::find(from.includes.begin(), from.includes.end(), to) != from.includes.end());
}

void check_file(const source_file& file, violations& found) {
  const auto* own = find_room(room_of(file.path));
  if (own == nullptr) {
    found.push_back({file.path, 0, "is in no room of actors/protocol: move it, or add the room to room_rules.cpp"});
    return;
  }
  for (const auto& include : read_source(file.text).includes) {
    if (!include.path.starts_with(protocol_folder)) continue;
    const auto target = room_of(include.path);
    if (may_include(*own, target)) continue;
    found.push_back({file.path, include.line,
                     include.path + ": " + std::string(own->name) + " may not include " + std::string(target) +
                         "; move the type to a room below both"});
  }
}

/// The number of lines that are neither empty nor a comment.
std::size_t code_lines_of(const std::string& text) {
  std::size_t lines = 0;
  std::istringstream all{text};
  for (std::string line; std::getline(all, line);) {
    const auto first = line.find_first_not_of(" \t");
    if (first != std::string::npos && line.compare(first, 2, "//") != 0) ++lines;
  }
  return lines;
}

/// The number in the last cell of a row of the README, for example "1,290".
std::size_t last_number_of(std::string_view row) {
  const auto end = row.find_last_of('|');
  const auto begin = end == std::string_view::npos || end == 0 ? end : row.find_last_of('|', end - 1);
  std::size_t number = 0;
  if (begin == std::string_view::npos) return number;
  for (const char letter : row.substr(begin, end - begin)) {
    if (letter >= '0' && letter <= '9') number = 10 * number + static_cast<std::size_t>(letter - '0');
  }
  return number;
}

/// The README gives the number of code lines of each room for people who plan an audit. The numbers must be right
/// within 20 lines.
void check_sizes_in(const source_file& readme, const std::map<std::string, std::size_t>& lines, violations& found) {
  constexpr std::size_t slack = 20;
  std::istringstream all{readme.text};
  std::size_t number = 0;
  for (std::string row; std::getline(all, row);) {
    ++number;
    if (!row.starts_with("| [")) continue;
    const auto known = lines.find(row.substr(3, row.find(']') - 3));
    if (known == lines.end()) continue;
    const auto said = last_number_of(row);
    if (said + slack >= known->second && said <= known->second + slack) continue;
    found.push_back({readme.path, number, known->first + " has " + std::to_string(known->second) + " code lines"});
  }
}

std::string folder_of(std::string_view path) { return std::string(path.substr(0, path.rfind('/'))); }

}  // namespace

violations check_rooms(const source_tree& tree) {
  violations found;
  std::map<std::string, std::size_t> lines;
  for (const auto& file : tree) {
    if (!file.path.starts_with(protocol_folder) || !is_cpp(file.path)) continue;
    check_file(file, found);
    lines[std::string(room_of(file.path))] += code_lines_of(file.text);
  }
  std::size_t audited_lines = 0;
  for (const auto name : audited)
    audited_lines += lines[std::string(name)];
  if (audited_lines > audited_lines_max) {
    found.push_back({std::string(protocol_folder), 0,
                     "the rooms that an auditor reads have " + std::to_string(audited_lines) + " code lines"});
  }
  for (const auto& file : tree) {
    if (file.path == "actors/protocol/README.md") check_sizes_in(file, lines, found);
  }
  return found;
}

violations check_readmes(const source_tree& tree) {
  std::set<std::string> with_code;
  std::set<std::string> with_readme;
  for (const auto& file : tree) {
    if (is_cpp(file.path) && file.path.find('/') != std::string::npos) with_code.insert(folder_of(file.path));
    if (file.path.ends_with("/README.md")) with_readme.insert(folder_of(file.path));
  }
  violations found;
  for (const auto& folder : with_code) {
    // The tests of a room need no README, because the README of the room explains them.
    if (folder.starts_with("tests/protocol/") || with_readme.contains(folder)) continue;
    // The README of the examples explains all of them.
    if (folder.starts_with("tools/examples/") && with_readme.contains("tools/examples")) continue;
    found.push_back({folder, 0, "has no README.md: what it is, where to start reading, how to add one more"});
  }
  return found;
}

}  // namespace hypermesh::style
