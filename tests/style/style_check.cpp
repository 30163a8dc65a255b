#include <algorithm>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>

#include "tests/style/style_rules.hpp"

namespace {

namespace fs = std::filesystem;
using namespace hypermesh::style;

/// Dot-folders and the build tree are not part of the repository's text.
bool is_skipped(const fs::path& folder, const fs::path& root) {
  return folder.filename().string().starts_with('.') || folder == root / "build";
}

std::string read_text(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw fs::filesystem_error("cannot read", path, std::make_error_code(std::errc::io_error));
  return {std::istreambuf_iterator<char>(stream), {}};
}

source_tree load(const fs::path& root) {
  source_tree tree;
  for (auto entry = fs::recursive_directory_iterator(root); entry != fs::recursive_directory_iterator(); ++entry) {
    if (entry->is_directory() && is_skipped(entry->path(), root)) {
      entry.disable_recursion_pending();
    } else if (entry->is_regular_file()) {
      tree.push_back({fs::relative(entry->path(), root).generic_string(), read_text(entry->path())});
    }
  }
  std::sort(tree.begin(), tree.end(), [](const auto& left, const auto& right) { return left.path < right.path; });
  return tree;
}

int usage() {
  std::cerr << "usage: hypermesh_style_check <top of the repository> <rule>\nrules:";
  for (const auto& rule : all_rules)
    std::cerr << ' ' << rule.name;
  std::cerr << '\n';
  return 2;
}

}  // namespace

/// Exit codes: 0 nothing found, 1 violations (one a line on stdout), 2 wrong usage or unreadable files.
int main(int argc, char** argv) {
  if (argc != 3) return usage();
  const std::string_view wanted = argv[2];
  const auto* rule = std::find_if(std::begin(all_rules), std::end(all_rules),
                                  [&](const auto& candidate) { return candidate.name == wanted; });
  if (rule == std::end(all_rules)) return usage();
  try {
    const auto tree = load(argv[1]);
    if (tree.empty()) return usage();
    const auto found = rule->check(tree);
    for (const auto& [path, line, reason] : found)
      std::cout << path << ':' << line << ": " << reason << '\n';
    std::cout << tree.size() << " files, " << found.size() << " violations of \"" << rule->name << "\"\n";
    return found.empty() ? 0 : 1;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 2;
  }
}
