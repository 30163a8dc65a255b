#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include "tests/style/commit_rules.hpp"
#include "tests/style/style_rules.hpp"

namespace {

namespace fs = std::filesystem;
using namespace hypermesh::style;

constexpr std::string_view commits_rule = "commits";

/// Whether the folder is a dot-folder or the build tree, whose files are not part of the repository's text.
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

/// The rule for subjects applies to commits after this commit.
constexpr std::string_view last_free_commit = "517af7432548229e92a575a05d1ed9aa10f13a49";
/// The time of this commit. Earlier commits are exempt too, because a clone without the whole history cannot compare
/// the order of commits.
constexpr std::string_view last_free_time = "1795752495";

/// The output of `git <arguments>` in this folder; nothing if git fails.
std::optional<std::string> output_of_git(const fs::path& folder, const std::string& arguments) {
  std::string quoted = "'";
  for (const char letter : folder.string())
    quoted += letter == '\'' ? std::string{"'\\''"} : std::string{letter};
  // The option lets git also read a checkout that belongs to another user, for example in a container.
  const auto command = "git -c safe.directory='*' -C " + quoted + "' " + arguments + " 2>/dev/null";
  auto* const pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return std::nullopt;
  std::string output;
  std::array<char, 4'096> piece{};
  for (auto size = fread(piece.data(), 1, piece.size(), pipe); size > 0;
       size = fread(piece.data(), 1, piece.size(), pipe)) {
    output.append(piece.data(), size);
  }
  return pclose(pipe) == 0 ? std::optional{std::move(output)} : std::nullopt;
}

/// The commits to which the rule applies, as far as this clone has them; nothing if the folder is not the top of a
/// clone.
std::optional<std::vector<commit>> load_commits(const fs::path& root) {
  if (output_of_git(root, "rev-parse --show-cdup") != "\n") return std::nullopt;
  const std::string base{last_free_commit};
  const bool is_known = output_of_git(root, "cat-file -e " + base + "^{commit}").has_value();
  const auto log =
      output_of_git(root, "log --no-merges --no-renames --name-only --format=" + std::string(log_format) +
                              " --since=@" + std::string(last_free_time) + " HEAD" + (is_known ? " ^" + base : ""));
  return log ? std::optional{read_log(*log)} : std::nullopt;
}

int print(const violations& found, std::string_view rule, std::size_t count, std::string_view what) {
  for (const auto& [path, line, reason] : found)
    std::cout << path << ':' << line << ": " << reason << '\n';
  std::cout << count << ' ' << what << ", " << found.size() << " violations of \"" << rule << "\"\n";
  return found.empty() ? 0 : 1;
}

int check_history(const fs::path& root) {
  const auto commits = load_commits(root);
  if (commits) return print(check_commits(*commits), commits_rule, commits->size(), "commits");
  std::cout << "no git, or no history of this folder: nothing to check\n";
  return 0;
}

int usage() {
  std::cerr << "usage: hypermesh_style_check <top of the repository> <rule>\nrules:";
  for (const auto& rule : all_rules)
    std::cerr << ' ' << rule.name;
  std::cerr << ' ' << commits_rule << '\n';
  return 2;
}

}  // namespace

/// Exit codes: 0 no violation, 1 violations (one line for each on stdout), 2 wrong usage or unreadable files.
int main(int argc, char** argv) {
  if (argc != 3) return usage();
  const std::string_view wanted = argv[2];
  if (wanted == commits_rule) return check_history(argv[1]);
  const auto* rule = std::find_if(std::begin(all_rules), std::end(all_rules),
                                  [&](const auto& candidate) { return candidate.name == wanted; });
  if (rule == std::end(all_rules)) return usage();
  try {
    const auto tree = load(argv[1]);
    if (tree.empty()) return usage();
    return print(rule->check(tree), rule->name, tree.size(), "files");
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 2;
  }
}
