#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/style/style_rules.hpp"

/// The rules for subjects of commits (`.github/CONTRIBUTING.md`).
namespace hypermesh::style {

struct commit {
  /// The short hash of the commit.
  std::string name;
  std::string subject;
  /// The files that the commit changes.
  std::vector<std::string> paths;
};

inline constexpr std::size_t subject_letters_max = 72;

/// The format of `git log` that `read_log` reads, with `--name-only`: a line with the byte 1 and the hash, the subject,
/// an empty line, the paths.
inline constexpr std::string_view log_format = "%x01%h%n%s";
[[nodiscard]] std::vector<commit> read_log(std::string_view log);

/// Checks subjects. A subject has at most `subject_letters_max` letters. It names one or more folders that the commit
/// changes, then says what the commit does: "runtime/links, tests: refuse one process too many". A folder may be named
/// by its path, by the end of its path, or by its last word ("lab" for `hypermesh-lab`). The name of a file without its
/// ending counts too.
[[nodiscard]] violations check_commits(const std::vector<commit>& commits);

}  // namespace hypermesh::style
